//! COMMENT ON a table, view, column, schema or database. In: a statement's tokens. Out: PostgreSQL
//! text with folded names.

use super::cursor::{Cursor, quote};
use super::ddl::literal;
use super::{Action, HELPER_SCHEMA, Prepared, SqlError};

/// `COMMENT ON … IS …`.
pub(super) fn prepare(mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    cursor.expect("comment on")?;
    let kind = cursor.text().to_ascii_lowercase();
    let command = match kind.as_str() {
        "table" | "view" | "column" | "schema" | "database" => {
            cursor.skip();
            let parts = parts(&mut cursor)?;
            let words = words(&mut cursor)?;
            let name = match kind.as_str() {
                "column" if parts.len() < 2 => {
                    return Err(SqlError::new("column name must be qualified")
                        .with_hint("Use table.column."));
                }
                // A database in front is the one that the statement runs in.
                "column" => &parts[parts.len().saturating_sub(3)..],
                "table" | "view" => &parts[parts.len().saturating_sub(2)..],
                _ => &parts[parts.len().saturating_sub(1)..],
            };
            let name = name.iter().map(|part| quote(part)).collect::<Vec<_>>().join(".");
            if kind == "view" {
                // A materialized view is a view in Redshift.
                format!(
                    "CALL {HELPER_SCHEMA}.comment_on_view({}::regclass, {words})",
                    literal(&name)
                )
            } else {
                format!("COMMENT ON {} {name} IS {words}", kind.to_ascii_uppercase())
            }
        }
        "constraint" => return Err(SqlError::unsupported("COMMENT ON CONSTRAINT")),
        _ => return Err(cursor.syntax_error()),
    };
    Ok(Prepared::of(Action::Command(command)))
}

fn parts(cursor: &mut Cursor<'_>) -> Result<Vec<String>, SqlError> {
    let mut parts = vec![cursor.identifier()?];
    while cursor.eat(".") {
        parts.push(cursor.identifier()?);
    }
    Ok(parts)
}

fn words(cursor: &mut Cursor<'_>) -> Result<String, SqlError> {
    cursor.expect("is")?;
    let words = if cursor.eat("null") { "NULL".to_owned() } else { literal(cursor.literal()?) };
    cursor.expect_end()?;
    Ok(words)
}
