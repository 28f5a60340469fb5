//! Waits for the end of an execution: looks at it until it has ended, cancels it when the run shall
//! stop or when it waits too long, and reads how it ended.

use std::cell::LazyCell;
use std::time::Duration;

use aws_sdk_redshiftdata::operation::describe_statement::DescribeStatementOutput;
use aws_sdk_redshiftdata::types::{StatementStatusString, StatusString, SubStatementData};
use loader_model::error::{Error, Kind, Result};
use loader_warehouse::refusal::StatementFailure;
use tokio::time::{Instant, timeout_at};
use tracing::Span;

use super::submit::once;
use super::{DataApi, Executed, Outcome, Patience, Running};
use crate::connect::boxed;
use crate::failure;
use crate::stop::GRACE;

/// How long one DescribeStatement may wait for a change, in seconds. Source: API_DescribeStatement,
/// `WaitTimeSeconds`.
const LONG_POLL_SECONDS: i32 = 30;
/// A pause that is short enough for a person who follows the progress on a terminal.
const WATCHED_POLL_SECONDS: i32 = 5;
/// How long looks at a running statement may fail before its outcome counts as unknown: longer than
/// a network or a service is mostly gone. What the service knows of it stays for 24 hours.
const LONGEST_BLINDNESS: Duration = Duration::from_secs(15 * 60);
/// The same for failures that do not pass by themselves (a right that is missing, for example).
const SHORT_BLINDNESS: Duration = Duration::from_secs(60);
/// What the service says of the statements of a batch that never ran.
const NEVER_RAN: &str = "Connection or an prior query failed.";
/// How statements begin that take no time of their own: while one of them runs, it waits for a
/// lock.
const ONLY_WAIT: [&str; 5] =
    ["LOCK ", "DROP VIEW ", "ALTER TABLE ", "CREATE VIEW ", "CREATE OR REPLACE VIEW "];
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How the program looks at a running statement.
struct Looks {
    // Off after a look that failed, because the failure may be about the long poll itself.
    long_polls: bool,
    /// The pause before the next look. It grows while looks come back at once.
    pause: Duration,
}

impl Default for Looks {
    fn default() -> Looks {
        Looks { long_polls: true, pause: Duration::ZERO }
    }
}

impl Looks {
    /// Sets the next pause. `took`: how long the last look took.
    fn slow_down(&mut self, took: Duration) {
        // A long poll has waited at the service, and no pause is needed after it. Other looks are
        // 50 ms apart, then 100 ms, and so on up to 5 s; `clamp` makes 50 ms of twice zero.
        let at_once = took < Duration::from_secs(1);
        self.pause = if at_once {
            (self.pause * 2).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
        } else {
            Duration::ZERO
        };
    }
}

impl DataApi {
    /// Waits for the end of a statement. A wish to stop cancels the statement, and its outcome is
    /// still read.
    // After the cancel the loop goes on until the statement has ended, because only its last status
    // tells whether it was committed. A statement that finished all the same is a success. Only
    // when it has failed or was aborted does the wish to stop become the error.
    pub(super) async fn wait(&self, id: String) -> Result<Outcome> {
        Span::current().record("statement_id", &id);
        let (mut stopped, mut looks) = (None, Looks::default());
        let mut waiting = Waiting { patience: self.patience, since: None };
        loop {
            let described = match stopped {
                None => tokio::select! {
                    described = self.describe(&id, &mut looks) => described?,
                    reason = self.stop.wanted() => {
                        stopped = Some(self.cancel_at_the_end(&id, reason).await);
                        continue;
                    }
                },
                Some(Stopped { until, .. }) => {
                    let described = timeout_at(until, self.describe(&id, &mut looks)).await;
                    described.unwrap_or_else(|_| Err(outcome_unknown(&id)))?
                }
            };
            match (described.status(), stopped) {
                (Some(StatusString::Finished), _) => {
                    return Ok(Outcome::Finished(finished(id, &described)));
                }
                (Some(StatusString::Aborted | StatusString::Failed), Some(stopped)) => {
                    return Err(stopped.reason);
                }
                (Some(StatusString::Aborted | StatusString::Failed), None) => {
                    return Ok(Outcome::Failed(failed(id, &described)));
                }
                (_, still) => stopped = still,
            }
            if let Some(watcher) = &self.watcher {
                watcher(&running(&described));
            }
            if waiting.is_over(&described) {
                self.cancel(&id).await;
            }
        }
    }

    /// Cancels a statement because the run shall stop. From then on the outcome is waited for no
    /// longer than [`GRACE`].
    async fn cancel_at_the_end(&self, id: &str, reason: Error) -> Stopped {
        let until = Instant::now() + GRACE;
        // Whether it was cancelled is seen at the statement.
        let _ = timeout_at(until, self.cancel(id)).await;
        Stopped { reason, until }
    }

    /// Looks at a statement until a look succeeds, by a long poll where the service has those.
    /// Errors: `OutcomeUnknown` when looks have failed for too long.
    async fn describe(&self, id: &str, looks: &mut Looks) -> Result<DescribeStatementOutput> {
        let first_failure = LazyCell::new(Instant::now);
        loop {
            tokio::time::sleep(looks.pause).await;
            let started = Instant::now();
            let answer = self.look(id, looks.long_polls).await;
            looks.slow_down(started.elapsed());
            let error = match answer {
                Ok(described) => return Ok(described),
                Err(error) => error,
            };
            tracing::warn!(%error, statement_id = id, "looking again");
            looks.long_polls = false;
            let bound = match error.kind() {
                Kind::Transient => LONGEST_BLINDNESS,
                _ => SHORT_BLINDNESS,
            };
            if first_failure.elapsed() >= bound {
                return Err(outcome_unknown(id).caused_by(error));
            }
        }
    }

    async fn look(&self, id: &str, long_poll: bool) -> Result<DescribeStatementOutput> {
        self.calls.count("DescribeStatement");
        let wait_seconds = if long_poll { self.poll_seconds() } else { None };
        let request = self.client.describe_statement().id(id).set_wait_time_seconds(wait_seconds);
        // A failed look is followed by the next one here, and not within the SDK.
        let answer = boxed(request.customize().config_override(once()).send()).await;
        answer.map_err(|error| failure::read_failure("looking at a statement", error))
    }

    /// How long a long poll waits, in seconds: not beyond the time that an execution may wait, nor
    /// beyond half of the time after which a request counts as lost. `None`: there is no time.
    fn poll_seconds(&self) -> Option<i32> {
        let limits = self.client.config().timeout_config();
        let answer = limits.and_then(|limits| limits.read_timeout()).map(|longest| longest / 2);
        let longest = match &self.watcher {
            Some(_) => WATCHED_POLL_SECONDS,
            None => LONG_POLL_SECONDS,
        };
        let seconds = |bound: Duration| i32::try_from(bound.as_secs()).unwrap_or(i32::MAX);
        let wait = self.longest_wait().map_or(longest, |longest| seconds(longest).max(1));
        let bound = answer.map_or(longest, seconds).min(wait).min(longest);
        (bound > 0).then_some(bound)
    }

    async fn cancel(&self, id: &str) {
        self.calls.count("CancelStatement");
        if let Err(error) = boxed(self.client.cancel_statement().id(id).send()).await {
            let error = failure::read_failure("cancelling a statement", error);
            tracing::debug!(%error, "not cancelled");
        }
    }
}

/// A run that shall stop while a statement runs.
struct Stopped {
    reason: Error,
    /// When the outcome is not waited for any longer.
    until: Instant,
}

fn outcome_unknown(id: &str) -> Error {
    let fact = "the status of a running statement cannot be read, so its outcome is unknown; run \
                again, the ledger knows whether the file was loaded";
    Error::new(Kind::OutcomeUnknown, fact).with("statement_id", id)
}

/// How far an execution is.
fn running(described: &DescribeStatementOutput) -> Running {
    let subs = described.sub_statements();
    let is = |sub: &SubStatementData, status: StatementStatusString| sub.status() == Some(&status);
    let rows = subs.iter().filter(|sub| is(sub, StatementStatusString::Finished));
    let rows = rows.filter_map(|sub| u64::try_from(sub.result_rows()).ok()).max();
    let statement = subs.iter().position(|sub| is(sub, StatementStatusString::Started));
    Running { statement, rows: rows.unwrap_or(0) }
}

/// A finished statement or batch. A single statement has no sub-statements, and counts as one.
fn finished(id: String, described: &DescribeStatementOutput) -> Executed {
    let subs = described.sub_statements();
    let result_rows = match subs {
        [] => vec![described.result_rows()],
        subs => subs.iter().map(|sub| sub.result_rows()).collect(),
    };
    // A service that leaves a member out has said nothing. The SDK gives 0 for a missing number.
    let has_none =
        |sub: &SubStatementData| sub.has_result_set() == Some(true) && sub.result_rows() == 0;
    let without_rows = (0..).zip(subs).filter(|(_, sub)| has_none(sub)).map(|(place, _)| place);
    let without_rows = without_rows.collect();
    let session_id = described.session_id().map(str::to_owned);
    let has_result_set = described.has_result_set().unwrap_or(false);
    Executed { id, result_rows, without_rows, has_result_set, session_id }
}

/// Finds the statement of a batch that failed. The batch's own message has at best its number, so
/// the statement's own message comes first.
fn failed(id: String, described: &DescribeStatementOutput) -> StatementFailure {
    let found = culprit(described.sub_statements());
    let sub = found.map(|(_, sub)| sub);
    let message = sub.and_then(SubStatementData::error).or(described.error());
    let query_id = sub.map_or(described.redshift_query_id(), SubStatementData::redshift_query_id);
    let message = message.unwrap_or("no reason given").to_owned();
    StatementFailure::new(id, found.map_or(0, |(place, _)| place), message, query_id)
}

/// The statement that ended a batch, with its place: the one that failed, or else the one that was
/// cancelled. Statements that never ran are ABORTED, too, with a text of the service.
fn culprit(subs: &[SubStatementData]) -> Option<(usize, &SubStatementData)> {
    let with = |status: StatementStatusString| {
        subs.iter()
            .enumerate()
            .find(move |(_, sub)| sub.status() == Some(&status) && sub.error() != Some(NEVER_RAN))
    };
    with(StatementStatusString::Failed).or_else(|| with(StatementStatusString::Aborted))
}

/// The watch over an execution that may wait for others.
struct Waiting {
    patience: Option<Patience>,
    /// Since when it has waited, as far as looks tell.
    since: Option<Instant>,
}

impl Waiting {
    /// Whether it has waited for too long. Says so once.
    fn is_over(&mut self, described: &DescribeStatementOutput) -> bool {
        let counts = |patience: &Patience| !patience.only_locks || waits_for_lock(described);
        let Some(Patience { longest, .. }) = self.patience.filter(counts) else {
            self.since = None;
            return false;
        };
        let over = self.since.get_or_insert_with(Instant::now).elapsed() >= longest;
        if over {
            self.patience = None;
        }
        over
    }
}

/// Whether the statement that runs now does nothing but wait.
fn waits_for_lock(described: &DescribeStatementOutput) -> bool {
    let only_waits = |sql: Option<&str>| {
        sql.is_some_and(|sql| ONLY_WAIT.iter().any(|beginning| sql.starts_with(beginning)))
    };
    match described.sub_statements() {
        [] => {
            described.status() == Some(&StatusString::Started)
                && only_waits(described.query_string())
        }
        subs => subs.iter().any(|sub| {
            sub.status() == Some(&StatementStatusString::Started) && only_waits(sub.query_string())
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_without_rows_is_one_of_which_the_service_says_so() {
        let said = |has_result: Option<bool>, rows: Option<i64>| {
            let sub = SubStatementData::builder().id("1:1").set_has_result_set(has_result);
            sub.set_result_rows(rows).build().expect("it has an id")
        };
        let subs = [
            said(Some(true), Some(2)),
            said(Some(true), Some(0)),
            said(Some(true), Some(-1)),
            // An INSERT of no rows has no result that could be read.
            said(Some(false), Some(0)),
            said(None, None),
        ];
        let described =
            DescribeStatementOutput::builder().id("1").set_sub_statements(Some(subs.to_vec()));
        let described = described.build().expect("it has an id");
        let executed = finished("1".to_owned(), &described);
        assert_eq!(executed.without_rows, [1]);
        assert_eq!(executed.result_rows, [2, 0, -1, 0, 0]);
    }
}
