//! Learn: one range of a file, by itself.
//!
//! In: where the range lies. Out: what was learnt of it, for each state that the bytes before it may
//! have left; the file as a whole is put together in `infer`.

use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

use loader_csv::{LearntRange, RangeLearner};
use loader_model::error::{Context, Error, Kind, Result};
use loader_model::stop::StopFlag;
use serde::{Deserialize, Serialize};

use super::{Engine, InOrder, Outcome, Spec, Task, unexpected};
use crate::decompress::read_failure;
use crate::infer::{LearnSpec, LearnTask, Learner};
use crate::stored::{Access, StoredObject};

/// What was learnt of a range, packed: outcomes may wait for each other.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Learnt(Vec<u8>);

/// The bytes before a range that tell what its first byte may be part of.
const BEFORE_BYTES: u64 = 5;
/// The bytes behind a range that are read with it: its last record ends in them, mostly.
const BEHIND_BYTES: u64 = 64 * 1024;
/// The bytes that are read at once.
const READ_BYTES: usize = 1024 * 1024;

impl Learnt {
    /// Errors: `Internal` for bytes of another program.
    fn unpack(&self) -> Result<LearntRange> {
        postcard::from_bytes(&self.0)
            .context(Kind::Internal, "what was learnt of a range cannot be read")
    }
}

/// Has an engine learn ranges.
pub struct ByEngine(pub Arc<dyn Engine>);

impl Learner for ByEngine {
    fn learn(
        &self,
        spec: LearnSpec,
        tasks: Vec<LearnTask>,
        stop: &StopFlag,
        take: &mut dyn FnMut(usize, LearntRange) -> Result<()>,
    ) -> Result<()> {
        let tasks: Vec<Task> = tasks.into_iter().map(Task::Learn).collect();
        let (spec, mut outcomes) = (Spec::Learn(Box::new(spec)), InOrder::default());
        self.0.map(&spec, &tasks, stop, &mut |place, outcome| {
            outcomes.take(place, outcome, |place, outcome| match outcome {
                Outcome::Learnt(learnt) => take(place, learnt.unpack()?),
                _ => Err(unexpected()),
            })
        })
    }
}

/// Learns a range. Errors: `Transient` when the object cannot be read, or was replaced.
pub(super) fn run(spec: &LearnSpec, task: &LearnTask, access: &dyn Access) -> Result<Learnt> {
    let LearnSpec { dialect, header, grid_bytes, .. } = spec;
    let range = (task.start, task.end);
    let mut learner = match task.begins_records {
        true => RangeLearner::at_records(dialect, header, *grid_bytes, range),
        false => {
            let mut before = vec![0; task.start.min(BEFORE_BYTES) as usize];
            let from = task.start - before.len() as u64;
            let mut bytes = access.read(&spec.object, from..task.start)?;
            bytes.read_exact(&mut before).map_err(read_failure)?;
            RangeLearner::new(dialect, header, *grid_bytes, range, &before)
        }
    };
    let (mut at, mut length) = (task.start, task.end - task.start + BEHIND_BYTES);
    loop {
        let end = spec.body_bytes.min(at + length);
        if at == end || !push(&mut learner, &spec.object, at..end, access)? {
            break;
        }
        (at, length) = (end, (length.min(BEHIND_BYTES) * 4).min(READ_BYTES as u64));
    }
    let learnt = postcard::to_stdvec(&learner.finish());
    learnt.map(Learnt).map_err(|error| not_packed(&error))
}

fn not_packed(error: &postcard::Error) -> Error {
    Error::new(Kind::Internal, format!("what was learnt of a range cannot be packed: {error}"))
}

/// Shows a stretch to the learner, and says whether it needs more.
fn push(
    learner: &mut RangeLearner<'_>,
    object: &StoredObject,
    range: Range<u64>,
    access: &dyn Access,
) -> Result<bool> {
    let mut left = range.end - range.start;
    let mut bytes = access.read(object, range)?.take(left);
    let mut buffer = vec![0; READ_BYTES];
    while left > 0 {
        let read = bytes.read(&mut buffer).map_err(read_failure)?;
        if read == 0 {
            let fact = format!("{} ended {left} bytes early", object.uri);
            return Err(Error::new(Kind::Transient, fact));
        }
        left -= read as u64;
        if !learner.push(&buffer[..read]) {
            return Ok(false);
        }
    }
    Ok(true)
}
