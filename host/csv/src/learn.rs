//! Learns a range of a file apart from the rest, for each state that the bytes before it may have
//! left: where it is cut, and the profile of what begins in it.
//!
//! In: the bytes of the range, and those behind it up to the end of the last chunk that begins in
//! it. Out: what a splitter that has come to the range takes over, with the lines made right. So a
//! file is learnt by many machines at once, and all they say of it together is what one reading
//! would have said.

mod matching;

use serde::{Deserialize, Serialize};

use crate::chunk::Chunk;
use crate::chunk_profile::{ChunkProfile, profile_chunk};
use crate::dialect::Dialect;
use crate::header::Header;
use crate::split::{Candidate, Condition, CutRange, Follower, Splitter};

pub use matching::{Known, Matching};

/// What was learnt of a range.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LearntRange {
    cuts: CutRange,
    /// By the states of `cuts`: their runs, in order.
    ways: Vec<Vec<usize>>,
    /// The runs of all ways, which have most of them in common. Lines count from the range.
    runs: Vec<LearntRun>,
}

/// Chunks behind each other, and the profile that they have together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LearntRun {
    pub chunks: Vec<LearntChunk>,
    pub profile: ChunkProfile,
}

/// A chunk that was profiled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearntChunk {
    pub offset: u64,
    pub len: u64,
    pub ends_file: bool,
    pub records: u64,
}

impl LearntChunk {
    fn of(chunk: &Chunk, records: u64) -> LearntChunk {
        LearntChunk { offset: chunk.offset, len: chunk.len, ends_file: chunk.ends_file, records }
    }

    /// Whether this is what was learnt of a chunk.
    pub fn is_of(&self, chunk: &Chunk) -> bool {
        (self.offset, self.len, self.ends_file) == (chunk.offset, chunk.len, chunk.ends_file)
    }
}

impl Splitter {
    /// Takes over the cuts of the file's next bytes, as [`Splitter::take`] does, with what was
    /// learnt of the chunks that begin in them. Those are complete only later, when the splitter
    /// knows their ends.
    pub fn take_learnt(&mut self, range: &LearntRange) -> Option<(Vec<Chunk>, Vec<LearntRun>)> {
        let from = self.condition();
        let way = range.cuts.conditions().position(|condition| condition == from)?;
        let lines = self.lines_before();
        let chunks = self.take(&range.cuts)?;
        let runs = range.ways.get(way).into_iter().flatten().filter_map(|run| range.runs.get(*run));
        let runs = runs.map(|LearntRun { chunks, profile }| LearntRun {
            chunks: chunks.clone(),
            profile: profile.clone().behind_lines(lines),
        });
        Some((chunks, runs.collect()))
    }
}

/// Learns one range while its bytes come by. Memory: a chunk for each state that is apart.
pub struct RangeLearner<'a> {
    dialect: &'a Dialect,
    header: &'a Header,
    follower: Follower,
    /// Of the range, in the file.
    end: u64,
    /// The place of the next byte.
    offset: u64,
    /// The bytes of the chunks that are not complete. They begin at `kept_from`.
    kept: Vec<u8>,
    kept_from: u64,
    /// The cuts, once the whole range has come by.
    cuts: Option<CutRange>,
    ways: Vec<Way>,
    runs: Vec<LearntRun>,
    /// The chunks that were profiled last: states that are apart may have the same.
    recent: Vec<(LearntChunk, Option<ChunkProfile>)>,
    /// The first chunk begins with the range.
    begins_record: bool,
}

/// What a state has led to.
struct Way {
    from: Condition,
    /// `None`: a chunk with a mistake.
    runs: Vec<Option<usize>>,
    /// How many of the candidate's chunks were profiled. The first is not, as it begins before the
    /// range.
    profiled: usize,
    /// The run that grows.
    growing: Option<LearntRun>,
    /// The last chunk: a run of its own, as a mistake at the start of the next one may be its fault.
    last: Option<(LearntChunk, ChunkProfile)>,
    /// A chunk has a mistake, so that no more are profiled, unless another way goes on as this one.
    has_mistake: bool,
    /// Where the way goes on as another one: that, and the runs of it that lie before.
    goes_on: Option<(Condition, usize)>,
}

/// The bytes after which the states are compared again, while there are several.
const PIECE_BYTES: usize = 16 * 1024;
/// As many profiles are remembered as chunks may end in one piece of several states.
const RECENT: usize = 16;

impl<'a> RangeLearner<'a> {
    /// Begins with the range from `offset` to `end`, behind the bytes `before`. The last five of
    /// those are enough. `header`: the file's. `grid_bytes`: as of the splitter.
    pub fn new(
        dialect: &'a Dialect,
        header: &'a Header,
        grid_bytes: u64,
        (offset, end): (u64, u64),
        before: &[u8],
    ) -> RangeLearner<'a> {
        let follower = Follower::new(dialect, grid_bytes, offset, before);
        RangeLearner::following(follower, (dialect, header), (offset, end), false)
    }

    /// Begins with the range from the file's first record, at `offset`, to `end`.
    pub fn at_records(
        dialect: &'a Dialect,
        header: &'a Header,
        grid_bytes: u64,
        (offset, end): (u64, u64),
    ) -> RangeLearner<'a> {
        let follower = Follower::at_record(dialect, grid_bytes, offset);
        RangeLearner::following(follower, (dialect, header), (offset, end), true)
    }

    fn following(
        follower: Follower,
        (dialect, header): (&'a Dialect, &'a Header),
        (offset, end): (u64, u64),
        begins_record: bool,
    ) -> RangeLearner<'a> {
        let ways = follower.candidates.iter().map(|candidate| Way::new(candidate.from));
        RangeLearner {
            dialect,
            header,
            end,
            offset,
            kept: Vec::new(),
            kept_from: offset,
            cuts: None,
            ways: ways.collect(),
            runs: Vec::new(),
            recent: Vec::new(),
            begins_record,
            follower,
        }
    }

    /// Takes the next bytes. Says whether more are needed: those of the range, and then those up to
    /// the end of the last chunk that begins in it.
    pub fn push(&mut self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        while !rest.is_empty() && self.needs_more() {
            let length = self.next_piece().min(rest.len());
            let (piece, behind) = rest.split_at(length);
            self.kept.extend_from_slice(piece);
            match self.cuts {
                None => self.within(piece),
                Some(_) => self.behind(piece),
            }
            self.offset += length as u64;
            if self.offset >= self.end && self.cuts.is_none() {
                self.cuts = Some(self.follower.cut_range());
            }
            self.profile_all();
            rest = behind;
        }
        self.needs_more()
    }

    /// Ends the range where no more bytes are needed, or where the file ends.
    pub fn finish(mut self) -> LearntRange {
        let cuts = self.cuts.take().unwrap_or_else(|| self.follower.cut_range());
        if self.needs_more() {
            for candidate in &mut self.follower.candidates {
                candidate.chunks.extend(candidate.splitter.finish().unwrap_or_default());
            }
            self.profile_all();
        }
        for way in &mut self.ways {
            way.end_run(&mut self.runs);
        }
        let ways = cuts.conditions().map(|from| self.runs_of(from)).collect();
        LearntRange { cuts, ways, runs: self.runs }
    }

    /// Whether a state still needs bytes.
    fn needs_more(&self) -> bool {
        let is_open = |candidate: &Candidate| candidate.kept_from() < self.end;
        self.offset < self.end || self.follower.candidates.iter().any(is_open)
    }

    fn next_piece(&self) -> usize {
        let to_end = usize::try_from(self.end.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let are_apart = self.follower.candidates.len() > 1;
        match to_end {
            0 => PIECE_BYTES,
            to_end if are_apart => to_end.min(PIECE_BYTES),
            to_end => to_end,
        }
    }

    /// Takes bytes of the range.
    fn within(&mut self, piece: &[u8]) {
        for (from, with) in self.follower.push(piece) {
            self.profile(from);
            self.profile(with);
            let before = self.end_run(with);
            self.end_run(from);
            if let Some(other) = self.ways.iter_mut().find(|way| way.from == with) {
                other.has_mistake = false;
            }
            if let Some(way) = self.ways.iter_mut().find(|way| way.from == from) {
                way.goes_on = Some((with, before));
            }
        }
    }

    /// Takes bytes behind the range. A state that finds no end of its row there learns no more.
    fn behind(&mut self, piece: &[u8]) {
        let end = self.end;
        let is_open = |candidate: &Candidate| candidate.kept_from() < end;
        let candidates = &mut self.follower.candidates;
        candidates.retain_mut(|candidate| !is_open(candidate) || candidate.push(piece).is_ok());
    }

    /// Profiles the chunks that are complete, and forgets their bytes.
    fn profile_all(&mut self) {
        let states = self.follower.candidates.iter().map(|candidate| candidate.from);
        states.collect::<Vec<_>>().into_iter().for_each(|from| self.profile(from));
        let kept = self.follower.candidates.iter().map(Candidate::kept_from).min();
        let kept_from = kept.unwrap_or(self.offset).max(self.kept_from);
        // Bytes are moved only where most of them go.
        let gone = usize::try_from(kept_from - self.kept_from).unwrap_or(self.kept.len());
        if gone > self.kept.len() / 2 {
            self.kept.drain(..gone);
            self.kept_from = kept_from;
        }
    }

    /// Profiles the chunks of a state that are complete and begin in the range.
    fn profile(&mut self, from: Condition) {
        let Some(at) = self.ways.iter().position(|way| way.from == from) else { return };
        let profiled = self.ways[at].profiled;
        let chunks = self.follower.chunks(from).get(profiled..).unwrap_or_default().to_vec();
        for (number, chunk) in chunks.iter().enumerate() {
            let begins_here = self.begins_record || profiled + number > 0;
            let is_of_range = begins_here && chunk.offset < self.end;
            if is_of_range && !self.ways[at].has_mistake {
                let known = self.profile_of(chunk);
                self.ways[at].add(known, chunk);
            }
        }
        self.ways[at].profiled += chunks.len();
    }

    /// The profile of a chunk; `None` where it has a mistake.
    fn profile_of(&mut self, chunk: &Chunk) -> Option<ChunkProfile> {
        if let Some((_, known)) = self.recent.iter().find(|(recent, _)| recent.is_of(chunk)) {
            return known.clone();
        }
        let start = usize::try_from(chunk.offset - self.kept_from).ok()?;
        let bytes = self.kept.get(start..start + usize::try_from(chunk.len).ok()?)?;
        let profile = profile_chunk(bytes, chunk, self.header, self.dialect).ok();
        if self.follower.candidates.len() > 1 {
            self.recent.truncate(RECENT - 1);
            self.recent.insert(0, (LearntChunk::of(chunk, 0), profile.clone()));
        }
        profile
    }

    /// Ends a state's run, and gives how many runs its way has.
    fn end_run(&mut self, from: Condition) -> usize {
        let way = self.ways.iter_mut().find(|way| way.from == from);
        way.map_or(0, |way| way.end_run(&mut self.runs))
    }

    /// All runs of a state's way, through the ways that it goes on as.
    fn runs_of(&self, from: Condition) -> Vec<usize> {
        let (mut runs, mut next) = (Vec::new(), Some((from, 0)));
        while let Some((from, before)) = next {
            let Some(way) = self.ways.iter().find(|way| way.from == from) else { break };
            let of_way = way.runs.get(before..).unwrap_or_default();
            runs.extend(of_way.iter().map_while(|run| *run));
            // Behind a mistake nothing is of use.
            next = way.goes_on.filter(|_| of_way.iter().all(Option::is_some));
        }
        runs
    }
}

impl Way {
    fn new(from: Condition) -> Way {
        Way {
            from,
            runs: Vec::new(),
            profiled: 0,
            growing: None,
            last: None,
            has_mistake: false,
            goes_on: None,
        }
    }

    /// Takes the next chunk; `None`: it has a mistake.
    fn add(&mut self, profile: Option<ChunkProfile>, chunk: &Chunk) {
        let Some(profile) = profile else {
            self.has_mistake = true;
            return;
        };
        let learnt = LearntChunk::of(chunk, profile.records());
        let before = self.last.replace((learnt, profile));
        if let Some((chunk, profile)) = before {
            match &mut self.growing {
                None => self.growing = Some(LearntRun { chunks: vec![chunk], profile }),
                Some(run) => {
                    run.chunks.push(chunk);
                    run.profile.append(profile);
                }
            }
        }
    }

    /// Ends the run that grows, and gives how many runs there are.
    fn end_run(&mut self, runs: &mut Vec<LearntRun>) -> usize {
        let last = self.last.take();
        let last = last.map(|(chunk, profile)| LearntRun { chunks: vec![chunk], profile });
        for run in self.growing.take().into_iter().chain(last) {
            self.runs.push(Some(runs.len()));
            runs.push(run);
        }
        if self.has_mistake {
            self.runs.push(None);
        }
        self.runs.len()
    }
}

#[cfg(test)]
mod tests;
