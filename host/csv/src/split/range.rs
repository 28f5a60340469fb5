//! Ranges of a file that are cut apart from each other, at once or on other machines, and put
//! together exactly.
//!
//! In: a range anywhere in a file. Out: its cuts for each state that the bytes before it may have
//! left. A splitter that has come to the range knows which state is the true one, and takes over
//! the cuts without looking at the bytes. (Whether a line end ends a record depends on all quotes
//! before it, and their number alone does not tell: in `5" pipe` the quote is text.)
//!
//! The states soon agree: most ranges are scanned little more than once.
//! Source: Ge et al., "Speculative Distributed CSV Data Parsing for Big Data Analytics", SIGMOD
//! 2019; the composition of states is exact, where that paper detects failures.

use serde::{Deserialize, Serialize};

use super::pass::State;
use super::{Position, Splitter};
use crate::before::Before;
use crate::chunk::Chunk;
use crate::dialect::{Dialect, Rules};
use crate::error::CsvError;
use crate::lines::{LineCounter, find_record, is_line_end};

/// The bytes after which the states are compared again.
const PIECE_BYTES: usize = 16 * 1024;
/// As many bytes before a range tell which states are possible.
const BEFORE_BYTES: usize = 5;

/// A range, and where it would be cut.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CutRange {
    offset: u64,
    end: u64,
    grid_bytes: u64,
    starts: Vec<Start>,
    /// The line ends in the range. That of a CR before it counts here.
    lines: LineCounter,
    /// By whether the bytes begin within a comment outside of records: whether a record begins in
    /// them, and whether they end within a comment.
    outside: [(bool, bool); 2],
}

impl CutRange {
    /// The states for which the range was cut.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = Condition> {
        self.starts.iter().map(|start| start.from)
    }
}

/// The cuts for one state that the bytes before the range may have left.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Start {
    from: Condition,
    to: Condition,
    cuts: Vec<Cut>,
    /// Behind the last cut: whether a comment has begun.
    in_comment: bool,
    /// Where the last record or the open quoted field began, when that is in the range.
    suspect: Option<Position>,
}

/// What the bytes before a place have left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Condition {
    state: State,
    before: Before,
}

/// The end of a record at which a chunk ends.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Cut {
    at: u64,
    /// The line ends in the range before it.
    lines: u64,
    /// A record follows in the range.
    is_followed: bool,
}

impl CutRange {
    /// Cuts the range `bytes`, which begins at `offset` in the file, behind the bytes `before`. The
    /// last five of those are enough. `grid_bytes`: as of the splitter.
    pub fn of(
        dialect: &Dialect,
        grid_bytes: u64,
        offset: u64,
        before: &[u8],
        bytes: &[u8],
    ) -> CutRange {
        CutRange::compared(dialect, grid_bytes, offset, before, bytes, PIECE_BYTES)
    }

    /// The same, with states that are compared whenever so many bytes have passed.
    fn compared(
        dialect: &Dialect,
        grid_bytes: u64,
        offset: u64,
        before: &[u8],
        bytes: &[u8],
        piece_bytes: usize,
    ) -> CutRange {
        let mut follower = Follower::new(dialect, grid_bytes, offset, before);
        bytes.chunks(piece_bytes).for_each(|piece| drop(follower.push(piece)));
        follower.cut_range()
    }
}

/// Follows all states through a range while its bytes come by. A state that comes to where another
/// one is takes over the rest of its way; a state that finds no end of its row is dropped.
pub(crate) struct Follower {
    range: CutRange,
    comment: Option<u8>,
    /// The states that are apart from each other.
    pub(crate) candidates: Vec<Candidate>,
    met: Vec<(Candidate, Meeting)>,
}

impl Follower {
    pub(crate) fn new(dialect: &Dialect, grid_bytes: u64, offset: u64, before: &[u8]) -> Follower {
        let rules = dialect.rules();
        let after_cr = before.last() == Some(&b'\r');
        let candidates = possible(&rules, before).into_iter().map(|from| Candidate {
            from,
            splitter: Splitter::at(dialect, grid_bytes, offset, from, after_cr),
            chunks: Vec::new(),
        });
        let range = CutRange {
            offset,
            end: offset,
            grid_bytes,
            starts: Vec::new(),
            lines: LineCounter::after(after_cr),
            outside: [(false, false), (false, true)],
        };
        Follower {
            range,
            comment: rules.comment,
            candidates: candidates.collect(),
            met: Vec::new(),
        }
    }

    /// Begins where a record begins, as the splitter does at the first one.
    pub(crate) fn at_record(dialect: &Dialect, grid_bytes: u64, offset: u64) -> Follower {
        let from = Condition { state: State::Open, before: Before::new() };
        let mut splitter = Splitter::at(dialect, grid_bytes, offset, from, false);
        splitter.start_chunk(offset);
        let candidates = vec![Candidate { from, splitter, chunks: Vec::new() }];
        Follower { candidates, ..Follower::new(dialect, grid_bytes, offset, b"\n") }
    }

    /// Takes the range's next bytes, and compares the states behind them. Gives those that came to
    /// where another one is, each with that one.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Vec<(Condition, Condition)> {
        self.range.end += piece.len() as u64;
        self.range.lines.feed(piece);
        for (begins_record, in_comment) in &mut self.range.outside {
            *begins_record =
                *begins_record || find_record(piece, self.comment, in_comment).is_some();
        }
        self.candidates.retain_mut(|candidate| candidate.push(piece).is_ok());
        let (mut apart, mut meetings): (Vec<Candidate>, _) = (Vec::new(), Vec::new());
        for candidate in std::mem::take(&mut self.candidates) {
            match apart.iter().find(|other| other.is_where(&candidate)) {
                Some(other) => {
                    meetings.push((candidate.from, other.from));
                    let meeting = Meeting::with(other);
                    self.met.push((candidate, meeting));
                }
                None => apart.push(candidate),
            }
        }
        self.candidates = apart;
        meetings
    }

    /// The chunks that are complete in a state's way, up to where it came to another one. The first
    /// begins before the range.
    pub(crate) fn chunks(&self, from: Condition) -> &[Chunk] {
        let met = self.met.iter().map(|(candidate, _)| candidate);
        let mut all = self.candidates.iter().chain(met);
        all.find(|candidate| candidate.from == from).map_or(&[], |candidate| &candidate.chunks)
    }

    /// The range as far as it has come by.
    pub(crate) fn cut_range(&self) -> CutRange {
        let mut starts: Vec<Start> = self.candidates.iter().map(Candidate::start).collect();
        // A state that was met may have met a third later on, so the last meetings come first.
        for (candidate, meeting) in self.met.iter().rev() {
            let way = starts.iter().find(|start| start.from == meeting.with).cloned();
            starts.extend(way.map(|way| {
                let cuts = [candidate.cuts(), way.cuts[meeting.cuts..].to_vec()].concat();
                Start { from: candidate.from, cuts, ..way }
            }));
        }
        CutRange { starts, ..self.range.clone() }
    }
}

/// A state that is followed through a range.
pub(crate) struct Candidate {
    pub(crate) from: Condition,
    pub(crate) splitter: Splitter,
    /// The chunks that are complete. The first one begins before the range.
    pub(crate) chunks: Vec<Chunk>,
}

/// Where a candidate has come to where another is.
struct Meeting {
    /// The other's beginning.
    with: Condition,
    /// The other's cuts before the meeting.
    cuts: usize,
}

impl Meeting {
    fn with(other: &Candidate) -> Meeting {
        Meeting { with: other.from, cuts: other.cuts().len() }
    }
}

impl Candidate {
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<(), CsvError> {
        self.chunks.extend(self.splitter.push(piece)?);
        Ok(())
    }

    /// Where the first chunk begins that is not complete.
    pub(crate) fn kept_from(&self) -> u64 {
        let held = self.splitter.held.chunks().next();
        held.map_or(self.splitter.chunk_start, |chunk| chunk.offset)
    }

    /// Whether all that comes will be the same for both.
    fn is_where(&self, other: &Candidate) -> bool {
        let (own, other) = (&self.splitter, &other.splitter);
        own.condition() == other.condition()
            && (own.chunk_start, own.due, own.cut_after_cr)
                == (other.chunk_start, other.due, other.cut_after_cr)
            && own.suspect == other.suspect
            && own.held.is_empty()
            && other.held.is_empty()
    }

    fn cuts(&self) -> Vec<Cut> {
        let chunks = self.chunks.iter().map(|chunk| (chunk, true));
        let chunks: Vec<(&Chunk, bool)> =
            chunks.chain(self.splitter.held.chunks().map(|chunk| (chunk, false))).collect();
        let behind = chunks.iter().skip(1).map(|(chunk, _)| chunk.first_line);
        let lines = behind.chain([self.splitter.chunk_line]).map(|line| line - 1);
        let cuts = chunks.iter().zip(lines);
        cuts.map(|((chunk, is_followed), lines)| Cut {
            at: chunk.offset + chunk.len,
            lines,
            is_followed: *is_followed,
        })
        .collect()
    }

    fn start(&self) -> Start {
        let Splitter { suspect, held, .. } = &self.splitter;
        Start {
            from: self.from,
            to: self.splitter.condition(),
            cuts: self.cuts(),
            in_comment: held.is_in_comment(),
            suspect: (suspect.line > 0).then(|| suspect.clone()),
        }
    }
}

/// What the bytes before a range may have left. What is not among it is possible, but rare.
fn possible(rules: &Rules, before: &[u8]) -> Vec<Condition> {
    let raw = &before[before.len().saturating_sub(BEFORE_BYTES)..];
    let remembered = |plain| {
        let mut before = Before::new();
        before.feed(raw, plain);
        before
    };
    let last = remembered(super::NOWHERE).last();
    let mut states = vec![State::Open];
    let mut may = |state, is_possible: bool| states.extend(is_possible.then_some(state));
    may(State::Comment, rules.comment.is_some() && !is_line_end(last));
    may(State::Quoted, rules.quote.is_some());
    may(State::QuotedQuote, rules.quote == Some(last));
    may(State::Escaped, rules.escape == Some(last));
    // A line end behind an escape may be part of a field.
    let is_escaped = |at: &usize| is_line_end(raw[*at]) && Some(raw[at - 1]) == rules.escape;
    let all_before = (1..raw.len()).filter(is_escaped).map(remembered);
    let all_before: Vec<Before> = all_before.chain([remembered(super::NOWHERE)]).collect();
    let of = |before| states.iter().map(move |state| Condition { state: *state, before });
    all_before.into_iter().flat_map(of).collect()
}

impl Splitter {
    /// A splitter that begins at `offset`, where the next end of a record is due to end a chunk.
    fn at(
        dialect: &Dialect,
        grid_bytes: u64,
        offset: u64,
        from: Condition,
        after_cr: bool,
    ) -> Splitter {
        let is_outside = matches!(from.state, State::Open | State::Comment);
        Splitter {
            preamble: None,
            state: from.state,
            before: from.before,
            cut_after_cr: is_outside && from.before.last() == b'\r',
            offset,
            lines: LineCounter::after(after_cr),
            lines_counted_to: offset,
            chunk_start: offset,
            due: offset,
            ..Splitter::new(dialect, grid_bytes)
        }
    }

    pub(crate) fn condition(&self) -> Condition {
        Condition { state: self.state, before: self.before }
    }

    /// Takes over the cuts of the file's next bytes, and returns the chunks that are complete now,
    /// as [`Splitter::push`] would. `None`: the bytes have to be pushed, as the range was not cut
    /// for what the bytes before it have left, is not the next one of this file's grid, or has a
    /// mistake.
    pub fn take(&mut self, range: &CutRange) -> Option<Vec<Chunk>> {
        let start = self.way_through(range)?;
        let mut chunks = Vec::new();
        let (begins_record, ends_in_comment) =
            range.outside[usize::from(self.held.is_in_comment())];
        self.held.go_on(begins_record, ends_in_comment, &mut chunks);
        let lines_before = self.lines.without_cr();
        for cut in start.cuts_from(self.due) {
            self.end_chunk(cut.at, lines_before + cut.lines);
            self.held.go_on(cut.is_followed, start.in_comment, &mut chunks);
        }
        if let Some(suspect) = &start.suspect {
            self.suspect = Position { line: suspect.line + lines_before, ..suspect.clone() };
        }
        self.lines = range.lines.behind(lines_before);
        (self.state, self.before) = (start.to.state, start.to.before);
        (self.offset, self.lines_counted_to) = (range.end, range.end);
        let is_outside = matches!(self.state, State::Open | State::Comment);
        self.cut_after_cr = is_outside && self.before.last() == b'\r' && self.offset >= self.due;
        Some(chunks)
    }

    /// The way from where this splitter is, when no row on it is too long.
    fn way_through<'r>(&self, range: &'r CutRange) -> Option<&'r Start> {
        let is_next = self.preamble.is_none()
            && (range.offset, range.grid_bytes) == (self.offset, self.grid_bytes);
        let start = range.starts.iter().find(|start| start.from == self.condition())?;
        let first_end = start.cuts_from(self.due).next().map_or(range.end, |cut| cut.at);
        (is_next && self.check_length(first_end).is_ok()).then_some(start)
    }
}

impl Start {
    /// The cuts of a chunk that is to end at `due` or behind it, and those after them.
    // The first end of a record in the range is a cut here, whether or not it is due.
    fn cuts_from(&self, due: u64) -> impl Iterator<Item = &Cut> {
        self.cuts.iter().skip_while(move |cut| cut.at < due)
    }
}

#[cfg(test)]
mod tests;
