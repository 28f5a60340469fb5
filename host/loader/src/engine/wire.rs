//! What the processes of a load on a cluster send each other: frames, each with a kind and a content.
//!
//! A frame is the length of what follows (four bytes, the lowest first), a byte for its kind, and the
//! content. `spark/src/loader_spark/_frames.py` reads and writes the same.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use loader_aws::connect::AwsAccess;
use loader_data::spread::{Failure, Spec};
use loader_model::error::{Context, Error, Kind, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The kind of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum FrameKind {
    /// To the driver's program: a map with all of its tasks.
    Map = 1,
    /// To the driver's program: a map whose other outcomes do not matter.
    Cancel = 2,
    /// From it: how many tasks are done at once.
    Hello = 3,
    /// From it: the outcome of a task.
    Outcome = 4,
    /// From it: a map that could not be done.
    Failed = 5,
    /// To a worker: what the next tasks have in common.
    Spec = 6,
    /// To a worker: a task.
    Task = 7,
    /// From a worker: what has become of the task.
    Done = 8,
    /// From a worker: an error after which the task may be done again.
    Error = 9,
    /// To a worker: plugins, and the columns of a DataFrame, for a plan.
    Plan = 10,
    /// To a worker: a plan whose batches come next.
    Open = 11,
    /// To a worker: a batch of a DataFrame.
    Batch = 12,
    /// To a worker: the DataFrame's part has ended.
    Finish = 13,
}

impl FrameKind {
    fn of(byte: u8) -> Option<FrameKind> {
        use FrameKind::{
            Batch, Cancel, Done, Error, Failed, Finish, Hello, Map, Open, Outcome, Plan, Spec, Task,
        };
        let all = [
            Map, Cancel, Hello, Outcome, Failed, Spec, Task, Done, Error, Plan, Open, Batch, Finish,
        ];
        all.into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// A frame.
pub(super) struct Frame {
    pub(super) kind: FrameKind,
    pub(super) content: Vec<u8>,
}

/// The most that is believed of a length: a frame of more is none.
const MOST_BYTES: usize = 1 << 31;

/// Reads a frame; `None` at the end. Errors: also for bytes that are no frame.
pub(super) fn read(from: &mut impl Read) -> io::Result<Option<Frame>> {
    let mut length = [0; 4];
    match from.read(&mut length[..1])? {
        0 => return Ok(None),
        _ => from.read_exact(&mut length[1..])?,
    }
    let length = u32::from_le_bytes(length) as usize;
    let no_frame = || io::Error::new(io::ErrorKind::InvalidData, "these bytes are no frame");
    if length == 0 || length > MOST_BYTES {
        return Err(no_frame());
    }
    let mut kind = [0];
    from.read_exact(&mut kind)?;
    let kind = FrameKind::of(kind[0]).ok_or_else(no_frame)?;
    // Bytes that do not come take no memory.
    let mut content = Vec::new();
    from.by_ref().take(length as u64 - 1).read_to_end(&mut content)?;
    match content.len() + 1 == length {
        true => Ok(Some(Frame { kind, content })),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Writes a frame.
pub(super) fn write(to: &mut impl Write, kind: FrameKind, content: &[&[u8]]) -> io::Result<()> {
    let length = 1 + content.iter().map(|part| part.len()).sum::<usize>();
    let length = u32::try_from(length).map_err(|_| io::Error::other("a frame is too long"))?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(&[kind as u8])?;
    content.iter().try_for_each(|part| to.write_all(part))?;
    to.flush()
}

/// What the tasks of a map have in common, for the process of a worker.
#[derive(Deserialize, Serialize)]
pub(super) struct SentSpec {
    access: SentAccess,
    pub(super) spec: Spec,
}

/// How a worker reaches S3.
#[derive(Deserialize, Serialize)]
struct SentAccess {
    region: Option<String>,
    local: Option<PathBuf>,
    request_timeout: Duration,
}

impl SentSpec {
    pub(super) fn new(access: &AwsAccess, spec: Spec) -> SentSpec {
        let AwsAccess { region, local, request_timeout } = access.clone();
        // The stand-in of this folder, wherever on this machine a worker runs.
        let local = local.map(|local| std::path::absolute(&local).unwrap_or(local));
        SentSpec { access: SentAccess { region, local, request_timeout }, spec }
    }

    pub(super) fn access(&self) -> AwsAccess {
        let SentAccess { region, local, request_timeout } = &self.access;
        AwsAccess {
            region: region.clone(),
            local: local.clone(),
            request_timeout: *request_timeout,
        }
    }
}

/// The version of this program, which stands before each spec: other versions pack otherwise.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A spec as bytes. Errors: `Internal`.
pub(super) fn pack_spec(spec: &impl Serialize) -> Result<Vec<u8>> {
    let mut bytes = pack(&VERSION)?;
    bytes.extend(pack(spec)?);
    Ok(bytes)
}

/// The spec of these bytes. Errors: `Config` for those of another version of the program.
pub(super) fn unpack_spec<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let (version, rest) = postcard::take_from_bytes::<String>(bytes).unwrap_or_default();
    if version != VERSION {
        let fact = format!(
            "the driver has loader {version}, and this worker {VERSION}: install the same \
             loader-spark on all machines of the cluster"
        );
        return Err(Error::new(Kind::Config, fact));
    }
    unpack(rest)
}

/// A value as bytes. Errors: `Internal`.
pub(super) fn pack(value: &impl Serialize) -> Result<Vec<u8>> {
    postcard::to_stdvec(value).context(Kind::Internal, "a frame cannot be packed")
}

/// The value of these bytes. Errors: `Internal`.
pub(super) fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    postcard::from_bytes(bytes).context(Kind::Internal, "a frame cannot be read")
}

/// An error as text that programs read.
pub(super) fn error_text(error: &Error) -> Vec<u8> {
    serde_json::to_vec(&Failure::of(error)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_as_they_were_sent() {
        let mut sent = Vec::new();
        write(&mut sent, FrameKind::Task, &[b"ab", b"", b"c"]).expect("a buffer takes everything");
        write(&mut sent, FrameKind::Finish, &[]).expect("a buffer takes everything");
        assert_eq!(sent[..8], [4, 0, 0, 0, 7, b'a', b'b', b'c']);
        let mut from = &sent[..];
        let mut next = || read(&mut from).expect("frames").map(|frame| (frame.kind, frame.content));
        assert_eq!(next(), Some((FrameKind::Task, b"abc".to_vec())));
        assert_eq!(next(), Some((FrameKind::Finish, Vec::new())));
        assert_eq!(next(), None);
    }

    #[test]
    fn bytes_that_are_no_frames_are_refused() {
        for bytes in [
            &[1, 0, 0, 0, 99][..],
            &[0, 0, 0, 0],
            &[255, 255, 255, 255, 1],
            &[9, 0, 0, 0, 7, 1],
            &[1],
        ] {
            assert!(read(&mut &bytes[..]).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn a_spec_of_another_version_is_refused() {
        let other = [pack(&"9.9.9").expect("packs"), vec![1, 2, 3]].concat();
        let error = unpack_spec::<u8>(&other).expect_err("is refused");
        assert_eq!(error.kind(), Kind::Config);
        assert_eq!(
            error.to_string(),
            format!(
                "the driver has loader 9.9.9, and this worker {VERSION}: install the same loader-spark \
                 on all machines of the cluster"
            )
        );
        assert_eq!(unpack_spec::<u8>(&pack_spec(&7_u8).expect("packs")).expect("is ours"), 7);
    }
}
