//! CREATE and ALTER by Redshift's grammar. In: a statement's tokens. Out: PostgreSQL text without
//! the clauses that PostgreSQL does not have (keys that are not enforced, distribution, sort order,
//! encodings: `keys` has them recorded), or Redshift's refusal. An event trigger in the database
//! (`data_api/helpers`) adds the check that a VARCHAR counts bytes, so that CREATE TABLE AS, LIKE
//! and ALTER need no help from here.

mod alter;
mod column;
mod table;
mod view;

pub(super) use alter::alter;
pub(super) use view::refresh;

use super::cursor::Cursor;
use super::error::SqlError;
use super::identities::{self, kind::IdentityKind};
use super::prepared::Prepared;
use super::{database, query};

/// `CREATE …`.
pub(super) fn create(text: &str, mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    cursor.expect("create")?;
    let local = cursor.eat("local");
    let temporary = cursor.eat("temporary") || cursor.eat("temp");
    if cursor.eat("table") {
        return table::create(cursor, temporary);
    }
    if local || temporary {
        return Err(cursor.syntax_error());
    }
    if let Some(kind) = IdentityKind::eat(&mut cursor) {
        return identities::create(kind, cursor);
    }
    match cursor.text().to_ascii_lowercase().as_str() {
        "view" | "or" => view::create(text, cursor),
        "materialized" => view::create_materialized(text, cursor),
        "schema" => query::prepare(text),
        "database" => {
            cursor.skip();
            database::create(cursor)
        }
        "external" | "function" | "procedure" | "library" | "model" | "datashare" | "rls"
        | "masking" | "identity" => {
            Err(SqlError::unsupported(&format!("CREATE {}", cursor.text().to_ascii_uppercase())))
        }
        _ => Err(cursor.syntax_error().with_hint(
            "Amazon Redshift has no such object (no indexes, sequences, triggers, \
                        types, extensions)",
        )),
    }
}
