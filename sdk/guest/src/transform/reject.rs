//! Why a row is not loaded, as the closures of steps say it.

use std::borrow::Cow;
use std::fmt;

use crate::error::Error;

/// Why a row is not loaded: a word for programs, and a sentence for people.
///
/// ```
/// use loader_sdk::Reject;
///
/// let reject = Reject::new("too-young", "customers are at least 18").column("age");
/// assert_eq!(reject.to_string(), "too-young: customers are at least 18");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    code: Cow<'static, str>,
    message: Cow<'static, str>,
    column: Option<String>,
}

impl Reject {
    /// Makes a reason. Never put the value of a cell into the message, because messages end up in
    /// logs. One batch can tell 255 reasons apart, so a reason should be a kind of mistake: such as
    /// "the amount is negative", and not a message of its own for every amount.
    ///
    /// ```
    /// let reject = loader_sdk::Reject::new("no-such-country", "the country is not one of ISO 3166");
    /// ```
    pub fn new(
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Reject {
        Reject { code: code.into(), message: message.into(), column: None }
    }

    /// Returns the same reason, about a column. [`Rows::map`](crate::Rows::map) names its column by
    /// itself.
    ///
    /// ```
    /// let reject = loader_sdk::Reject::new("empty", "there is no name").column("name");
    /// ```
    pub fn column(self, column: impl Into<String>) -> Reject {
        Reject { column: Some(column.into()), ..self }
    }

    /// The same reason, about this column unless it names a column already.
    pub(crate) fn or_column(self, column: &str) -> Reject {
        Reject { column: self.column.or_else(|| Some(column.to_owned())), ..self }
    }

    pub(crate) fn into_error(self) -> Error {
        Error {
            code: self.code.into_owned(),
            message: self.message.into_owned(),
            column: self.column,
            row: None,
        }
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}
