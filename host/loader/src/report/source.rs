//! What a report says of the files that were loaded.

use serde::{Deserialize, Serialize};

use crate::report::{Report, RowCounts};
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

impl Report {
    /// The report of one of the files of a load of several.
    pub(crate) fn of_file(&self, file: &FileReport) -> Report {
        let FileReport { source, rows, archived_to, rejected_to } = file.clone();
        let of_all = self.clone();
        Report { source, rows, archived_to, rejected_to, files: Vec::new(), ..of_all }
    }
}
