//! What the host tells plugins about the run and the file.
//!
//! In: the run and its source. Out: the values that a plan may ask for.

use loader_sandbox::HostValues;

use crate::tools::Tools;
use crate::values::Work;

/// The values of a load from S3.
pub(crate) fn of(tools: &Tools, work: &Work) -> HostValues {
    HostValues {
        run_started_at_micros: tools.job.run.started_at.as_microsecond(),
        run_id: tools.job.run.text.clone(),
        source_file_name: work.source.uri.file_name().to_owned(),
        source_uri: work.source.uri.to_string(),
    }
}
