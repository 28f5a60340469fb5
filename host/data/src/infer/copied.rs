//! What reading a file to its end comes to, beside its chunks.

use loader_csv::CsvError;

/// A file that was read to its end, here or elsewhere.
pub(super) struct Copied {
    pub(super) size_bytes: u64,
    /// Without the footer.
    pub(super) body_bytes: u64,
    /// What ended the cutting, where rows may be rejected.
    pub(super) mistake: Option<CsvError>,
}
