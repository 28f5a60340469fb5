//! The actions of ALTER TABLE that change keys. In: a statement's tokens, and the table's quoted
//! name. Out: calls of the procedures that record the change (`data_api/helpers/keys.sql`).

use super::clauses::{Constraint, dist_style, encoding};
use super::declared::Declared;
use crate::sql::cursor::Cursor;
use crate::sql::error::SqlError;
use crate::sql::helper;
use crate::sql::prepared::{Action, Prepared};
use crate::sql::quoting::literal;

/// `ALTER TABLE t ALTER [DISTKEY|DISTSTYLE|SORTKEY|ENCODE AUTO] …`, after the second ALTER, if one
/// of these comes next.
// `None` leaves the cursor unmoved, because the caller then reads the same word as the name of a
// column. An INTERLEAVED SORTKEY, which only CREATE TABLE takes, becomes a syntax error that way.
pub(in crate::sql) fn alter_layout(
    cursor: &mut Cursor<'_>,
    table: &str,
) -> Result<Option<Prepared>, SqlError> {
    let mut declared = Declared::default();
    if cursor.eat("encode auto") {
        return Ok(Some(Prepared::of(Action::Nothing)));
    } else if cursor.eat("distkey") {
        declared.dist_key = Some(cursor.identifier()?);
        declared.dist_style = Some("KEY");
    } else if cursor.eat("diststyle") {
        let style = dist_style(cursor)?;
        if style == "KEY" {
            cursor.expect("distkey")?;
            declared.dist_key = Some(cursor.identifier()?);
        }
        declared.dist_style = Some(style);
    } else if cursor.eat("sortkey none") {
        declared.set_sort_key("COMPOUND", Some(Vec::new()))?;
    } else if cursor.peeks("interleaved") || !declared.sort_clause(cursor)? {
        return Ok(None);
    }
    Ok(Some(Prepared::command(declared.alter(table))))
}

/// `ALTER TABLE t ADD PRIMARY KEY …`.
pub(in crate::sql) fn add_constraint(constraint: Constraint, table: &str) -> Prepared {
    let mut declared = Declared::default();
    declared.add(constraint);
    Prepared::command(declared.alter(table))
}

/// `ALTER TABLE t DROP CONSTRAINT name`, after CONSTRAINT.
pub(in crate::sql) fn drop_constraint(
    cursor: &mut Cursor<'_>,
    table: &str,
) -> Result<Prepared, SqlError> {
    let name = cursor.identifier()?;
    cursor.eat_cascade();
    let arguments = [&helper::regclass(table), &literal(&name)];
    Ok(Prepared::command(helper::call("drop_key", &arguments.map(String::as_str))))
}

/// `ALTER TABLE t ALTER COLUMN c ENCODE e, …`, after the first ENCODE.
pub(in crate::sql) fn alter_encodings(
    cursor: &mut Cursor<'_>,
    table: &str,
    first: String,
) -> Result<String, SqlError> {
    let mut declared = Declared::default();
    let mut column = first;
    // AUTO is sent to the database here, unlike in CREATE TABLE: it has to remove the encoding that
    // the column has so far.
    loop {
        declared.encodings.insert(column, encoding(cursor)?.unwrap_or_else(|| "auto".to_owned()));
        if !cursor.eat(",") {
            return Ok(declared.alter(table));
        }
        cursor.expect("alter")?;
        cursor.eat("column");
        column = cursor.identifier()?;
        cursor.expect("encode")?;
    }
}
