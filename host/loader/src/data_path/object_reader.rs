//! The way into the data path from S3. The object is read once, and only in the version that the
//! source step has pinned.
//!
//! In: the pinned source. Out: its content as a reader for a blocking thread.

use std::io::{self, Read};

use bytes::{Buf, Bytes};
use loader_aws::s3::{Body, ObjectInfo, Store};
use loader_model::error::{Error, Kind, Result};
use loader_model::names::S3Uri;
use tokio::sync::mpsc;

use crate::progress::Progress;

/// Pieces of a body that may wait for the reader, beside the ranges that wait for their turn. When
/// the reader is slow, the channel is full and the download waits, instead of filling the memory.
const PIECES_IN_FLIGHT: usize = 8;

/// Opens the content of an object of which no more is known than a list says, as it is stored,
/// compressed or not. With it the version that is read. Errors: `Transient` when the producer has
/// replaced the object.
pub(crate) async fn open_listed(
    store: &Store,
    uri: &S3Uri,
    info: &ObjectInfo,
    progress: Progress,
) -> Result<(Pieces, Option<String>)> {
    let mut body = store.read(uri, info).await?;
    let version_id = body.version_id.take();
    Ok((of_body(body, info.size_bytes, progress), version_id))
}

/// The content of an object of that size, as it is stored, compressed or not.
pub(crate) fn of_body(mut body: Body, size_bytes: u64, progress: Progress) -> Pieces {
    let (sender, receiver) = mpsc::channel(PIECES_IN_FLIGHT);
    tokio::spawn(async move {
        while let Some(piece) = body.next().await {
            if let Ok(piece) = &piece {
                progress.advance(piece.len() as u64);
            }
            // The reader is gone when the load has failed: the rest is not downloaded.
            if sender.send(piece).await.is_err() {
                break;
            }
        }
    });
    Pieces { receiver, current: Bytes::new(), missing_bytes: size_bytes }
}

/// A reader that is opened when the first byte is asked for.
pub(crate) struct Later<F> {
    open: Option<F>,
    opened: Option<Pieces>,
}

impl<F: FnOnce() -> Pieces> Later<F> {
    pub(crate) fn new(open: F) -> Later<F> {
        Later { open: Some(open), opened: None }
    }
}

impl<F: FnOnce() -> Pieces> Read for Later<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(open) = self.open.take() {
            self.opened = Some(open());
        }
        self.opened.as_mut().map_or(Ok(0), |opened| opened.read(buffer))
    }
}

/// The pieces of a body as one reader. Reading blocks, so it must not happen on a thread of the
/// async runtime.
pub(crate) struct Pieces {
    receiver: mpsc::Receiver<Result<Bytes>>,
    /// What is left of the piece that was received last.
    current: Bytes,
    /// What the object still has, by the size that S3 named when it was pinned.
    missing_bytes: u64,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // A loop, because a piece may be empty: `Ok(0)` would tell the caller that the file ends.
        while self.current.is_empty() {
            match self.receiver.blocking_recv() {
                Some(piece) => {
                    self.current = piece.map_err(broken)?;
                    let length = self.current.len() as u64;
                    self.missing_bytes = self.missing_bytes.saturating_sub(length);
                }
                // A channel closes at the end of the object, but also when the download dies. A
                // file that is cut off between two rows would look whole.
                None if self.missing_bytes > 0 => return Err(cut_off(self.missing_bytes)),
                None => return Ok(0),
            }
        }
        let n = self.current.len().min(buffer.len());
        self.current.copy_to_slice(&mut buffer[..n]);
        Ok(n)
    }
}

fn cut_off(missing_bytes: u64) -> io::Error {
    let fact = format!("the download ended {missing_bytes} bytes before the end of the object");
    broken(Error::new(Kind::Transient, fact))
}

/// The error as a reader gives it. What reads through a decompressor finds it again.
fn broken(error: Error) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sent: &'static [u8], size_bytes: u64) -> io::Result<Vec<u8>> {
        let (sender, receiver) = mpsc::channel(1);
        sender.try_send(Ok(Bytes::from_static(sent))).expect("there is room");
        drop(sender);
        let mut pieces = Pieces { receiver, current: Bytes::new(), missing_bytes: size_bytes };
        let mut content = Vec::new();
        pieces.read_to_end(&mut content).map(|_| content)
    }

    #[test]
    fn a_download_that_dies_between_two_rows_is_no_end_of_the_file() {
        assert_eq!(read(b"id\n1\n2\n", 7).expect("it is whole"), b"id\n1\n2\n");
        let error = read(b"id\n1\n2\n", 9).expect_err("it is cut off").to_string();
        assert_eq!(error, "the download ended 2 bytes before the end of the object");
    }
}
