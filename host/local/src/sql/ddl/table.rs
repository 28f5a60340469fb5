//! CREATE TABLE, with columns, LIKE or AS. In: a statement's tokens behind TABLE. Out: PostgreSQL's
//! CREATE TABLE, and the keys that are announced before it runs.

use super::column::column;
use crate::sql::cursor::{Cursor, Name};
use crate::sql::error::SqlError;
use crate::sql::keys::{Declared, table_constraint};
use crate::sql::prepared::Prepared;
use crate::sql::query;
use crate::sql::quoting::quote;

const MAX_COLUMNS: usize = 1600;

/// The elements in the brackets of a CREATE TABLE, in PostgreSQL's words.
#[derive(Default)]
struct Elements {
    /// Columns and LIKE.
    definitions: Vec<String>,
    /// Bare names in brackets before AS.
    names: Vec<String>,
    columns: usize,
}

/// `CREATE [TEMPORARY] TABLE …`, after TABLE.
pub(super) fn create(mut cursor: Cursor<'_>, temporary: bool) -> Result<Prepared, SqlError> {
    let head = head(&mut cursor, temporary)?;
    let mut declared = Declared::default();
    let has_brackets = cursor.eat("(");
    let elements =
        if has_brackets { elements(&mut cursor, &mut declared)? } else { Elements::default() };
    declared.table_attributes(&mut cursor)?;
    let tail = if cursor.eat("as") {
        filled(&cursor, &elements)?
    } else {
        cursor.expect_end()?;
        if !has_brackets {
            return Err(cursor.syntax_error());
        }
        empty(&cursor, &elements)?
    };
    Ok(Prepared::of(declared.with_create(format!("{head}{tail}"))))
}

/// The text behind the name of a table that a query fills: `[(a, b)] AS SELECT …`.
fn filled(cursor: &Cursor<'_>, elements: &Elements) -> Result<String, SqlError> {
    if !elements.definitions.is_empty() {
        return Err(cursor.syntax_error());
    }
    let names = match elements.names.join(", ") {
        names if names.is_empty() => names,
        names => format!(" ({names})"),
    };
    Ok(format!("{names} AS {}", query::translate_source(cursor.rest())?))
}

/// The text behind the name of a table that starts empty.
fn empty(cursor: &Cursor<'_>, elements: &Elements) -> Result<String, SqlError> {
    if !elements.names.is_empty() {
        return Err(cursor.syntax_error());
    }
    if elements.columns > MAX_COLUMNS {
        return Err(SqlError::new(format!("tables can have at most {MAX_COLUMNS} columns")));
    }
    Ok(format!(" ({})", elements.definitions.join(", ")))
}

/// The statement up to the table's name. A name that starts with `#` makes a temporary table.
fn head(cursor: &mut Cursor<'_>, temporary: bool) -> Result<String, SqlError> {
    let if_not_exists = if cursor.eat("if not exists") { "IF NOT EXISTS " } else { "" };
    let name = cursor.qualified_name()?;
    let is_temporary = temporary || name.table.starts_with('#');
    if is_temporary && name.schema.is_some() {
        return Err(SqlError::new("cannot create temporary relation in non-temporary schema"));
    }
    let temporary = if is_temporary { "TEMPORARY " } else { "" };
    Ok(format!("CREATE {temporary}TABLE {if_not_exists}{name}"))
}

/// Reads the elements in the brackets, from behind the first bracket.
// Brackets may hold columns with types, or bare names with AS behind the brackets. The AS is still
// ahead, so both are taken here, and `filled` and `empty` refuse the wrong sort. (`(a, b int)` has
// one of each and is refused by both.)
fn elements(cursor: &mut Cursor<'_>, declared: &mut Declared) -> Result<Elements, SqlError> {
    let mut elements = Elements::default();
    loop {
        if cursor.eat("like") {
            let parent = cursor.qualified_name()?;
            elements.definitions.push(like(cursor, &parent));
            declared.set_like(parent.to_string());
        } else if let Some(constraint) = table_constraint(cursor)? {
            declared.add(constraint);
        } else {
            let name = cursor.identifier()?;
            if cursor.peeks(",") || cursor.peeks(")") {
                elements.names.push(quote(&name));
            } else {
                elements.columns += 1;
                elements.definitions.push(column(cursor, &name, declared)?.to_string());
            }
        }
        if cursor.eat(")") {
            return Ok(elements);
        }
        cursor.expect(",")?;
    }
}

/// `LIKE parent [INCLUDING|EXCLUDING DEFAULTS]`, after the parent's name.
fn like(cursor: &mut Cursor<'_>, parent: &Name) -> String {
    let defaults = if cursor.eat("including defaults") { " INCLUDING DEFAULTS" } else { "" };
    if defaults.is_empty() {
        cursor.eat("excluding defaults");
    }
    // PostgreSQL's only CHECK constraints here are the stand-in's own, on VARCHAR, CHAR and
    // DECIMAL(19,s). The new table needs them as well.
    format!("LIKE {parent} INCLUDING CONSTRAINTS{defaults}")
}
