//! CREATE VIEW, with and without schema binding, CREATE and REFRESH MATERIALIZED VIEW. In: a
//! statement's tokens. Out: a call of the procedure in the database that makes the view
//! (`data_api/helpers/views.sql`), because only the database knows which relation has the name
//! already.

use crate::sql::cursor::{Cursor, Name};
use crate::sql::error::SqlError;
use crate::sql::helper;
use crate::sql::keys::Declared;
use crate::sql::prepared::Prepared;
use crate::sql::query::{ViewQuery, view_query};
use crate::sql::quoting::{literal, quote};

const BARE_NAMES: &str =
    "All the relation names inside should be qualified when creating VIEW WITH NO SCHEMA BINDING.";

/// The part of the statement in front of a view's query.
struct Head {
    replaces: bool,
    name: Name,
    /// ` ("a", "b")`, or nothing.
    columns: String,
}

/// `CREATE [OR REPLACE] VIEW …`, after CREATE.
pub(super) fn create(text: &str, mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    let replaces = cursor.eat("or replace");
    cursor.expect("view")?;
    let name = cursor.qualified_name()?;
    let columns = columns(&mut cursor)?;
    cursor.expect("as")?;
    let (start, end) = query_bytes(&mut cursor);
    let is_late_binding = cursor.eat("with no schema binding");
    cursor.expect_end()?;
    let query = view_query(&text[..end], start)?;
    let head = Head { replaces, name, columns };
    Ok(Prepared::command(match is_late_binding {
        true => create_late_binding(text, &head, query)?,
        false => create_bound(&head, &query),
    }))
}

/// Skips the query; returns its first byte and the byte behind it.
fn query_bytes(cursor: &mut Cursor<'_>) -> (usize, usize) {
    let start = cursor.position();
    // All four words are looked for, since a query may have a WITH of its own.
    while !cursor.is_at_end() && !cursor.peeks("with no schema binding") {
        cursor.skip();
    }
    (start, start + cursor.since(start).len())
}

/// A late-binding view looks its names up when it is read, so Redshift wants them qualified.
fn create_late_binding(text: &str, head: &Head, query: ViewQuery) -> Result<String, SqlError> {
    if query.has_bare_names {
        return Err(SqlError::new(BARE_NAMES));
    }
    // The view is kept as its query alone, so a list of columns has to become part of the query.
    // `CREATE VIEW s.v (a) AS SELECT 1 …` is kept as `SELECT * FROM (SELECT 1) AS "v" ("a")`.
    let query = match head.columns.as_str() {
        "" => query.text,
        names => format!("SELECT * FROM ({}) AS {}{names}", query.text, quote(&head.name.table)),
    };
    Ok(helper::call(
        "create_late_binding_view",
        &[&string(&head.name), &head.replaces.to_string(), &literal(text.trim()), &literal(&query)],
    ))
}

fn create_bound(head: &Head, query: &ViewQuery) -> String {
    let Head { replaces, name, columns } = head;
    let replace = if *replaces { "OR REPLACE " } else { "" };
    let temporary = if name.table.starts_with('#') { "TEMPORARY " } else { "" };
    let statement = format!("CREATE {replace}{temporary}VIEW {name}{columns} AS {}", query.text);
    helper::call(
        "create_view",
        &[&string(name), &replaces.to_string(), &reads(query), &literal(&statement)],
    )
}

/// `CREATE MATERIALIZED VIEW …`, after CREATE.
pub(super) fn create_materialized(
    text: &str,
    mut cursor: Cursor<'_>,
) -> Result<Prepared, SqlError> {
    cursor.expect("materialized view")?;
    let name = cursor.qualified_name()?;
    skip_attributes(&mut cursor)?;
    cursor.expect("as")?;
    let query = view_query(text, cursor.position())?;
    if query.is_ordered {
        return Err(SqlError::new("a materialized view cannot have ORDER BY, LIMIT or OFFSET"));
    }
    Ok(Prepared::command(helper::call(
        "create_materialized_view",
        &[&string(&name), &reads(&query), &literal(text.trim()), &literal(&query.text)],
    )))
}

/// `[BACKUP …] [DISTSTYLE …] [AUTO REFRESH YES|NO]`: checked and not recorded.
fn skip_attributes(cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    let mut keys = Declared::default();
    loop {
        keys.table_attributes(cursor)?;
        if !cursor.eat("auto refresh") {
            return Ok(());
        }
        if !cursor.eat("yes") {
            cursor.expect("no")?;
        }
    }
}

/// `REFRESH MATERIALIZED VIEW …`.
pub(in crate::sql) fn refresh(mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    cursor.expect("refresh materialized view")?;
    let name = cursor.qualified_name()?;
    cursor.expect_end()?;
    Ok(Prepared::command(format!("REFRESH MATERIALIZED VIEW {name}")))
}

/// ` ("a", "b")`, or nothing.
fn columns(cursor: &mut Cursor<'_>) -> Result<String, SqlError> {
    if !cursor.peeks("(") {
        return Ok(String::new());
    }
    let names: Vec<String> = cursor.names_in_brackets()?.iter().map(|name| quote(name)).collect();
    Ok(format!(" ({})", names.join(", ")))
}

fn string(name: &Name) -> String {
    literal(&name.to_string())
}

/// The names of the relations that a query reads, as an array of strings.
fn reads(query: &ViewQuery) -> String {
    format!("{}::text[]", helper::array(query.reads.iter().map(|name| literal(name))))
}
