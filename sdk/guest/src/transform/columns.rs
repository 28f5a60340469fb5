//! How closures say which columns they read, and the form in which they get them.

use super::cell::Cell;

/// What names the columns that a closure reads, and what it gets of them: of `"a"` a [`Cell`], of
/// `["a", "b"]` an array of them, of a slice of names a slice of them.
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
    /// What a closure gets.
    type Shape: Shape;

    #[doc(hidden)]
    fn names(&self) -> Vec<&str>;
}

/// What a closure gets of the columns that it reads; see [`Columns`].
#[doc(hidden)]
pub trait Shape: 'static {
    /// For one row.
    type Cells<'a>;

    /// Of the row's cells, in the order of the names.
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
