//! The contract in terms of Arrow: a plugin makes a plan, and its sessions work batch by batch.

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};

use crate::error::Error;
use crate::output::{Counter, Output};
use crate::plan::{Context, Plan};

/// A plugin: it plans a load, and opens the sessions that work on it.
///
/// The functions have no `self`, because plan and sessions belong to different instances. What a
/// session needs to know from the plan travels as [`Plan::state`].
///
/// [`Transform`](crate::Transform) is a simpler way to write a plugin: every transform is a plugin.
pub trait Plugin: 'static {
    /// One worker's work on one file.
    type Session: Session;

    /// Returns the JSON Schema of the config. The host checks the config before it asks for a plan.
    /// An empty text, the default, means that there is no config.
    fn config_schema() -> String {
        String::new()
    }

    /// Says how the output is made from the columns of `input`.
    ///
    /// The function must be pure: the same context and columns give the same plan. The host calls
    /// it before any row is read, and may call it again with other types: where a column lands in
    /// the target decides how the column is read. (For example, a column of `1` and `2` that lands
    /// in a VARCHAR comes as text the second time.)
    fn make_plan(context: &Context, input: &Schema) -> Result<Plan, Error>;

    /// Opens a worker's session. `state` is [`Plan::state`] of the plan. `inputs` has the columns
    /// that [`Plan::computed`] and [`Plan::read`] have named, in the order of the input.
    fn open_session(state: &[u8], inputs: &SchemaRef) -> Result<Self::Session, Error>;
}

/// One worker's work on a file: turns batches of input columns into the computed columns of the
/// plan.
///
/// The host spreads the rows of a file over sessions in no particular order, so no value may depend
/// on another row. (For example, a session that counts its rows to number them gives two rows the
/// number 1 when there are two sessions. Take [`HostValue::SourceRow`](crate::HostValue::SourceRow)
/// instead.)
pub trait Session: 'static {
    /// Returns the computed columns in the order of the plan. Each has exactly one value for each
    /// row of `batch`, rejected rows included.
    ///
    /// Errors end the load. A row that cannot be loaded belongs into [`Output::rejects`] instead.
    fn process(&mut self, batch: &RecordBatch) -> Result<Output, Error>;

    /// Returns numbers for the report of the load. The host calls it once, after the last batch.
    fn finish(self) -> Result<Vec<Counter>, Error>
    where
        Self: Sized,
    {
        Ok(Vec::new())
    }
}
