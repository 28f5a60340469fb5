//! COMMENT ON a table, view, column, schema or database. In: a statement's tokens. Out: PostgreSQL
//! text with folded names.

use super::cursor::Cursor;
use super::error::SqlError;
use super::helper;
use super::prepared::Prepared;
use super::quoting::{literal, quote};

/// `COMMENT ON … IS …`.
pub(super) fn prepare(mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    cursor.expect("comment on")?;
    let kind = kind(&mut cursor)?;
    let parts = parts(&mut cursor)?;
    let words = words(&mut cursor)?;
    let name = name(&kind, &parts)?;
    Ok(Prepared::command(if kind == "view" {
        // Redshift writes COMMENT ON VIEW for materialized views too, where PostgreSQL wants ON
        // MATERIALIZED VIEW. Only the database can tell the two apart.
        helper::call("comment_on_view", &[&helper::regclass(&name), &words])
    } else {
        format!("COMMENT ON {} {name} IS {words}", kind.to_ascii_uppercase())
    }))
}

/// The kind of object that the comment is on, in lower case.
fn kind(cursor: &mut Cursor<'_>) -> Result<String, SqlError> {
    let kind = cursor.text().to_ascii_lowercase();
    match kind.as_str() {
        "table" | "view" | "column" | "schema" | "database" => {
            cursor.skip();
            Ok(kind)
        }
        "constraint" => Err(SqlError::unsupported("COMMENT ON CONSTRAINT")),
        _ => Err(cursor.syntax_error()),
    }
}

/// The object's quoted name. A database in front of it is always the current one and is left out
/// (`dev.s.t` is `"s"."t"`).
fn name(kind: &str, parts: &[String]) -> Result<String, SqlError> {
    let most = match kind {
        "column" if parts.len() < 2 => {
            return Err(
                SqlError::new("column name must be qualified").with_hint("Use table.column.")
            );
        }
        "column" => 3,
        "table" | "view" => 2,
        _ => 1,
    };
    let parts = &parts[parts.len().saturating_sub(most)..];
    Ok(parts.iter().map(|part| quote(part)).collect::<Vec<_>>().join("."))
}

fn parts(cursor: &mut Cursor<'_>) -> Result<Vec<String>, SqlError> {
    let mut parts = vec![cursor.identifier()?];
    while cursor.eat(".") {
        parts.push(cursor.identifier()?);
    }
    Ok(parts)
}

/// `IS 'words'`, or `IS NULL`, which removes the comment.
fn words(cursor: &mut Cursor<'_>) -> Result<String, SqlError> {
    cursor.expect("is")?;
    let words = if cursor.eat("null") { "NULL".to_owned() } else { literal(cursor.literal()?) };
    cursor.expect_end()?;
    Ok(words)
}
