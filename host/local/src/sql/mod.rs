//! Redshift SQL on PostgreSQL: one statement in, what to run out. Parses, refuses what Redshift
//! refuses (with its words where they are known), and writes the rest as PostgreSQL text. Does no
//! I/O; `data_api` runs the outcome. Reading order: this file, `ddl` (with `keys`) and `query` (the
//! two big families), `late_binding` (views that are read by name), `identities` and `grants`,
//! `names` (those that PostgreSQL cannot keep), `bind` (parameters), `engine_error` (texts of
//! run-time errors).

mod bind;
mod comment;
mod cursor;
mod ddl;
mod engine_error;
mod grants;
mod identities;
mod keys;
mod late_binding;
mod lexer;
mod names;
mod other;
mod query;
mod relations;
#[cfg(test)]
mod tests;
mod types;

pub(crate) use bind::{Parameter, bind};
pub(crate) use cursor::{Cursor, Name, quote};
pub(crate) use ddl::literal;
pub(crate) use engine_error::{connection_error, engine_error};
pub(crate) use late_binding::{Reader, View as LateBindingView};
pub(crate) use lexer::{Token, TokenKind, lex};
pub(crate) use names::{HASH_DIGITS, LongName, MARK};

use crate::copy::CopyStatement;

/// Where the stand-in keeps its own tables and views; hidden from listings.
pub(crate) const HELPER_SCHEMA: &str = "loader_local";

/// Why a statement cannot run. Display is the statement's `Error` as the Data API shows it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("ERROR: {message}{}{}", position.map(|at| format!("\n  Position: \
                                                           {at}")).unwrap_or_default(), hint.as_ref().map(|hint| format!("\n  Hint: {hint}")).unwrap_or_default())]
pub(crate) struct SqlError {
    message: String,
    position: Option<usize>,
    hint: Option<String>,
}

impl SqlError {
    pub(crate) fn new(message: impl Into<String>) -> SqlError {
        SqlError { message: message.into(), position: None, hint: None }
    }

    pub(crate) fn syntax(near: &str, position: usize) -> SqlError {
        SqlError {
            message: format!("syntax error at or near \"{near}\""),
            position: Some(position),
            hint: None,
        }
    }

    /// Something that PostgreSQL has and Redshift has not.
    pub(crate) fn absent(near: &str, hint: &str) -> SqlError {
        let message = format!("syntax error at or near \"{near}\"");
        SqlError { message, position: None, hint: Some(format!("Amazon Redshift has {hint}")) }
    }

    /// Something that Redshift has and the stand-in has not (yet).
    pub(crate) fn unsupported(what: &str) -> SqlError {
        SqlError::new(format!(
            "{what} is not supported by the local stand-in (Amazon Redshift has it)"
        ))
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> SqlError {
        self.hint = Some(hint.into());
        self
    }
}

/// What running a statement means.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Action {
    /// PostgreSQL text that may answer rows.
    Query(String),
    /// PostgreSQL text that answers a count at most.
    Command(String),
    /// CREATE TABLE, and the text that announces its keys, to be run before it in the same
    /// transaction.
    CreateWithKeys { keys: String, create: String },
    /// TRUNCATE: runs, and commits what came before it in the transaction.
    CommittingCommand(String),
    /// COPY from S3.
    Copy(Box<CopyStatement>),
    /// BEGIN, COMMIT or ROLLBACK.
    TransactionControl(String),
    /// Accepted without effect (VACUUM, ANALYZE).
    Nothing,
}

/// A statement that may be run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Prepared {
    pub(crate) action: Action,
    /// The engine's error when the statement stands in a transaction block.
    pub(crate) outside_transactions: Option<&'static str>,
}

impl Prepared {
    fn of(action: Action) -> Prepared {
        Prepared { action, outside_transactions: None }
    }
}

/// Reads the one statement in `sql`. In the outcome, and in errors, long names are aliases.
pub(crate) fn prepare(sql: &str) -> Result<Prepared, SqlError> {
    let shortened = names::shorten(sql)?;
    prepare_shortened(&shortened.text).map_err(|error| SqlError {
        position: error.position.map(|position| shortened.original_position(position)),
        ..error
    })
}

/// The names in `sql` that are aliases in what [`prepare`] makes of it.
pub(crate) fn long_names(sql: &str) -> Vec<LongName> {
    names::shorten(sql).map(|shortened| shortened.names).unwrap_or_default()
}

fn prepare_shortened(sql: &str) -> Result<Prepared, SqlError> {
    let tokens = lex(sql)?;
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
    // The text up to the statement's end, so that positions stay those of the request.
    let end = statement.last().map_or(0, |token| token.end);
    let text = &sql[..end];
    dispatch(text, Cursor::new(text, statement))
}

fn dispatch(text: &str, cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    match cursor.text().to_ascii_lowercase().as_str() {
        "copy" => crate::copy::parse(cursor).map(|copy| Prepared::of(Action::Copy(Box::new(copy)))),
        "create" => ddl::create(text, cursor),
        "alter" => ddl::alter(cursor),
        "select" | "with" | "insert" | "update" | "delete" | "merge" | "truncate" | "(" => {
            query::prepare(text)
        }
        _ => other::prepare(text, cursor),
    }
}

/// Refuses the empty name, which sqlparser lets pass.
pub(crate) fn check_identifier(name: &str) -> Result<(), SqlError> {
    if name.is_empty() {
        return Err(SqlError::new("zero-length delimited identifier at or near \"\"\"\""));
    }
    Ok(())
}
