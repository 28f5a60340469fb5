//! The content of an object, read in ranges side by side. S3 gives one request some 60 to 90 MB/s,
//! and as many requests as one likes.
//!
//! In: an object in the version that was looked at, or whatever object there is; then its first
//! range comes with what S3 says of it, by one request. Out: its pieces, in their order. A range
//! that breaks off is read on from its last byte. Memory: [`RANGE_BYTES`] for each range that is
//! read or waits for its turn. Source of the speed:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance-guidelines.html>.

use std::iter::StepBy;
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
use crate::s3::store::{ObjectInfo, Store, replaced, version};
use crate::stop::Stop;

/// The bytes of a range: few enough to wait in memory, and enough that the 50 ms to the first byte
/// are the smaller part of its time.
const RANGE_BYTES: u64 = 4 * 1024 * 1024;
/// The ranges that are read at once for each core, and the limits of their number. With the wait
/// for the first byte each brings 35 MB/s; twelve bring what two cores take while they learn types.
const RANGES_OF_A_CORE: usize = 6;
const FEWEST_RANGES: usize = 12;
const MOST_RANGES: usize = 48;
/// How often a range is read on from where it broke off.
const MOST_BREAKS: u32 = 5;
/// The wait before a range is read on the first time; each further wait is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// The content of an object, as it arrives.
pub struct Body {
    /// The version that is read, in a bucket with versions.
    pub version_id: Option<String>,
    ranges: BoxStream<'static, Result<Vec<Bytes>>>,
    stop: Stop,
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
                None => {
                    let range = self.stop.bounds(self.ranges.next()).await;
                    match range.transpose()?.flatten() {
                        Ok(pieces) => self.pieces = pieces.into_iter(),
                        Err(error) => return Some(Err(error)),
                    }
                }
            }
        }
    }
}

#[cfg(test)]
impl Body {
    /// A content that comes in these pieces.
    pub(super) fn of_test(pieces: Vec<Bytes>) -> Body {
        let (ranges, stop) = (stream::empty().boxed(), Stop::never());
        Body { version_id: None, ranges, stop, pieces: pieces.into_iter() }
    }
}

/// The first bytes of an object, at most 4 MiB: all of a small one.
#[derive(Clone, Debug)]
pub struct Beginning(Vec<Bytes>);

impl Beginning {
    /// All of them behind each other.
    pub fn to_bytes(&self) -> Bytes {
        match self.0.as_slice() {
            [one] => one.clone(),
            several => several.concat().into(),
        }
    }
}

impl Store {
    /// Opens whatever object there is, and pins it: what S3 says of it, and its first bytes, all by
    /// one request. `None` when it does not exist. Errors: `Transient` when it is replaced
    /// meanwhile, or breaks off again and again.
    // The bytes are read at once. An answer that is left open while a warehouse wakes up would be
    // closed by S3. No range is asked for: S3 refuses any of an empty object, and gives checksums
    // only for whole ones. Of a large object the rest of the answer is dropped with its connection.
    pub async fn open(&self, uri: &S3Uri) -> Result<Option<(ObjectInfo, Beginning)>> {
        let get = self.read_in_its_region(&uri.bucket, async |client: &Client| {
            self.calls.count("GetObject");
            self.sent(client.get_object().bucket(&uri.bucket).key(&uri.key).send()).await
        });
        let object = match get.await {
            Ok(object) => object,
            Err(error) if failure::is_missing(&error) => return Ok(None),
            Err(error) => return Err(failure::read_failure(&format!("reading {uri}"), error)),
        };
        let info = ObjectInfo::of(&object.e_tag, &object.version_id, object.content_length);
        let answer = Answer { object, asked_bytes: info.size_bytes };
        let beginning = boxed(self.pinned(uri, &info).whole(0, Some(answer)));
        Ok(Some((info, Beginning(self.stop.bounds(beginning).await??))))
    }

    /// The content of an object that was opened. The ranges behind its beginning are read once they
    /// are asked for. Errors come with them: `Transient` when the object was replaced or is gone.
    pub fn read_on(&self, uri: &S3Uri, info: &ObjectInfo, beginning: Beginning) -> Body {
        let object = self.pinned(uri, info);
        let behind = object.behind_the_first().map(|start| (start, None));
        let version_id = info.version_id.clone();
        let pieces = beginning.0.into_iter();
        Body { version_id, ranges: object.all(behind), stop: self.stop.clone(), pieces }
    }

    /// Opens the content of the object that `info` describes. Errors: `Transient` when the object
    /// was replaced or is gone.
    pub async fn read(&self, uri: &S3Uri, info: &ObjectInfo) -> Result<Body> {
        let object = self.pinned(uri, info);
        let first = object.range_from(0);
        let opened = self.stop.bounds(object.open(&first)).await?.map_err(Error::unless_unknown)?;
        let version_id = version(&opened.object.version_id);
        let behind = object.behind_the_first().map(|start| (start, None));
        let all = std::iter::once((0, Some(opened))).chain(behind);
        let (stop, pieces) = (self.stop.clone(), Vec::new().into_iter());
        Ok(Body { version_id, ranges: object.all(all), stop, pieces })
    }

    /// The bytes of the object that `info` describes, from one place to another. Its ranges are read
    /// once they are asked for. Errors come with them: `Transient` when the object was replaced or is
    /// gone.
    pub fn read_part(&self, uri: &S3Uri, info: &ObjectInfo, part: Range<u64>) -> Body {
        let object = PinnedObject { end: part.end.min(info.size_bytes), ..self.pinned(uri, info) };
        let starts = (part.start..object.end).step_by(RANGE_BYTES as usize);
        let ranges = object.all(starts.map(|start| (start, None)));
        let (stop, pieces) = (self.stop.clone(), Vec::new().into_iter());
        Body { version_id: info.version_id.clone(), ranges, stop, pieces }
    }

    fn pinned(&self, uri: &S3Uri, info: &ObjectInfo) -> PinnedObject {
        PinnedObject {
            client: self.client().clone(),
            calls: self.calls.clone(),
            uri: uri.clone(),
            etag: info.etag.clone(),
            size_bytes: info.size_bytes,
            end: info.size_bytes,
        }
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
    /// Where the bytes end that are read.
    end: u64,
}

/// What S3 has answered to a request for bytes of an object.
struct Answer {
    object: GetObjectOutput,
    asked_bytes: u64,
}

impl PinnedObject {
    fn range_from(&self, start: u64) -> Range<u64> {
        start..self.end.min(start + RANGE_BYTES)
    }

    /// Where the ranges behind the first one begin.
    fn behind_the_first(&self) -> StepBy<Range<u64>> {
        (self.range_from(0).end..self.size_bytes).step_by(RANGE_BYTES as usize)
    }

    /// Ranges by their beginnings, read side by side. Some may have been opened already.
    fn all(
        self,
        ranges: impl Iterator<Item = (u64, Option<Answer>)> + Send + 'static,
    ) -> BoxStream<'static, Result<Vec<Bytes>>> {
        let ranges = stream::iter(ranges);
        let ranges = ranges.map(move |(start, opened)| self.clone().whole(start, opened));
        ranges.buffered(ranges_at_once()).boxed()
    }

    /// Sends the request for a range. Errors: `Transient` when the object was replaced or is gone;
    /// `OutcomeUnknown` when no answer came.
    // An object of one range is asked for whole: S3 refuses any range of an empty object, and gives
    // checksums only for whole ones.
    async fn open(&self, range: &Range<u64>) -> Result<Answer> {
        self.calls.count("GetObject");
        let get = self.client.get_object().bucket(&self.uri.bucket).key(&self.uri.key);
        let get = get.set_if_match(Some(self.etag.clone()).filter(|etag| !etag.is_empty()));
        let request = match *range == (0..self.size_bytes) {
            true => get,
            false => get.range(format!("bytes={}-{}", range.start, range.end.saturating_sub(1))),
        };
        match boxed(request.send()).await {
            Ok(object) => Ok(Answer { object, asked_bytes: range.end - range.start }),
            Err(error) if failure::is_changed(&error) || failure::is_missing(&error) => {
                Err(replaced(&self.uri))
            }
            Err(error) => Err(failure::failure(&format!("reading {}", self.uri), error)),
        }
    }

    /// Reads the range that begins at `start` to its end. It may have been opened already.
    async fn whole(self, start: u64, mut opened: Option<Answer>) -> Result<Vec<Bytes>> {
        let mut range = self.range_from(start);
        let (mut pieces, mut breaks) = (Vec::new(), 0);
        loop {
            let answer = match opened.take() {
                Some(answer) => Ok(answer),
                None => self.open(&range).await,
            };
            let broken = match answer {
                Ok(answer) => {
                    let (at, kept) = (range.start, pieces.len());
                    let Err(broken) = gather(answer, &mut range, &mut pieces).await else {
                        return Ok(pieces);
                    };
                    // All of it came, and not as it was sent: its checksum differs.
                    if range.is_empty() {
                        range.start = at;
                        pieces.truncate(kept);
                    }
                    self.broken_off(&range, &broken)
                }
                // A connection that breaks takes an answer with it whose head was not read yet.
                Err(lost) if lost.kind() == Kind::OutcomeUnknown => lost.unless_unknown(),
                Err(refused) => return Err(refused),
            };
            if breaks == MOST_BREAKS {
                return Err(broken);
            }
            tracing::debug!(uri = %self.uri, at = range.start, %broken, "a range is read on");
            tokio::time::sleep(FIRST_WAIT * 2_u32.pow(breaks)).await;
            breaks += 1;
        }
    }

    fn broken_off(&self, range: &Range<u64>, broken: &str) -> Error {
        let fact = format!("reading {} broke off at byte {}: {broken}", self.uri, range.start);
        Error::new(Kind::Transient, fact)
    }
}

/// Takes the pieces of an answer that are of the range, and the bytes that came off the range's
/// beginning. The error says in words why bytes of the range are missing.
async fn gather(
    answer: Answer,
    range: &mut Range<u64>,
    pieces: &mut Vec<Bytes>,
) -> std::result::Result<(), String> {
    let Answer { mut object, asked_bytes: mut to_come } = answer;
    // An answer of another length is not what was asked for, and its bytes stand elsewhere.
    let length = object.content_length.and_then(|length| u64::try_from(length).ok());
    if let Some(length) = length.filter(|length| *length != to_come) {
        return Err(format!("S3 answers with {length} bytes instead of {to_come}"));
    }
    // An answer with no more than the range is read to its end, where the SDK checks its sum.
    while range.start < range.end || to_come == 0 {
        let Some(piece) = object.body.next().await else { break };
        let mut piece = piece.map_err(|error| error.to_string())?;
        to_come = to_come
            .checked_sub(piece.len() as u64)
            .ok_or_else(|| "S3 sends more bytes than were asked for".to_owned())?;
        piece.truncate(usize::try_from(range.end - range.start).unwrap_or(usize::MAX));
        range.start += piece.len() as u64;
        pieces.push(piece);
    }
    match range.end - range.start {
        0 => Ok(()),
        missing => Err(format!("the answer ended {missing} bytes early")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::s3::fake::{self, on_runtime};

    async fn content(mut body: Body) -> Result<Vec<u8>> {
        let mut content = Vec::new();
        while let Some(piece) = body.next().await {
            content.extend_from_slice(&piece?);
        }
        Ok(content)
    }

    #[test]
    fn an_object_that_breaks_off_while_it_is_opened_is_read_on_in_its_version() {
        on_runtime(async {
            let store = fake::store("us-east-1", |head| {
                let is_pinned = head.iter().any(|line| line == "if-match: \"e\"");
                let is_end = head.iter().any(|line| line == "range: bytes=2-4");
                match (is_pinned, is_end) {
                    (false, false) => {
                        "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: 5\r\n\r\nid"
                    }
                    (true, true) => "HTTP/1.1 206 OK\r\nContent-Length: 3\r\n\r\n\n1\n",
                    _ => "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
                }
                .to_owned()
            })
            .await;
            let uri = S3Uri::new("b", "k");
            let (info, beginning) = store.open(&uri).await.expect("opened").expect("there");
            assert_eq!((info.etag.as_str(), info.size_bytes), ("\"e\"", 5));
            let content = content(store.read_on(&uri, &info, beginning)).await;
            assert_eq!(content.expect("whole"), b"id\n1\n");
            assert_eq!(store.calls().tally()["GetObject"], 2);
        });
    }

    #[test]
    fn a_range_is_asked_for_again_when_its_answer_is_lost() {
        on_runtime(async {
            let asked = AtomicUsize::new(0);
            let store = fake::store("us-east-1", move |head| {
                let is_range = head.iter().any(|line| line.starts_with("range: "));
                // The SDK asks three times for itself, and then the range is asked for anew.
                match (is_range, asked.fetch_add(1, Ordering::Relaxed)) {
                    (false, _) => "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: 5\r\n\r\nid",
                    (true, 0..=4) => "",
                    (true, _) => "HTTP/1.1 206 OK\r\nContent-Length: 3\r\n\r\n\n1\n",
                }
                .to_owned()
            })
            .await;
            let uri = S3Uri::new("b", "k");
            let (info, beginning) = store.open(&uri).await.expect("opened").expect("there");
            let content = content(store.read_on(&uri, &info, beginning)).await;
            assert_eq!(content.expect("whole"), b"id\n1\n");
            assert!(store.calls().tally()["GetObject"] >= 3, "{:?}", store.calls().tally());
        });
    }

    #[test]
    fn an_object_of_a_bucket_that_keeps_no_more_versions_has_none() {
        on_runtime(async {
            let store = fake::store("us-east-1", |_| {
                let head = "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nx-amz-version-id: null\r\n";
                format!("{head}Content-Length: 1\r\n\r\n1")
            })
            .await;
            let uri = S3Uri::new("b", "k");
            let (info, _) = store.open(&uri).await.expect("opened").expect("there");
            let body = store.read(&uri, &info).await.expect("there");
            assert_eq!((info.version_id, body.version_id), (None, None));
        });
    }
}
