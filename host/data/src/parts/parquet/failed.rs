//! What is said when a Parquet file cannot be written.

/// Nothing but the disk fails here: the rows have the types of the file.
pub(super) const FAILED: &str = "a Parquet file cannot be written; is the disk full?";
