//! The contract in terms of Arrow: a plugin plans once, its sessions work batch by batch.

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};

use crate::error::Error;
use crate::output::{Counter, Output};
use crate::plan::{Context, Plan};

/// A plugin: what it takes to plan a load, and to start working on it.
///
/// The functions have no `self`, because an instance lives as long as one worker: what a session
/// needs to know from the plan travels as the plan's state.
pub trait Plugin: 'static {
    /// One worker's work on one file.
    type Session: Session;

    /// JSON Schema of the config, which the host checks before it plans. Empty, the default: there
    /// is no config.
    fn config_schema() -> String {
        String::new()
    }

    /// Says how the output is made of `input`. Pure, called once for each load, before any row is
    /// read.
    fn make_plan(context: &Context, input: &Schema) -> Result<Plan, Error>;

    /// Starts a worker's session. `state` is [`Plan::state`] as it was returned; `inputs` has the
    /// columns that [`Plan::computed`] named, in the order of the input.
    fn open_session(state: &[u8], inputs: &SchemaRef) -> Result<Self::Session, Error>;
}

/// Turns batches of input columns into the computed columns of the plan.
///
/// Rows of a file are spread over sessions in no particular order: nothing may depend on what
/// another batch held.
pub trait Session: 'static {
    /// Returns the computed columns in the order of the plan, each with exactly one value for each
    /// row of `batch`, rejected rows included. An error ends the load; a row that cannot be loaded
    /// belongs into [`Output::rejects`].
    fn process(&mut self, batch: &RecordBatch) -> Result<Output, Error>;

    /// Numbers for the report of the load. Called once, after the last batch.
    fn finish(self) -> Result<Vec<Counter>, Error>
    where
        Self: Sized,
    {
        Ok(Vec::new())
    }
}
