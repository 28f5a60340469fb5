//! Reads a file in ranges, which an engine learns apart from each other: this machine reads the
//! header and puts together what was learnt.
//!
//! In: a file that is its rows as it is stored. Out: the very chunks and facts that one reading
//! gives. The splitter takes over each range for the state in which the bytes before it have left
//! it. What a range could not be learnt for, and what has a mistake, is read here as any file is, so
//! that the mistake is the same to the letter.

use std::io::Read;
use std::sync::Arc;

use loader_csv::{Chunk, Dialect, Header, Known, LearntRange, Matching};
use loader_model::error::Result;
use loader_model::stop::StopFlag;
use serde::{Deserialize, Serialize};

use super::copied::Copied;
use super::cutter::Cutter;
use super::profiling::Profilers;
use super::reading::CHUNK_BYTES;
use crate::decompress::read_failure;
use crate::read_at::{ReadAt, not_read};
use crate::stored::StoredObject;

/// The bytes of the beginning that are read at once, until the header is found.
const HEAD_BYTES: usize = 64 * 1024;
const READ_BYTES: usize = 1024 * 1024;

/// How a file is read in ranges.
#[derive(Clone)]
pub struct Ranges {
    pub learner: Arc<dyn Learner>,
    pub object: StoredObject,
    /// The object, of which any stretch can be read.
    pub copy: Arc<dyn ReadAt>,
    /// The bytes of a range.
    pub split_bytes: u64,
    /// Gets the bytes of each range that was learnt, for the progress bar.
    pub advance: Arc<dyn Fn(u64) + Send + Sync>,
}

/// Learns ranges apart from each other, on threads or other machines.
pub trait Learner: Send + Sync {
    /// Learns all ranges, and hands over what was learnt in their order, each with its place.
    ///
    /// Blocks. Errors: that of `take`, which ends the work, and of `stop`; `Transient` or `Internal`
    /// where a range could not be learnt.
    fn learn(
        &self,
        spec: LearnSpec,
        tasks: Vec<LearnTask>,
        stop: &StopFlag,
        take: &mut dyn FnMut(usize, LearntRange) -> Result<()>,
    ) -> Result<()>;
}

/// A file that is learnt in ranges.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct LearnSpec {
    pub object: StoredObject,
    pub dialect: Dialect,
    /// With the rules of its columns.
    pub header: Header,
    /// The bytes of a chunk.
    pub grid_bytes: u64,
    /// Where the rows end: behind them is the footer, or nothing.
    pub body_bytes: u64,
}

/// A range.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct LearnTask {
    pub start: u64,
    pub end: u64,
    /// The file's first record begins with it.
    pub begins_records: bool,
}

impl Ranges {
    /// The bytes of a chunk: no more than those of a range.
    fn grid_bytes(&self) -> u64 {
        self.split_bytes.clamp(1, CHUNK_BYTES)
    }

    /// The ranges from `start` to `end`. All but the first begin at a multiple of their length,
    /// which is one of the length of a chunk.
    fn tasks(&self, start: u64, end: u64) -> Vec<LearnTask> {
        let length = self.split_bytes.max(1) / self.grid_bytes() * self.grid_bytes();
        let (mut tasks, mut at) = (Vec::new(), start);
        while at < end {
            let next = end.min((at / length + 1) * length);
            let begins_records = at == start;
            tasks.push(LearnTask { start: at, end: next, begins_records });
            at = next;
        }
        tasks
    }
}

/// Reads the file, and hands out what is known of its chunks in their order.
///
/// Errors: as of reading it in one go; those of the engine.
pub(super) fn run(
    ranges: &Ranges,
    text: &mut impl Read,
    cutter: &mut Cutter<'_>,
    stop: &StopFlag,
    profilers: &Profilers<'_>,
) -> Result<Copied> {
    let size_bytes = ranges.object.size_bytes;
    let body_bytes = size_bytes - cutter.tail.find_at_end(&*ranges.copy, size_bytes)?;
    find_header(text, cutter, body_bytes)?;
    let start = cutter.begin_at_records(ranges.grid_bytes())?;
    let tasks = ranges.tasks(start, body_bytes);
    let mut composer = Composer { ranges, cutter, stop, profilers, matching: Matching::default() };
    if !tasks.is_empty() {
        let spec = composer.spec(body_bytes)?;
        ranges.learner.learn(spec, tasks.clone(), stop, &mut |place, learnt| {
            (ranges.advance)(tasks[place].end - tasks[place].start);
            composer.take(&learnt, &tasks[place])
        })?;
    }
    composer.finish()?;
    Ok(Copied { size_bytes, body_bytes, mistake: cutter.mistake.take() })
}

/// Reads on until the header is known, or the text ends.
fn find_header(text: &mut impl Read, cutter: &mut Cutter<'_>, body_bytes: u64) -> Result<()> {
    let (mut buffer, mut left) = (vec![0; HEAD_BYTES], body_bytes);
    while !cutter.has_header() {
        let length = left.min(HEAD_BYTES as u64) as usize;
        text.read_exact(&mut buffer[..length]).map_err(read_failure)?;
        cutter.cut_body(&buffer[..length], length == 0)?;
        left -= length as u64;
    }
    Ok(())
}

/// Puts together what was learnt.
struct Composer<'a, 'c> {
    ranges: &'a Ranges,
    cutter: &'a mut Cutter<'c>,
    stop: &'a StopFlag,
    profilers: &'a Profilers<'a>,
    matching: Matching,
}

impl Composer<'_, '_> {
    fn spec(&mut self, body_bytes: u64) -> Result<LearnSpec> {
        let header = self.cutter.header("a range came before the header")?;
        Ok(LearnSpec {
            object: self.ranges.object.clone(),
            dialect: self.cutter.dialect().clone(),
            header,
            grid_bytes: self.ranges.grid_bytes(),
            body_bytes,
        })
    }

    /// Takes what was learnt of the next range.
    fn take(&mut self, learnt: &LearntRange, task: &LearnTask) -> Result<()> {
        match self.cutter.take(learnt) {
            _ if self.cutter.has_ended() => Ok(()),
            Some((chunks, runs)) => {
                self.matching.learn(runs);
                self.hand_out(chunks)
            }
            None => self.read_here(task),
        }
    }

    /// Reads a range here: it was not learnt for what the bytes before it have left.
    fn read_here(&mut self, task: &LearnTask) -> Result<()> {
        let (mut at, mut buffer) = (task.start, vec![0; READ_BYTES]);
        while at < task.end && !self.cutter.has_ended() {
            self.stop.check()?;
            let length = (task.end - at).min(READ_BYTES as u64) as usize;
            let bytes = &mut buffer[..length];
            self.ranges.copy.read_exact_at(bytes, at).map_err(not_read)?;
            let chunks = self.cutter.cut_body(bytes, false)?;
            self.hand_out(chunks)?;
            at += length as u64;
        }
        Ok(())
    }

    fn hand_out(&mut self, chunks: Vec<Chunk>) -> Result<()> {
        let known: Vec<Known> =
            chunks.into_iter().flat_map(|chunk| self.matching.cut(chunk)).collect();
        self.hand_out_known(known)
    }

    fn hand_out_known(&mut self, known: Vec<Known>) -> Result<()> {
        let header = self.cutter.header("a chunk came before the header")?;
        for known in known {
            let goes_on = match known {
                Known::Nothing(chunk) => self.profilers.profile((chunk, header.clone())),
                Known::Run(chunks, run) => self.profilers.take(&header, chunks, *run),
            };
            if !goes_on {
                return self.cutter.end();
            }
        }
        Ok(())
    }

    /// Ends the file.
    fn finish(mut self) -> Result<()> {
        if !self.cutter.has_ended() {
            let last = self.cutter.cut_body(&[], true)?;
            self.hand_out(last)?;
        }
        let known = std::mem::take(&mut self.matching).finish();
        self.hand_out_known(known)
    }
}
