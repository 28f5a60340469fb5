//! A bound for what a compressed file may become. A few kilobytes can be written that unpack to
//! more than any disk holds.
//!
//! In: what is stored, on its way into the decoder, and what comes out of it. Out: the same, or a
//! refusal of the file.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use loader_model::error::{Error, Kind};

/// How many times its size a file may unpack to. gzip cannot do more than 1,032; tables of text
/// reach some 5 to 50 with any codec.
const MOST: u64 = 2_000;
/// What any file may unpack to: it takes seconds to read, and no disk is too small for it.
const FREE_BYTES: u64 = 256 << 20;

/// Counts the bytes that a decoder takes.
pub(super) struct Stored<R> {
    inner: R,
    taken_bytes: Arc<AtomicU64>,
}

/// What a decoder gives.
pub(super) struct Bounded<R> {
    content: R,
    stored_bytes: Arc<AtomicU64>,
    bytes: u64,
}

impl<R> Stored<R> {
    pub(super) fn new(inner: R) -> (Stored<R>, Arc<AtomicU64>) {
        let taken_bytes = Arc::<AtomicU64>::default();
        (Stored { inner, taken_bytes: taken_bytes.clone() }, taken_bytes)
    }
}

impl<R: Read> Read for Stored<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        // Decoder and content are read by one thread.
        self.taken_bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl<R> Bounded<R> {
    /// `stored_bytes`: what the decoder of `content` has taken so far.
    pub(super) fn new(content: R, stored_bytes: Arc<AtomicU64>) -> Bounded<R> {
        Bounded { content, stored_bytes, bytes: 0 }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.content.read(buffer)?;
        self.bytes += read as u64;
        let stored = self.stored_bytes.load(Ordering::Relaxed);
        match self.bytes > FREE_BYTES && self.bytes / MOST > stored {
            true => Err(io::Error::other(too_much(stored, self.bytes))),
            false => Ok(read),
        }
    }
}

fn too_much(stored: u64, unpacked: u64) -> Error {
    let fact = format!(
        "the file unpacks to more than {MOST} times its size ({unpacked} bytes so far, from \
         {stored}), as no table does; if it is right, deliver it less compressed"
    );
    Error::new(Kind::Data, fact)
}
