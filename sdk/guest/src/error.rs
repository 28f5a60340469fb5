//! The one error that a plugin speaks: a word for programs, a sentence for people.

use std::fmt;

/// Why a plan, a batch or a row is refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Error {
    /// A short word that programs can rely on, such as `bad-config` or `out-of-range`.
    pub code: String,
    /// What is wrong and what to do about it. Never the value of a cell: messages end up in logs.
    pub message: String,
    /// The column that it is about, by the name that the reader knows.
    pub column: Option<String>,
    /// The row that it is about, from 0 within the batch.
    pub row: Option<u32>,
}

impl Error {
    /// An error about nothing in particular.
    ///
    /// ```
    /// let error = loader_sdk::Error::new("bad-config", "precision must be at most 38").column("amount");
    /// assert_eq!(error.to_string(), "precision must be at most 38");
    /// ```
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), column: None, row: None }
    }

    /// The same error, about a column.
    pub fn column(self, column: impl Into<String>) -> Self {
        Self { column: Some(column.into()), ..self }
    }

    /// The same error, about a row.
    pub fn row(self, row: u32) -> Self {
        Self { row: Some(row), ..self }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<loader_ipc::IpcError> for Error {
    fn from(error: loader_ipc::IpcError) -> Self {
        Self::new("bad-message", error.to_string())
    }
}
