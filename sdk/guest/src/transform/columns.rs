//! How steps name the columns that a closure reads, and the form in which the closure gets them.

use super::cell::Cell;

/// Names the columns that a closure reads, and decides what the closure gets for each row.
///
/// | names | the closure gets |
/// |---|---|
/// | `"amount"` | a [`Cell`] |
/// | `["first", "last"]` | an array, `[Cell; 2]` |
/// | a slice or a `Vec` of names | a slice, `&[Cell]` |
///
/// ```
/// # use loader_sdk::{Error, Reject, Rows};
/// fn steps(names: &[String], rows: &mut Rows) -> Result<(), Error> {
///     rows.derive("size", "text", |text| Ok(text.text().map(|text| text.len() as i64)))?;
///     rows.derive("both", ["a", "b"], |[a, b]| Ok(a.text().or(b.text()).map(str::to_owned)))?;
///     rows.derive("nulls", names, |cells| Ok(Some(cells.iter().filter(|cell| cell.is_null()).count() as i64)))?;
///     Ok(())
/// }
/// ```
pub trait Columns {
    /// The form in which a closure gets the cells.
    type Shape: Shape;

    #[doc(hidden)]
    fn names(&self) -> Vec<&str>;
}

/// The form in which a closure gets the cells of a row; see [`Columns`].
#[doc(hidden)]
pub trait Shape: 'static {
    /// The cells of one row.
    type Cells<'a>;

    /// Makes them from a list of the row's cells, in the order of the names.
    // The list has a cell for each name, because `Columns::names` gives the steps their inputs. So
    // `One` finds one cell, and `Array<N>` finds N of them.
    fn cells<'a>(cells: &'a [Cell<'a>]) -> Self::Cells<'a>;
}

#[doc(hidden)]
#[derive(Debug)]
pub struct One;

#[doc(hidden)]
#[derive(Debug)]
pub struct Array<const N: usize>;

#[doc(hidden)]
#[derive(Debug)]
pub struct Many;

impl Shape for One {
    type Cells<'a> = Cell<'a>;

    fn cells<'a>(cells: &'a [Cell<'a>]) -> Cell<'a> {
        cells[0]
    }
}

impl<const N: usize> Shape for Array<N> {
    type Cells<'a> = [Cell<'a>; N];

    fn cells<'a>(cells: &'a [Cell<'a>]) -> [Cell<'a>; N] {
        std::array::from_fn(|index| cells[index])
    }
}

impl Shape for Many {
    type Cells<'a> = &'a [Cell<'a>];

    fn cells<'a>(cells: &'a [Cell<'a>]) -> &'a [Cell<'a>] {
        cells
    }
}

impl Columns for &str {
    type Shape = One;

    fn names(&self) -> Vec<&str> {
        vec![self]
    }
}

impl Columns for &String {
    type Shape = One;

    fn names(&self) -> Vec<&str> {
        vec![self]
    }
}

impl<S: AsRef<str>, const N: usize> Columns for [S; N] {
    type Shape = Array<N>;

    fn names(&self) -> Vec<&str> {
        self.iter().map(AsRef::as_ref).collect()
    }
}

impl<S: AsRef<str>> Columns for &[S] {
    type Shape = Many;

    fn names(&self) -> Vec<&str> {
        self.iter().map(AsRef::as_ref).collect()
    }
}

impl<S: AsRef<str>> Columns for &Vec<S> {
    type Shape = Many;

    fn names(&self) -> Vec<&str> {
        self.iter().map(AsRef::as_ref).collect()
    }
}
