//! The unit of work: a piece of a file that is read independently of all others.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::broken_record::BrokenRecord;

/// A piece of a file that holds whole records only. Together the chunks hold all records, without
/// header or byte order mark, in order and without gaps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Where the chunk begins, in bytes of the file (decompressed).
    pub offset: u64,
    /// The chunk's length in bytes; at most a cell of the grid plus
    /// [`MAX_ROW_BYTES`](crate::MAX_ROW_BYTES).
    pub len: u64,
    /// The physical line that the chunk begins with, counted from 1.
    pub first_line: u64,
    /// 0, 1, 2 and so on.
    pub ordinal: u64,
    /// No record follows in the file: nothing does, or blank lines and comments alone. Then blank
    /// lines at the chunk's end are those at the end of the file, and stand for no rows.
    pub ends_file: bool,
    /// The records of the chunk that cannot be read, when the chunk was cut with them in mind: all
    /// others can be read. `None`: no record was looked at yet.
    #[serde(with = "crate::shared::optional")]
    pub sifted: Option<Arc<[BrokenRecord]>>,
}
