//! What the steps of a run hand each other. Each value is made by one step and never changed after.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use loader_aws::s3::ObjectInfo;
use loader_data::infer::Spool;
use loader_data::joined::Joined;
use loader_data::plan::LoadPlan;
use loader_data::transform::Totals;
use loader_model::error::Error;
use loader_model::names::{S3Uri, TableName};
use loader_warehouse::catalog::Catalog;
use loader_warehouse::evolution::script::EvolutionPlan;
use loader_warehouse::load_batch::Counts;

use crate::data_path::chain::Chain;
use crate::layout::RunId;
use crate::plugin_identity::PluginIdentity;

/// What a run is for. It decides how far the run goes, and so what it may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// All the way into the table.
    Load,
    /// To the staged parts, which stay in the bucket. The warehouse is only read.
    Stage,
    /// To say what a load would do. Nothing is changed anywhere.
    Preview,
}

impl Goal {
    /// The command that has it, for the names of traces.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Goal::Load => "load",
            Goal::Stage => "stage",
            Goal::Preview => "plan",
        }
    }
}

/// The object to load. The run only reads and moves it while it has this ETag.
#[derive(Clone, Debug)]
pub struct SourceObject {
    pub uri: S3Uri,
    pub info: ObjectInfo,
    /// The identity of the load: this version of this object into this table.
    pub load_id: String,
}

/// What a run knows before it transforms a row.
pub(crate) enum Planned {
    /// The ledger has this very file, loaded by this run.
    AlreadyLoaded { by: String },
    /// There is work to do.
    Work(Box<Work>),
}

/// A file that was read to its end.
#[derive(Clone)]
pub struct ReadFile {
    pub source: SourceObject,
    pub spool: Arc<Spool>,
}

/// The files of one load, in the order in which they came. Nearly always there is one; small files
/// of one shape are loaded together.
#[derive(Clone)]
pub struct ReadFiles {
    first: ReadFile,
    others: Vec<ReadFile>,
    joined: Arc<Joined>,
}

impl ReadFiles {
    /// One file alone.
    pub fn one(file: ReadFile) -> ReadFiles {
        let joined = Arc::new(Joined::one(Arc::clone(&file.spool)));
        ReadFiles { first: file, others: Vec::new(), joined }
    }

    /// Several files. `None`: there are none, or they are of several shapes.
    pub fn of(files: &[ReadFile]) -> Option<ReadFiles> {
        let spools: Vec<Arc<Spool>> = files.iter().map(|file| Arc::clone(&file.spool)).collect();
        let joined = Arc::new(Joined::of(&spools)?);
        let (first, others) = files.split_first()?;
        Some(ReadFiles { first: first.clone(), others: others.to_vec(), joined })
    }

    pub fn first(&self) -> &ReadFile {
        &self.first
    }

    pub fn all(&self) -> impl Iterator<Item = &ReadFile> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// What all of their rows have in common.
    pub fn joined(&self) -> &Arc<Joined> {
        &self.joined
    }

    /// Whether they are several.
    pub fn are_several(&self) -> bool {
        !self.others.is_empty()
    }
}

/// Files whose types are known, and the plan for their rows.
pub struct Work {
    pub files: ReadFiles,
    pub catalog: Catalog,
    pub plan: Arc<LoadPlan>,
    pub(crate) chain: Chain,
    /// Names, versions and digests of the plugins, whose counters are still empty.
    pub plugins: Vec<PluginIdentity>,
}

/// What was staged.
#[derive(Debug)]
pub struct Staged {
    /// `None` when there was no row to stage: COPY refuses an empty manifest, so the load leaves
    /// COPY out.
    pub manifest: Option<S3Uri>,
    pub parts: usize,
    pub bytes: u64,
    /// Of all files together.
    pub totals: Totals,
    /// What became of each file's rows, in the order of the files.
    pub files: Vec<FileCounts>,
    /// The manifest of the list of files, where there are several.
    pub list: Option<S3Uri>,
    /// The plugins with what they counted.
    pub plugins: Vec<PluginIdentity>,
}

/// What became of the rows of a file on their way into the parts.
#[derive(Clone, Debug, Default)]
pub struct FileCounts {
    pub read: u64,
    pub staged: u64,
    pub rejected: u64,
    /// Where the rejected rows are.
    pub rejected_to: Option<S3Uri>,
}

/// What was changed about the target.
#[derive(Debug, Default)]
pub struct Evolved {
    /// Statements that were run, in order.
    pub statements: Vec<String>,
    /// CREATE TABLE and the views of the new table: the load makes them in its own transaction.
    pub creation: Vec<String>,
    /// The plan that was carried out in the end.
    pub plan: EvolutionPlan,
    /// Sentences about views that do not work any more, or that could not be made anew.
    pub notices: Vec<String>,
}

/// What has become of the target before the load.
#[derive(Debug)]
pub(crate) enum Altered {
    AsNeeded(Evolved),
    /// It is another by now than the rows were planned for. The error is for a load that is not
    /// planned anew.
    Otherwise(Error),
}

/// What the transaction did.
#[derive(Debug)]
pub(crate) enum Loaded {
    /// Where the rows of each file went, in the order of the files.
    Rows(Vec<Counts>),
    /// Another run loaded the same file in the meantime.
    Already,
    /// Nothing: the target is another than the parts were made for. The error is for a load that is
    /// not planned anew.
    TargetChanged(Error),
}

/// The keys of what a run writes below its staging prefix, each from before it is written. A load
/// that is planned anew stages anew, so there may be more than the last manifest lists.
#[derive(Clone, Debug, Default)]
pub struct StagedKeys {
    keys: Arc<Mutex<BTreeSet<String>>>,
    /// Other processes have written, too.
    elsewhere: Arc<AtomicBool>,
}

// A poisoned lock is used all the same: a key is added in one step.
impl StagedKeys {
    /// Adds what is about to be written.
    pub fn add(&self, uri: &S3Uri) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(uri.key.clone());
    }

    /// Says that other processes write below the prefix, of which not all keys are known.
    pub fn is_written_elsewhere(&self) {
        self.elsewhere.store(true, Ordering::Relaxed);
    }

    /// All of them; `None` where there may be others.
    pub fn all(&self) -> Option<Vec<String>> {
        let keys = || self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        (!self.elsewhere.load(Ordering::Relaxed)).then(|| keys().iter().cloned().collect())
    }
}

/// What cleanup or a preview must know however the steps end. Each fact is set once, by the step
/// that learns it; only `staged` grows. (For example, `rows_read` stays empty when the file was
/// refused at line 3, and the audit row says 0.)
#[derive(Debug, Default)]
pub struct Trail {
    pub source: OnceLock<SourceObject>,
    /// Where several files are loaded together, all of them.
    pub group: OnceLock<Vec<SourceObject>>,
    /// The places of those among them that must be loaded by themselves, if they are why the load
    /// of all has ended.
    pub apart: OnceLock<Vec<usize>>,
    /// The run that has loaded the file before, or meanwhile.
    pub loaded_by: OnceLock<RunId>,
    pub rows_read: OnceLock<u64>,
    pub rows_rejected: OnceLock<u64>,
    /// What was staged, or was about to be.
    pub staged: StagedKeys,
    /// Views that earlier runs left dropped, which a load would bring back first.
    pub left_dropped: OnceLock<Vec<TableName>>,
}
