//! The clauses of keys that more than one statement has. In: a statement's tokens. Out: one clause
//! as a value. The columns are not known here; the database refuses unknown ones.

use serde::Serialize;

use crate::sql::cursor::Cursor;
use crate::sql::error::SqlError;

/// All encodings. The database knows which types each of them is for.
const ENCODINGS: [&str; 13] = [
    "raw",
    "zstd",
    "az64",
    "bytedict",
    "delta",
    "delta32k",
    "lzo",
    "mostly8",
    "mostly16",
    "mostly32",
    "runlength",
    "text255",
    "text32k",
];

/// A key, as `loader_local.declare_keys` reads it.
#[derive(Debug, Default, Serialize)]
pub(in crate::sql) struct Constraint {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// `p` (primary key), `u` (unique) or `f` (foreign key), as in `pg_constraint`.
    kind: &'static str,
    columns: Vec<String>,
    /// The table of REFERENCES, quoted.
    #[serde(skip_serializing_if = "Option::is_none")]
    references: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reference_columns: Vec<String>,
}

/// Reads a key behind a column (`PRIMARY KEY`, `UNIQUE`, `REFERENCES t (c)`), if one comes next.
pub(super) fn column_constraint(
    cursor: &mut Cursor<'_>,
    column: &str,
) -> Result<Option<Constraint>, SqlError> {
    let key = |kind| Constraint { kind, columns: vec![column.to_owned()], ..Constraint::default() };
    Ok(if cursor.eat("primary key") {
        Some(key("p"))
    } else if cursor.eat("unique") {
        Some(key("u"))
    } else if cursor.peeks("references") {
        Some(references(cursor, key("f"))?)
    } else {
        None
    })
}

/// Reads a key among the columns of a table, if one comes next.
// When no key follows CONSTRAINT and its name, the cursor goes back. The caller then reads
// CONSTRAINT as a column's name and refuses it as a reserved word, so the error points there.
pub(in crate::sql) fn table_constraint(
    cursor: &mut Cursor<'_>,
) -> Result<Option<Constraint>, SqlError> {
    let start = cursor.clone();
    let name = if cursor.eat("constraint") { Some(cursor.identifier()?) } else { None };
    if cursor.peeks("check (") {
        return Err(SqlError::new("CHECK constraints are not supported"));
    }
    let kind = if cursor.eat("primary key") {
        "p"
    } else if cursor.peeks("unique (") && cursor.eat("unique") {
        "u"
    } else if cursor.eat("foreign key") {
        "f"
    } else {
        *cursor = start;
        return Ok(None);
    };
    let columns = cursor.names_in_brackets()?;
    let constraint = Constraint { name, kind, columns, ..Constraint::default() };
    Ok(Some(if kind == "f" { references(cursor, constraint)? } else { constraint }))
}

/// Adds `REFERENCES t [(a, b)]` to a foreign key.
fn references(cursor: &mut Cursor<'_>, constraint: Constraint) -> Result<Constraint, SqlError> {
    cursor.expect("references")?;
    let table = cursor.qualified_name()?.to_string();
    let reference_columns =
        if cursor.peeks("(") { cursor.names_in_brackets()? } else { Vec::new() };
    Ok(Constraint { references: Some(table), reference_columns, ..constraint })
}

/// A distribution style, after DISTSTYLE.
pub(super) fn dist_style(cursor: &mut Cursor<'_>) -> Result<&'static str, SqlError> {
    let style = ["AUTO", "EVEN", "KEY", "ALL"].into_iter().find(|style| cursor.eat(style));
    style.ok_or_else(|| cursor.syntax_error())
}

/// An encoding's name, after ENCODE; `None` for AUTO.
pub(super) fn encoding(cursor: &mut Cursor<'_>) -> Result<Option<String>, SqlError> {
    let error = cursor.syntax_error();
    let name = cursor.identifier()?;
    match name.as_str() {
        "auto" => Ok(None),
        "none" => Ok(Some("raw".to_owned())),
        name if ENCODINGS.contains(&name) => Ok(Some(name.to_owned())),
        _ => Err(error),
    }
}
