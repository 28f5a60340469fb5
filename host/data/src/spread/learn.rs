//! Learn: one range of a file, by itself.
//!
//! In: where the range lies. Out: what was learnt of it, for each state that the bytes before it may
//! have left; the file as a whole is put together in `infer`.

use std::io::Read;
use std::sync::Arc;

use loader_csv::{LearntRange, RangeLearner};
use loader_model::error::{Error, Kind, Result};
use loader_model::stop::StopFlag;

use super::engine::{Engine, Outcome, Spec, Task, unexpected};
use super::in_order::InOrder;
use super::learnt::Learnt;
use crate::decompress::read_failure;
use crate::infer::{LearnSpec, LearnTask, Learner};
use crate::stored::Access;

/// The bytes before a range that tell what its first byte may be part of.
const BEFORE_BYTES: u64 = 5;
/// The bytes behind a range that are read with it: its last record ends in them, mostly.
const BEHIND_BYTES: u64 = 64 * 1024;
/// The bytes that are read at once.
const READ_BYTES: usize = 1024 * 1024;

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
// What tells the beginning, the range and mostly the end of its last record come by one request.
pub(super) fn run(
    spec: &LearnSpec,
    task: &LearnTask,
    access: &dyn Access,
    stop: &StopFlag,
) -> Result<Learnt> {
    let LearnSpec { dialect, header, grid_bytes, object, body_bytes } = spec;
    let LearnTask { start, end, begins_records } = *task;
    let before = if begins_records { 0 } else { start.min(BEFORE_BYTES) };
    let mut at = (end + BEHIND_BYTES).min(*body_bytes);
    let mut text = access.read(object, start - before..at)?;
    let mut bytes_before = vec![0; before as usize];
    text.read_exact(&mut bytes_before).map_err(read_failure)?;
    let mut learner = match begins_records {
        true => RangeLearner::at_records(dialect, header, *grid_bytes, (start, end)),
        false => RangeLearner::new(dialect, header, *grid_bytes, (start, end), &bytes_before),
    };
    let mut needs_more = push(&mut learner, text, at - start, stop)?;
    while needs_more && at < *body_bytes {
        let next = (at + READ_BYTES as u64).min(*body_bytes);
        needs_more = push(&mut learner, access.read(object, at..next)?, next - at, stop)?;
        at = next;
    }
    Learnt::pack(&learner.finish())
}

/// Shows so many bytes to the learner, and says whether it needs more.
fn push(
    learner: &mut RangeLearner<'_>,
    mut text: impl Read,
    mut left: u64,
    stop: &StopFlag,
) -> Result<bool> {
    let mut buffer = vec![0; READ_BYTES];
    while left > 0 {
        stop.check()?;
        let length = left.min(READ_BYTES as u64) as usize;
        let read = text.read(&mut buffer[..length]).map_err(read_failure)?;
        if read == 0 {
            return Err(Error::new(Kind::Transient, format!("the file ended {left} bytes early")));
        }
        left -= read as u64;
        if !learner.push(&buffer[..read]) {
            return Ok(false);
        }
    }
    Ok(true)
}
