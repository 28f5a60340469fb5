//! Which types the columns of one chunk could have.
//!
//! In: the bytes of a chunk. Out: the facts about its columns, which `profile` puts together with those
//! of the chunks before and behind.

use serde::{Deserialize, Serialize};

use crate::chunk::Chunk;
use crate::dialect::Dialect;
use crate::error::CsvError;
use crate::facts::ColumnFacts;
use crate::field::FieldReader;
use crate::header::Header;
use crate::lines::LineCounter;
use crate::mark::Mark;
use crate::oddities::{ChunkOddities, Oddities};
use crate::read_field::Field;
use crate::row_error::RowError;
use crate::rows::{Block, Rows};
use crate::rule::RuleReader;
use crate::text::check_text;

/// The facts about the columns of one chunk. Bytes and lines are those of the file; records count
/// from the chunk's start until the profiles are merged.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChunkProfile {
    records: u64,
    pub(crate) columns: Vec<ColumnFacts>,
    pub(crate) oddities: Oddities,
}

impl ChunkProfile {
    /// The number of records in the chunk.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Takes in the profile of the chunk behind.
    pub(crate) fn append(&mut self, mut next: ChunkProfile) {
        append(&mut self.columns, &mut next.columns, self.records);
        self.records += next.records;
        self.oddities.append(&next.oddities);
    }

    /// The same profile, behind so many lines.
    pub(crate) fn behind_lines(mut self, lines: u64) -> ChunkProfile {
        let marks = self.columns.iter_mut().flat_map(ColumnFacts::marks);
        marks.for_each(|mark| mark.line += lines);
        self.oddities.move_behind(lines);
        self
    }
}

/// Takes in the facts about the chunk behind, which `records` stand in front of.
pub(crate) fn append(columns: &mut [ColumnFacts], next: &mut [ColumnFacts], records: u64) {
    for (column, next) in columns.iter_mut().zip(next) {
        next.marks().for_each(|mark| mark.record += records);
        column.append(next);
    }
}

/// Reads a chunk once and learns its columns. `bytes` are the chunk's.
///
/// Errors: the first mistake in the chunk. Its record is counted from the chunk's start;
/// [`FileProfile::merge`](crate::FileProfile::merge) and [`CsvError::after_records`] make it count
/// from the file's.
pub fn profile_chunk(
    bytes: &[u8],
    chunk: &Chunk,
    header: &Header,
    dialect: &Dialect,
) -> Result<ChunkProfile, CsvError> {
    let zeros = |place: usize| header.rule(place).and_then(|rule| rule.leading_zeros);
    let mut columns: Vec<ColumnFacts> = (0..header.names.len())
        .map(|place| ColumnFacts::new(zeros(place).unwrap_or(dialect.leading_zeros)))
        .collect();
    let (records, oddities) = learn(&mut columns, bytes, chunk, header, dialect)
        .map_err(|error| error.locate(bytes, chunk.offset, chunk.first_line, &header.names))?;
    let mut marks: Vec<&mut Mark> = columns.iter_mut().flat_map(ColumnFacts::marks).collect();
    place(&mut marks, bytes, chunk);
    Ok(ChunkProfile { records, columns, oddities: oddities.place(bytes, chunk) })
}

/// Shows all records to the facts of their columns; returns the number of records, and what was
/// left out.
// `check_text` comes first, so that every field below is UTF-8 without NUL. It looks for earlier
// ragged rows by itself, so that the first mistake in the chunk is still the one reported.
fn learn(
    columns: &mut [ColumnFacts],
    bytes: &[u8],
    chunk: &Chunk,
    header: &Header,
    dialect: &Dialect,
) -> Result<(u64, ChunkOddities), RowError> {
    let rules = dialect.rules();
    // A chunk that was sifted has been checked, and its broken records are passed over.
    if chunk.sifted.is_none() {
        check_text(bytes, &rules, &header.records(chunk))?;
    }
    let mut rows = Rows::new(bytes, rules, header, chunk);
    let mut block = Block::default();
    let mut observer = Observer::new(header, dialect);
    while rows.fill(&mut block)? {
        for (column, facts) in columns.iter_mut().enumerate() {
            observer.show(facts, &bytes[block.base..], &block, column);
        }
    }
    Ok((rows.records(), rows.oddities()))
}

struct Observer {
    reader: FieldReader,
    /// One per column; `None`: the column is read as all are.
    rules: Vec<Option<RuleReader>>,
    scratch: Vec<u8>,
}

impl Observer {
    fn new(header: &Header, dialect: &Dialect) -> Observer {
        let rules = (0..header.names.len()).map(|place| RuleReader::new(header, place, dialect));
        Observer { reader: FieldReader::new(dialect), rules: rules.collect(), scratch: Vec::new() }
    }

    /// Shows one column of a block to its facts. `bytes` begin at the block's base.
    fn show(&mut self, facts: &mut ColumnFacts, bytes: &[u8], block: &Block, column: usize) {
        if let Some(reader) = &mut self.rules[column] {
            return show_by_rule(facts, bytes, block, column, (reader, &mut self.scratch));
        }
        if facts.only_lengths() && !block.quoted && self.reader.keeps_lengths() {
            return show_lengths(facts, bytes, block, column);
        }
        for (row, (start, end)) in block.column(column).enumerate() {
            match self.reader.read(&bytes[start..end], &mut self.scratch) {
                Field::Null => facts.nulls += 1,
                Field::QuotedEmpty => facts.quoted_empty += 1,
                Field::Text(text) => facts.value(text, || mark(block, row, start)),
            }
        }
    }
}

/// As [`Observer::show`], for a column with a rule. Fields that it refuses are shown to no fact.
fn show_by_rule(
    facts: &mut ColumnFacts,
    bytes: &[u8],
    block: &Block,
    column: usize,
    (reader, scratch): (&mut RuleReader, &mut Vec<u8>),
) {
    for (row, (start, end)) in block.column(column).enumerate() {
        match reader.read(&bytes[start..end], scratch) {
            None => (),
            Some(Field::Null) => facts.nulls += 1,
            Some(Field::QuotedEmpty) => facts.quoted_empty += 1,
            Some(Field::Text(text)) => facts.value(text, || mark(block, row, start)),
        }
    }
}

/// As [`Observer::show`], where only the lengths of values matter and a value is as long as its
/// field. Without quotes and null tokens, an empty field is the only NULL.
fn show_lengths(facts: &mut ColumnFacts, bytes: &[u8], block: &Block, column: usize) {
    for (row, (start, end)) in block.column(column).enumerate() {
        let is_null = start == end;
        facts.nulls += u64::from(is_null);
        facts.values += u64::from(!is_null);
        facts.ends(&bytes[start..end]);
        facts.length(end - start, || mark(block, row, start));
    }
}

#[inline(always)]
fn mark(block: &Block, row: usize, start: usize) -> Mark {
    Mark { record: block.first_row + row as u64, byte: (block.base + start) as u64, line: 0 }
}

/// Gives marks their lines, and makes their bytes those of the file.
fn place(marks: &mut [&mut Mark], bytes: &[u8], chunk: &Chunk) {
    marks.sort_unstable_by_key(|mark| mark.byte);
    let mut lines = LineCounter::default();
    let mut counted = 0;
    for mark in marks {
        lines.feed(&bytes[counted..mark.byte as usize]);
        counted = mark.byte as usize;
        mark.line = chunk.first_line + lines.count();
        mark.byte += chunk.offset;
    }
}
