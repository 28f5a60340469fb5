//! PostgreSQL's run-time errors in Redshift's words. In: what PostgreSQL said. Out: the statement's `Error`. Programs tell Redshift's
//! errors apart by text alone (the Data API shows no SQLSTATE), so the texts matter; what is not listed has the same text in both.

use tokio_postgres::error::{DbError, SqlState};

/// The prefix of the checks that `data_api/helpers` adds to VARCHAR columns; the number after it is the length in bytes.
const BYTES_CHECK: &str = "varchar_bytes_";

/// The `Error` of a failed statement, starting with `ERROR: `.
pub(crate) fn engine_error(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => format!("ERROR: {}", text(error)),
        None => format!("ERROR: connection to the database was lost: {error}"),
    }
}

fn text(error: &DbError) -> String {
    let message = error.message();
    let code = error.code();
    if *code == SqlState::CHECK_VIOLATION
        && let Some(length) = error.constraint().and_then(|name| name.strip_prefix(BYTES_CHECK))
    {
        let length = length.split('_').next().unwrap_or(length);
        return format!("value too long for type character varying({length})");
    }
    if *code == SqlState::NOT_NULL_VIOLATION
        && let Some(column) = error.column()
        && message.starts_with("null value in column")
    {
        return format!("Cannot insert a NULL value into column {column}");
    }
    // Two transactions that make one table at once meet in PostgreSQL's own catalog.
    let is_catalog_race = *code == SqlState::UNIQUE_VIOLATION && error.schema() == Some("pg_catalog");
    if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED || is_catalog_race {
        return "1023 DETAIL: Serializable isolation violation on table - 100000, transactions forming the cycle are: 1, 2 (pid:1)".to_owned();
    }
    if *code == SqlState::CARDINALITY_VIOLATION && message.contains("row a second time") {
        return "Found multiple matches to update the same tuple.".to_owned();
    }
    let mut text = message.to_owned();
    // A detail may quote a row; Redshift has none where a value would stand.
    if let Some(detail) = error.detail().filter(|_| *code == SqlState::DEPENDENT_OBJECTS_STILL_EXIST) {
        text.push_str(&format!("\n  Detail: {detail}"));
    }
    if let Some(hint) = error.hint() {
        text.push_str(&format!("\n  Hint: {hint}"));
    }
    text
}
