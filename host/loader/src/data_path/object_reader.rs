//! The way into the data path from S3. The object is read once, and only the version that was
//! pinned.
//!
//! In: the pinned source. Out: its content as a reader for a blocking thread.

use std::io::{self, Read};

use bytes::{Buf, Bytes};
use loader_aws::s3::Store;
use loader_model::error::Result;
use tokio::sync::mpsc;

use crate::progress::Progress;
use crate::values::SourceObject;

/// Pieces of a body that may wait for the reader: some megabytes.
const PIECES_IN_FLIGHT: usize = 64;

/// Opens the object's content, as it is stored. Errors: `Transient` when it was replaced.
pub(crate) async fn open(
    store: &Store,
    source: &SourceObject,
    progress: Progress,
) -> Result<Pieces> {
    let mut body = store.read(&source.uri, &source.info).await?;
    let (sender, receiver) = mpsc::channel(PIECES_IN_FLIGHT);
    tokio::spawn(async move {
        while let Some(piece) = body.next().await {
            if let Ok(piece) = &piece {
                progress.advance(piece.len() as u64);
            }
            // The reader is gone when the load has failed; nothing is left to do.
            if sender.send(piece).await.is_err() {
                break;
            }
        }
    });
    Ok(Pieces { receiver, current: Bytes::new() })
}

/// The pieces of a body as one reader. Reading blocks, so it must not happen on a thread of the
/// async runtime.
pub(crate) struct Pieces {
    receiver: mpsc::Receiver<io::Result<Bytes>>,
    current: Bytes,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.receiver.blocking_recv() {
                Some(piece) => self.current = piece?,
                None => return Ok(0),
            }
        }
        let n = self.current.len().min(buffer.len());
        self.current.copy_to_slice(&mut buffer[..n]);
        Ok(n)
    }
}
