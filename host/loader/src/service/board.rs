//! What goes on now: which tables are at work, what is pending, and when the bucket was last
//! looked at. The service writes it, the page and the checks of its health read it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use loader_model::error::{Error, Kind};

use crate::backlog::outcome::{ALREADY_LOADED, End, FileOutcome, LOADED};
use crate::backlog::pending::{Backlog, PendingFile};
use crate::service::now::{AtWork, Now, Pending};

/// What goes on. Readers get copies.
pub(crate) struct Board {
    now: Mutex<Now>,
}

impl Board {
    pub(crate) fn new() -> Board {
        let now = Now {
            started_at: Timestamp::now(),
            at_work: BTreeMap::new(),
            pending: BTreeMap::new(),
            unclaimed: BTreeSet::new(),
            claimed: BTreeSet::new(),
            looked_at: None,
            trouble: None,
        };
        Board { now: Mutex::new(now) }
    }

    /// A copy of what goes on.
    pub(super) fn now(&self) -> Now {
        self.lock().clone()
    }

    /// Why the service does not do its work. `every`: how often it looks at all tables.
    pub(super) fn trouble(&self, every: Duration) -> Option<String> {
        let now = self.lock();
        let late = every * 3 + Duration::from_secs(60);
        match (&now.looked_at, &now.trouble) {
            (None, None) => Some("the bucket was not listed yet".to_owned()),
            (_, Some(trouble)) => Some(trouble.clone()),
            (Some(at), None) if at.elapsed() > late && now.at_work.is_empty() => {
                Some(format!("the bucket was last listed {} s ago", at.elapsed().as_secs()))
            }
            (Some(_), None) => None,
        }
    }

    pub(super) fn looked(&self, backlog: &Backlog) {
        let pending = backlog.queues.iter().map(|queue| {
            let pending = Pending {
                files: queue.files.len(),
                oldest: queue.files.iter().filter_map(|file| file.arrived_at).min(),
            };
            (queue.table.clone(), pending)
        });
        let names = |files: &mut dyn Iterator<Item = &PendingFile>| -> BTreeSet<String> {
            files.map(|file| file.name.clone()).collect()
        };
        let unclaimed = names(&mut backlog.unclaimed.iter());
        let claimed = names(&mut backlog.claimed.iter().map(|(file, _)| file));
        let mut now = self.lock();
        for file in unclaimed.difference(&now.unclaimed) {
            tracing::warn!(%file, "no table takes this file");
        }
        for file in claimed.difference(&now.claimed) {
            tracing::warn!(%file, "several tables take this file, so none gets it");
        }
        // A table without files is shown to have none: a gauge that is not set again stays.
        now.pending.values_mut().for_each(|of_table| *of_table = Pending::default());
        now.pending.extend(pending);
        (now.unclaimed, now.claimed) = (unclaimed, claimed);
        (now.looked_at, now.trouble) = (Some(Instant::now()), None);
    }

    pub(super) fn could_not_look(&self, error: &Error) {
        self.lock().trouble = Some(error.to_string());
    }

    /// Whether the bucket could be listed when that was last tried. The text: why not.
    pub(crate) fn could_look(&self) -> Result<(), String> {
        self.lock().trouble.clone().map_or(Ok(()), Err)
    }

    pub(super) fn begins(&self, table: &str, files: &[PendingFile]) {
        let first = files.first().map(|file| file.name.clone()).unwrap_or_default();
        let at_work = AtWork { since: Timestamp::now(), files: files.len(), first };
        self.lock().at_work.insert(table.to_owned(), at_work);
    }

    pub(super) fn ended(&self, table: &str, outcomes: &[FileOutcome]) {
        let mut now = self.lock();
        now.at_work.remove(table);
        if let Some(pending) = now.pending.get_mut(table) {
            let gone = outcomes.iter().filter(|file| has_left(file)).count();
            pending.files = pending.files.saturating_sub(gone);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a file that was taken up is not in `data/in/` any more.
pub(super) fn has_left(file: &FileOutcome) -> bool {
    matches!(file.end, End::Gone)
        || file.exit_code() == Kind::Data.exit_code()
        || [LOADED, ALREADY_LOADED].contains(&file.word())
}
