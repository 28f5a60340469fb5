//! What is said when rows cannot be encoded as Parquet.

/// Nothing fails here: the rows have the types of the file.
pub(super) const FAILED: &str = "rows cannot be encoded as Parquet";
