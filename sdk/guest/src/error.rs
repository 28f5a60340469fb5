//! The one error of plugins: a word for programs, and a sentence for people.

use std::fmt;

/// Why a plan, a batch or a row is refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Error {
    /// A short word that programs can rely on, such as `bad-config` or `out-of-range`.
    pub code: String,
    /// What is wrong and what to do about it. Never put the value of a cell into it, because
    /// messages end up in logs. For example, "the day is not YYYY-MM-DD" says enough.
    pub message: String,
    /// The column at fault, by the name that the reader knows.
    pub column: Option<String>,
    /// The row at fault, counted from 0 within the batch.
    pub row: Option<u32>,
}

impl Error {
    /// Makes an error that names no column and no row.
    ///
    /// ```
    /// let error = loader_sdk::Error::new("bad-config", "precision must be at most 38").column("amount");
    /// assert_eq!(error.to_string(), "precision must be at most 38");
    /// ```
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), column: None, row: None }
    }

    /// Returns the same error, about a column.
    pub fn column(self, column: impl Into<String>) -> Self {
        Self { column: Some(column.into()), ..self }
    }

    /// Returns the same error, about a row of the batch, counted from 0.
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
