//! CREATE VIEW, with and without schema binding, CREATE and REFRESH MATERIALIZED VIEW. In: a
//! statement's tokens. Out: a call of the procedure in the database that makes the view
//! (`data_api/helpers/views.sql`); it knows what is there already.

use super::super::cursor::{Cursor, Name, quote};
use super::super::keys::Declared;
use super::super::query::{ViewQuery, view_query};
use super::super::{Action, HELPER_SCHEMA, Prepared, SqlError};
use super::literal;

const BARE_NAMES: &str =
    "All the relation names inside should be qualified when creating VIEW WITH NO SCHEMA BINDING.";

/// `CREATE [OR REPLACE] VIEW …`, after CREATE.
pub(super) fn create(text: &str, mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    let replaces = cursor.eat("or replace");
    cursor.expect("view")?;
    let name = cursor.qualified_name()?;
    let columns = columns(&mut cursor)?;
    cursor.expect("as")?;
    let start = cursor.position();
    while !cursor.is_at_end() && !cursor.peeks("with no schema binding") {
        cursor.skip();
    }
    let end = start + cursor.since(start).len();
    let is_late_binding = cursor.eat("with no schema binding");
    cursor.expect_end()?;
    let query = view_query(&text[..end], start)?;
    let call = if is_late_binding {
        if query.has_bare_names {
            return Err(SqlError::new(BARE_NAMES));
        }
        let inner = match columns.as_str() {
            "" => query.text,
            names => format!("SELECT * FROM ({}) AS {}{names}", query.text, quote(&name.table)),
        };
        call(
            "create_late_binding_view",
            &[string(&name), replaces.to_string(), literal(text.trim()), literal(&inner)],
        )
    } else {
        let replace = if replaces { "OR REPLACE " } else { "" };
        let temporary = if name.table.starts_with('#') { "TEMPORARY " } else { "" };
        let statement =
            format!("CREATE {replace}{temporary}VIEW {name}{columns} AS {}", query.text);
        call(
            "create_view",
            &[string(&name), replaces.to_string(), reads(&query), literal(&statement)],
        )
    };
    Ok(Prepared::of(call))
}

/// `CREATE MATERIALIZED VIEW …`, after CREATE.
pub(super) fn create_materialized(
    text: &str,
    mut cursor: Cursor<'_>,
) -> Result<Prepared, SqlError> {
    cursor.expect("materialized view")?;
    let name = cursor.qualified_name()?;
    // Not recorded.
    let mut keys = Declared::default();
    loop {
        keys.table_attributes(&mut cursor)?;
        if !cursor.eat("auto refresh") {
            break;
        }
        if !cursor.eat("yes") {
            cursor.expect("no")?;
        }
    }
    cursor.expect("as")?;
    let query = view_query(text, cursor.position())?;
    if query.is_ordered {
        return Err(SqlError::new("a materialized view cannot have ORDER BY, LIMIT or OFFSET"));
    }
    let arguments = [string(&name), reads(&query), literal(text.trim()), literal(&query.text)];
    Ok(Prepared::of(call("create_materialized_view", &arguments)))
}

/// `REFRESH MATERIALIZED VIEW …`.
pub(crate) fn refresh(mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    cursor.expect("refresh materialized view")?;
    let name = cursor.qualified_name()?;
    cursor.expect_end()?;
    Ok(Prepared::of(Action::Command(format!("REFRESH MATERIALIZED VIEW {name}"))))
}

/// ` ("a", "b")`, or nothing.
fn columns(cursor: &mut Cursor<'_>) -> Result<String, SqlError> {
    if !cursor.eat("(") {
        return Ok(String::new());
    }
    let mut names = Vec::new();
    loop {
        names.push(quote(&cursor.identifier()?));
        if cursor.eat(")") {
            return Ok(format!(" ({})", names.join(", ")));
        }
        cursor.expect(",")?;
    }
}

fn string(name: &Name) -> String {
    literal(&name.to_string())
}

fn reads(query: &ViewQuery) -> String {
    let names: Vec<String> = query.reads.iter().map(|name| literal(name)).collect();
    format!("ARRAY[{}]::text[]", names.join(", "))
}

fn call(procedure: &str, arguments: &[String]) -> Action {
    Action::Command(format!("CALL {HELPER_SCHEMA}.{procedure}({})", arguments.join(", ")))
}
