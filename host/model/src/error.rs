//! The one error type of the program: what happened, where, and what the reader does next.
//!
//! Modules keep small error enums of their own and convert them at their edge. The kind alone
//! decides the exit code, and whether the source object is at fault. No other module knows the exit
//! codes of failures.

use std::error::Error as StdError;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What the reader of an error does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Mend the command line, the configuration or the permissions.
    Config,
    /// Look at the plugin: the file is no plugin, or the plugin broke the contract or a limit.
    Plugin,
    /// Mend the file: its content was refused, and it was put aside.
    Data,
    /// Decide about the table: the file asks for a schema change that is not allowed.
    SchemaConflict,
    /// Run again: nothing was changed and the cause is likely to pass.
    Transient,
    /// Look into the warehouse before running again: the load may or may not have been committed.
    OutcomeUnknown,
    /// Stopped by a signal (its number); nothing was changed.
    Interrupted(i32),
    /// Report it: S3 or Redshift answered in a way that this program does not know, or the program
    /// is wrong.
    Internal,
}

impl Kind {
    /// The process's exit code, as listed in `docs/settings.md`.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Internal => 1,
            Kind::Config | Kind::Plugin => 2,
            Kind::Data => 3,
            Kind::Transient => 4,
            Kind::SchemaConflict => 5,
            Kind::OutcomeUnknown => 6,
            // As shells count: for example, SIGINT (2) gives 130 and SIGTERM (15) gives 143.
            Kind::Interrupted(signal) => 128u8.saturating_add(u8::try_from(signal).unwrap_or(0)),
        }
    }

    /// Whether the same load would fail again until somebody changes the file, its table or
    /// settings.
    pub fn lasts(self) -> bool {
        matches!(self.exit_code(), 2 | 3 | 5)
    }

    /// Whether the file itself is at fault, so that it goes to `data/unprocessed/`.
    pub fn is_the_files_fault(self) -> bool {
        self == Kind::Data
    }
}

/// A failure with everything that a reader needs: kind, message, named facts and the cause.
pub struct Error {
    kind: Kind,
    message: String,
    context: Vec<(&'static str, String)>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The result of everything that can fail in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of a kind. `message`: the thing, the fact and the remedy, in lower case.
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into(), context: Vec::new(), source: None }
    }

    /// Adds a named fact, such as `uri` or `statement_id`.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Error {
        self.context.push((name, value.to_string()));
        self
    }

    /// Attaches the cause, which is printed behind the message.
    #[must_use]
    pub fn caused_by(mut self, source: impl StdError + Send + Sync + 'static) -> Error {
        self.source = Some(Box::new(source));
        self
    }

    /// Adds what the reader can do, behind the message.
    #[must_use]
    pub fn advising(mut self, advice: &str) -> Error {
        self.message.push_str(advice);
        self
    }

    /// Makes an unknown outcome `Transient`, for requests that may simply be sent again. (For
    /// example, a GetObject without an answer has changed nothing.)
    #[must_use]
    pub fn unless_unknown(self) -> Error {
        if self.kind == Kind::OutcomeUnknown { self.of_kind(Kind::Transient) } else { self }
    }

    /// The same error with another kind, where the caller knows better what the reader does next.
    #[must_use]
    pub fn of_kind(self, kind: Kind) -> Error {
        Error { kind, ..self }
    }

    /// What the reader does next.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let mut cause: Option<&dyn StdError> = self.source.as_deref().map(|source| source as _);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        if !self.context.is_empty() {
            let facts: Vec<String> =
                self.context.iter().map(|(name, value)| format!("{name} {value}")).collect();
            write!(f, " ({})", facts.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.kind)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        // `Display` prints the whole chain of causes. If this returned the cause as well, a printer
        // that follows `source` would print the chain twice.
        None
    }
}

/// Turns an error of another crate into [`Error`].
pub trait Context<T> {
    /// Makes an error with a kind and a message, and keeps this error as its cause.
    fn context(self, kind: Kind, message: impl Into<String>) -> Result<T>;
}

impl<T, E: StdError + Send + Sync + 'static> Context<T> for std::result::Result<T, E> {
    fn context(self, kind: Kind, message: impl Into<String>) -> Result<T> {
        self.map_err(|error| Error::new(kind, message).caused_by(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_a_sentence_with_facts() {
        let error = Error::new(Kind::Data, "row has 3 fields, the header 4")
            .with("uri", "s3://b/data/in/x.csv")
            .with("line", 7);
        assert_eq!(
            error.to_string(),
            "row has 3 fields, the header 4 (uri s3://b/data/in/x.csv, line 7)"
        );
        assert_eq!(error.kind().exit_code(), 3);
    }

    #[test]
    fn signals_end_with_their_shell_codes() {
        assert_eq!(Kind::Interrupted(2).exit_code(), 130);
        assert_eq!(Kind::Interrupted(15).exit_code(), 143);
    }
}
