//! Spread: the work on one file as tasks, which threads or other machines do apart from each other.
//!
//! A file that is its rows as it is stored is learnt in ranges, and staged in runs of its chunks. An
//! [`Engine`] does tasks; the code that hands them out does not know where. All that a task needs is in its
//! [`Spec`] and in the task itself, so any machine can do it, and do it again: what a task has done
//! counts only by the one outcome that the engine gives for it.
//!
//! `engine` has what they send and get; `learnt` and `staged_task` are what the two kinds of tasks
//! need and give, `learn` and `stage` how they are handed out and done. `worker` does tasks, on
//! `threads` of this process or elsewhere, with an [`Access`](crate::stored::Access) to what is
//! stored. `pieces` is for files that cannot be read in ranges, `in_order` brings outcomes, which
//! come in any order, into that of the file.

mod as_json;
mod engine;
mod in_order;
pub mod learn;
mod learnt;
pub mod pieces;
pub mod stage;
mod staged_task;
mod stored_text;
#[cfg(test)]
mod tests;
pub mod threads;
pub mod worker;

pub use engine::{Engine, Failure, Outcome, Spec, Task};
pub use staged_task::{PackedPlugin, PartsSpec, StageSpec, StageTask};
pub use stored_text::StoredText;
