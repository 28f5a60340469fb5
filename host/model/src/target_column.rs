//! The target's columns as a load wants them: the columns that the file fills, and the columns that
//! it lacks.

use crate::column_type::{ColumnType, MAX_VARCHAR_BYTES};

/// The column with the row's number in the file. Only the staging table has it. With it a load can
/// tell which of two rows with the same key is the later one.
pub const ROW_COLUMN: &str = "_loader_row";

/// How far the numbers of rows of two files of one load are apart, in the column [`ROW_COLUMN`]:
/// the row 7 of the third file has the number 2 * 2^40 + 7. No file has so many rows, and a BIGINT
/// has room for eight million files.
pub const ROWS_OF_A_FILE: i64 = 1 << 40;

/// A column of the target that the file fills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetColumn {
    pub name: String,
    pub column_type: ColumnType,
    pub not_null: bool,
    /// Whether the staged column is text that becomes `column_type` when it is inserted.
    pub staged_as_text: bool,
}

impl TargetColumn {
    /// The type of the column in the staging table. Text needs a CAST (or its like) in the INSERT;
    /// every other stage type becomes `column_type` by the INSERT's assignment.
    pub fn stage_type(&self) -> ColumnType {
        if self.staged_as_text {
            return ColumnType::Varchar { bytes: MAX_VARCHAR_BYTES };
        }
        self.column_type.stage_type()
    }
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
    /// A literal as it stands in SQL, such as `''` or `FALSE`.
    Literal(&'static str),
    /// No value: the column is NOT NULL and has no DEFAULT. Rows that are there keep what they
    /// have, and a row with a new key refuses the load.
    Nothing,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_staged_as_themselves_unless_they_are_text() {
        let column = |staged_as_text| TargetColumn {
            name: "raw".into(),
            column_type: ColumnType::Varbyte { bytes: Some(9) },
            not_null: false,
            staged_as_text,
        };
        assert_eq!(column(true).stage_type().to_string(), "VARCHAR(65535)");
        assert_eq!(column(false).stage_type().to_string(), "VARBYTE(9)");
    }
}
