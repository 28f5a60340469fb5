//! What an engine does: tasks that have a spec in common, and what has become of them.

use std::num::NonZeroUsize;

use loader_model::error::{Error, Kind, Result};
use loader_model::stop::StopFlag;
use serde::{Deserialize, Serialize};

use super::learnt::Learnt;
use super::staged_task::{StageSpec, StageTask, StagedTask};
use crate::infer::{LearnSpec, LearnTask};

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
    Stage(Box<StageSpec>),
}

/// One piece of work.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub enum Task {
    Learn(LearnTask),
    Stage(StageTask),
}

/// What has become of a task.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub enum Outcome {
    Learnt(Learnt),
    Staged(Box<StagedTask>),
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
pub(super) fn unexpected() -> Error {
    Error::new(Kind::Internal, "the outcome of a task is of another kind than the task")
}
