//! Why a statement cannot run, in the words that the Data API shows. In: the words, and the place
//! of the fault in the request. Out: one line, with a position and a hint below it where they are
//! known.

/// Why a statement cannot run. Display is the statement's `Error` as the Data API shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SqlError {
    message: String,
    position: Option<usize>,
    hint: Option<String>,
}

impl std::error::Error for SqlError {}

impl std::fmt::Display for SqlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ERROR: {}", self.message)?;
        if let Some(position) = self.position {
            write!(f, "\n  Position: {position}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  Hint: {hint}")?;
        }
        Ok(())
    }
}

impl SqlError {
    pub(crate) fn new(message: impl Into<String>) -> SqlError {
        SqlError { message: message.into(), position: None, hint: None }
    }

    /// `near` stands at character `position` of the statement, counted from 1.
    pub(crate) fn syntax(near: &str, position: usize) -> SqlError {
        SqlError { position: Some(position), ..SqlError::near(near) }
    }

    /// Refuses syntax that PostgreSQL has and Redshift does not. The hint says what Redshift has
    /// instead, for example `absent("FOR", "no SELECT … FOR UPDATE; use LOCK")`.
    pub(crate) fn absent(near: &str, hint: &str) -> SqlError {
        SqlError::near(near).with_hint(format!("Amazon Redshift has {hint}"))
    }

    /// Refuses a feature that Redshift has and the stand-in does not have yet.
    pub(crate) fn unsupported(what: &str) -> SqlError {
        SqlError::new(format!(
            "{what} is not supported by the local stand-in (Amazon Redshift has it)"
        ))
    }

    fn near(near: &str) -> SqlError {
        SqlError::new(format!("syntax error at or near \"{near}\""))
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> SqlError {
        self.hint = Some(hint.into());
        self
    }

    /// The same error with its position counted in another text.
    pub(super) fn map_position(self, position: impl FnOnce(usize) -> usize) -> SqlError {
        SqlError { position: self.position.map(position), ..self }
    }
}
