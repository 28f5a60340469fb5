//! Spread: the work on one file as tasks, which threads or other machines do apart from each other.
//!
//! A file that is its rows as it is stored is learnt in ranges, and staged in runs of its chunks. An
//! [`Engine`] does tasks; whoever hands them out does not know where. All that a task needs is in its
//! [`Spec`] and in the task itself, so any machine can do it, and do it again: what a task has done
//! counts only by the one outcome that the engine gives for it.
//!
//! `learn` and `stage` are the two kinds of tasks, `worker` does them, on
//! `threads` of this process or elsewhere, with an [`Access`](crate::stored::Access) to what is
//! stored; `pieces` is for files that cannot be read in ranges; `in_order` brings outcomes, which
//! come in any order, into that of the file.

mod as_json;
mod in_order;
pub mod learn;
pub mod pieces;
pub mod stage;
mod stored_text;
#[cfg(test)]
mod tests;
pub mod threads;
pub mod worker;

use std::num::NonZeroUsize;

use loader_model::error::{Error, Kind, Result};
use loader_model::stop::StopFlag;
use serde::{Deserialize, Serialize};

use crate::infer::{LearnSpec, LearnTask};

pub(crate) use in_order::InOrder;
pub use stored_text::StoredText;

/// Does tasks.
pub trait Engine: Send + Sync {
    /// How many tasks are done at once.
    fn tasks_at_once(&self) -> NonZeroUsize;

    /// Does all tasks of a spec, in any order, and hands over the outcome of each one once, with the
    /// task's place. An error of `take` ends the work.
    ///
    /// Blocks. Errors: those of `take` and of `stop`; `Transient` or `Internal` when a task could not be done, also
    /// not again.
    fn map(
        &self,
        spec: &Spec,
        tasks: &[Task],
        stop: &StopFlag,
        take: &mut dyn FnMut(usize, Outcome) -> Result<()>,
    ) -> Result<()>;
}

/// What all tasks of a map have in common.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub enum Spec {
    Learn(Box<LearnSpec>),
    Stage(Box<stage::StageSpec>),
}

/// One piece of work.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub enum Task {
    Learn(LearnTask),
    Stage(stage::StageTask),
}

/// What has become of a task.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub enum Outcome {
    Learnt(learn::Learnt),
    Staged(Box<stage::StagedTask>),
    /// It would fail again, wherever it is done.
    Failed(Failure),
}

/// An error on its way from the machine that met it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Failure {
    pub kind: Kind,
    pub message: String,
}

impl Failure {
    pub fn of(error: &Error) -> Failure {
        Failure { kind: error.kind(), message: error.to_string() }
    }

    pub fn into_error(self) -> Error {
        Error::new(self.kind, self.message)
    }
}

/// The error of an outcome that is none of its task.
fn unexpected() -> Error {
    Error::new(Kind::Internal, "the outcome of a task is of another kind than the task")
}
