//! Statements that are neither a query nor CREATE, ALTER or COPY: locks, transaction control,
//! settings, maintenance, grants, drops. In: a statement's tokens. Out: PostgreSQL text, nothing to
//! run (as for `ANALYZE t`), or a refusal. This file only chooses the reader by the first word.

use super::cursor::Cursor;
use super::error::SqlError;
use super::prepared::{Action, Prepared};
use super::{comment, ddl, drop, grants, query, settings, transactions};

/// Reads the statement by its first word.
pub(super) fn prepare(text: &str, cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    let verb = cursor.text().to_ascii_lowercase();
    match verb.as_str() {
        "lock" => transactions::lock(cursor),
        "begin" | "start" | "commit" | "end" | "rollback" | "abort" => {
            transactions::control(cursor)
        }
        "vacuum" => Ok(Prepared::of(Action::Nothing)
            .outside_transactions("VACUUM cannot run inside a transaction block")),
        "analyze" | "analyse" => Ok(Prepared::of(Action::Nothing)),
        "set" | "reset" => settings::set(text, cursor),
        "show" => settings::show(text, cursor),
        "drop" => drop::prepare(cursor),
        "explain" => explain(cursor),
        "comment" => comment::prepare(cursor),
        "refresh" => ddl::refresh(cursor),
        "grant" => grants::grant(cursor),
        "revoke" => grants::revoke(cursor),
        "unload" | "call" | "prepare" | "execute" | "deallocate" | "declare" | "fetch"
        | "close" | "cancel" | "use" => Err(SqlError::unsupported(&verb.to_ascii_uppercase())),
        "savepoint" | "release" => Err(SqlError::new("SQL command \"SAVEPOINT\" not supported.")),
        _ => Err(cursor.syntax_error()),
    }
}

fn explain(mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    cursor.skip();
    let query = query::translate_part(cursor.rest())?;
    Ok(Prepared::of(Action::Query(format!("EXPLAIN {query}"))))
}
