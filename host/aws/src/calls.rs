//! Counts the requests made to S3 and the Data API, by operation, for the report.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A shared tally. Clones count into the same tally.
// A poisoned lock is used all the same: a count is written in one step, so a thread that panicked
// cannot have left half of one.
#[derive(Clone, Debug, Default)]
pub struct Calls(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl Calls {
    /// Counts a request. `operation`: its name in the AWS API, such as `GetObject`.
    pub fn count(&self, operation: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(operation).or_default() += 1;
    }

    /// The tally so far, ordered by operation.
    pub fn tally(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
