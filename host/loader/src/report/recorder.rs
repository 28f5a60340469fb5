//! Writes the report while a run goes on. Steps only add to it; none reads it back.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use loader_data::plan::LoadPlan;
use loader_model::error::Error;
use loader_model::names::{S3Uri, TableName};
use loader_sandbox::Reject;
use loader_warehouse::load_batch::Counts;

use crate::job::Job;
use crate::plugin_identity::{self, PluginIdentity};
use crate::report::{FileReport, Report, SourceReport, Status, StepTime};
use crate::values::{Evolved, SourceObject, Staged};

/// The report so far.
#[derive(Debug)]
pub struct Recorder(Mutex<Report>);

/// Measures a step. Its time is in the report once this is dropped, also when the step is given up
/// because another one has failed beside it.
pub struct StepTimer<'a> {
    recorder: &'a Recorder,
    place: usize,
    started: Instant,
}

impl StepTimer<'_> {
    /// The time so far.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

impl Drop for StepTimer<'_> {
    fn drop(&mut self) {
        let took = self.elapsed();
        if let Some(step) = self.recorder.report().steps.get_mut(self.place) {
            step.seconds = took.as_secs_f64();
        }
    }
}

impl Recorder {
    /// A report of which only the job is known.
    pub fn start(job: &Job) -> Recorder {
        let mut report = Report {
            run_id: job.run.text.clone(),
            run_number: job.run.number,
            target: job.target.to_string(),
            ..Report::default()
        };
        report.source.uri = job.layout.source().to_string();
        Recorder(Mutex::new(report))
    }

    /// A step of this name begins. Steps are reported in the order of their beginnings.
    pub fn step(&self, name: &'static str) -> StepTimer<'_> {
        let steps = &mut self.report().steps;
        steps.push(StepTime { name: name.into(), seconds: 0.0 });
        StepTimer { recorder: self, place: steps.len() - 1, started: Instant::now() }
    }

    /// Views that an earlier run had left dropped are back.
    pub fn views_recovered<'a>(&self, views: impl Iterator<Item = &'a TableName>) {
        self.report().views_recovered.extend(views.map(ToString::to_string));
    }

    /// Something that a person should look at.
    pub fn notices(&self, notices: impl IntoIterator<Item = String>) {
        self.report().notices.extend(notices);
    }

    /// The plugins, with what they have counted so far.
    pub fn plugins(&self, plugins: &[PluginIdentity]) {
        self.report().plugins = plugins.to_vec();
    }

    /// The object that is loaded.
    pub fn source(&self, source: &SourceObject) {
        self.report().source = SourceReport::of(source);
    }

    /// Records that the file has.
    pub fn rows_read(&self, rows: u64) {
        self.report().rows.read = rows;
    }

    /// Columns of the file that are left out, columns of the table that the file lacks, and what a
    /// person should look at.
    pub fn plan(&self, plan: &LoadPlan) {
        let mut report = self.report();
        report.columns_discarded.clone_from(&plan.discarded);
        report.values_rounded = plan.cut_moments;
        report.columns_filled = plan.filled.iter().map(|filled| filled.name.clone()).collect();
        // A load may be planned anew, with the same notices.
        for notice in &plan.notices {
            if !report.notices.contains(notice) {
                report.notices.push(notice.clone());
            }
        }
    }

    /// What became of the rows on their way into the parts.
    pub fn staged<'a>(&self, staged: &Staged, rejects: impl Iterator<Item = &'a Reject>) {
        self.plugins(&staged.plugins);
        let mut report = self.report();
        report.rows.staged = staged.totals.rows_staged;
        report.rows.rejected = staged.totals.rows_rejected;
        for reject in rejects {
            *report.rejected_because.entry(reject.code.to_string().into()).or_default() += 1;
        }
        report.values_rounded += staged.totals.rounded + plugin_identity::rounded(&staged.plugins);
    }

    /// The manifest, when nothing more than staging was asked for.
    pub fn staged_only(&self, manifest: String) {
        self.report().staged_only = Some(manifest);
    }

    /// What was changed about the table. Also called for an evolution that failed half way, whose
    /// first statements stay done.
    pub fn evolved(&self, evolved: &Evolved) {
        let mut report = self.report();
        report.schema_changes.clone_from(&evolved.statements);
        report.views.clone_from(&evolved.plan.views);
        report.notices.extend(evolved.notices.iter().cloned());
    }

    /// Where the rows went, of all files. `creation`: statements that made the table in the same
    /// transaction.
    pub fn loaded(&self, all: Counts, creation: &[String]) {
        let mut report = self.report();
        let rows = &mut report.rows;
        let Counts { inserted, updated, duplicates } = all;
        (rows.inserted, rows.updated, rows.duplicates) = (inserted, updated, duplicates);
        report.schema_changes.extend(creation.iter().cloned());
    }

    /// The files of a load of several, once their rows are in the table.
    pub fn files(&self, files: Vec<FileReport>) {
        self.report().files = files;
    }

    /// Where a file of a load of several is now.
    pub fn file_archived_to(&self, place: usize, uri: &S3Uri) {
        if let Some(file) = self.report().files.get_mut(place) {
            file.archived_to = Some(uri.to_string());
        }
    }

    /// Where the source object is now.
    pub fn archived_to(&self, uri: &S3Uri) {
        self.report().archived_to = Some(uri.to_string());
    }

    /// Where the rejected rows are.
    pub fn rejected_to(&self, uri: &S3Uri) {
        self.report().rejected_to = Some(uri.to_string());
    }

    /// How the run ended.
    pub fn conclude(&self, outcome: Result<Status, &Error>) {
        self.report().conclude(outcome);
    }

    /// The report as it is now.
    pub fn into_report(self) -> Report {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self) -> MutexGuard<'_, Report> {
        // A poisoned lock is used all the same: a report with a gap is worth more than none.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
