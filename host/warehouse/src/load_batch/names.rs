//! The names of the temporary tables of a load.

/// The name of the staging table. The table is temporary, so a killed run leaves nothing behind and
/// two runs never share it.
pub(super) const STAGE: &str = "loader_stage";

/// The name of the temporary table that holds the counts for the audit row and the report.
pub(super) const COUNTS: &str = "loader_counts";

/// The name of the temporary table with the files of a load.
pub(super) const FILES: &str = "loader_files";
