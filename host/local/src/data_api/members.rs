//! The members of an answer, in the order in which they were added. In: names and values; out: a
//! JSON object. A member without a value is left out, as the service does: an execution without an
//! error has no `Error`, not `"Error": null`.

use serde_json::{Map, Value};

#[derive(Debug, Default)]
pub(crate) struct Members(Map<String, Value>);

impl Members {
    /// Adds a member, or replaces its value.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Members {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn with_some(self, name: &str, value: Option<impl Into<Value>>) -> Members {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds all of `more`, as [`Members::with`] does.
    pub(crate) fn and(mut self, more: Members) -> Members {
        self.0.extend(more.0);
        self
    }
}

impl From<Members> for Value {
    fn from(members: Members) -> Value {
        Value::Object(members.0)
    }
}
