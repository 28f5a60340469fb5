//! Small files of a table that are loaded as one: read at once, and then one transaction for as
//! many of them in a row as have one shape.
//!
//! What they come to is what loads of one after another come to. Whatever is in the way of the load
//! of all is no outcome: they are loaded in smaller parts then, in their order, down to one by one.
//! So a file that is refused has its own report, and the others go on.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use futures::StreamExt;
use loader_aws::s3::ObjectInfo;
use loader_data::joined::are_alike;
use loader_model::error::Result;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::backlog::doing::Doing;
use crate::backlog::outcome::End;
use crate::backlog::pending::PendingFile;
use crate::backlog::work::{Table, Work};
use crate::data_path::{DataPath, object_reader};
use crate::progress::Progress;
use crate::report::Report;
use crate::steps::source;
use crate::tools::{Tools, blocking};
use crate::values::{Goal, ReadFile, ReadFiles};
use crate::{line, run};

/// Larger files are loaded by themselves: a transaction of their own costs them little.
const SMALL_BYTES: u64 = 16 << 20;
/// The most that is loaded as one.
const MOST_BYTES: u64 = 256 << 20;
const MOST_FILES: usize = 1000;
/// Files that are read at once.
const READ_AT_ONCE: usize = 8;
/// Open files that the process asks for. Each file that was read is one.
const OPEN_FILES: u64 = 8192;

/// A file that was read; `None`: it is loaded by itself, which says what is wrong with it.
type Read = Option<ReadFile>;

/// What the load of several files as one has come to.
enum Attempt {
    /// This, for each of the files.
    Ended(Vec<End>),
    /// These of them must be loaded by themselves.
    Apart(Vec<usize>),
    /// Something is in the way, in one of them or in all together.
    Failed,
}

impl Work<'_> {
    /// How many of the next files are loaded together; at least one.
    pub(super) fn count_together(&self, table: &Table, files: &[PendingFile]) -> usize {
        let is_load = matches!(self.doing, Doing::Load(_)) && table.settings.capture.is_none();
        let mut bytes = 0;
        let fits = |file: &&PendingFile| {
            bytes += file.size_bytes;
            let is_small = file.size_bytes <= SMALL_BYTES && bytes <= MOST_BYTES;
            is_load && is_small && !self.held.contains_key(&file.name)
        };
        files.iter().take(most_files(self.parallel())).take_while(fits).count().max(1)
    }

    /// Loads files of a table, as few loads as they need.
    pub(super) async fn several(&self, table: &mut Table, files: &[PendingFile]) -> Vec<End> {
        let of_table: &Table = table;
        let read = futures::stream::iter(files.iter().map(|file| self.read(of_table, file)));
        let read: Vec<Read> = read.buffered(READ_AT_ONCE).collect().await;
        let parts = alike(&read);
        Box::pin(self.parts(table, files, &read, parts)).await
    }

    async fn read(&self, table: &Table, file: &PendingFile) -> Read {
        self.stops.before_next.check().ok()?;
        let read = async || -> Result<ReadFile> {
            let job = self.job(table, file)?;
            let (etag, size_bytes) = (file.etag.clone(), file.size_bytes);
            let listed = ObjectInfo { etag, size_bytes, version_id: None };
            let (store, uri) = (&self.place.store, job.layout.source());
            let progress = Progress::hidden();
            let (input, version_id) =
                object_reader::open_listed(store, &uri, &listed, progress).await?;
            let source = source::identified(uri, ObjectInfo { version_id, ..listed }, &job.target);
            let data_path = DataPath::of(&job, self.stops.at_once.flag().clone());
            let spool = blocking(move || data_path.infer(input, None)).await?;
            Ok(ReadFile { source, spool: Arc::new(spool) })
        };
        read().await.ok()
    }

    /// Loads the parts of a list of files one after another.
    async fn parts(
        &self,
        table: &mut Table,
        files: &[PendingFile],
        read: &[Read],
        parts: Vec<Range<usize>>,
    ) -> Vec<End> {
        let (mut ends, mut behind): (Vec<End>, Option<String>) = (Vec::new(), None);
        for part in parts {
            let (of_part, read) = (&files[part.clone()], &read[part]);
            if behind.is_some() || self.stops.before_next.check().is_err() {
                let waits = of_part.iter().map(|_| End::Waits { behind: behind.clone() });
                ends.extend(waits);
                continue;
            }
            let ended = match of_part {
                [one] => vec![self.file(table, one).await],
                several => self.part(table, several, read).await,
            };
            let failed = of_part.iter().zip(&ended);
            let failed = failed.filter(|(_, end)| self.ends_the_table(end, &table.settings));
            behind = failed.map(|(file, _)| file.name.clone()).next();
            ends.extend(ended);
        }
        ends
    }

    /// Loads files of one shape as one, or else in smaller parts.
    async fn part(&self, table: &mut Table, files: &[PendingFile], read: &[Read]) -> Vec<End> {
        match self.attempt(table, files, read).await {
            Attempt::Ended(ends) => ends,
            Attempt::Apart(places) => {
                let is_apart = |place| places.contains(&place);
                let read = read.iter().cloned().enumerate();
                let read: Vec<Read> =
                    read.map(|(place, one)| one.filter(|_| !is_apart(place))).collect();
                let parts = alike(&read);
                Box::pin(self.parts(table, files, &read, parts)).await
            }
            Attempt::Failed => {
                let middle = files.len() / 2;
                let halves = vec![0..middle, middle..files.len()];
                Box::pin(self.parts(table, files, read, halves)).await
            }
        }
    }

    async fn attempt(&self, table: &mut Table, files: &[PendingFile], read: &[Read]) -> Attempt {
        let read: Vec<ReadFile> = read.iter().flatten().cloned().collect();
        let together = ReadFiles::of(&read).filter(|_| read.len() == files.len());
        let job = files.first().map(|first| self.job(table, first));
        let (Some(together), Some(Ok(job))) = (together, job) else { return Attempt::Failed };
        let apart = OnceLock::new();
        let line = async |tools: &Tools| {
            let ended = line::load_together(tools, together.clone()).await;
            if let Some(places) = tools.trail.apart.get() {
                // Set once: a run has one line.
                let _ = apart.set(places.clone());
            }
            ended
        };
        let (aws, stop) = (&self.place.aws, self.stops.at_once.clone());
        let report = run::run_on(aws, job, Goal::Load, line, stop, self.logs).await;
        table.columns = None;
        ended(report, files, apart.into_inner())
    }
}

fn ended(report: Report, files: &[PendingFile], apart: Option<Vec<usize>>) -> Attempt {
    if report.exit_code == 0 && report.files.len() == files.len() {
        let end = |file| End::Ran(Box::new(report.of_file(file)));
        return Attempt::Ended(report.files.iter().map(end).collect());
    }
    match (report.exit_code, apart) {
        (0 | 2 | 3 | 5, Some(places)) => Attempt::Apart(places),
        (0 | 2 | 3 | 5, None) => Attempt::Failed,
        // What ends this load would end those of its parts, too.
        _ => {
            let behind = files.first().map(|file| file.name.clone());
            let waits = files.iter().skip(1).map(|_| End::Waits { behind: behind.clone() });
            Attempt::Ended(std::iter::once(End::Ran(Box::new(report))).chain(waits).collect())
        }
    }
}

/// The parts of a list of files that can be loaded as one: as many in a row as have one shape.
fn alike(files: &[Read]) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    for (place, file) in files.iter().enumerate() {
        let last = parts.last_mut().filter(|part| match (&files[part.start], file) {
            (Some(one), Some(other)) => are_alike(&one.spool, &other.spool),
            _ => false,
        });
        match last {
            Some(part) => part.end = place + 1,
            None => parts.push(place..place + 1),
        }
    }
    parts
}

/// How many files may be read and not loaded yet, of each of so many tables.
fn most_files(tables: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(OPEN_FILES, |most| most.min(OPEN_FILES));
    let mut open = limit.current.unwrap_or(wanted);
    if open < wanted {
        let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
        open = if setrlimit(Resource::Nofile, raised).is_ok() { wanted } else { open };
    }
    // Half of them: connections and staged parts are files, too.
    let each = usize::try_from(open / 2).unwrap_or(MOST_FILES) / tables.max(1);
    each.clamp(1, MOST_FILES)
}
