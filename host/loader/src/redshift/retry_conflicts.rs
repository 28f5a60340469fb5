//! Runs a batch again, a little later, when it met another transaction. Redshift has rolled back
//! the whole batch, so this is safe for any batch. (For example, error 1023, a serializable
//! isolation violation, when two loads write to the ledger at once.)

use std::time::Duration;

use loader_aws::data_api::{DataApi, Outcome};
use loader_model::error::Result;
use loader_warehouse::refusal::Refusal;

/// Tries of a batch that meets other transactions. The pauses between them double: 0.5, 1, 2 and 4
/// seconds.
const MAX_TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Runs statements as one transaction, and again while another transaction is in the way. Returns
/// the last failure when all tries have failed, and any other failure at once.
pub async fn execute_batch(api: &DataApi, statements: &[String]) -> Result<Outcome> {
    let (mut tries, mut pause) = (1, FIRST_PAUSE);
    loop {
        match api.execute_batch(statements).await? {
            // Only an answer of Redshift is tried again here. A lost answer is an `Err`: the batch
            // may have been committed, and running it once more could load the rows twice.
            Outcome::Failed(failure) if is_conflict(failure.refusal) && tries < MAX_TRIES => {
                tracing::warn!(tries, error = %failure.message, "another transaction was in the \
                                                                 way, trying again");
            }
            outcome => return Ok(outcome),
        }
        tokio::time::sleep(pause).await;
        (tries, pause) = (tries + 1, pause * 2);
    }
}

fn is_conflict(refusal: Refusal) -> bool {
    match refusal {
        Refusal::Conflict => true,
        Refusal::Cancelled
        | Refusal::Denied
        | Refusal::BucketDenied
        | Refusal::RoleRefused
        | Refusal::Unavailable
        | Refusal::WrongPassword
        | Refusal::Missing(_)
        | Refusal::AlreadyExists
        | Refusal::TypeMismatch
        | Refusal::Guard
        | Refusal::WideAlready
        | Refusal::HeldByViews
        | Refusal::Other => false,
    }
}
