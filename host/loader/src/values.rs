//! What the steps of a run hand each other. Each value is made by one step and never changed after.

use std::sync::{Arc, OnceLock};

use loader_aws::s3::ObjectInfo;
use loader_data::infer::Spool;
use loader_data::plan::LoadPlan;
use loader_data::transform::Totals;
use loader_model::error::Error;
use loader_model::names::{S3Uri, TableName};
use loader_warehouse::catalog::Catalog;
use loader_warehouse::evolution::script::EvolutionPlan;

use crate::data_path::chain::Chain;
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

/// A file whose types are known, and the plan for its rows.
pub struct Work {
    pub source: SourceObject,
    pub catalog: Catalog,
    pub spool: Arc<Spool>,
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
    pub totals: Totals,
    /// The plugins with what they counted.
    pub plugins: Vec<PluginIdentity>,
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
    Rows {
        inserted: u64,
        updated: u64,
        duplicates: u64,
    },
    /// Another run loaded the same file in the meantime.
    Already,
    /// Nothing: the target is another than the parts were made for. The error is for a load that is
    /// not planned anew.
    TargetChanged(Error),
}

/// What cleanup or a preview must know however the steps end. Each fact is set once, by the step that
/// learns it. (For example, `rows_read` stays empty when the file was refused at line 3, and the audit
/// row says 0.)
#[derive(Debug, Default)]
pub struct Trail {
    pub source: OnceLock<SourceObject>,
    pub rows_read: OnceLock<u64>,
    pub rows_rejected: OnceLock<u64>,
    /// Views that earlier runs left dropped, which a load would bring back first.
    pub left_dropped: OnceLock<Vec<TableName>>,
}
