//! The place of a value while its chunk is learnt from.

use serde::{Deserialize, Serialize};

/// A value's place: record (0-based), byte and line. Record and byte count from the chunk's start
/// at first, and the line is 0. `profile_chunk` fills in the line and makes the byte that of the
/// file; `ProfileMerge::push` does the same for the record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) record: u64,
    pub(crate) byte: u64,
    pub(crate) line: u64,
}
