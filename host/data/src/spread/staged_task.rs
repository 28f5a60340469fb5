//! What tasks that stage chunks need and give: the values that travel.

use loader_model::choices::{ParquetCompression, StagingFormat};
use loader_model::names::S3Uri;
use loader_sandbox::{Limits, PluginCounters, Reject};
use serde::{Deserialize, Serialize};

use super::stored_text::StoredText;
use crate::infer::{FileSpec, SpooledChunk};
use crate::plan::PackedRowPlan;
use crate::stored::Part;
use crate::transform::Totals;

/// What all chunks of a file have in common.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct StageSpec {
    pub plan: PackedRowPlan,
    /// The plugins of the plan, by their digests.
    pub plugins: Vec<PackedPlugin>,
    #[serde(with = "super::as_json")]
    pub limits: Limits,
    pub file: FileSpec,
    pub parts: PartsSpec,
}

/// The bytes of a plugin.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PackedPlugin {
    /// As the log names it.
    pub name: String,
    pub sha256: String,
    pub bytes: Vec<u8>,
}

/// What the parts are like, and where they go.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PartsSpec {
    pub staging: StagingFormat,
    pub compression: ParquetCompression,
    pub run_id: String,
    pub prefix: S3Uri,
}

/// Some chunks of a file, one behind the other.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct StageTask {
    pub text: StoredText,
    pub chunks: Vec<SpooledChunk>,
}

/// A receipt: what a task has stored, and what became of its rows.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct StagedTask {
    pub parts: Vec<Part>,
    rows_read: u64,
    rows_staged: u64,
    rows_rejected: u64,
    max_text_bytes: Vec<u32>,
    rounded: u64,
    rejects: Vec<SentReject>,
    plugins: Vec<PluginCounters>,
}

/// A [`Reject`] on its way.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct SentReject {
    row: u64,
    plugin: String,
    code: String,
    message: String,
    column: Option<String>,
}

impl SentReject {
    fn of(reject: &Reject) -> SentReject {
        SentReject {
            row: reject.row,
            plugin: reject.plugin.to_string(),
            code: reject.code.to_string(),
            message: reject.message.to_string(),
            column: reject.column.as_deref().map(str::to_owned),
        }
    }

    fn into_reject(self) -> Reject {
        Reject {
            row: self.row,
            plugin: self.plugin.into(),
            code: self.code.into(),
            message: self.message.into(),
            column: self.column.map(Into::into),
        }
    }
}

impl StagedTask {
    pub(super) fn of(totals: Totals, parts: Vec<Part>) -> StagedTask {
        StagedTask {
            parts,
            rows_read: totals.rows_read,
            rows_staged: totals.rows_staged,
            rows_rejected: totals.rows_rejected,
            max_text_bytes: totals.max_text_bytes,
            rounded: totals.rounded,
            rejects: totals.rejects.iter().map(SentReject::of).collect(),
            plugins: totals.plugins,
        }
    }

    pub(super) fn into_totals(self) -> (Totals, Vec<Part>) {
        let totals = Totals {
            rows_read: self.rows_read,
            rows_staged: self.rows_staged,
            rows_rejected: self.rows_rejected,
            max_text_bytes: self.max_text_bytes,
            rounded: self.rounded,
            rejects: self.rejects.into_iter().map(SentReject::into_reject).collect(),
            plugins: self.plugins,
        };
        (totals, self.parts)
    }
}
