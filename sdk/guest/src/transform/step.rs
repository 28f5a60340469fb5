//! One step over one batch: what the step reads, what it computes, which rows it rejects.

use std::fmt;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::Decimal128Builder;
use arrow_schema::DataType;

use super::cell::Cell;
use super::columns::Shape;
use super::decimal::{Decimal, Rounding};
use super::reader::Reader;
use super::reject::Reject;
use super::value::{Value, finish};
use crate::error::Error;
use crate::output::Rejects;

/// Where a step finds a column.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// A column of the input, by its index in the whole input.
    Input(usize),
    /// A column that an earlier step computes, by the step's index.
    Step(usize),
    /// The same value in every row.
    Constant(ArrayRef),
}

/// The rows of a batch on their way through the steps.
pub(super) struct Batch {
    pub(super) rows: usize,
    pub(super) rejects: Rejects,
    /// For each row, whether a step has rejected it. Later steps do not see such a row.
    rejected: Vec<bool>,
}

impl Batch {
    pub(super) fn new(rows: usize) -> Batch {
        Batch { rows, rejects: Rejects::default(), rejected: vec![false; rows] }
    }

    fn reject(&mut self, row: usize, reject: Reject) {
        let reason = self.rejects.reason(reject.into_error());
        self.rejects.add(row, reason);
        self.rejected[row] = true;
    }
}

/// The columns that a step reads, by name, and where it finds each.
pub(super) type Inputs = Vec<(Arc<str>, Source)>;

// A closure over a whole batch. The loop over the rows is inside it, compiled for the author's
// closure, so that a row costs no call through a pointer.
type Compute = Box<dyn Fn(&[Reader], &mut Batch) -> Result<Option<ArrayRef>, Error>>;

/// A step that needs the values of cells. Steps that only change the list of columns, such as
/// `rename` and `drop`, need none.
pub(super) struct CellStep {
    inputs: Inputs,
    compute: Compute,
}

impl fmt::Debug for CellStep {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CellStep").field("inputs", &self.inputs).finish_non_exhaustive()
    }
}

impl CellStep {
    /// Computes a column.
    pub(super) fn values<C, T, F>(inputs: Inputs, f: F) -> CellStep
    where
        C: Shape,
        T: Value,
        F: for<'a> Fn(C::Cells<'a>) -> Result<Option<T>, Reject> + 'static,
    {
        let compute = move |readers: &[Reader], batch: &mut Batch| {
            let mut builder = T::Builder::default();
            each_row::<C, T>(readers, batch, &f, |value| T::push(&mut builder, value));
            Ok(Some(finish(builder)))
        };
        CellStep { inputs, compute: Box::new(compute) }
    }

    /// Computes a column of decimals, rounded half away from zero to the scale.
    pub(super) fn decimals<C, F>(inputs: Inputs, name: String, to: (u8, u8), f: F) -> CellStep
    where
        C: Shape,
        F: for<'a> Fn(C::Cells<'a>) -> Result<Option<Decimal>, Reject> + 'static,
    {
        let compute = move |readers: &[Reader], batch: &mut Batch| {
            let mut builder = Decimal128Builder::with_capacity(batch.rows)
                .with_data_type(DataType::Decimal128(to.0, to.1 as i8));
            let unscaled =
                |cells: C::Cells<'_>| f(cells)?.map(|number| fit(number, &name, to)).transpose();
            each_row::<C, i128>(readers, batch, &unscaled, |value| builder.append_option(value));
            Ok(Some(finish(builder)))
        };
        CellStep { inputs, compute: Box::new(compute) }
    }

    /// Rejects the rows for which the closure returns true.
    pub(super) fn reject_when<C, F>(inputs: Inputs, reject: Reject, f: F) -> CellStep
    where
        C: Shape,
        F: for<'a> Fn(C::Cells<'a>) -> Result<bool, Reject> + 'static,
    {
        let compute = move |readers: &[Reader], batch: &mut Batch| {
            // A step without values: its rows are either rejected or pushed to nowhere.
            let verdict =
                |cells: C::Cells<'_>| if f(cells)? { Err(reject.clone()) } else { Ok(None::<()>) };
            each_row::<C, ()>(readers, batch, &verdict, |_| {});
            Ok(None)
        };
        CellStep { inputs, compute: Box::new(compute) }
    }

    /// Runs the step over a batch. `find` gives the array of a source.
    pub(super) fn run(
        &self,
        batch: &mut Batch,
        find: impl Fn(&Source) -> Result<ArrayRef, Error>,
    ) -> Result<Option<ArrayRef>, Error> {
        let reader = |(name, source): &(Arc<str>, Source)| {
            Ok(Reader::new(Arc::clone(name), find(source)?, matches!(source, Source::Constant(_))))
        };
        let readers = self.inputs.iter().map(reader).collect::<Result<Vec<_>, Error>>()?;
        (self.compute)(&readers, batch)
    }
}

/// The input columns that steps read, ascending.
pub(super) fn inputs(steps: &[CellStep]) -> Vec<usize> {
    let read = steps.iter().flat_map(|step| &step.inputs);
    let mut inputs: Vec<usize> = read
        .filter_map(|(_, source)| match source {
            Source::Input(index) => Some(*index),
            Source::Step(_) | Source::Constant(_) => None,
        })
        .collect();
    inputs.sort_unstable();
    inputs.dedup();
    inputs
}

// A rejected row gets a null in this and in every later column, because the contract wants a value
// for each row of the batch. The row never reaches the author's closure again, so it is not counted
// or rejected twice. `cells` is kept from row to row, so that a row allocates nothing.
fn each_row<C, T>(
    readers: &[Reader],
    batch: &mut Batch,
    f: &(impl for<'a> Fn(C::Cells<'a>) -> Result<Option<T>, Reject> + ?Sized),
    mut push: impl FnMut(Option<T>),
) where
    C: Shape,
{
    let mut cells = Vec::with_capacity(readers.len());
    for row in 0..batch.rows {
        if batch.rejected[row] {
            push(None);
            continue;
        }
        cells.clear();
        cells.extend(readers.iter().map(|reader| Cell::new(reader, row)));
        match f(C::cells(&cells)) {
            Ok(value) => push(value),
            Err(reject) => {
                batch.reject(row, reject);
                push(None);
            }
        }
    }
}

/// The unscaled value in a column of this precision and scale. Rejects: `out-of-range`.
// The digits are counted after rounding, because rounding can add one: 9.995 is 10.00 at scale 2,
// and too large for a DECIMAL(3,2). `round` itself only knows the limit of 38 digits.
fn fit(number: Decimal, name: &str, (precision, scale): (u8, u8)) -> Result<i128, Reject> {
    let fits =
        |number: &Decimal| number.unscaled().unsigned_abs() < 10_u128.pow(u32::from(precision));
    let number = number.round(scale, Rounding::HalfUp).filter(fits);
    number.map(Decimal::unscaled).ok_or_else(|| out_of_range(name, precision, scale))
}

fn out_of_range(name: &str, precision: u8, scale: u8) -> Reject {
    let message = format!(
        "column {name:?}: the number has more than the {} digits before the point that \
         DECIMAL({precision},{scale}) holds",
        precision - scale
    );
    Reject::new("out-of-range", message).column(name)
}
