//! What the host does with a plan and one batch. It hands the columns that the plan reads to a
//! session, and makes the output from the session's columns, its own casts and its own values.

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
    /// For each row its output values, or why the row is rejected.
    pub(super) rows: Vec<Result<Vec<Option<String>>, Error>>,
    pub(super) counters: Vec<Counter>,
}

impl SampleBatch<'_> {
    // All columns are made first, for all rows. Rejected rows are left out only then, because they
    // have a value in every computed column and would otherwise shift the rows behind them.
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
        // A plan may read no column, and such a batch knows the number of its rows only if it is
        // told.
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        RecordBatch::try_new_with_options(Arc::clone(inputs), columns.collect(), &options)
            .map_err(|error| Error::new("bad-sample", error.to_string()))
    }

    // A cast to the type that the column has already is no cast: the host hands on such a column as
    // it is.
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

/// For each row, why it is rejected; None for an accepted row.
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
    /// A column that the host casts.
    Cast(Reader, Kind),
    /// A column that the host fills; here with the name of the value, such as `<run.id>`.
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

/// The text of a value after a cast to another kind. For example, `7` becomes `7.00` as a
/// decimal(12,2).
// One cell at a time, so that a value that cannot be cast rejects its own row and no other.
fn cast(cell: Cell<'_>, to: Kind) -> Result<Option<String>, Error> {
    let array = typed::array(to, [cell.text()].into_iter())
        .map_err(|reject| Error::new("cast", reject.to_string()).column(cell.name()))?;
    Ok(Cell::new(&Reader::new(cell.name().into(), array, true), 0).text().map(str::to_owned))
}
