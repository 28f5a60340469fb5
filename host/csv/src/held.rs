//! Holds complete chunks back until it is known whether a record follows them.
//!
//! In: chunks, and the bytes behind them. Out: the same chunks, which then know whether they end
//! the file. A chunk waits for one byte of a record: mostly it is the next one.

use crate::chunk::Chunk;
use crate::lines::find_record;

/// Chunks behind which no record has begun so far.
#[derive(Default)]
pub(crate) struct Held {
    chunks: Vec<Chunk>,
    /// The bytes behind the chunks end within a comment.
    in_comment: bool,
}

impl Held {
    /// Takes a complete chunk. The bytes behind it begin a line.
    pub(crate) fn push(&mut self, chunk: Chunk) {
        self.chunks.push(chunk);
        self.in_comment = false;
    }

    /// Takes the next bytes behind the chunks. When a record begins in them, the chunks are
    /// complete and go to `chunks`.
    pub(crate) fn look(&mut self, bytes: &[u8], comment: Option<u8>, chunks: &mut Vec<Chunk>) {
        let held = !self.chunks.is_empty();
        if held && find_record(bytes, comment, &mut self.in_comment).is_some() {
            chunks.append(&mut self.chunks);
        }
    }

    /// The same, where it is known whether a record begins in the next bytes, and whether they end
    /// within a comment.
    pub(crate) fn go_on(&mut self, begins_record: bool, in_comment: bool, to: &mut Vec<Chunk>) {
        match begins_record {
            true => to.append(&mut self.chunks),
            false => self.in_comment = in_comment,
        }
    }

    pub(crate) fn is_in_comment(&self) -> bool {
        self.in_comment
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The chunks that wait.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = &Chunk> {
        self.chunks.iter()
    }

    /// The file ends here: the chunks that still wait are its end.
    pub(crate) fn finish(&mut self) -> impl Iterator<Item = Chunk> + '_ {
        self.chunks.drain(..).map(|chunk| Chunk { ends_file: true, ..chunk })
    }
}
