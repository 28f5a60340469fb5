//! The rows that a COPY leaves in the load's system tables. `data_api` stores them.

/// A row for STL_LOAD_ERRORS and SYS_LOAD_ERROR_DETAIL.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct LoadError {
    pub(crate) query_id: i64,
    pub(crate) table_id: u32,
    pub(crate) table_name: String,
    pub(crate) at_millis: i64,
    pub(crate) file_name: String,
    /// The line where the record starts, from 1.
    pub(crate) line_number: u64,
    pub(crate) column_name: String,
    pub(crate) column_type: String,
    pub(crate) column_length: String,
    /// The byte of the record where the field starts.
    pub(crate) position: usize,
    pub(crate) code: i32,
    pub(crate) reason: String,
    pub(crate) raw_line: String,
    pub(crate) raw_field: String,
}

/// A row for SYS_LOAD_HISTORY.
#[derive(Debug, Clone)]
pub(crate) struct LoadRecord {
    pub(crate) query_id: i64,
    pub(crate) status: &'static str,
    pub(crate) table_name: String,
    pub(crate) started_millis: i64,
    pub(crate) ended_millis: i64,
    pub(crate) source: String,
    pub(crate) format: &'static str,
    pub(crate) rows: u64,
    pub(crate) files: usize,
    pub(crate) bytes: u64,
    pub(crate) errors: usize,
}
