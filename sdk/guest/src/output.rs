//! What a session returns: computed columns, rejected rows with their reasons, and counters.

use std::collections::HashMap;

use arrow_array::ArrayRef;

use crate::error::Error;

/// How many messages the host takes for one batch.
// 255 reasons keep their own message. The last place is for `other`, which all further reasons
// share: the host ends the load when a plugin sends one message more.
const MAX_REASONS: usize = 256;

/// A number that the report of a load shows, such as `rounded`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    /// What was counted. The counters of several sessions with the same name add up.
    pub name: String,
    /// How many were counted.
    pub value: u64,
}

impl Counter {
    /// Makes a counter with its value.
    pub fn new(name: impl Into<String>, value: u64) -> Self {
        Self { name: name.into(), value }
    }
}

/// What became of one batch.
#[derive(Debug, Default)]
pub struct Output {
    /// The computed columns in the order of the plan, with one value for each row of the batch.
    pub columns: Vec<ArrayRef>,
    /// Rows that must not be loaded. Every column still has a value, or null, for them: a batch of
    /// 100 rows with 3 rejects gives columns of 100 values.
    pub rejects: Rejects,
}

impl Output {
    /// Makes an output of these columns that accepts every row.
    pub fn columns(columns: Vec<ArrayRef>) -> Self {
        Self { columns, rejects: Rejects::default() }
    }
}

/// A reason to reject rows. It belongs to the [`Rejects`] that it came from.
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
    ///
    /// A batch can tell 255 reasons apart. All further errors share one reason, with the code
    /// `other`.
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

    /// Rejects a row of the batch, counted from 0. Rows may come in any order. A row that is
    /// rejected again keeps its first reason.
    pub fn add(&mut self, row: usize, reason: Reason) {
        // The cast cuts nothing: a batch has 65,536 rows at most unless `[limits]` says otherwise.
        self.rows.push((row as u32, reason.0));
    }

    /// Returns how often [`Rejects::add`] was called. A row that was rejected twice counts twice.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Tells whether every row is accepted.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the rows, ascending and each once; a reason for each of them; and the messages that
    /// the reasons point to. The contract wants it so.
    ///
    /// For example, the rows 2 and 7, both with the first reason, give `[2, 7]`, `[0, 0]` and one
    /// message.
    pub fn into_parts(mut self) -> (Vec<u32>, Vec<u16>, Vec<Error>) {
        // The sort is stable, so a row's first reason stays in front of its later ones, and `dedup`
        // keeps the one in front.
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
