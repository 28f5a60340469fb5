//! A worker's session: runs the steps in their order, over one batch after the other.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};

use super::rows::Rows;
use super::step::{Batch, Source};
use crate::error::Error;
use crate::output::{Counter, Output};
use crate::plugin::Session;

/// The session of a [`Transform`](crate::Transform).
///
/// ```
/// use loader_sdk::arrow_schema::{DataType, Field, Schema};
/// use loader_sdk::{Context, Error, NoConfig, Plugin, Rows, Session, Transform};
///
/// struct Trim;
/// impl Transform for Trim {
///     type Config = NoConfig;
///     fn steps(_config: NoConfig, rows: &mut Rows) -> Result<(), Error> {
///         rows.map("name", |name| Ok(name.map(|name| name.trim().to_owned())))?;
///         Ok(())
///     }
/// }
///
/// let input = Schema::new(vec![Field::new("name", DataType::Utf8, true)]);
/// let plan = Trim::make_plan(&Context::default(), &input).unwrap();
/// let session = Trim::open_session(&plan.state, &plan.inputs_schema().into()).unwrap();
/// assert!(session.finish().unwrap().is_empty());
/// ```
#[derive(Debug)]
pub struct RowsSession {
    rows: Rows,
    /// The input columns that batches hold, ascending. So the place of an index in this list is the
    /// place of its column in a batch: with `[1, 4]`, input column 4 is a batch's second column.
    inputs: Vec<usize>,
    /// The steps whose columns are returned, in the order of the plan.
    outputs: Vec<usize>,
}

impl RowsSession {
    pub(crate) fn new(rows: Rows, inputs: &[usize]) -> RowsSession {
        RowsSession { outputs: rows.columns.computed(), inputs: inputs.to_vec(), rows }
    }

    /// The array that a step reads. `computed` has the arrays of the steps before it.
    fn find(
        &self,
        source: &Source,
        columns: &RecordBatch,
        computed: &[Option<ArrayRef>],
    ) -> Result<ArrayRef, Error> {
        match source {
            Source::Input(input) => {
                let place = self.inputs.binary_search(input).map_err(|_| missing())?;
                columns.columns().get(place).cloned().ok_or_else(missing)
            }
            Source::Step(step) => computed.get(*step).cloned().flatten().ok_or_else(missing),
            Source::Constant(value) => Ok(Arc::clone(value)),
        }
    }
}

impl Session for RowsSession {
    // `computed` gets an entry from every step, so that `Source::Step` finds a step's array by the
    // step's number. Steps that only reject rows leave None there.
    fn process(&mut self, columns: &RecordBatch) -> Result<Output, Error> {
        let mut batch = Batch::new(columns.num_rows());
        let mut computed: Vec<Option<ArrayRef>> = Vec::with_capacity(self.rows.steps.len());
        for step in &self.rows.steps {
            let array = step.run(&mut batch, |source| self.find(source, columns, &computed))?;
            computed.push(array);
        }
        let output = |step: &usize| computed[*step].clone().ok_or_else(missing);
        let columns = self.outputs.iter().map(output).collect::<Result<_, _>>()?;
        Ok(Output { columns, rejects: batch.rejects })
    }

    fn finish(self) -> Result<Vec<Counter>, Error> {
        Ok(self
            .rows
            .counters
            .iter()
            .map(|(name, tally)| Counter::new(name, tally.value()))
            .collect())
    }
}

fn missing() -> Error {
    Error::new("internal", "a step reads a column that is not there")
}
