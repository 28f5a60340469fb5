//! One step over one batch: what it reads, what it computes, which rows it rejects.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::Decimal128Builder;
use arrow_schema::DataType;

use super::cell::Reader;
use super::columns::Shape;
use super::value::finish;
use super::{Cell, Decimal, Rounding, Value};
use crate::{Error, Rejects};

/// Why a row is not loaded: a word for programs, a sentence for people.
///
/// ```
/// use loader_sdk::Reject;
///
/// let reject = Reject::new("too-young", "customers are at least 18").column("age");
/// assert_eq!(reject.to_string(), "too-young: customers are at least 18");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    code: Cow<'static, str>,
    message: Cow<'static, str>,
    column: Option<String>,
}

impl Reject {
    /// A reason. The message never holds the value of a cell: it ends up in logs. At most 255
    /// different reasons are told apart in one batch, so they are kinds, not values.
    ///
    /// ```
    /// let reject = loader_sdk::Reject::new("no-such-country", "the country is not one of ISO 3166");
    /// ```
    pub fn new(
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Reject {
        Reject { code: code.into(), message: message.into(), column: None }
    }

    /// The same reason, about a column. [`Rows::map`](crate::Rows::map) names its column by itself.
    ///
    /// ```
    /// let reject = loader_sdk::Reject::new("empty", "there is no name").column("name");
    /// ```
    pub fn column(self, column: impl Into<String>) -> Reject {
        Reject { column: Some(column.into()), ..self }
    }

    /// About this column, unless it says itself which one it is about.
    pub(crate) fn or_column(self, column: &str) -> Reject {
        Reject { column: self.column.or_else(|| Some(column.to_owned())), ..self }
    }

    fn into_error(self) -> Error {
        Error {
            code: self.code.into_owned(),
            message: self.message.into_owned(),
            column: self.column,
            row: None,
        }
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

/// Counts something for the report of a load; closures take a clone of it. Comes from
/// [`Rows::counter`](crate::Rows::counter).
///
/// ```
/// # use loader_sdk::{Error, Rows};
/// fn steps(rows: &mut Rows) -> Result<(), Error> {
///     let shortened = rows.counter("shortened");
///     rows.map("note", move |note| {
///         shortened.add(u64::from(note.is_some_and(|note| note.len() > 10)));
///         Ok(note.map(|note| note.chars().take(10).collect::<String>()))
///     })?;
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Tally(Rc<std::cell::Cell<u64>>);

impl Tally {
    /// Adds to the count.
    ///
    /// ```
    /// # use loader_sdk::Tally;
    /// fn seen(tally: &Tally) { tally.add(1) }
    /// ```
    pub fn add(&self, count: u64) {
        self.0.set(self.0.get().saturating_add(count));
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.get()
    }
}

/// Where a step finds a column.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// In the input, by the whole input's index.
    Input(usize),
    /// Computed by an earlier step.
    Step(usize),
    /// The same value in every row.
    Constant(ArrayRef),
}

/// The rows of a batch on their way through the steps.
pub(crate) struct Batch {
    pub(crate) rows: usize,
    pub(crate) rejects: Rejects,
    /// Rows that a step has rejected; later steps do not see them.
    rejected: Vec<bool>,
}

impl Batch {
    pub(crate) fn new(rows: usize) -> Batch {
        Batch { rows, rejects: Rejects::default(), rejected: vec![false; rows] }
    }

    fn reject(&mut self, row: usize, reject: Reject) {
        let reason = self.rejects.reason(reject.into_error());
        self.rejects.add(row, reason);
        self.rejected[row] = true;
    }
}

type Compute = Box<dyn Fn(&[Reader], &mut Batch) -> Result<Option<ArrayRef>, Error>>;

/// A step that needs the values of cells.
pub(crate) struct Step {
    pub(crate) inputs: Vec<(Arc<str>, Source)>,
    compute: Compute,
}

impl fmt::Debug for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Step").field("inputs", &self.inputs).finish_non_exhaustive()
    }
}

impl Step {
    /// Computes a column.
    pub(crate) fn values<C, T, F>(inputs: Vec<(Arc<str>, Source)>, f: F) -> Step
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
        Step { inputs, compute: Box::new(compute) }
    }

    /// Computes a column of decimals, rounded half up to the scale.
    pub(crate) fn decimals<C, F>(
        inputs: Vec<(Arc<str>, Source)>,
        name: String,
        to: (u8, u8),
        f: F,
    ) -> Step
    where
        C: Shape,
        F: for<'a> Fn(C::Cells<'a>) -> Result<Option<Decimal>, Reject> + 'static,
    {
        let (precision, scale) = to;
        let fit = move |number: Decimal| {
            let fits = |number: &Decimal| {
                number.unscaled().unsigned_abs() < 10_u128.pow(u32::from(precision))
            };
            let number = number.round(scale, Rounding::HalfUp).filter(fits);
            number.map(Decimal::unscaled).ok_or_else(|| out_of_range(&name, precision, scale))
        };
        let compute = move |readers: &[Reader], batch: &mut Batch| {
            let mut builder = Decimal128Builder::with_capacity(batch.rows)
                .with_data_type(DataType::Decimal128(precision, scale as i8));
            let unscaled = |cells: C::Cells<'_>| f(cells)?.map(&fit).transpose();
            each_row::<C, i128>(readers, batch, &unscaled, |value| builder.append_option(value));
            Ok(Some(finish(builder)))
        };
        Step { inputs, compute: Box::new(compute) }
    }

    /// Rejects the rows for which the answer is yes.
    pub(crate) fn reject_when<C, F>(inputs: Vec<(Arc<str>, Source)>, reject: Reject, f: F) -> Step
    where
        C: Shape,
        F: for<'a> Fn(C::Cells<'a>) -> Result<bool, Reject> + 'static,
    {
        let compute = move |readers: &[Reader], batch: &mut Batch| {
            let verdict =
                |cells: C::Cells<'_>| if f(cells)? { Err(reject.clone()) } else { Ok(None::<()>) };
            each_row::<C, ()>(readers, batch, &verdict, |_| {});
            Ok(None)
        };
        Step { inputs, compute: Box::new(compute) }
    }

    /// Runs over the batch. `find` gives the array of a source.
    pub(crate) fn run(
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

fn out_of_range(name: &str, precision: u8, scale: u8) -> Reject {
    let message = format!(
        "column {name:?}: the number has more than the {} digits before the point that \
         DECIMAL({precision},{scale}) holds",
        precision - scale
    );
    Reject::new("out-of-range", message).column(name)
}
