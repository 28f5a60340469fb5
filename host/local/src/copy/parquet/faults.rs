//! The errors of a COPY of Parquet, in Redshift's form.

use crate::copy::source::engine_block;

/// What only the reader of columns finds wrong.
pub(super) fn scan_error(context: &str) -> String {
    engine_block("Spectrum Scan Error", 15007, context, "dory_util.cpp:1777")
}

/// What the file's own metadata shows to be wrong.
pub(super) fn metadata_error(context: &str) -> String {
    engine_block("Spectrum Scan Error", 15001, context, "dory_util.cpp:1141")
}
