//! Outcomes that come in any order, brought into that of their tasks.

use std::collections::BTreeMap;

use loader_model::error::Result;

use super::engine::Outcome;

/// Outcomes that wait for those of the tasks before them.
#[derive(Default)]
pub(crate) struct InOrder {
    waiting: BTreeMap<usize, Outcome>,
    next: usize,
}

impl InOrder {
    /// Takes the outcome of the task at `place`, and hands on those whose turn has come.
    ///
    /// Errors: those of `hand_on`; that of a task, once all before it have come. So the failure that
    /// is reported is the first in the file, whichever task failed first.
    pub(crate) fn take(
        &mut self,
        place: usize,
        outcome: Outcome,
        mut hand_on: impl FnMut(usize, Outcome) -> Result<()>,
    ) -> Result<()> {
        self.waiting.insert(place, outcome);
        while let Some(outcome) = self.waiting.remove(&self.next) {
            if let Outcome::Failed(failure) = outcome {
                return Err(failure.into_error());
            }
            hand_on(self.next, outcome)?;
            self.next += 1;
        }
        Ok(())
    }
}
