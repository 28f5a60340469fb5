//! GetObject and HeadObject. In: parsed requests; out: headers, and for GET a body. The body is
//! read from the file piece by piece, as fast as the client takes it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures::Stream;
use s3s::dto::*;
use s3s::{S3Request, S3Result, s3_error};
use tokio::time::Instant;

use super::conditions::{Conditions, whole_seconds};
use super::failure::no_such_version;
use super::members::{read_conditions, with_checksums};
use super::records::Attributes;
use super::store::{Found, Store};
use crate::throttle::{self, Pace};

/// The size of a piece.
const READ_BYTES: usize = 512 * 1024;
const DEFAULT_CONTENT_TYPE: &str = "binary/octet-stream";

/// An answer about an object, as a GetObjectOutput or a HeadObjectOutput.
macro_rules! answer {
    ($answer:ident, $opened:ident) => {
        $answer {
            accept_ranges: Some("bytes".to_owned()),
            content_length: i64::try_from($opened.part.length()).ok(),
            content_range: $opened.part.content_range(),
            content_type: Some(
                $opened.attributes.content_type.unwrap_or_else(|| DEFAULT_CONTENT_TYPE.to_owned()),
            ),
            content_encoding: $opened.attributes.content_encoding,
            content_disposition: $opened.attributes.content_disposition,
            content_language: $opened.attributes.content_language,
            cache_control: $opened.attributes.cache_control,
            metadata: Some($opened.attributes.metadata.into_iter().collect()),
            e_tag: Some(ETag::Strong($opened.etag)),
            last_modified: Some(whole_seconds($opened.modified)),
            checksum_type: $opened.checksum.checksum_type,
            ..with_checksums!($answer, $opened.checksum)
        }
    };
}

pub(crate) fn head(
    store: &Store,
    request: S3Request<HeadObjectInput>,
) -> S3Result<HeadObjectOutput> {
    let input = request.input;
    refuse_versions(input.version_id.as_deref(), input.part_number)?;
    let found = store.find(&input.bucket, &input.key)?;
    let conditions = read_conditions!(input);
    let opened = Opened::of(found, &conditions, input.range, input.checksum_mode)?;
    Ok(answer!(HeadObjectOutput, opened))
}

pub(crate) fn get(store: &Store, request: S3Request<GetObjectInput>) -> S3Result<GetObjectOutput> {
    let input = request.input;
    refuse_versions(input.version_id.as_deref(), input.part_number)?;
    let found = store.find(&input.bucket, &input.key)?;
    let conditions = read_conditions!(input);
    let opened = Opened::of(found, &conditions, input.range, input.checksum_mode)?;
    let (start, end) = (opened.part.start, opened.part.end);
    let root = store.objects.root();
    let content = Content { start, end, pace: Pace::of(root), cut_at: throttle::cut(root) };
    let body = opened.file.map(|file| StreamingBlob::wrap(content.stream(file)));
    Ok(GetObjectOutput { body, ..answer!(GetObjectOutput, opened) })
}

/// The part of an object that a request gets, with the object's attributes.
struct Opened {
    file: Option<File>,
    part: ByteRange,
    etag: String,
    modified: SystemTime,
    attributes: Attributes,
    checksum: Checksum,
}

impl Opened {
    fn of(
        found: Found,
        conditions: &Conditions,
        range: Option<Range>,
        checksum_mode: Option<ChecksumMode>,
    ) -> S3Result<Opened> {
        conditions.check_read(&found.current())?;
        let part = ByteRange::of(&found, range.as_ref())?;
        let checksum = part.checksum(&found.attributes, checksum_mode.as_ref());
        let Found { file, modified, etag, attributes, .. } = found;
        Ok(Opened { file, part, etag, modified, attributes, checksum })
    }
}

/// The bytes `start..end` of the object that a request wants.
struct ByteRange {
    start: u64,
    end: u64,
    size_bytes: u64,
    asked: bool,
}

impl ByteRange {
    fn of(found: &Found, range: Option<&Range>) -> S3Result<ByteRange> {
        let size_bytes = found.size_bytes;
        let bytes = match range {
            Some(range) => range.check(size_bytes)?,
            None => 0..size_bytes,
        };
        Ok(ByteRange { start: bytes.start, end: bytes.end, size_bytes, asked: range.is_some() })
    }

    fn length(&self) -> u64 {
        self.end - self.start
    }

    fn content_range(&self) -> Option<String> {
        self.asked.then(|| {
            format!("bytes {}-{}/{}", self.start, self.end.saturating_sub(1), self.size_bytes)
        })
    }

    /// The checksums of the object, when the client asks for them and gets all of it. With a range
    /// they would be wrong: a client checks them against the bytes that it receives.
    fn checksum(&self, attributes: &Attributes, mode: Option<&ChecksumMode>) -> Checksum {
        let wanted = mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED)
            && self.length() == self.size_bytes;
        if !wanted || attributes.checksums.is_empty() {
            return Checksum::default();
        }
        let get = |name: &str| attributes.checksums.get(name).cloned();
        Checksum {
            checksum_crc32: get("crc32"),
            checksum_crc32c: get("crc32c"),
            checksum_crc64nvme: get("crc64nvme"),
            checksum_sha1: get("sha1"),
            checksum_sha256: get("sha256"),
            checksum_type: Some(ChecksumType::from_static(ChecksumType::FULL_OBJECT)),
        }
    }
}

// Objects without versions have the version `null`. Part 1 is taken as the whole object, which is
// right for an object that was put in one piece.
fn refuse_versions(version_id: Option<&str>, part_number: Option<i32>) -> S3Result<()> {
    if version_id.is_some_and(|version| version != "null") {
        return Err(no_such_version());
    }
    if part_number.is_some_and(|number| number != 1) {
        return Err(s3_error!(
            NotImplemented,
            "this S3 does not keep the parts of an object; ask for a range"
        ));
    }
    Ok(())
}

/// The bytes of a file from `start` to `end`, as they are sent.
#[derive(Clone, Copy)]
struct Content {
    start: u64,
    end: u64,
    pace: Option<Pace>,
    /// After so many bytes the connection breaks.
    cut_at: Option<u64>,
}

impl Content {
    fn stream(self, file: File) -> impl Stream<Item = io::Result<Bytes>> + Send + Sync {
        let (file, asked_at) = (Arc::new(file), Instant::now());
        futures::stream::try_unfold((file, self.start), move |(file, at)| async move {
            let bytes = self.piece(&file, asked_at, at).await?;
            let next = at + bytes.len() as u64;
            Ok((!bytes.is_empty()).then_some((bytes, (file, next))))
        })
    }

    /// The piece that begins at `at`; an empty one is the end.
    // Reads at positions, not with the file's cursor, and fails where the file has become shorter.
    // The error breaks the connection off; the client must not take the bytes so far for the whole
    // object.
    async fn piece(self, file: &Arc<File>, asked_at: Instant, at: u64) -> io::Result<Bytes> {
        let mut length = usize::try_from(self.end - at).unwrap_or(usize::MAX).min(READ_BYTES);
        if length == 0 {
            return Ok(Bytes::new());
        }
        if let Some(left) = self.cut_at.map(|cut| cut.saturating_sub(at - self.start)) {
            length = length.min(usize::try_from(left).unwrap_or(length));
            if length == 0 {
                return Err(io::Error::new(io::ErrorKind::ConnectionReset, "cut off on demand"));
            }
        }
        if let Some(pace) = self.pace {
            tokio::time::sleep_until(asked_at + pace.of_bytes(at + length as u64 - self.start))
                .await;
        }
        let from = Arc::clone(file);
        let read = tokio::task::spawn_blocking(move || {
            let mut buffer = vec![0; length];
            from.read_exact_at(&mut buffer, at).map(|()| Bytes::from(buffer))
        });
        read.await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}
