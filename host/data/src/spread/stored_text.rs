//! Where a task finds the text of its chunks.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use loader_model::error::Result;
use serde::{Deserialize, Serialize};

use crate::decompress::read_failure;
use crate::infer::SpooledChunk;
use crate::read_at::ReadAt;
use crate::stored::{Access, StoredObject};

/// Where the text of some chunks is stored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum StoredText {
    /// In the file itself, at the places of the text.
    InPlace(StoredObject),
    /// In a piece of its own, compressed with zstd. `offset`: the piece's place in the text.
    Piece { object: StoredObject, offset: u64 },
}

impl StoredText {
    /// The text of these chunks, which are read in their order.
    pub(super) fn opened(
        &self,
        access: &Arc<dyn Access>,
        chunks: &[SpooledChunk],
    ) -> Result<Arc<dyn ReadAt>> {
        let start = chunks.first().map_or(0, |chunk| chunk.range().start);
        let end = chunks.last().map_or(start, |chunk| chunk.range().end);
        let (text, at): (Box<dyn Read + Send>, u64) = match self {
            StoredText::InPlace(object) => (access.read(object, start..end)?, start),
            StoredText::Piece { object, offset } => {
                let stored = access.read(object, 0..object.size_bytes)?;
                (Box::new(zstd::Decoder::new(stored).map_err(read_failure)?), *offset)
            }
        };
        Ok(Arc::new(Mutex::new(Forward { text, at })))
    }
}

/// A text that is read from its beginning to its end.
struct Forward {
    text: Box<dyn Read + Send>,
    at: u64,
}

impl ReadAt for Mutex<Forward> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut forward = self.lock().unwrap_or_else(PoisonError::into_inner);
        let ahead = offset.checked_sub(forward.at).ok_or(io::ErrorKind::NotSeekable)?;
        let skipped = io::copy(&mut forward.text.by_ref().take(ahead), &mut io::sink())?;
        let read = forward.text.read(buffer)?;
        forward.at += skipped + read as u64;
        Ok(read)
    }
}
