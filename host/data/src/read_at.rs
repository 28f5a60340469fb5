//! Text of which any stretch can be read: a temporary file, or an object in a store.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use loader_model::error::{Error, Kind};

/// The error of a stretch that cannot be read: that of the store, where it has one.
pub(crate) fn not_read(error: io::Error) -> Error {
    error.downcast::<Error>().unwrap_or_else(|error| {
        let fact = "the temporary copy of the file cannot be read";
        Error::new(Kind::Internal, fact).caused_by(error)
    })
}

/// A text of which any stretch can be read, by several threads at once.
pub trait ReadAt: Send + Sync {
    /// Reads what stands at `offset`, and says how many bytes that are; 0 at the end of the text.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Fills the buffer. Errors: also where the text ends before.
    fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            match self.read_at(buffer, offset)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => {
                    buffer = &mut buffer[read..];
                    offset += read as u64;
                }
            }
        }
        Ok(())
    }
}

// Reading so does not move the file's cursor, so that threads can read while another one writes.
impl ReadAt for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, offset)
    }
}
