//! What a task has learnt of a range, on its way.

use loader_csv::LearntRange;
use loader_model::error::{Context, Kind, Result};
use serde::{Deserialize, Serialize};

/// What was learnt of a range, packed: outcomes may wait for each other.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Learnt(Vec<u8>);

impl Learnt {
    /// Errors: `Internal`.
    pub(super) fn pack(range: &LearntRange) -> Result<Learnt> {
        let packed = postcard::to_stdvec(range);
        packed.map(Learnt).context(Kind::Internal, "what was learnt of a range cannot be packed")
    }

    /// Errors: `Internal` for bytes of another program.
    pub(super) fn unpack(&self) -> Result<LearntRange> {
        postcard::from_bytes(&self.0)
            .context(Kind::Internal, "what was learnt of a range cannot be read")
    }
}
