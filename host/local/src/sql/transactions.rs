//! LOCK and transaction control. In: a statement's tokens. Out: what to run. A transaction has the
//! isolation level of its database, whatever BEGIN names, as in Redshift.

use super::cursor::Cursor;
use super::error::SqlError;
use super::prepared::{Action, Prepared};

/// `LOCK [TABLE] t, …`. Redshift has one mode and no NOWAIT.
pub(super) fn lock(mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    cursor.expect("lock")?;
    cursor.eat("table");
    let tables = cursor.list(|cursor| Ok(cursor.qualified_name()?.to_string()))?;
    cursor.expect_end()?;
    Ok(Prepared::command(format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", tables.join(", "))))
}

/// `BEGIN`, `COMMIT`, `ROLLBACK` and their synonyms.
pub(super) fn control(mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    let verb = cursor.text().to_ascii_lowercase();
    cursor.skip();
    if !cursor.eat("work") {
        cursor.eat("transaction");
    }
    let action = match verb.as_str() {
        "begin" | "start" => Action::Begin { is_read_only: is_read_only(&mut cursor) },
        "commit" | "end" => Action::End("COMMIT"),
        _ if cursor.peeks("to") => {
            return Err(SqlError::new("SQL command \"ROLLBACK TO SAVEPOINT\" not supported."));
        }
        _ => Action::End("ROLLBACK"),
    };
    cursor.expect_end()?;
    Ok(Prepared::of(action))
}

/// Reads the options behind BEGIN: `[ISOLATION LEVEL l] [READ ONLY|READ WRITE]`.
fn is_read_only(cursor: &mut Cursor<'_>) -> bool {
    if cursor.eat("isolation level") {
        while is_at_level(cursor) {
            cursor.skip();
        }
        cursor.eat(",");
    }
    let is_read_only = cursor.eat("read only");
    cursor.eat("read write");
    is_read_only
}

/// Whether a word of a level's name comes next. READ belongs to a level's name in `READ COMMITTED`,
/// but not in `READ ONLY`.
fn is_at_level(cursor: &Cursor<'_>) -> bool {
    const WORDS: [&str; 6] =
        ["serializable", "snapshot", "read", "committed", "uncommitted", "repeatable"];
    WORDS.contains(&cursor.text().to_ascii_lowercase().as_str())
        && !cursor.peeks("read only")
        && !cursor.peeks("read write")
}
