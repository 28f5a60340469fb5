//! Redshift SQL on PostgreSQL. In: one statement. Out: the PostgreSQL text to run. The readers here
//! parse the statement, refuse what Redshift refuses (with its text where that is known), and write
//! the rest as PostgreSQL text. For example, `COPY orders FROM 's3://…'` becomes an action for
//! `copy`, and a second statement behind a `;` is refused. They do no I/O; `data_api` runs the
//! outcome.
//!
//! Reading order: this file, which chooses the reader by the statement's first word; `ddl` (with
//! `keys`) and `query`, the two big families; `late_binding` (views that are read by name);
//! `identities` and `grants`; `database`; `other`; `names` (long names, which PostgreSQL cannot keep); `bind`
//! (parameters); `engine_error` (texts of run-time errors). All of them share `lexer`, `cursor`,
//! `prepared`, `error`, `quoting` and `helper`. The files import from each other, never from this
//! one.

mod bind;
mod comment;
mod copy;
mod cursor;
mod database;
mod ddl;
mod drop;
mod engine_error;
mod error;
mod grants;
mod helper;
mod identities;
mod keys;
mod late_binding;
mod lexer;
mod names;
mod other;
mod prepared;
mod query;
mod quoting;
mod relations;
mod settings;
#[cfg(test)]
mod tests;
mod transactions;
mod types;

pub(crate) use bind::{Parameter, bind};
pub(crate) use copy::{Compression, CopyStatement, FileFormat, Moment, TextOptions, part_at};
pub(crate) use engine_error::{connection_error, engine_error};
pub(crate) use error::SqlError;
pub(crate) use helper::HELPER_SCHEMA;
pub(crate) use late_binding::{Reader, View as LateBindingView};
pub(crate) use names::{HASH_DIGITS, LongName, MARK};
pub(crate) use prepared::{Action, Prepared};
pub(crate) use quoting::{literal, quote};

use cursor::Cursor;
use lexer::{Token, TokenKind, lex};

/// Reads the one statement in `sql`. In the outcome, and in errors, long names are aliases.
pub(crate) fn prepare(sql: &str) -> Result<Prepared, SqlError> {
    // Names first, so that no reader meets a name that PostgreSQL cannot keep. That moves the text,
    // so the position in an error is counted back to the text of the request.
    let shortened = names::shorten(sql)?;
    prepare_shortened(&shortened.text)
        .map_err(|error| error.map_position(|position| shortened.original_position(position)))
}

/// The names in `sql` that are aliases in what [`prepare`] makes of it.
pub(crate) fn long_names(sql: &str) -> Vec<LongName> {
    names::shorten(sql).map(|shortened| shortened.names).unwrap_or_default()
}

fn prepare_shortened(sql: &str) -> Result<Prepared, SqlError> {
    let tokens = lex(sql)?;
    // By tokens and not by text: a `;` inside quotes or a comment separates nothing.
    let is_separator =
        |token: &Token| token.kind == TokenKind::Symbol && &sql[token.start..token.end] == ";";
    let mut statements = tokens.split(is_separator).filter(|statement| !statement.is_empty());
    let Some(statement) = statements.next() else {
        return Err(
            SqlError::new("syntax error at end of input").with_hint("the statement is empty")
        );
    };
    if statements.next().is_some() {
        return Err(SqlError::new("cannot insert multiple commands into a prepared statement"));
    }
    // The text from its start to the statement's end: cut at the front, positions in errors would
    // no longer be those of the request.
    let end = statement.last().map_or(0, |token| token.end);
    let text = &sql[..end];
    dispatch(text, Cursor::new(text, statement))
}

fn dispatch(text: &str, cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    match cursor.text().to_ascii_lowercase().as_str() {
        "copy" => copy::parse(cursor).map(|copy| Prepared::of(Action::Copy(Box::new(copy)))),
        "create" => ddl::create(text, cursor),
        "alter" => ddl::alter(cursor),
        "select" | "with" | "insert" | "update" | "delete" | "merge" | "truncate" | "(" => {
            query::prepare(text)
        }
        _ => other::prepare(text, cursor),
    }
}
