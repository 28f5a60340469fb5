//! The rows of a query's result, as plain values.

use loader_model::error::{Error, Kind, Result};

/// One value of a result.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Null,
    Boolean(bool),
    Long(i64),
    Double(f64),
    /// Also decimals, dates and timestamps, in Redshift's own spelling.
    Text(String),
}

/// A whole result.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
}

impl Cell {
    /// What a person or a CSV file sees; NULL is empty.
    pub fn to_text(&self) -> String {
        match self {
            Cell::Null => String::new(),
            Cell::Boolean(value) => value.to_string(),
            Cell::Long(value) => value.to_string(),
            Cell::Double(value) => value.to_string(),
            Cell::Text(value) => value.clone(),
        }
    }

    /// An integer, also when it came as text (as sums do).
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Cell::Long(value) => Some(*value),
            Cell::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// Text that is not NULL.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl Rows {
    /// A number that a query of ours must have given. Errors: `Internal`.
    pub fn number(&self, row: usize, column: usize) -> Result<i64> {
        let cell = self.rows.get(row).and_then(|row| row.get(column));
        cell.and_then(Cell::as_i64).ok_or_else(|| {
            let fact = format!(
                "the warehouse gave no number in row {row}, column {column} of {:?}",
                self.columns
            );
            Error::new(Kind::Internal, fact)
        })
    }
}
