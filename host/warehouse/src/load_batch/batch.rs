//! The decided load: everything that the statements of its transaction depend on, and the roles
//! that they have in it.

use std::time::Duration;

use loader_model::catalog_column::CatalogColumn;
use loader_model::choices::{Duplicates, Strategy};
use loader_model::names::{S3Uri, TableName};
use loader_model::target_column::{FilledColumn, TargetColumn};

use crate::audit_table::{AuditRow, AuditTable};

/// Everything that the statements of a load depend on.
#[derive(Clone, Debug)]
pub struct LoadBatch<'a> {
    pub target: &'a TableName,
    /// CREATE TABLE for a missing table, then CREATE VIEW for its views; empty when the table
    /// exists.
    pub creation: &'a [String],
    /// The columns that the catalog had before the load; empty when the table is missing.
    pub existing: &'a [CatalogColumn],
    /// The columns that the file fills, as they are when its rows are merged.
    pub columns: &'a [TargetColumn],
    /// Columns of the target that the file lacks.
    pub filled: &'a [FilledColumn],
    /// Whether rows whose key is known keep what they have in the `filled` columns.
    pub keep_filled: bool,
    pub keys: &'a [String],
    pub strategy: Strategy,
    pub duplicates: Duplicates,
    pub glue_keys: GlueKeys,
    /// Whether a load that the fence knows is refused.
    pub refuses_known: bool,
    /// Whether the target itself is locked, too, so that other programs do not write to it
    /// meanwhile.
    pub lock_target: bool,
    /// The longest that a statement may take; `None` leaves it to the user's settings in Redshift.
    pub statement_timeout: Option<Duration>,
    /// `None` when the file has no rows.
    pub copy: Option<Copy<'a>>,
    pub rows_staged: u64,
    /// `None`: there is one file, which `ledger` and `audit` have.
    pub files: Option<Files<'a>>,
    pub ledger: LedgerRow<'a>,
    pub audit: AuditRow<'a>,
    /// `None`: it is the loader's own.
    pub audit_table: Option<&'a AuditTable>,
}

/// What becomes of keys that match no row as they stand, but a row as the Glue job spelt it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GlueKeys {
    /// They are new keys.
    AsTheyStand,
    /// They refuse the load.
    Refused,
    /// They are those rows' keys, and give them the file's spelling.
    Matched,
}

/// Several files of one load.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// Of the list: CSV without a header, with the columns of [`super::FILE_COLUMNS`].
    pub manifest: &'a S3Uri,
    /// How many there are.
    pub count: usize,
    /// The text that is NULL in the list, and the bucket's Region, if it is not the warehouse's.
    pub null: &'a str,
    pub region: Option<&'a str>,
    pub iam_role: &'a str,
}

/// What COPY reads.
#[derive(Clone, Debug)]
pub struct Copy<'a> {
    pub manifest: &'a S3Uri,
    pub iam_role: &'a str,
    pub format: CopyFormat<'a>,
}

/// How the staged parts are written.
#[derive(Clone, Copy, Debug)]
pub enum CopyFormat<'a> {
    Parquet,
    /// Gzip with a header line. COPY reads the text `null`, and no other, as NULL.
    /// `region`: the bucket's, if it is not the warehouse's.
    Csv {
        null: &'a str,
        region: Option<&'a str>,
    },
    /// As [`CopyFormat::Csv`], but plain and without a header: the list of files.
    List {
        null: &'a str,
        region: Option<&'a str>,
    },
}

/// What the ledger remembers of a load.
#[derive(Clone, Debug)]
pub struct LedgerRow<'a> {
    pub load_id: &'a str,
    pub source: &'a S3Uri,
    pub etag: &'a str,
    pub version_id: Option<&'a str>,
    pub size_bytes: u64,
    pub run_id: &'a str,
    /// The plugins with their counters, as JSON; `None` when the ledger has no column for them.
    pub plugins: Option<&'a str>,
    /// The keys by which the target is merged, as JSON; `None` as of the plugins.
    pub upsert_keys: Option<&'a str>,
}

/// What a statement is for in the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementRole {
    Lock,
    /// SET of a setting that the statements after it rely on.
    Setting,
    /// Makes, fills or checks the list of files.
    ListFiles,
    /// Refuses a load that the fence knows.
    FenceGuard,
    CreateStage,
    Copy,
    RowGuard,
    DuplicateGuard,
    CreateTable,
    /// Keeps the target from being altered until the transaction ends.
    HoldTarget,
    /// Refuses a target that has other columns than the parts were made for.
    ColumnGuard,
    /// Refuses keys that the Glue job spelt otherwise.
    RespeltKeyGuard,
    /// Refuses keys of the file that the Glue job would have spelt alike.
    OneKeyGuard,
    /// Gives keys that the Glue job spelt otherwise the file's spelling.
    Respell,
    Count,
    /// Refuses rows with new keys, where nothing fills a column of theirs.
    NewKeyGuard,
    Delete,
    Update,
    Insert,
    CreateView,
    Fence,
    Ledger,
    Audit,
    /// The statement whose result is the [`super::counts::Counts`].
    Report,
}
