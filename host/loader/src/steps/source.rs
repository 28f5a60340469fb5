//! Source: the object as it is now, pinned by its ETag, and its bytes as a blocking reader.
//!
//! Comes in: the object's address. Goes out: what S3 says about it, and later one decompressed
//! stream over it; S3 is read once. Decides nothing about the content.

use std::io::{self, BufReader, Read};

use bytes::{Buf, Bytes};
use tokio::sync::mpsc;

use crate::error::{Error, Kind, Result};
use crate::names::S3Uri;
use crate::progress::Progress;
use crate::s3::{ObjectInfo, Store};

/// Pieces of a body that may wait for the reader: some megabytes.
const PIECES_IN_FLIGHT: usize = 64;

/// The object to load. All later reads insist on this very version.
#[derive(Clone, Debug)]
pub struct SourceObject {
    pub uri: S3Uri,
    pub info: ObjectInfo,
}

/// Looks the object up. Errors: `Config` when there is none.
pub async fn pin(store: &Store, uri: S3Uri) -> Result<SourceObject> {
    match store.head(&uri).await? {
        Some(info) => Ok(SourceObject { uri, info }),
        None => Err(Error::new(
            Kind::Config,
            format!("there is no object {uri}; check --src-bucket and --source-file-name"),
        )),
    }
}

/// Opens the object's content, as it is stored, as a reader for a blocking thread.
pub async fn open(store: &Store, source: &SourceObject, progress: Progress) -> Result<Pieces> {
    let mut body = store.read(&source.uri, &source.info).await?;
    let (sender, receiver) = mpsc::channel(PIECES_IN_FLIGHT);
    let uri = source.uri.clone();
    tokio::spawn(async move {
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|error| {
                io::Error::new(io::ErrorKind::ConnectionReset, format!("reading {uri}: {error}"))
            });
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

/// Decompresses by suffix: .gz, .zst, .bz2; anything else is read as it is. Starting a decoder
/// reads already.
pub fn decompress(name: &str, input: impl Read + Send + 'static) -> Box<dyn Read + Send> {
    let lower = name.to_lowercase();
    if lower.ends_with(".gz") {
        Box::new(flate2::read::MultiGzDecoder::new(input))
    } else if lower.ends_with(".bz2") {
        Box::new(bzip2::read::MultiBzDecoder::new(input))
    } else if lower.ends_with(".zst") {
        match zstd::Decoder::new(input) {
            Ok(decoder) => Box::new(decoder),
            Err(error) => Box::new(Broken(Some(error))),
        }
    } else {
        Box::new(BufReader::with_capacity(1 << 20, input))
    }
}

/// A failed read of the stream: the network's fault or the content's.
pub fn read_failure(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::ConnectionReset => Error::new(Kind::Transient, error.to_string()),
        _ => Error::new(
            Kind::Data,
            format!("the file cannot be decompressed as its name asks for: {error}"),
        ),
    }
}

/// The pieces of a body as one reader. Reading blocks, so it must not happen on a thread of the
/// async runtime.
pub struct Pieces {
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

/// A decoder that could not even start.
struct Broken(Option<io::Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(name: &str, bytes: Vec<u8>) -> io::Result<String> {
        let mut text = String::new();
        decompress(name, io::Cursor::new(bytes)).read_to_string(&mut text).map(|_| text)
    }

    #[test]
    fn compression_goes_by_the_suffix() {
        use std::io::Write;
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(b"a,b\n").expect("writes");
        assert_eq!(through("x.CSV.GZ", gz.finish().expect("ends")).expect("reads"), "a,b\n");
        let zst = zstd::encode_all(&b"a,b\n"[..], 1).expect("encodes");
        assert_eq!(through("x.csv.zst", zst).expect("reads"), "a,b\n");
        let mut bz2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bz2.write_all(b"a,b\n").expect("writes");
        assert_eq!(through("x.bz2", bz2.finish().expect("ends")).expect("reads"), "a,b\n");
        assert_eq!(through("x.csv", b"a,b\n".to_vec()).expect("reads"), "a,b\n");
        assert!(through("x.gz", b"a,b\n".to_vec()).is_err());
    }
}
