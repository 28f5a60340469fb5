//! The loads of a backlog: tables beside each other, the files of a table one after another.

use std::time::Instant;

use futures::StreamExt;
use loader_model::choices::OnRefusal;
use loader_model::error::{Error, Kind, Result};
use loader_model::names::TableName;

use crate::backlog::doing::{Again, Doing, Stops};
use crate::backlog::held::{self, HeldFiles};
use crate::backlog::outcome::{End, FileOutcome, Outcomes};
use crate::backlog::pending::{Backlog, PendingFile, Queue};
use crate::backlog::place::Place;
use crate::backlog::preview;
use crate::job::{self, Job, Project};
use crate::layout::IN;
use crate::line;
use crate::progress::Overall;
use crate::report::Report;
use crate::report::log::Logs;
use crate::run;
use crate::settings::Settings;
use crate::values::Goal;

/// Tables that are loaded at once, where the settings do not say.
pub(crate) const PARALLEL: usize = 4;

/// What all loads have in common.
pub(super) struct Work<'a> {
    pub(super) project: &'a Project,
    pub(super) place: &'a Place,
    pub(super) held: &'a HeldFiles,
    pub(super) doing: Doing,
    pub(super) stops: Stops,
    pub(super) logs: &'a Logs,
    pub(super) overall: Overall,
}

/// A table whose files are loaded, and what is known of it.
pub(super) struct Table {
    name: String,
    target: TableName,
    pub(super) settings: Settings,
    /// Digests, as what is remembered of files has them.
    settings_digest: String,
    pub(super) columns: Option<String>,
}

impl Work<'_> {
    /// Takes up all files.
    pub(super) async fn all(&self, backlog: Backlog) -> Outcomes {
        let started = Instant::now();
        let Backlog { queues, claimed, unclaimed } = backlog;
        let parallel = self.parallel();
        let queue = async |(place, queue)| (place, self.queue(queue).await);
        let tables = futures::stream::iter(queues.into_iter().enumerate().map(queue));
        // As they end: a table that takes long keeps none of the others from its turn.
        let tables = tables.buffer_unordered(parallel);
        let mut tables: Vec<(usize, Vec<FileOutcome>)> = tables.collect().await;
        self.overall.finish();
        tables.sort_by_key(|(place, _)| *place);
        let of_tables = tables.into_iter().flat_map(|(_, files)| files);
        let files = of_tables.chain(claimed.into_iter().map(of_several)).collect();
        let unclaimed = unclaimed.into_iter().map(|file| file.name).collect();
        let (bucket, took) = (self.place.bucket.clone(), started.elapsed());
        let stopped = self.stops.before_next.check().err().map(|error| error.kind().exit_code());
        let of_held = self.doing == Doing::Load(Again::Only);
        Outcomes { files, unclaimed, of_held, stopped, took, bucket }
    }

    pub(super) fn parallel(&self) -> usize {
        let settings = self.project.settings().unwrap_or_default();
        settings.parallel.unwrap_or(PARALLEL).max(1)
    }

    /// The files of a table, one after another.
    async fn queue(&self, queue: Queue) -> Vec<FileOutcome> {
        let mut table = match self.table(&queue.table) {
            Ok(table) => table,
            Err(error) => return all_refused(queue, error),
        };
        let queue = queue.in_order(table.settings.file_order.unwrap_or_default());
        let mut outcomes: Vec<FileOutcome> = Vec::new();
        let mut behind: Option<String> = None;
        let wanted: Vec<PendingFile> =
            queue.files.into_iter().filter(|file| self.is_wanted(file)).collect();
        let mut files = wanted.as_slice();
        while !files.is_empty() {
            let waits = behind.is_some() || self.stops.before_next.check().is_err();
            let n = if waits { files.len() } else { self.count_together(&table, files) };
            let (next, others) = files.split_at(n);
            let ends = match next {
                next if waits => {
                    next.iter().map(|_| End::Waits { behind: behind.clone() }).collect()
                }
                [one] => vec![self.file(&mut table, one).await],
                several => self.several(&mut table, several).await,
            };
            for (file, end) in next.iter().zip(ends) {
                self.overall.advance();
                if behind.is_none() && self.ends_the_table(&end, &table.settings) {
                    behind = Some(file.name.clone());
                }
                let table = Some(queue.table.clone());
                outcomes.push(FileOutcome { name: file.name.clone(), table, end });
            }
            files = others;
        }
        outcomes
    }

    fn table(&self, name: &str) -> Result<Table> {
        let settings = self.project.of_table(name, None)?;
        let target = self.project.target_of(name)?;
        let settings_digest = held::settings_of(&settings, &target)?;
        Ok(Table { name: name.to_owned(), target, settings, settings_digest, columns: None })
    }

    /// Whether a file is looked at at all.
    fn is_wanted(&self, file: &PendingFile) -> bool {
        self.doing != Doing::Load(Again::Only) || self.held.contains_key(&file.name)
    }

    pub(super) async fn file(&self, table: &mut Table, file: &PendingFile) -> End {
        if let Some(end) = self.not_tried(table, file).await {
            return end;
        }
        let job = match self.job(table, file) {
            Ok(job) => job,
            Err(error) => return End::Refused(error),
        };
        let (aws, stop) = (&self.place.aws, self.stops.at_once.clone());
        // A file that was named and is gone has a run, whose report says so.
        let was_listed = file.arrived_at.is_some();
        if was_listed && self.is_gone(file).await {
            return End::Gone;
        }
        if self.doing == Doing::Preview {
            return End::Previewed(Box::new(preview::of(aws, job, stop, self.logs).await));
        }
        let report = run::run_on(aws, job, Goal::Load, line::load, stop, self.logs).await;
        if was_listed && report.source.etag.is_none() && self.is_gone(file).await {
            return End::Gone;
        }
        self.remember(table, file, &report).await;
        table.columns = None;
        End::Ran(Box::new(report))
    }

    /// The load of a file.
    pub(super) fn job(&self, table: &Table, file: &PendingFile) -> Result<Job> {
        // The whole key: a name may itself begin with `data/in/` or a slash.
        let key = format!("{IN}{}", file.name);
        self.project.of_table(&table.name, Some(&key)).and_then(Job::decide)
    }

    /// Whether a file that was listed is there no more: another command has loaded it, or somebody
    /// has taken it away.
    async fn is_gone(&self, file: &PendingFile) -> bool {
        let uri = self.place.at(format!("{IN}{}", file.name));
        matches!(self.place.store.head(&uri).await, Ok(None))
    }

    /// Why a file is not tried: it failed before, and nothing has changed.
    async fn not_tried(&self, table: &mut Table, file: &PendingFile) -> Option<End> {
        let held = self.held.get(&file.name);
        match (self.doing, held) {
            (Doing::Load(Again::Only | Again::Always), _) | (_, None) => None,
            (Doing::Load(Again::IfChanged) | Doing::Preview, Some(held)) => {
                let is_same = held.is_of(file, &table.settings_digest)
                    && self.columns(table).await.is_some_and(|columns| held.is_for(&columns));
                is_same.then(|| End::Held(held.clone()))
            }
        }
    }

    /// A digest of the table's columns. `None`: they cannot be read, and the load will say why.
    async fn columns(&self, table: &mut Table) -> Option<String> {
        if table.columns.is_none() {
            table.columns = held::columns_of(&self.place.api, &table.target).await.ok();
        }
        table.columns.clone()
    }

    async fn remember(&self, table: &Table, file: &PendingFile, report: &Report) {
        if held::lasts(report) {
            held::remember(self.place, file, &table.target, &table.settings_digest, report).await;
        } else if self.held.contains_key(&file.name) && report.archived_to.is_some() {
            held::forget(self.place, &file.name).await;
        }
    }

    /// Whether the files behind this one wait. One that was put aside is in nobody's way. One that
    /// stays in `data/in/` is loaded later, and its older rows would replace newer ones of files
    /// that came before it; only rows that are appended do not. After every other failure the next
    /// file would fail, too.
    pub(super) fn ends_the_table(&self, end: &End, settings: &Settings) -> bool {
        match end.exit_code() {
            0 => false,
            _ if self.doing == Doing::Preview => false,
            code if code == Kind::Data.exit_code() => settings.on_refusal == Some(OnRefusal::Stop),
            code if STAYS.map(Kind::exit_code).contains(&code) => must_go_first(settings),
            _ => true,
        }
    }
}

/// How a load fails whose file stays in `data/in/`, until somebody has changed something.
const STAYS: [Kind; 2] = [Kind::Config, Kind::SchemaConflict];

/// Whether a file that failed and stays must be loaded before those behind it.
pub(super) fn must_go_first(settings: &Settings) -> bool {
    match settings.on_refusal {
        Some(wanted) => wanted == OnRefusal::Stop,
        None => !job::any_order(settings),
    }
}

fn of_several((file, tables): (PendingFile, Vec<String>)) -> FileOutcome {
    FileOutcome { name: file.name, table: None, end: End::Claimed(tables) }
}

/// The outcomes where a table's settings are wrong: the first file says so, and the others wait.
fn all_refused(queue: Queue, error: Error) -> Vec<FileOutcome> {
    let behind = queue.files.first().map(|file| file.name.clone());
    let waits = std::iter::repeat_with(|| End::Waits { behind: behind.clone() });
    let ends = std::iter::once(End::Refused(error)).chain(waits);
    let files = queue.files.into_iter().zip(ends);
    let table = &queue.table;
    files
        .map(|(file, end)| FileOutcome { name: file.name, table: Some(table.clone()), end })
        .collect()
}
