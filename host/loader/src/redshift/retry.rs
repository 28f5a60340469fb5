//! Runs a batch again, a little later, when what was in its way may have passed. Redshift has
//! rolled back the whole batch, so this is safe for any batch. (For example, error 1023, a
//! serializable isolation violation, when another program has written to the table meanwhile.)

use std::time::Duration;

use loader_aws::data_api::{DataApi, Outcome};
use loader_model::error::Result;
use loader_warehouse::refusal::Refusal;

/// Tries of a batch. The pauses between them double: 0.5, 1, 2 and 4
/// seconds.
const MAX_TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Runs statements as one transaction, and again while another transaction is in the way. Returns
/// the last failure when all tries have failed, and any other failure at once.
pub async fn execute_batch(api: &DataApi, statements: &[String]) -> Result<Outcome> {
    execute_batch_while(api, statements, is_conflict).await
}

/// The same for refusals that `may_pass` names.
pub async fn execute_batch_while(
    api: &DataApi,
    statements: &[String],
    may_pass: impl Fn(Refusal) -> bool,
) -> Result<Outcome> {
    let (mut tries, mut pause) = (1, FIRST_PAUSE);
    loop {
        match api.execute_batch(statements).await? {
            // Only an answer of Redshift is tried again here. A lost answer is an `Err`: the batch
            // may have been committed, and running it once more could load the rows twice.
            Outcome::Failed(failure) if may_pass(failure.refusal) && tries < MAX_TRIES => {
                // Of several loads that make the same table, all but one are told so.
                match failure.refusal {
                    Refusal::AlreadyExists => tracing::debug!(tries, "another has made it"),
                    _ => tracing::warn!(tries, error = %failure.message, "trying again"),
                }
            }
            outcome => return Ok(outcome),
        }
        api.pause(pause).await?;
        (tries, pause) = (tries + 1, pause * 2);
    }
}

/// Whether another transaction was in the way.
pub fn is_conflict(refusal: Refusal) -> bool {
    matches!(refusal, Refusal::Conflict)
}

/// Whether the warehouse or S3 could not serve the statements for now, or another transaction was
/// in the way.
pub fn is_passing(refusal: Refusal) -> bool {
    matches!(refusal, Refusal::Conflict | Refusal::Unavailable)
}

/// Whether another program made the same tables, or was in the way. CREATE TABLE IF NOT EXISTS
/// looks first and creates then, so of two at once one may fail because the table exists by now.
pub fn is_race(refusal: Refusal) -> bool {
    matches!(refusal, Refusal::Conflict | Refusal::AlreadyExists)
}
