//! How names and strings stand in PostgreSQL text. In: a folded name or a value. Out: an identifier
//! or a literal that PostgreSQL reads back as exactly that.

use super::error::SqlError;

/// A folded name as a PostgreSQL identifier.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A PostgreSQL string literal.
pub(crate) fn literal(value: &str) -> String {
    format!("E'{}'", value.replace('\\', "\\\\").replace('\'', "''"))
}

/// Refuses the empty name, which sqlparser lets pass.
pub(super) fn check_identifier(name: &str) -> Result<(), SqlError> {
    if name.is_empty() {
        return Err(SqlError::new("zero-length delimited identifier at or near \"\"\"\""));
    }
    Ok(())
}
