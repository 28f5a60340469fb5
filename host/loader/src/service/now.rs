//! What goes on at one moment.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use jiff::Timestamp;

/// What goes on at one moment.
#[derive(Clone, Debug)]
pub(super) struct Now {
    pub(super) started_at: Timestamp,
    /// The tables at work, by their names.
    pub(super) at_work: BTreeMap<String, AtWork>,
    /// What was pending when the bucket was last listed.
    pub(super) pending: BTreeMap<String, Pending>,
    /// Files that no table takes, and that several take.
    pub(super) unclaimed: BTreeSet<String>,
    pub(super) claimed: BTreeSet<String>,
    /// When the bucket was last listed, and why it could not be since then.
    pub(super) looked_at: Option<Instant>,
    pub(super) trouble: Option<String>,
}

/// A table at work.
#[derive(Clone, Debug)]
pub(super) struct AtWork {
    pub(super) since: Timestamp,
    pub(super) files: usize,
    /// The first of them.
    pub(super) first: String,
}

/// Files of a table that are to be loaded.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending {
    pub(super) files: usize,
    pub(super) oldest: Option<Timestamp>,
}
