//! The outcome of every reader in this folder, which `data_api` runs. In: PostgreSQL text. Out:
//! that text, and how it is run: in or outside a transaction, with rows or without.

use super::copy::CopyStatement;

/// How a statement is run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Action {
    /// PostgreSQL text that may answer rows, such as a SELECT or an EXPLAIN.
    Query(String),
    /// PostgreSQL text that answers a count at most.
    Command(String),
    /// INSERT, UPDATE, DELETE or MERGE, and the quoted name of the table that it writes to.
    Write { table: String, text: String },
    /// SET SESSION AUTHORIZATION.
    Authorization(String),
    /// CREATE TABLE, and the text that announces its keys. The text runs first, in the same
    /// transaction.
    CreateWithKeys { keys: String, create: String },
    /// TRUNCATE: runs, and commits the statements before it in the transaction.
    CommittingCommand(String),
    /// DROP DATABASE; the name is not quoted.
    DropDatabase { name: String },
    /// COPY from S3.
    Copy(Box<CopyStatement>),
    /// Texts that run one after the other, each in a transaction of its own.
    Apart(Vec<String>),
    /// BEGIN; the isolation level is the database's.
    Begin { is_read_only: bool },
    /// COMMIT or ROLLBACK.
    End(&'static str),
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
    /// A statement that runs in a transaction block and outside.
    pub(super) fn of(action: Action) -> Prepared {
        Prepared { action, outside_transactions: None }
    }

    /// PostgreSQL text that answers no rows.
    pub(super) fn command(text: impl Into<String>) -> Prepared {
        Prepared::of(Action::Command(text.into()))
    }

    /// The statement, refused with the error `refusal` in a transaction block.
    pub(super) fn outside_transactions(self, refusal: &'static str) -> Prepared {
        Prepared { outside_transactions: Some(refusal), ..self }
    }
}
