//! A batch that met another transaction is run again, a little later. The whole batch was
//! rolled back, so this is safe for any batch.

use std::time::Duration;

use loader_aws::data_api::{DataApi, Outcome};
use loader_model::error::Result;
use loader_warehouse::refusal::Refusal;

/// Tries of a batch that meets other transactions.
const MAX_TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Runs statements as one transaction, and again as long as others are in the way; the last failure
/// is returned.
pub async fn execute_batch(api: &DataApi, statements: &[String]) -> Result<Outcome> {
    let (mut tries, mut pause) = (1, FIRST_PAUSE);
    loop {
        match api.execute_batch(statements).await? {
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
