//! A kind of value within a column.

use crate::error::Position;

/// Values of a kind: how many there are, and where the first is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) count: u64,
    pub(crate) first: Option<Position>,
}
