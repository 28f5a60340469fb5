//! A column of a file that is no CSV: its name, and what the file says of its values.

use loader_csv::Meant;
use loader_model::column_type::ColumnType;

/// A column of a file that is no CSV.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FileColumn {
    pub(crate) name: String,
    /// What the file says of the values.
    pub(crate) meant: Option<Meant>,
    /// The type in Redshift that a new column gets. `None`: it follows from the values.
    pub(crate) column_type: Option<ColumnType>,
    /// Where values of different kinds are, in words. `None`: all are of one kind.
    pub(crate) mixed: Option<String>,
}
