//! What tasks need to know of a file, beside its chunks.

use loader_csv::{Dialect, Header};
use loader_sandbox::HostValues;
use serde::{Deserialize, Serialize};

use crate::column_spec::ColumnSpec;

/// The file that chunks are of.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct FileSpec {
    pub dialect: Dialect,
    /// The name of the encoding that the file is in.
    pub encoding: String,
    pub columns: Vec<Option<ColumnSpec>>,
    pub header: Header,
    pub values: HostValues,
    /// The rows that may be rejected before the others do not matter.
    pub max_rejected: u64,
}
