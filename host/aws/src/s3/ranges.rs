//! The content of an object, read in ranges side by side. S3 gives one request some 60 to 90 MB/s,
//! and as many requests as one likes.
//!
//! In: an object in the version that was looked at. Out: its pieces, in their order. A range that
//! breaks off is read on from its last byte. Memory: [`RANGE_BYTES`] for each range that is read or
//! waits for its turn. Source of the speed:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance-guidelines.html>.

use std::ops::Range;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use loader_model::error::{Error, Kind, Result};
use loader_model::names::S3Uri;

use crate::calls::Calls;
use crate::connect::boxed;
use crate::failure;
use crate::s3::store::{ObjectInfo, Store, replaced};

/// The bytes of a range: few enough to wait in memory, and enough that the 50 ms to the first byte
/// are the smaller part of its time.
const RANGE_BYTES: u64 = 4 * 1024 * 1024;
/// The ranges that are read at once on each core, and the limits of their number. At 35 MB/s each,
/// with the wait for the first byte, four keep ahead of what a core can parse.
const RANGES_OF_A_CORE: usize = 4;
const FEWEST_RANGES: usize = 8;
const MOST_RANGES: usize = 32;
/// How often a range is read on from where it broke off.
const MOST_BREAKS: u32 = 5;
/// The wait before a range is read on the first time; each further wait is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// The content of an object, as it arrives.
pub struct Body {
    /// The version that is read, in a bucket with versions.
    pub version_id: Option<String>,
    ranges: BoxStream<'static, Result<Vec<Bytes>>>,
    /// What is left of the range that came last.
    pieces: std::vec::IntoIter<Bytes>,
}

impl Body {
    /// The next piece; `None` at the end. Errors: `Transient` when the object was replaced, or a
    /// range breaks off again and again.
    pub async fn next(&mut self) -> Option<Result<Bytes>> {
        loop {
            match self.pieces.next() {
                Some(piece) => return Some(Ok(piece)),
                None => match self.ranges.next().await? {
                    Ok(pieces) => self.pieces = pieces.into_iter(),
                    Err(error) => return Some(Err(error)),
                },
            }
        }
    }
}

impl Store {
    /// Opens the content of the object that `info` describes. Errors: `Transient` when the object
    /// was replaced or is gone.
    pub async fn read(&self, uri: &S3Uri, info: &ObjectInfo) -> Result<Body> {
        let object = PinnedObject {
            client: self.client().clone(),
            calls: self.calls.clone(),
            uri: uri.clone(),
            etag: info.etag.clone(),
            size_bytes: info.size_bytes,
        };
        let first = object.range_from(0);
        let opened = object.open(&first).await?;
        let version_id = opened.version_id.clone();
        let behind = (first.end..info.size_bytes).step_by(RANGE_BYTES as usize);
        let opened = std::iter::once((0, Some(opened))).chain(behind.map(|start| (start, None)));
        let ranges = stream::iter(opened)
            .map(move |(start, opened)| object.clone().whole(start, opened))
            .buffered(ranges_at_once());
        Ok(Body { version_id, ranges: ranges.boxed(), pieces: Vec::new().into_iter() })
    }
}

fn ranges_at_once() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (RANGES_OF_A_CORE * cores).clamp(FEWEST_RANGES, MOST_RANGES)
}

/// An object in the version that was looked at.
#[derive(Clone)]
struct PinnedObject {
    client: Client,
    calls: Calls,
    uri: S3Uri,
    etag: String,
    size_bytes: u64,
}

impl PinnedObject {
    fn range_from(&self, start: u64) -> Range<u64> {
        start..self.size_bytes.min(start + RANGE_BYTES)
    }

    /// Sends the request for a range. Errors: `Transient` when the object was replaced or is gone.
    // An object of one range is asked for whole: S3 refuses any range of an empty object, and gives
    // checksums only for whole ones.
    async fn open(&self, range: &Range<u64>) -> Result<GetObjectOutput> {
        self.calls.count("GetObject");
        let get = self.client.get_object().bucket(&self.uri.bucket).key(&self.uri.key);
        let get = get.if_match(&self.etag);
        let request = match *range == (0..self.size_bytes) {
            true => get,
            false => get.range(format!("bytes={}-{}", range.start, range.end.saturating_sub(1))),
        };
        match boxed(request.send()).await {
            Ok(object) => Ok(object),
            Err(error) if failure::is_changed(&error) || failure::is_missing(&error) => {
                Err(replaced(&self.uri))
            }
            Err(error) => Err(failure::read_failure(&format!("reading {}", self.uri), error)),
        }
    }

    /// Reads the range that begins at `start` to its end. It may have been opened already.
    async fn whole(self, start: u64, mut opened: Option<GetObjectOutput>) -> Result<Vec<Bytes>> {
        let mut range = self.range_from(start);
        let (mut pieces, mut breaks) = (Vec::new(), 0);
        loop {
            let object = match opened.take() {
                Some(object) => object,
                None => self.open(&range).await?,
            };
            let Err(broken) = gather(object, &mut range, &mut pieces).await else {
                return Ok(pieces);
            };
            if breaks == MOST_BREAKS {
                return Err(self.broken_off(&range, &broken));
            }
            tracing::debug!(uri = %self.uri, at = range.start, broken, "a range is read on");
            tokio::time::sleep(FIRST_WAIT * 2_u32.pow(breaks)).await;
            breaks += 1;
        }
    }

    fn broken_off(&self, range: &Range<u64>, broken: &str) -> Error {
        let fact = format!("reading {} broke off at byte {}: {broken}", self.uri, range.start);
        Error::new(Kind::Transient, fact)
    }
}

/// Takes the pieces of an answer, and the bytes that came off the range's beginning. The error says
/// in words why bytes of the range are missing.
async fn gather(
    mut object: GetObjectOutput,
    range: &mut Range<u64>,
    pieces: &mut Vec<Bytes>,
) -> std::result::Result<(), String> {
    // An answer of another length is not what was asked for, and its bytes stand elsewhere.
    let missing = range.end - range.start;
    let length = object.content_length.and_then(|length| u64::try_from(length).ok());
    if let Some(length) = length.filter(|length| *length != missing) {
        return Err(format!("S3 answers with {length} bytes instead of {missing}"));
    }
    while let Some(piece) = object.body.next().await {
        let piece = piece.map_err(|error| error.to_string())?;
        let left = range.end - range.start;
        if piece.len() as u64 > left {
            return Err("S3 sends more bytes than were asked for".to_owned());
        }
        range.start += piece.len() as u64;
        pieces.push(piece);
    }
    match range.end - range.start {
        0 => Ok(()),
        missing => Err(format!("the answer ended {missing} bytes early")),
    }
}
