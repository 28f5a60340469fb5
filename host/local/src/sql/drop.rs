//! DROP of relations, schemas, databases and identities. In: a statement's tokens. Out:
//! PostgreSQL text, or the refusal of objects that the stand-in cannot make either (functions,
//! models, datashares).

use super::cursor::Cursor;
use super::error::SqlError;
use super::prepared::Prepared;
use super::quoting::quote;
use super::{
    database,
    identities::{self, kind::IdentityKind},
};

/// `DROP …`.
pub(super) fn prepare(mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    cursor.expect("drop")?;
    if let Some(kind) = IdentityKind::eat(&mut cursor) {
        return identities::drop(kind, cursor);
    }
    let object = cursor.text().to_ascii_lowercase();
    match object.as_str() {
        "table" => relations("table", cursor),
        "view" => relations("view", cursor),
        "materialized" => relations("materialized view", cursor),
        "schema" => objects("schema", cursor, |cursor| Ok(quote(&cursor.identifier()?))),
        "database" => {
            cursor.skip();
            database::drop(cursor)
        }
        "function" | "procedure" | "library" | "model" | "datashare" | "external" => {
            Err(SqlError::unsupported(&format!("DROP {}", object.to_ascii_uppercase())))
        }
        _ => Err(cursor.syntax_error()),
    }
}

fn relations(kind: &str, cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    objects(kind, cursor, |cursor| Ok(cursor.qualified_name()?.to_string()))
}

/// `TABLE [IF EXISTS] name, … [CASCADE|RESTRICT]`. `kind` is the word or the words in front, such
/// as `materialized view`.
fn objects(
    kind: &str,
    mut cursor: Cursor<'_>,
    name: impl FnMut(&mut Cursor<'_>) -> Result<String, SqlError>,
) -> Result<Prepared, SqlError> {
    for word in kind.split(' ') {
        cursor.expect(word)?;
    }
    let if_exists = if cursor.eat("if exists") { "IF EXISTS " } else { "" };
    let names = cursor.list(name)?.join(", ");
    let behaviour = if cursor.eat_cascade() { " CASCADE" } else { "" };
    cursor.expect_end()?;
    Ok(Prepared::command(format!(
        "DROP {} {if_exists}{names}{behaviour}",
        kind.to_ascii_uppercase()
    )))
}
