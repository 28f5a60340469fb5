//! What can go wrong with a batch of our own: on its way to a message, or read from a message that
//! is trusted.

use arrow_schema::DataType;

use crate::violation::Violation;

/// Why a batch could not be written, or a trusted message not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IpcError {
    #[error("column {position} has the type {data_type}, which does not cross the sandbox")]
    Unsupported { position: usize, data_type: DataType },
    #[error("column {position} has {found} values for {rows} rows")]
    Length { position: usize, found: usize, rows: usize },
    #[error(transparent)]
    Malformed(#[from] Violation),
}
