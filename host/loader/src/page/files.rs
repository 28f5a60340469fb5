//! The files of past runs, one by one: several may have been loaded as one.

use std::sync::Arc;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::past::PastReport;
use crate::report::{Report, Status};

/// A file of a run.
pub(super) struct FileOfRun {
    pub(super) started_at: Timestamp,
    /// The run's report, with the rows of this file alone.
    pub(super) report: Report,
    /// How many files were loaded as one with it.
    pub(super) together: usize,
}

/// The files of runs, in the order of the runs.
pub(super) fn by_file(runs: &[Arc<PastReport>]) -> Vec<FileOfRun> {
    let of_run = |past: &Arc<PastReport>| {
        let PastReport { started_at, report } = &**past;
        let reports = match report.files.as_slice() {
            [] => vec![report.clone()],
            files => files.iter().map(|file| report.of_file(file)).collect(),
        };
        let (together, started_at) = (reports.len(), *started_at);
        let file = move |report| FileOfRun { started_at, report, together };
        reports.into_iter().map(file).collect::<Vec<_>>()
    };
    runs.iter().flat_map(of_run).collect()
}

/// When each file was last loaded, by its address.
pub(super) fn last_loads(files: &[FileOfRun]) -> BTreeMap<&str, Timestamp> {
    let mut last: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for file in files.iter().filter(|file| file.report.status != Status::Failed) {
        let at = last.entry(&file.report.source.uri).or_insert(file.started_at);
        *at = (*at).max(file.started_at);
    }
    last
}

/// How many files have failed, and were not loaded since.
pub(super) fn not_loaded_since(files: &[FileOfRun]) -> u64 {
    let last = last_loads(files);
    let failed = files.iter().filter(|file| {
        let loaded_at = last.get(&*file.report.source.uri);
        let is_later = loaded_at.is_some_and(|at| *at > file.started_at);
        file.report.status == Status::Failed && !is_later
    });
    failed.map(|file| &*file.report.source.uri).collect::<BTreeSet<&str>>().len() as u64
}

impl FileOfRun {
    /// The file's name behind `data/in/`.
    pub(super) fn name(&self) -> &str {
        let uri = &self.report.source.uri;
        uri.split_once("/data/in/").map_or(uri.as_str(), |(_, name)| name)
    }
}
