//! What it means that a statement was cancelled while it waited for a lock.

use loader_aws::data_api::DataApi;
use loader_model::error::{Error, Kind};
use loader_model::names::TableName;
use loader_warehouse::bookkeeping::{fence, lock_fence};
use loader_warehouse::refusal::StatementFailure;

/// The error of a statement about `target` that the program has cancelled, because it had waited for
/// longer than `api` lets it. `statement`: the one that waited.
// The Data API does not say who has cancelled a statement. So the message names a person in the
// database, too, where the statement is none that does nothing but wait.
pub fn cancelled(
    api: &DataApi,
    target: &TableName,
    statement: &str,
    failure: &StatementFailure,
) -> Error {
    let seconds = seconds(api);
    let fact = if statement == lock_fence(target) {
        format!(
            "another transaction holds {} for longer than --lock-timeout {seconds}, so {target} is \
             being loaded or altered; run again, or see in STV_LOCKS who holds it",
            fence(target)
        )
    } else {
        format!(
            "{target} or a view of it was in use for longer than --lock-timeout {seconds}, or the \
             change was cancelled in the database; Redshift changes nothing that others are \
             reading: run again, or see in STV_LOCKS who reads it"
        )
    };
    Error::new(Kind::Transient, fact).with("statement_id", &failure.id)
}

/// The error of a query of the catalog that was cancelled so. `doing`: what it was for.
pub fn query_cancelled(api: &DataApi, doing: &str, failure: &StatementFailure) -> Error {
    let fact = format!(
        "{doing} took longer than --lock-timeout {}, since another transaction is changing tables \
         or views, or it was cancelled in the database; run again, or see in STV_LOCKS who holds \
         them",
        seconds(api)
    );
    Error::new(Kind::Transient, fact).with("statement_id", &failure.id)
}

fn seconds(api: &DataApi) -> u64 {
    api.longest_wait().unwrap_or_default().as_secs()
}
