//! Counts what happened to the rows.
//!
//! In: the counts and rejects of each worker. Out: one account of the whole file.

use loader_sandbox::{PluginCounters, Reject};

/// The most rejects that each worker keeps with their messages. Further rejects are only counted,
/// so with a larger `--max-rejects` the report of rejected rows may lack some.
pub const MAX_KEPT_REJECTS: u64 = 100_000;

/// The counts and rejects of a transformation.
#[derive(Debug, Default)]
pub struct Totals {
    pub rows_read: u64,
    pub rows_staged: u64,
    pub rows_rejected: u64,
    /// The longest text of each planned column, in bytes.
    pub max_text_bytes: Vec<u32>,
    /// The number of decimals that the host rounded half away from zero to the scale of their
    /// columns. Plugins count their own.
    pub rounded: u64,
    /// In the order of the file.
    pub rejects: Vec<Reject>,
    pub plugins: Vec<PluginCounters>,
}

impl Totals {
    /// Totals of no rows yet, for so many planned columns.
    pub(crate) fn of_columns(columns: usize) -> Totals {
        Totals { max_text_bytes: vec![0; columns], ..Totals::default() }
    }

    /// The totals of all files together. Rejects keep the numbers that their rows have in their
    /// files.
    pub fn of_all(files: Vec<Totals>) -> Totals {
        files
            .into_iter()
            .reduce(|mut all, next| {
                all.add(next);
                all
            })
            .unwrap_or_default()
    }

    /// The counts alone.
    pub fn without_rejects(&self) -> Totals {
        Totals {
            rejects: Vec::new(),
            max_text_bytes: self.max_text_bytes.clone(),
            plugins: self.plugins.clone(),
            ..*self
        }
    }

    pub(super) fn reject(&mut self, rejects: impl IntoIterator<Item = Reject>) {
        for reject in rejects {
            self.rows_rejected += 1;
            if (self.rejects.len() as u64) < MAX_KEPT_REJECTS {
                self.rejects.push(reject);
            }
        }
    }

    pub(crate) fn add(&mut self, other: Totals) {
        self.rows_read += other.rows_read;
        self.rows_staged += other.rows_staged;
        self.rows_rejected += other.rows_rejected;
        self.rounded += other.rounded;
        for (mine, theirs) in self.max_text_bytes.iter_mut().zip(other.max_text_bytes) {
            *mine = (*mine).max(theirs);
        }
        self.rejects.extend(other.rejects);
        // Counters are added by their place in the chain and not by the plugin's name, because a
        // chain may have the same plugin twice.
        for (place, counters) in other.plugins.into_iter().enumerate() {
            match self.plugins.get_mut(place) {
                Some(mine) => mine.add(counters),
                None => self.plugins.push(counters),
            }
        }
    }
}
