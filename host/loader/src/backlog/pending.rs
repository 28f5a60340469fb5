//! What lies in `data/in/`: whose each file is, and in which order a table's files are loaded.

use std::collections::HashMap;

use jiff::Timestamp;
use loader_aws::s3::Listed;
use loader_model::choices::FileOrder;
use loader_model::error::Result;

use crate::backlog::place::Place;
use crate::feeds::{Feeds, Owner};
use crate::layout::IN;

/// A file in `data/in/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PendingFile {
    /// Its key behind `data/in/`.
    pub(crate) name: String,
    /// With its quotes, as S3 gives it.
    pub(crate) etag: String,
    pub(crate) size_bytes: u64,
    pub(crate) arrived_at: Option<Timestamp>,
}

/// The files of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Queue {
    /// The table, as the settings file or the command line names it.
    pub(crate) table: String,
    pub(crate) files: Vec<PendingFile>,
}

/// What is to be loaded, and what is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Backlog {
    pub(crate) queues: Vec<Queue>,
    /// Files that more than one table takes, with these.
    pub(crate) claimed: Vec<(PendingFile, Vec<String>)>,
    /// Files that no table takes.
    pub(crate) unclaimed: Vec<PendingFile>,
}

/// Everything in `data/in/`. Errors: of S3.
pub(crate) async fn list(place: &Place, feeds: &Feeds) -> Result<Backlog> {
    let listed = place.store.list_objects(&place.at(IN)).await?;
    Ok(Backlog::sorted(listed.into_iter().filter_map(pending), feeds))
}

/// Whether a name behind `data/in/` is that of a file: a folder that somebody made in the console is
/// an object whose key ends in a slash.
pub(crate) fn is_file(name: &str) -> bool {
    !name.is_empty() && !name.ends_with('/')
}

fn pending(listed: Listed) -> Option<PendingFile> {
    let name = listed.uri.key.strip_prefix(IN)?;
    is_file(name).then(|| PendingFile {
        name: name.to_owned(),
        etag: listed.etag,
        size_bytes: listed.size_bytes,
        arrived_at: listed.last_modified,
    })
}

impl Backlog {
    fn sorted(files: impl Iterator<Item = PendingFile>, feeds: &Feeds) -> Backlog {
        let mut backlog = Backlog::default();
        // The places of the queues, by their tables: there may be thousands of both.
        let mut places: HashMap<&str, usize> = HashMap::new();
        for file in files {
            match feeds.owner(&file.name) {
                Owner::Table(table) => {
                    let next = backlog.queues.len();
                    let place = *places.entry(table).or_insert(next);
                    if place == next {
                        backlog.queues.push(Queue { table: table.to_owned(), files: Vec::new() });
                    }
                    backlog.queues[place].files.push(file);
                }
                Owner::Nobody => backlog.unclaimed.push(file),
                Owner::Several(tables) => {
                    let tables = tables.into_iter().map(str::to_owned).collect();
                    backlog.claimed.push((file, tables));
                }
            }
        }
        backlog
    }

    /// Files that were named, for a table or for those that take them.
    pub(crate) fn of_files(files: Vec<PendingFile>, table: Option<&str>, feeds: &Feeds) -> Backlog {
        match table {
            None => Backlog::sorted(files.into_iter(), feeds),
            Some(table) => {
                let queue = Queue { table: table.to_owned(), files };
                let queues = if queue.files.is_empty() { Vec::new() } else { vec![queue] };
                Backlog { queues, ..Backlog::default() }
            }
        }
    }

    /// When the oldest of all files came, also of those that no table takes.
    pub(crate) fn oldest(&self) -> Option<Timestamp> {
        let of_tables = self.queues.iter().flat_map(|queue| &queue.files);
        let claimed = self.claimed.iter().map(|(file, _)| file);
        let all = of_tables.chain(claimed).chain(&self.unclaimed);
        all.filter_map(|file| file.arrived_at).min()
    }

    /// The part that is of one table, if one is named.
    pub(crate) fn of_table(mut self, table: Option<&str>) -> Backlog {
        if let Some(table) = table {
            self.queues.retain(|queue| queue.table == table);
            self.claimed.retain(|(_, tables)| tables.iter().any(|name| name == table));
            self.unclaimed.clear();
        }
        self
    }
}

impl Queue {
    /// The files in the order in which they are loaded. Files that were named stay as they were.
    #[must_use]
    pub(crate) fn in_order(mut self, order: FileOrder) -> Queue {
        if self.files.iter().any(|file| file.arrived_at.is_none()) {
            return self;
        }
        self.files.sort_by(|one, other| match order {
            FileOrder::Name => one.name.cmp(&other.name),
            FileOrder::Arrival => (one.arrived_at, &one.name).cmp(&(other.arrived_at, &other.name)),
        });
        self
    }
}
