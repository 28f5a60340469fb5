//! What the user says of one column: its name in the file, how its fields are read, and the type
//! that it has in a new table.

use std::fmt;

use loader_csv::ColumnRule;
use loader_model::column_type::ColumnType;
use serde::{Deserialize, Serialize};

/// What the user says of a column.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct ColumnSpec {
    /// The column's name in the file, in any spelling that is alike once clean.
    pub name: String,
    /// The name that takes its place.
    pub rename: Option<String>,
    /// How the fields are read; its form says whether the type is given.
    pub rule: ColumnRule,
    /// The type that the column has in a table that does not have it yet. `None`: it follows from
    /// the form or, for texts, from the longest.
    pub column_type: Option<ColumnType>,
    pub source: SpecSource,
}

/// Where a spec comes from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum SpecSource {
    /// The command line or its variable: this file has the column.
    Flag,
    /// The settings of the table, at this place of the settings file.
    Table(String),
    /// The settings of all tables, at this place: some have the column.
    AllTables(String),
}

/// The spec as a message names it: `--column paid`, `columns.paid`.
impl fmt::Display for ColumnSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            SpecSource::Flag => write!(f, "--column {}", self.name),
            SpecSource::Table(place) | SpecSource::AllTables(place) => f.write_str(place),
        }
    }
}
