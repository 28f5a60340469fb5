//! What a report says of the files that were loaded.

use serde::{Deserialize, Serialize};

use crate::values::SourceObject;

/// The object that was loaded.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct SourceReport {
    pub uri: String,
    pub etag: Option<String>,
    pub size_bytes: Option<u64>,
}

/// A file of a load of several.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct FileReport {
    pub source: SourceReport,
    pub rows: RowCounts,
    pub archived_to: Option<String>,
    pub rejected_to: Option<String>,
}

impl SourceReport {
    pub(crate) fn of(source: &SourceObject) -> SourceReport {
        SourceReport {
            uri: source.uri.to_string(),
            etag: Some(source.info.etag.trim_matches('"').to_owned()),
            size_bytes: Some(source.info.size_bytes),
        }
    }
}

/// Where the rows went. `read = staged + rejected` and `staged = inserted + updated + duplicates`;
/// both are checked.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct RowCounts {
    pub read: u64,
    pub staged: u64,
    pub rejected: u64,
    pub inserted: u64,
    pub updated: u64,
    pub duplicates: u64,
}
