//! The rows of a query's result, as plain values.
//!
//! Each query stands beside the struct that reads its rows ([`FromRow`]). Columns are read by name,
//! so a query that lost a column ends with an error and never fills the wrong field.

use loader_model::error::{Error, Kind, Result};
use loader_model::names::TableName;

/// One value of a result.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Null,
    Boolean(bool),
    Long(i64),
    Double(f64),
    /// A text, and also decimals, dates and timestamps in Redshift's own spelling, such as
    /// `2024-02-29`.
    Text(String),
}

/// A whole result.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResultRows {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
}

/// One row of a result.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    columns: &'a [String],
    cells: &'a [Cell],
}

/// A value that is read from a row of one query.
pub trait FromRow: Sized {
    /// Errors: `Internal` when the row lacks a column that the query asks for.
    fn from_row(row: Row<'_>) -> Result<Self>;
}

impl Cell {
    /// The value as a person or a CSV file shows it; NULL is empty.
    pub fn to_text(&self) -> String {
        match self {
            Cell::Null => String::new(),
            Cell::Boolean(value) => value.to_string(),
            Cell::Long(value) => value.to_string(),
            Cell::Double(value) => value.to_string(),
            Cell::Text(value) => value.clone(),
        }
    }

    /// An integer, also when the warehouse sends it as text, as it does for sums. (For example, a
    /// sum of 42 arrives as `Text("42")`.)
    fn as_integer(&self) -> Option<i64> {
        match self {
            Cell::Long(value) => Some(*value),
            Cell::Text(text) => text.parse().ok(),
            Cell::Null | Cell::Boolean(_) | Cell::Double(_) => None,
        }
    }
}

impl ResultRows {
    /// Reads every row. Errors: `Internal`.
    pub fn decode<T: FromRow>(&self) -> Result<Vec<T>> {
        self.rows.iter().map(|cells| T::from_row(Row { columns: &self.columns, cells })).collect()
    }

    /// Reads the first row of a query that always has one. `what`: the source of the answer, such
    /// as `pg_user`, for the message. Errors: `Internal` when there is no row.
    pub fn first<T: FromRow>(&self, what: &str) -> Result<T> {
        self.decode()?.into_iter().next().ok_or_else(|| unexpected(what))
    }
}

impl Row<'_> {
    /// Any value as text; NULL is empty.
    pub(crate) fn text(&self, column: &str) -> Result<String> {
        self.cell(column).map(Cell::to_text)
    }

    /// A text; `None` for NULL.
    pub(crate) fn optional_text(&self, column: &str) -> Result<Option<String>> {
        Ok(match self.cell(column)? {
            Cell::Text(text) => Some(text.clone()),
            Cell::Null | Cell::Boolean(_) | Cell::Long(_) | Cell::Double(_) => None,
        })
    }

    /// An integer of a column that is never NULL. Errors: `Internal` for any other value.
    pub(crate) fn integer(&self, column: &str) -> Result<i64> {
        let fact = || format!("the warehouse gave no number in the column `{column}`");
        self.optional_integer(column)?.ok_or_else(|| Error::new(Kind::Internal, fact()))
    }

    /// An integer; `None` for NULL and for other values.
    pub(crate) fn optional_integer(&self, column: &str) -> Result<Option<i64>> {
        self.cell(column).map(Cell::as_integer)
    }

    /// Whether a condition holds; NULL counts as false.
    pub(crate) fn boolean(&self, column: &str) -> Result<bool> {
        self.optional_boolean(column).map(|value| value == Some(true))
    }

    /// A truth value; `None` for NULL.
    pub(crate) fn optional_boolean(&self, column: &str) -> Result<Option<bool>> {
        Ok(match self.cell(column)? {
            Cell::Boolean(value) => Some(*value),
            Cell::Null | Cell::Long(_) | Cell::Double(_) | Cell::Text(_) => None,
        })
    }

    /// How many columns the result has.
    pub(crate) fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether the result has a column, for a query whose columns are not always the same.
    pub(crate) fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|known| known == column)
    }

    /// A relation, from the column with its schema and the column with its name.
    pub(crate) fn relation(&self, schema: &str, name: &str) -> Result<TableName> {
        Ok(TableName { schema: self.text(schema)?, table: self.text(name)? })
    }

    fn cell(&self, column: &str) -> Result<&Cell> {
        let place = self.columns.iter().position(|name| name == column);
        place.and_then(|place| self.cells.get(place)).ok_or_else(|| {
            let columns = self.columns.join(", ");
            let fact = format!("the warehouse answered without the column `{column}` ({columns})");
            Error::new(Kind::Internal, fact)
        })
    }
}

/// The error for an answer that does not fit its query. `what`: the source of the answer, such as
/// `pg_user`.
pub fn unexpected(what: &str) -> Error {
    Error::new(
        Kind::Internal,
        format!("{what} answered with another number of rows or results than asked for"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Pair(String, Option<i64>);

    impl FromRow for Pair {
        fn from_row(row: Row<'_>) -> Result<Pair> {
            Ok(Pair(row.text("name")?, row.optional_integer("size")?))
        }
    }

    fn rows(columns: &[&str]) -> ResultRows {
        let columns = columns.iter().map(|column| column.to_string()).collect();
        ResultRows { columns, rows: vec![vec![Cell::Text("7".into()), Cell::Null]] }
    }

    #[test]
    fn a_column_is_found_by_its_name() {
        let Pair(name, size) = rows(&["size", "name"]).first("a table").expect("has both columns");
        assert_eq!((name.as_str(), size), ("", Some(7)));
        let Pair(name, size) = rows(&["name", "size"]).first("a table").expect("has both columns");
        assert_eq!((name.as_str(), size), ("7", None));
    }

    #[test]
    fn a_missing_column_is_named() {
        let error = rows(&["name", "length"]).decode::<Pair>().map(drop).expect_err("no size");
        assert_eq!(error.kind(), Kind::Internal);
        insta::assert_snapshot!(error, @"the warehouse answered without the column `size` (name, length)");
        let error = ResultRows::default().first::<Pair>("a table").map(drop).expect_err("no row");
        insta::assert_snapshot!(error, @"a table answered with another number of rows or results than asked for");
    }
}
