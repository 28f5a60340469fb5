//! Where the rows of a file of JSON Lines stand in its text.
//!
//! In: the place of a row among the rows. Out: the place of its line in the text. Each line of the
//! text is one of the rows, so lines are counted: from a checkpoint, of which there is one every now
//! and then.

use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use loader_csv::MAX_ROW_BYTES;

use crate::read_at::ReadAt;

/// The bytes of rows or of text between two checkpoints, at least. They bound the memory for a file,
/// and the bytes that are read for a place.
const EVERY: u64 = 16 * 1024;
const READ_BYTES: usize = 16 * 1024;

/// The lines of a text, and its rows beside them.
pub(crate) struct Lines {
    text: Arc<File>,
    checkpoints: Mutex<Vec<Checkpoint>>,
}

/// A line that begins at `row` among the rows, and at `line` in the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Checkpoint {
    row: u64,
    line: u64,
}

impl Lines {
    /// `text` is the copy of the text.
    pub(crate) fn new(text: Arc<File>) -> Lines {
        Lines { text, checkpoints: Mutex::new(vec![Checkpoint::default()]) }
    }

    /// The copy of the text.
    pub(crate) fn text(&self) -> &File {
        &self.text
    }

    /// Says that the next line begins at `row` among the rows, and at `line` in the text.
    pub(super) fn begin_line(&self, row: u64, line: u64) {
        let mut checkpoints = self.checkpoints.lock().unwrap_or_else(PoisonError::into_inner);
        let is_far = |last: &Checkpoint| row >= last.row + EVERY || line >= last.line + EVERY;
        if checkpoints.last().is_none_or(is_far) {
            checkpoints.push(Checkpoint { row, line });
        }
    }

    /// Makes places in `rows` those of their lines in the text. In their order, so that no stretch
    /// is read twice.
    pub(crate) fn locate(&self, rows: &dyn ReadAt, bytes: &mut [&mut u64]) -> io::Result<()> {
        bytes.sort_unstable();
        let mut walk = Walk::from(Checkpoint::default());
        for byte in bytes {
            let before = self.checkpoint_before(**byte);
            if before.row > walk.at.row {
                walk = Walk::from(before);
            }
            walk.to(**byte, rows, &*self.text)?;
            **byte = walk.at.line;
        }
        Ok(())
    }

    /// The line of the text of the row that begins at `row`. A line that is too long is cut.
    pub(crate) fn line(&self, rows: &dyn ReadAt, row: u64) -> io::Result<Vec<u8>> {
        let mut walk = Walk::from(self.checkpoint_before(row));
        walk.to(row, rows, &*self.text)?;
        let (mut line, mut buffer) = (Vec::new(), vec![0; READ_BYTES]);
        while (line.len() as u64) <= MAX_ROW_BYTES {
            let read = self.text.read_at(&mut buffer, walk.at.line + line.len() as u64)?;
            let end = memchr::memchr(b'\n', &buffer[..read]);
            line.extend_from_slice(&buffer[..end.unwrap_or(read)]);
            if end.is_some() || read == 0 {
                break;
            }
        }
        Ok(line.strip_suffix(b"\r").map(<[u8]>::to_vec).unwrap_or(line))
    }

    fn checkpoint_before(&self, row: u64) -> Checkpoint {
        let checkpoints = self.checkpoints.lock().unwrap_or_else(PoisonError::into_inner);
        let behind = checkpoints.partition_point(|checkpoint| checkpoint.row <= row);
        behind.checked_sub(1).and_then(|at| checkpoints.get(at)).copied().unwrap_or_default()
    }
}

/// A walk through the rows, with the text beside them.
struct Walk {
    /// The line that the walk is in.
    at: Checkpoint,
    /// How far the rows have been read, in this line.
    read: u64,
    buffer: Vec<u8>,
}

impl Walk {
    fn from(at: Checkpoint) -> Walk {
        Walk { at, read: at.row, buffer: vec![0; READ_BYTES] }
    }

    /// Walks into the line that holds the byte `to` of the rows, which is not behind the walk.
    fn to(&mut self, to: u64, rows: &dyn ReadAt, text: &dyn ReadAt) -> io::Result<()> {
        let mut lines = 0;
        while self.read < to {
            let most = usize::try_from(to - self.read).unwrap_or(READ_BYTES).min(READ_BYTES);
            let read = rows.read_at(&mut self.buffer[..most], self.read)?;
            if read == 0 {
                break;
            }
            for end in memchr::memchr_iter(b'\n', &self.buffer[..read]) {
                lines += 1;
                self.at.row = self.read + end as u64 + 1;
            }
            self.read += read as u64;
        }
        self.pass_lines(lines, text)
    }

    /// Passes so many lines of the text.
    fn pass_lines(&mut self, lines: u64, text: &dyn ReadAt) -> io::Result<()> {
        let mut left = lines;
        while left > 0 {
            let read = text.read_at(&mut self.buffer, self.at.line)?;
            if read == 0 {
                break;
            }
            let mut ends = memchr::memchr_iter(b'\n', &self.buffer[..read]);
            let end = usize::try_from(left - 1).ok().and_then(|skipped| ends.nth(skipped));
            if let Some(end) = end {
                self.at.line += end as u64 + 1;
                return Ok(());
            }
            left -= memchr::memchr_iter(b'\n', &self.buffer[..read]).count() as u64;
            self.at.line += read as u64;
        }
        Ok(())
    }
}
