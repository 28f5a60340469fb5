//! The target's columns as a load wants them: those that the file fills, and those that it lacks.

use crate::column_type::ColumnType;

/// The row's number in the file, which only the staging table has: it makes "the last of
/// duplicates" well defined.
pub const ROW_COLUMN: &str = "_loader_row";

/// A column of the target that the file fills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetColumn {
    pub name: String,
    pub column_type: ColumnType,
    pub not_null: bool,
    /// The staged column is text that becomes `column_type` when it is inserted.
    pub staged_as_text: bool,
}

/// A column of the target that the file lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilledColumn {
    pub name: String,
    pub fill: Fill,
}

/// What rows get in a column that the file lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// The column's DEFAULT, or the next number of an IDENTITY.
    Default,
    /// This, as it stands in SQL.
    Literal(&'static str),
}
