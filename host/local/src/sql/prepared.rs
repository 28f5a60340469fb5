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
    /// CREATE TABLE, and the text that announces its keys. The text runs first, in the same
    /// transaction.
    CreateWithKeys { keys: String, create: String },
    /// TRUNCATE: runs, and commits the statements before it in the transaction.
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
