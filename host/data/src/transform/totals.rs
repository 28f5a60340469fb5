//! What became of the rows.
//!
//! In: what each worker counted and rejected. Out: one account of the whole file.

use loader_sandbox::{PluginCounters, Reject};

/// Rejects that are kept with all they say; past it they are only counted, and the load is past its
/// limit anyway.
pub const MAX_KEPT_REJECTS: u64 = 100_000;

/// What became of the rows.
#[derive(Debug, Default)]
pub struct Totals {
    pub rows_read: u64,
    pub rows_staged: u64,
    pub rows_rejected: u64,
    /// By planned column, in bytes.
    pub max_text_bytes: Vec<u32>,
    /// Decimals that the host rounded half up to the scale of their columns; plugins count their
    /// own.
    pub rounded: u64,
    /// In the order of the file.
    pub rejects: Vec<Reject>,
    pub plugins: Vec<PluginCounters>,
}

impl Totals {
    /// Of nothing yet, for so many planned columns.
    pub(super) fn of_columns(columns: usize) -> Totals {
        Totals { max_text_bytes: vec![0; columns], ..Totals::default() }
    }

    pub(super) fn reject(&mut self, rejects: Vec<Reject>) {
        self.rows_rejected += rejects.len() as u64;
        let room = MAX_KEPT_REJECTS.saturating_sub(self.rejects.len() as u64);
        self.rejects.extend(rejects.into_iter().take(usize::try_from(room).unwrap_or(usize::MAX)));
    }

    pub(super) fn add(&mut self, other: Totals) {
        self.rows_read += other.rows_read;
        self.rows_staged += other.rows_staged;
        self.rows_rejected += other.rows_rejected;
        self.rounded += other.rounded;
        for (mine, theirs) in self.max_text_bytes.iter_mut().zip(other.max_text_bytes) {
            *mine = (*mine).max(theirs);
        }
        self.rejects.extend(other.rejects);
        // In the chain's order: a plugin may be in it twice.
        for (place, counters) in other.plugins.into_iter().enumerate() {
            match self.plugins.get_mut(place) {
                Some(mine) => mine.add(counters),
                None => self.plugins.push(counters),
            }
        }
    }
}
