//! PostgreSQL's run-time errors in Redshift's words. In: PostgreSQL's error. Out: the statement's
//! `Error`. Programs tell Redshift's errors apart by text alone (the Data API shows no SQLSTATE),
//! so the texts matter. An error that is not listed here keeps PostgreSQL's text.

mod rights;

use tokio_postgres::error::{DbError, SqlState};

/// The prefix of the checks that `data_api/helpers` adds to VARCHAR columns; the number after it is
/// the length in bytes.
const BYTES_CHECK: &str = "varchar_bytes_";

/// Redshift's words to the transaction that it ends when two transactions cannot both have run
/// alone.
const CONFLICT: &str = "1023 DETAIL: Serializable isolation violation on table - 100000, \
                        transactions forming the cycle are: 1, 2 (pid:1)";

/// The `Error` of a failed statement, starting with `ERROR: `.
pub(crate) fn engine_error(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => format!("ERROR: {}", text(error)),
        None => format!("ERROR: connection to the database was lost: {error}"),
    }
}

/// Why there is no connection, starting with `FATAL: `.
pub(crate) fn connection_error(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => format!("FATAL: {}", rights::with_kinds(error.message())),
        None => format!("FATAL: cannot connect to the local PostgreSQL: {error}"),
    }
}

fn text(error: &DbError) -> String {
    replaced(error).unwrap_or_else(|| reworded(error))
}

/// Redshift's text where it has nothing in common with PostgreSQL's.
fn replaced(error: &DbError) -> Option<String> {
    let message = error.message();
    match *error.code() {
        SqlState::CHECK_VIOLATION => failed_check(error.constraint()?),
        SqlState::NOT_NULL_VIOLATION if message.starts_with("null value in column") => {
            Some(format!("Cannot insert a NULL value into column {}", error.column()?))
        }
        SqlState::T_R_SERIALIZATION_FAILURE => Some(CONFLICT.to_owned()),
        SqlState::T_R_DEADLOCK_DETECTED => Some("deadlock detected".to_owned()),
        // Two transactions that create the same table collide in PostgreSQL's own catalog, also
        // with IF NOT EXISTS.
        SqlState::UNIQUE_VIOLATION if error.schema() == Some("pg_catalog") => {
            Some(error.detail().and_then(created_twice).unwrap_or_else(|| CONFLICT.to_owned()))
        }
        SqlState::CARDINALITY_VIOLATION if message.contains("row a second time") => {
            Some("Found multiple matches to update the same tuple.".to_owned())
        }
        SqlState::GENERATED_ALWAYS => Some("cannot set an identity column to a value".to_owned()),
        SqlState::DEPENDENT_OBJECTS_STILL_EXIST => {
            rights::still_needed(message, error.detail().unwrap_or_default())
        }
        _ => None,
    }
}

/// The text for a relation whose name PostgreSQL's catalog has by now. `detail`: for example
/// `Key (typname, typnamespace)=(t, 2200) already exists.`
fn created_twice(detail: &str) -> Option<String> {
    let (column, values) = detail.strip_prefix("Key (")?.split_once(", ")?;
    let (_, values) = values.split_once(")=(")?;
    let (name, _) = values.rsplit_once(", ")?;
    ["typname", "relname"].contains(&column).then(|| format!("Relation \"{name}\" already exists"))
}

/// The text for a check that the stand-in added to a table, by the check's name.
fn failed_check(name: &str) -> Option<String> {
    // `varchar_bytes_20_3f2a…` checks a VARCHAR(20); its last part only makes the name unique.
    if let Some(length) = name.strip_prefix(BYTES_CHECK) {
        let length = length.split('_').next().unwrap_or(length);
        return Some(format!("value too long for type character varying({length})"));
    }
    // Redshift's words for a sum that is too big, and for a load.
    if name.starts_with("decimal_bound_") {
        return Some("Numeric data overflow (result precision)".to_owned());
    }
    if name.starts_with("single_bytes_") {
        return Some(
            "Multibyte character not supported for CHAR (Hint: try using VARCHAR)".to_owned(),
        );
    }
    None
}

/// PostgreSQL's text, with Redshift's words in it.
fn reworded(error: &DbError) -> String {
    let code = error.code();
    let mut text = match *code {
        SqlState::DEPENDENT_OBJECTS_STILL_EXIST => table_before_column(error.message()),
        SqlState::INVALID_TABLE_DEFINITION => replaced_view(error.message()),
        _ => rights::reworded(code, error.message()),
    };
    if let Some(detail) = shown_detail(error) {
        text.push_str(&format!("\n  Detail: {}", table_before_column(detail)));
    }
    if let Some(hint) = error.hint() {
        text.push_str(&format!("\n  Hint: {hint}"));
    }
    text
}

/// A detail may quote a row, and Redshift has no detail where a value would stand; so only the
/// details that name objects are shown.
fn shown_detail(error: &DbError) -> Option<&str> {
    match *error.code() {
        SqlState::DEPENDENT_OBJECTS_STILL_EXIST | SqlState::FEATURE_NOT_SUPPORTED => error.detail(),
        _ => None,
    }
}

/// Puts the table before the column: `column c of table t` becomes `table t column c`. Works on
/// each line, because a detail names one object a line.
fn table_before_column(text: &str) -> String {
    let line = |line: &str| {
        let (before, rest) = line.split_once("column ")?;
        let (column, rest) = rest.split_once(" of table ")?;
        let (table, after) = rest
            .split_once(" because ")
            .map_or((rest, None), |(table, after)| (table, Some(after)));
        let after = after.map(|after| format!(" because {after}")).unwrap_or_default();
        Some(format!("{before}table {table} column {column}{after}"))
    };
    text.split('\n')
        .map(|text| line(text).unwrap_or_else(|| text.to_owned()))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The refusal of a CREATE OR REPLACE VIEW that changes columns, in the words of PostgreSQL 8.
fn replaced_view(message: &str) -> String {
    // The older text ends after the column's name. PostgreSQL now goes on, for example with
    // `from integer to bigint`, and that is cut off.
    let column = ["cannot change name of view column ", "cannot change data type of view column "]
        .iter()
        .find_map(|start| {
            let column = message.strip_prefix(start)?.split("\" ").next()?.trim_end_matches('"');
            Some(format!("{start}{column}\""))
        });
    match column {
        Some(column) => column,
        None if message == "cannot drop columns from view" => {
            "cannot change number of columns in view".to_owned()
        }
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_that_are_made_at_once() {
        assert_eq!(
            created_twice("Key (typname, typnamespace)=(a, b, 2200) already exists."),
            Some("Relation \"a, b\" already exists".to_owned())
        );
        assert_eq!(created_twice("Key (rolname)=(a) already exists."), None);
        assert_eq!(created_twice("Key (nspname, x)=(a, 1) already exists."), None);
    }

    #[test]
    fn dependencies_name_the_table_first() {
        assert_eq!(
            table_before_column(
                "cannot drop column a b of table s.t because other objects depend on it"
            ),
            "cannot drop table s.t column a b because other objects depend on it"
        );
        assert_eq!(
            table_before_column("view v depends on column c of table t\nview w depends on view v"),
            "view v depends on table t column c\nview w depends on view v"
        );
    }

    #[test]
    fn replaced_views() {
        assert_eq!(
            replaced_view("cannot change data type of view column \"a\" from integer to bigint"),
            "cannot change data type of view column \"a\""
        );
        assert_eq!(
            replaced_view("cannot drop columns from view"),
            "cannot change number of columns in view"
        );
    }
}
