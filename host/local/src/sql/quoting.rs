//! Names and strings as PostgreSQL text. In: a folded name or a value. Out: an identifier or a
//! literal that PostgreSQL reads back as exactly this name or value.

use super::error::SqlError;

/// A folded name as a PostgreSQL identifier.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A PostgreSQL string literal: `it's` becomes `E'it''s'`.
pub(crate) fn literal(value: &str) -> String {
    // In an escape literal a backslash has one meaning, under every setting of
    // standard_conforming_strings.
    format!("E'{}'", value.replace('\\', "\\\\").replace('\'', "''"))
}

/// Refuses the empty name, which sqlparser lets pass.
pub(super) fn check_identifier(name: &str) -> Result<(), SqlError> {
    if name.is_empty() {
        return Err(SqlError::new("zero-length delimited identifier at or near \"\"\"\""));
    }
    Ok(())
}
