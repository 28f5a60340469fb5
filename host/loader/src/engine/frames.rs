//! Tasks for the program that has started this one, which has a cluster: the Spark driver.
//!
//! In: a spec and its tasks. Out: their outcomes, as they come back. Both go through a
//! socket of that program; a thread reads it, and hands each outcome to the map that waits for it.

use std::collections::BTreeMap;
use std::io::{self, BufReader};
use std::num::NonZeroUsize;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use loader_aws::connect::AwsAccess;
use loader_data::spread::{Engine, Failure, Outcome, Spec, Task};
use loader_model::error::{Context, Error, Kind, Result};
use loader_model::stop::StopFlag;

use super::wire::{self, Frame, FrameKind, SentSpec};

/// How often a map that waits looks whether it shall stop.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The connection to the driver's program.
pub struct Frames {
    to: Mutex<UnixStream>,
    maps: Mutex<Maps>,
    next: AtomicU64,
    tasks_at_once: NonZeroUsize,
}

/// The maps that are being done, by their numbers. `None`: the driver's program has ended.
type Maps = Option<BTreeMap<u64, Sender<Event>>>;

enum Event {
    Outcome(usize, Vec<u8>),
    Failed(Failure),
}

static FRAMES: OnceLock<Arc<Frames>> = OnceLock::new();

impl Frames {
    /// Those of the process; `None` where no other program has started it for its cluster.
    pub(crate) fn of_process() -> Option<Arc<Frames>> {
        FRAMES.get().cloned()
    }

    /// Connects to the socket of the driver's program, and waits for it to say hello. Errors:
    /// `Config`.
    pub fn connect(socket: &str) -> Result<()> {
        let connected = || -> io::Result<(UnixStream, NonZeroUsize)> {
            let stream = UnixStream::connect(socket)?;
            let hello = wire::read(&mut &stream)?.filter(|frame| frame.kind == FrameKind::Hello);
            let count = hello.and_then(|hello| hello.content.try_into().ok());
            let count =
                count.and_then(|count| NonZeroUsize::new(u32::from_le_bytes(count) as usize));
            Ok((stream, count.ok_or_else(|| io::Error::other("nobody says hello"))?))
        };
        let fact = || {
            format!(
                "LOADER_FRAMES={socket} is no socket of a Spark driver; `python -m loader_spark` \
                 sets it, nobody else does"
            )
        };
        let (stream, tasks_at_once) = connected().context(Kind::Config, fact())?;
        let from = BufReader::new(stream.try_clone().context(Kind::Config, fact())?);
        let maps = Mutex::new(Some(BTreeMap::new()));
        let (to, next) = (Mutex::new(stream), AtomicU64::new(0));
        let frames = Arc::new(Frames { to, maps, next, tasks_at_once });
        let reader = Arc::clone(&frames);
        std::thread::spawn(move || reader.read_all(from));
        // Set once: the process has one driver.
        let _ = FRAMES.set(frames);
        Ok(())
    }

    /// The engine for files that workers reach so.
    pub(crate) fn of(self: Arc<Self>, access: &AwsAccess) -> Cluster {
        Cluster { frames: self, access: access.clone() }
    }

    fn read_all(&self, mut from: BufReader<UnixStream>) {
        while let Ok(Some(frame)) = wire::read(&mut from) {
            self.take(frame);
        }
        // Each map that waits sees that no more outcomes come.
        *self.maps() = None;
    }

    fn take(&self, frame: Frame) {
        let Frame { kind, content } = frame;
        let Some((map, rest)) = content.split_first_chunk::<8>() else { return };
        let event = match kind {
            FrameKind::Outcome => rest.split_first_chunk::<4>().map(|(place, outcome)| {
                Event::Outcome(u32::from_le_bytes(*place) as usize, outcome.to_vec())
            }),
            FrameKind::Failed => Some(Event::Failed(failure(rest))),
            _ => None,
        };
        let waiting =
            self.maps().as_ref().and_then(|maps| maps.get(&u64::from_le_bytes(*map)).cloned());
        if let (Some(waiting), Some(event)) = (waiting, event) {
            // A map that has ended takes no more.
            let _ = waiting.send(event);
        }
    }

    fn maps(&self) -> MutexGuard<'_, Maps> {
        self.maps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, kind: FrameKind, content: &[&[u8]]) -> Result<()> {
        let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        wire::write(&mut *to, kind, content).map_err(|error| gone().caused_by(error))
    }

    /// Begins to wait for the outcomes of a map.
    fn begin(&self) -> Result<(u64, Receiver<Event>)> {
        let (sender, receiver) = channel();
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.maps().as_mut().ok_or_else(gone)?.insert(number, sender);
        Ok((number, receiver))
    }
}

fn gone() -> Error {
    Error::new(Kind::Transient, "the Spark driver has ended, and with it the load; run it again")
}

/// What the driver's program says of a map that could not be done.
fn failure(text: &[u8]) -> Failure {
    serde_json::from_slice(text).unwrap_or_else(|_| Failure {
        kind: Kind::Transient,
        message: String::from_utf8_lossy(text).into_owned(),
    })
}

/// The cluster, for files that are reached in one way.
pub(crate) struct Cluster {
    frames: Arc<Frames>,
    access: AwsAccess,
}

impl Engine for Cluster {
    fn tasks_at_once(&self) -> NonZeroUsize {
        self.frames.tasks_at_once
    }

    fn map(
        &self,
        spec: &Spec,
        tasks: &[Task],
        stop: &StopFlag,
        take: &mut dyn FnMut(usize, Outcome) -> Result<()>,
    ) -> Result<()> {
        let spec = wire::pack_spec(&SentSpec::new(&self.access, spec.clone()))?;
        let tasks: Vec<Vec<u8>> = tasks.iter().map(wire::pack).collect::<Result<_>>()?;
        let (number, events) = self.frames.begin()?;
        let sent = self.send(number, &spec, &tasks);
        let ended = sent.and_then(|()| wait(&events, tasks.len(), stop, take));
        if let Some(maps) = self.frames.maps().as_mut() {
            maps.remove(&number);
        }
        if ended.is_err() {
            // A driver that has ended needs no word.
            let _ = self.frames.write(FrameKind::Cancel, &[&number.to_le_bytes()]);
        }
        ended
    }
}

impl Cluster {
    fn send(&self, number: u64, spec: &[u8], tasks: &[Vec<u8>]) -> Result<()> {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
        let (number, of_spec) = (number.to_le_bytes(), length(spec));
        let lengths: Vec<[u8; 4]> = tasks.iter().map(|task| length(task)).collect();
        let mut content: Vec<&[u8]> = vec![&number, &of_spec, spec];
        for (length, task) in lengths.iter().zip(tasks) {
            content.extend([length.as_slice(), task]);
        }
        self.frames.write(FrameKind::Map, &content)
    }
}

/// Takes the outcomes of so many tasks.
fn wait(
    events: &Receiver<Event>,
    tasks: usize,
    stop: &StopFlag,
    take: &mut dyn FnMut(usize, Outcome) -> Result<()>,
) -> Result<()> {
    let mut done = vec![false; tasks];
    let mut left = tasks;
    while left > 0 {
        stop.check()?;
        match events.recv_timeout(LOOK_EVERY) {
            Ok(Event::Outcome(place, outcome)) => match done.get_mut(place) {
                Some(is_done) if !*is_done => {
                    (*is_done, left) = (true, left - 1);
                    take(place, wire::unpack(&outcome)?)?;
                }
                // A task counts once, whatever attempts there were.
                _ => (),
            },
            Ok(Event::Failed(failure)) => return Err(failure.into_error()),
            Err(RecvTimeoutError::Timeout) => (),
            Err(RecvTimeoutError::Disconnected) => return Err(gone()),
        }
    }
    Ok(())
}
