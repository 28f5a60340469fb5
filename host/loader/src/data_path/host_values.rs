//! What the host tells plugins about the run and the file.
//!
//! In: the run and its source. Out: the values that a plugin's plan may ask for, such as the name
//! of the file.

use loader_sandbox::HostValues;

use crate::layout::RunId;
use crate::values::SourceObject;

/// The values of a load from S3.
pub(crate) fn of(run: &RunId, source: &SourceObject) -> HostValues {
    HostValues {
        run_started_at_micros: run.started_at.as_microsecond(),
        run_id: run.text.clone(),
        source_file_name: source.uri.file_name().to_owned(),
        source_uri: source.uri.to_string(),
    }
}
