//! The default plugin's code as part of this program, without a sandbox.
//!
//! In: the schema of the batches, then their columns that the plan asks for. Out: the columns that
//! the plugin computes.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Schema, SchemaRef};
use default::Default;
use loader_sdk::{Context, Expr, Plan, Plugin, Session};

use crate::outcome::Result;

/// The plugin with its plan for one schema.
pub(crate) struct Native {
    pub(crate) plan: Plan,
    /// The columns that a session gets.
    pub(crate) inputs: SchemaRef,
    /// The columns that a session computes.
    pub(crate) outputs: SchemaRef,
}

impl Native {
    pub(crate) fn plan(schema: &Schema) -> Result<Native> {
        let context = Context { table: "lineitem".to_owned(), ..Context::default() };
        let plan = Default::make_plan(&context, schema).map_err(|error| error.message)?;
        let computed =
            plan.columns().iter().filter(|column| matches!(column.expr, Expr::Computed(_)));
        let outputs =
            Schema::new(computed.map(|column| Arc::clone(&column.field)).collect::<Vec<_>>());
        Ok(Native { inputs: Arc::new(plan.inputs_schema()), outputs: Arc::new(outputs), plan })
    }

    pub(crate) fn session(&self) -> Result<<Default as Plugin>::Session> {
        Ok(Default::open_session(&self.plan.state, &self.inputs).map_err(|error| error.message)?)
    }

    /// The columns of a batch that a session gets.
    pub(crate) fn project(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        Ok(batch.project(&self.plan.inputs())?)
    }
}

pub(crate) fn process(session: &mut impl Session, batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
    Ok(session.process(batch).map_err(|error| error.message)?.columns)
}
