//! Submits executions: a request is sent until the service says that it has it, or refuses it.
//!
//! In: the statements. Out: the id by which the execution is looked at. All attempts carry one
//! token, so that the service runs the statements once, even when it had them and its answer was
//! lost. Source, `ClientToken`:
//! <https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ExecuteStatement.html>.

use std::time::Duration;

use aws_sdk_redshiftdata::config::Builder;
use aws_sdk_redshiftdata::config::retry::RetryConfig;
use loader_model::error::{Error, Kind, Result};

use super::{Address, DataApi};
use crate::connect::boxed;
use crate::failure;

/// The pause before a request is sent again is half of this at least; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Attempts, with some 30 to 60 seconds of pauses between them: quotas of the service pass in less.
const MOST_ATTEMPTS: u32 = 10;

impl DataApi {
    /// Submits one statement and returns its id.
    pub(super) async fn submit_one(&self, sql: &str) -> Result<String> {
        let token = new_token();
        self.submit(async || self.send_one(sql, &token).await).await
    }

    /// Submits a batch and returns its id.
    pub(super) async fn submit_batch(&self, statements: &[String]) -> Result<String> {
        // One token for all attempts. A new one for each would let a batch whose first answer was
        // lost run twice.
        let token = new_token();
        self.submit(async || self.send_batch(statements, &token).await).await
    }

    /// Sends an execution, and sends it again when the failure may pass or the answer was lost.
    /// Gives up after [`MOST_ATTEMPTS`], and when the run shall stop.
    // An attempt without an answer may have arrived, and the failure of a later attempt does not
    // change that. So once an outcome was unknown, the error stays `OutcomeUnknown`, whichever way
    // the last attempt fails. (For example, a timeout and then three times throttled is unknown.)
    async fn submit(&self, mut send: impl AsyncFnMut() -> Result<String>) -> Result<String> {
        let (mut pause, mut unknown) = (FIRST_PAUSE, None);
        for attempt in 1.. {
            let error = match self.answered(send()).await {
                Ok(id) => return Ok(id),
                Err(error) => error,
            };
            let again = matches!(error.kind(), Kind::Transient | Kind::OutcomeUnknown);
            if !again || attempt == MOST_ATTEMPTS {
                return Err(unknown.unwrap_or(error));
            }
            tracing::warn!(%error, "submitting again");
            if error.kind() == Kind::OutcomeUnknown {
                unknown = Some(error);
            }
            // Programs that were throttled at the same moment do not come back at the same moment.
            let pause_now = pause.mul_f64(0.5 + fastrand::f64() / 2.0);
            if let Err(stopped) = self.pause(pause_now).await {
                return Err(unknown.unwrap_or(stopped));
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Err(Error::new(Kind::Internal, "no attempt was the last one"))
    }

    /// Waits for an answer, but not much longer when the run shall stop.
    async fn answered(&self, request: impl Future<Output = Result<String>>) -> Result<String> {
        let answer = self.stop.bounds_last(boxed(request)).await;
        answer.unwrap_or_else(|stopped| {
            let fact = "a request was on its way to the warehouse when the run was stopped, and got \
                        no answer; run again, the ledger knows whether the file was loaded";
            Err(Error::new(Kind::OutcomeUnknown, fact).caused_by(stopped))
        })
    }

    /// Waits between two attempts. Errors: `Interrupted` when the run shall stop.
    pub async fn pause(&self, pause: Duration) -> Result<()> {
        self.stop.bounds(tokio::time::sleep(pause)).await
    }

    async fn send_one(&self, sql: &str, token: &str) -> Result<String> {
        self.calls.count("ExecuteStatement");
        let to = Address::of(&self.database, &self.session);
        let request = self.client.execute_statement().sql(sql).client_token(token);
        let request = request
            .statement_name(&self.statement_name)
            .set_database(to.database)
            .set_workgroup_name(to.workgroup)
            .set_cluster_identifier(to.cluster)
            .set_db_user(to.db_user)
            .set_secret_arn(to.secret_arn)
            .set_session_id(to.session_id)
            .set_session_keep_alive_seconds(to.keep_alive_seconds);
        match boxed(request.customize().config_override(once()).send()).await {
            Ok(answer) => Ok(answer.id.unwrap_or_default()),
            Err(error) => Err(failure::failure("submitting a statement", error)),
        }
    }

    async fn send_batch(&self, statements: &[String], token: &str) -> Result<String> {
        self.calls.count("BatchExecuteStatement");
        let to = Address::of(&self.database, &self.session);
        let request = self.client.batch_execute_statement().client_token(token);
        let request = request
            .set_sqls(Some(statements.to_vec()))
            .statement_name(&self.statement_name)
            .set_database(to.database)
            .set_workgroup_name(to.workgroup)
            .set_cluster_identifier(to.cluster)
            .set_db_user(to.db_user)
            .set_secret_arn(to.secret_arn)
            .set_session_id(to.session_id)
            .set_session_keep_alive_seconds(to.keep_alive_seconds);
        match boxed(request.customize().config_override(once()).send()).await {
            Ok(answer) => Ok(answer.id.unwrap_or_default()),
            Err(error) => Err(failure::failure("submitting a batch of statements", error)),
        }
    }
}

/// The config of a request that the SDK sends once. It would send it again by itself, and tell how
/// the last attempt has failed, but not that an earlier one got no answer.
pub(super) fn once() -> Builder {
    Builder::new().retry_config(RetryConfig::disabled())
}

/// A token with which the service runs an execution once, however often the request arrives.
fn new_token() -> String {
    uuid::Uuid::now_v7().to_string()
}
