//! What a session returns: computed columns, rejected rows with reasons, counters.

use std::collections::HashMap;

use arrow_array::ArrayRef;

use crate::error::Error;

/// The host takes so many messages for one batch. What comes after shares the last.
const MAX_REASONS: usize = 256;

/// A number that is shown in the report of a load, such as `rounded`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    /// What was counted; the same name from several sessions adds up.
    pub name: String,
    /// How many.
    pub value: u64,
}

impl Counter {
    /// A counter and its value.
    pub fn new(name: impl Into<String>, value: u64) -> Self {
        Self { name: name.into(), value }
    }
}

/// What became of one batch.
#[derive(Debug, Default)]
pub struct Output {
    /// The computed columns in the order of the plan, one value for each row of the batch.
    pub columns: Vec<ArrayRef>,
    /// Rows that must not be loaded. They still have a value, or null, in every column.
    pub rejects: Rejects,
}

impl Output {
    /// Columns, and every row accepted.
    pub fn columns(columns: Vec<ArrayRef>) -> Self {
        Self { columns, rejects: Rejects::default() }
    }
}

/// A reason that rows can be rejected for, valid for the [`Rejects`] that it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason(u16);

/// The rows of one batch that must not be loaded, each with its reason.
///
/// ```
/// use loader_sdk::{Error, Rejects};
///
/// let mut rejects = Rejects::default();
/// let too_long = rejects.reason(Error::new("too-long", "more than 3 letters").column("code"));
/// rejects.add(7, too_long);
/// rejects.add(2, too_long);
/// assert_eq!(rejects.len(), 2);
/// ```
#[derive(Debug, Default)]
pub struct Rejects {
    rows: Vec<(u32, u16)>,
    messages: Vec<Error>,
    known: HashMap<Error, u16>,
}

impl Rejects {
    /// Registers a reason, so that many rows can share its message. The same error gives the same
    /// reason again.
    pub fn reason(&mut self, error: Error) -> Reason {
        if let Some(reason) = self.known.get(&error) {
            return Reason(*reason);
        }
        if self.messages.len() == MAX_REASONS {
            return Reason(MAX_REASONS as u16 - 1);
        }
        let error = if self.messages.len() == MAX_REASONS - 1 {
            Error::new("other", "rejected for a reason past the 255 that one batch can tell apart")
        } else {
            error
        };
        let reason = self.messages.len() as u16;
        self.messages.push(error.clone());
        self.known.insert(error, reason);
        Reason(reason)
    }

    /// Rejects a row of the batch, counted from 0. In any order; a row that is rejected again keeps
    /// its first reason.
    pub fn add(&mut self, row: usize, reason: Reason) {
        self.rows.push((row as u32, reason.0));
    }

    /// How often a row was rejected.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether every row is accepted.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// As the contract wants it: rows ascending, each once; a reason for each; the messages that
    /// reasons point to.
    pub fn into_parts(mut self) -> (Vec<u32>, Vec<u16>, Vec<Error>) {
        self.rows.sort_by_key(|(row, _)| *row);
        self.rows.dedup_by_key(|(row, _)| *row);
        let (rows, reasons) = self.rows.into_iter().unzip();
        (rows, reasons, self.messages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_keep_their_first_reason() {
        let mut rejects = Rejects::default();
        let first = rejects.reason(Error::new("a", "one"));
        let second = rejects.reason(Error::new("b", "two"));
        rejects.add(9, first);
        rejects.add(4, second);
        rejects.add(9, second);
        let again = rejects.reason(Error::new("a", "one"));
        rejects.add(5, again);
        let (rows, reasons, messages) = rejects.into_parts();
        assert_eq!((rows, reasons), (vec![4, 5, 9], vec![1, 0, 0]));
        assert_eq!(messages.len(), 2);
    }

    #[test]
    fn reasons_past_the_limit_share_the_last_message() {
        let mut rejects = Rejects::default();
        for row in 0..1000 {
            let reason = rejects.reason(Error::new("bad", format!("row {row} is bad")));
            rejects.add(row, reason);
        }
        let (_, reasons, messages) = rejects.into_parts();
        assert_eq!(messages.len(), 256);
        assert_eq!((messages[254].code.as_str(), messages[255].code.as_str()), ("bad", "other"));
        assert_eq!((reasons[254], reasons[255], reasons[999]), (254, 255, 255));
    }
}
