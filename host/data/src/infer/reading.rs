//! How a file is read: what the settings say, for all parts of `infer`.

use loader_csv::Dialect;
use loader_model::max_rejects::MaxRejects;

use super::footer::Footer;
use crate::column_spec::ColumnSpec;

/// The bytes of one unit of work: large enough to hide its overhead, and small enough to spread the
/// work and to bound memory. For example, a file of 40 MiB becomes about ten chunks.
pub(super) const CHUNK_BYTES: u64 = 4 * 1024 * 1024;

/// How a file is read.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    pub dialect: &'a Dialect,
    /// What the user says of single columns.
    pub columns: &'a [ColumnSpec],
    /// The names that take the place of the header's.
    pub column_names: Option<&'a [String]>,
    /// Rows that may be rejected. Where there may be some, rows that cannot be read are set aside.
    pub max_rejects: MaxRejects,
    /// What stands behind the last record and is no row.
    pub footer: Option<&'a Footer>,
}
