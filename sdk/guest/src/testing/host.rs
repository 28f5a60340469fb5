//! What the host does with a plan and one batch: it hands the columns that the plan reads to a
//! session, and puts the output together from what comes back, its own casts, and its own values.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{Schema, SchemaRef};

use super::typed;
use crate::error::Error;
use crate::output::{Counter, Rejects};
use crate::plan::{Expr, Plan, PlanColumn};
use crate::plugin::{Plugin, Session};
use crate::transform::cell::Cell;
use crate::transform::kind::Kind;
use crate::transform::reader::Reader;

/// A batch of the whole input.
pub(super) struct SampleBatch<'a> {
    pub(super) plan: &'a Plan,
    pub(super) schema: &'a Schema,
    pub(super) columns: &'a [ArrayRef],
    pub(super) rows: usize,
}

/// What became of one batch.
pub(super) struct Processed {
    /// Of each row the output's values, or why it is rejected.
    pub(super) rows: Vec<Result<Vec<Option<String>>, Error>>,
    pub(super) counters: Vec<Counter>,
}

impl SampleBatch<'_> {
    pub(super) fn process<P: Plugin>(&self) -> Result<Processed, Error> {
        let inputs: SchemaRef = self.plan.inputs_schema().into();
        let mut session = P::open_session(&self.plan.state, &inputs)?;
        let output = session.process(&self.crossing(&inputs)?)?;
        let columns: Vec<OutputColumn> = self
            .plan
            .columns()
            .iter()
            .map(|column| self.output_column(column, &output.columns))
            .collect();
        let row = |(row, reject): (usize, Option<Error>)| match reject {
            Some(error) => Err(error),
            None => columns.iter().map(|column| column.value(row)).collect(),
        };
        let rejects = by_row(output.rejects, self.rows);
        let rows = rejects.into_iter().enumerate().map(row).collect();
        Ok(Processed { rows, counters: session.finish()? })
    }

    /// The columns that the plan reads.
    fn crossing(&self, inputs: &SchemaRef) -> Result<RecordBatch, Error> {
        let columns = self.plan.inputs().into_iter().map(|input| Arc::clone(&self.columns[input]));
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        RecordBatch::try_new_with_options(Arc::clone(inputs), columns.collect(), &options)
            .map_err(|error| Error::new("bad-sample", error.to_string()))
    }

    fn output_column(&self, column: &PlanColumn, computed: &[ArrayRef]) -> OutputColumn {
        let reader = |array: &ArrayRef, is_constant| {
            Reader::new(column.field.name().as_str().into(), Arc::clone(array), is_constant)
        };
        match &column.expr {
            Expr::Passthrough(index) => OutputColumn::Array(reader(&self.columns[*index], false)),
            Expr::Cast(index) => {
                let (from, to) = (Kind::of(self.schema.field(*index)), Kind::of(&column.field));
                let reader = reader(&self.columns[*index], false);
                if from == to {
                    OutputColumn::Array(reader)
                } else {
                    OutputColumn::Cast(reader, to)
                }
            }
            Expr::Literal(value) => OutputColumn::Array(reader(value, true)),
            Expr::HostValue(value) => OutputColumn::HostValue(format!("<{}>", value.key())),
            Expr::Computed(index) => OutputColumn::Array(reader(&computed[*index], false)),
        }
    }
}

/// Of each row, why it is rejected.
fn by_row(rejects: Rejects, rows: usize) -> Vec<Option<Error>> {
    let (rejected, reasons, messages) = rejects.into_parts();
    let mut errors = vec![None; rows];
    for (row, reason) in rejected.iter().zip(reasons) {
        errors[*row as usize] = Some(messages[usize::from(reason)].clone());
    }
    errors
}

enum OutputColumn {
    Array(Reader),
    /// Cast by the host.
    Cast(Reader, Kind),
    /// Filled by the host, with the name of the value here.
    HostValue(String),
}

impl OutputColumn {
    fn value(&self, row: usize) -> Result<Option<String>, Error> {
        match self {
            OutputColumn::Array(reader) => Ok(Cell::new(reader, row).text().map(str::to_owned)),
            OutputColumn::Cast(reader, kind) => cast(Cell::new(reader, row), *kind),
            OutputColumn::HostValue(name) => Ok(Some(name.clone())),
        }
    }
}

/// A value as the text that it has in another kind.
fn cast(cell: Cell<'_>, to: Kind) -> Result<Option<String>, Error> {
    let array = typed::array(to, [cell.text()].into_iter())
        .map_err(|reject| Error::new("cast", reject.to_string()).column(cell.name()))?;
    Ok(Cell::new(&Reader::new(cell.name().into(), array, true), 0).text().map(str::to_owned))
}
