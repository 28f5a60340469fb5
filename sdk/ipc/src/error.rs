//! Errors with the host's or the SDK's own batches: when a batch is written as a message, or read
//! from a trusted message.

use arrow_schema::DataType;

use crate::violation::Violation;

/// The reason why a batch cannot be written, or a trusted message cannot be read.
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
