//! The spool: a file that has been read once, kept in a temporary file.
//!
//! In: a chunk, or the numbers of records. Out: the chunk's bytes, or the records as they stand in
//! the file.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use loader_csv::{
    Broken, Chunk, CsvError, CsvErrorKind, Dialect, FileProfile, Header, Position, ProfileMerge,
    describe_broken,
};
use loader_model::choices::FileFormat;
use loader_model::column_type::ColumnType;
use loader_model::error::{Context, Kind, Result};
use loader_model::max_rejects::MaxRejects;
use loader_sandbox::HostValues;
use serde::{Deserialize, Serialize};

use super::file_spec::FileSpec;
use super::notices::notices;
use crate::column_spec::ColumnSpec;
use crate::content::Source;
use crate::encoding::Encoding;
use crate::read_at::{ReadAt, not_read};
use crate::stored::StoredObject;

/// A file that was read to its end.
pub struct Spool {
    /// The content, decompressed and in UTF-8, and where it comes from.
    pub(crate) source: Source,
    pub header: Header,
    pub profile: FileProfile,
    /// What the profile is made of, to be put together with that of other files.
    pub(crate) facts: ProfileMerge,
    /// How the file was read.
    pub dialect: Dialect,
    /// What the user says of the columns, by their places in the header.
    pub columns: Vec<Option<ColumnSpec>>,
    /// What the user says of columns of all tables that this file does not name.
    pub unplaced: Vec<ColumnSpec>,
    /// The types that the file gives its columns, by their places in the header; past its end,
    /// none.
    pub types: Vec<Option<ColumnType>>,
    /// Where the file has values of different kinds in a column, in words; by the same places.
    pub mixed: Vec<Option<String>>,
    /// What was noticed before the records were read.
    pub(super) notices_before: Vec<String>,
    pub chunks: Vec<SpooledChunk>,
    pub size_bytes: u64,
    /// The object that is read again where it is stored; `None`: the rows were copied.
    pub in_place: Option<StoredObject>,
}

/// A chunk and the number of its first record.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct SpooledChunk {
    pub(crate) chunk: Chunk,
    pub(crate) first_record: u64,
}

/// A record as it stands in the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct SourceRecord {
    pub(crate) position: Position,
    pub(crate) text: Vec<u8>,
}

impl SpooledChunk {
    /// The records of the chunk that cannot be read. `bytes` are the chunk's.
    pub(crate) fn broken<'a>(
        &'a self,
        bytes: &'a [u8],
        header: &'a Header,
    ) -> impl Iterator<Item = Broken> + 'a {
        describe_broken(bytes, &self.chunk, header, self.first_record)
    }
}

impl SpooledChunk {
    /// The bytes of the chunk.
    pub(crate) fn len(&self) -> u64 {
        self.chunk.len
    }

    /// Where the chunk begins and ends in the text.
    pub(crate) fn range(&self) -> Range<u64> {
        self.chunk.offset..self.chunk.offset + self.chunk.len
    }
}

impl Spool {
    /// Some chunks of a file that was read elsewhere. Errors: `Config` for an encoding that this
    /// program does not have.
    pub(crate) fn of_chunks(
        file: &FileSpec,
        chunks: Vec<SpooledChunk>,
        copy: Arc<dyn ReadAt>,
    ) -> Result<Spool> {
        let encoding = Encoding::of_label(&file.encoding)?;
        let facts = ProfileMerge::new(&file.header);
        let profile = facts.clone().finish();
        Ok(Spool {
            source: Source::of_elsewhere(encoding, copy),
            header: file.header.clone(),
            profile,
            facts,
            dialect: file.dialect.clone(),
            columns: file.columns.clone(),
            unplaced: Vec::new(),
            types: Vec::new(),
            mixed: Vec::new(),
            notices_before: Vec::new(),
            size_bytes: chunks.iter().map(SpooledChunk::len).sum(),
            chunks,
            in_place: None,
        })
    }

    /// What tasks need to know of the file. `max_rejects`: of its rows.
    pub fn spec(&self, values: HostValues, max_rejects: MaxRejects) -> FileSpec {
        FileSpec {
            dialect: self.dialect.clone(),
            encoding: self.encoding().to_owned(),
            columns: self.columns.clone(),
            header: self.header.clone(),
            values,
            max_rejected: max_rejects.of(self.profile.records),
        }
    }

    /// What a person should look at in the file.
    pub fn notices(&self) -> Vec<String> {
        let mut notices = notices(&self.profile.oddities);
        notices.extend(self.source.notices());
        notices.extend(self.notice_of_bytes());
        notices.splice(0..0, self.notices_before.iter().cloned());
        notices
    }

    /// The name of the file's encoding.
    pub fn encoding(&self) -> &'static str {
        self.source.encoding().name()
    }

    /// The file's format.
    pub fn format(&self) -> FileFormat {
        self.source.format()
    }

    /// What to do where rows are set aside because of their bytes: the file may well be in another
    /// encoding than it is read in. `None`: there are no such rows.
    fn notice_of_bytes(&self) -> Option<String> {
        let of_bytes = |kind: &CsvErrorKind| *kind == CsvErrorKind::InvalidUtf8;
        let rows = |spooled: &SpooledChunk| {
            let broken = spooled.chunk.sifted.iter().flat_map(|broken| broken.iter());
            broken.filter(|broken| of_bytes(broken.kind())).count()
        };
        let first = self.chunks.iter().find(|spooled| rows(spooled) > 0)?;
        let mut bytes = Vec::new();
        self.read(&first.chunk, &mut bytes).ok()?;
        let error = first.broken(&bytes, &self.header).map(|broken| broken.error);
        let position = error.into_iter().find(|error| of_bytes(&error.kind))?.position;
        let (line, name) = (position.line, self.encoding());
        let fact = match self.chunks.iter().map(rows).sum::<usize>() {
            1 => format!("line {line}: 1 row is set aside"),
            n => format!("from line {line} on: {n} rows are set aside"),
        };
        let advice = self.source.advice(position.byte);
        Some(format!("{fact} because of bytes that are not in {name}; {advice}"))
    }

    /// How many records cannot be read.
    pub(super) fn broken_records(&self) -> u64 {
        let broken =
            |spooled: &SpooledChunk| spooled.chunk.sifted.as_ref().map_or(0, |all| all.len());
        self.chunks.iter().map(|spooled| broken(spooled) as u64).sum()
    }

    /// The first mistakes of records that cannot be read. A chunk that cannot be read again has
    /// none.
    pub(super) fn first_broken(&self, at_most: usize) -> Vec<CsvError> {
        let (mut first, mut buffer) = (Vec::new(), Vec::new());
        for spooled in self.chunks.iter().filter(|spooled| spooled.chunk.sifted.is_some()) {
            if first.len() >= at_most || self.read(&spooled.chunk, &mut buffer).is_err() {
                break;
            }
            let broken = spooled.broken(&buffer, &self.header);
            first.extend(broken.take(at_most - first.len()).map(|broken| broken.error));
        }
        first
    }

    /// The spool with notices that go before its own.
    #[must_use]
    pub fn noting(mut self, notices: Vec<String>) -> Spool {
        self.notices_before.splice(0..0, notices);
        self
    }

    /// The bytes of a chunk.
    pub(crate) fn read(&self, chunk: &Chunk, buffer: &mut Vec<u8>) -> Result<()> {
        read_chunk(self.source.copy(), chunk, buffer)
    }

    /// Whether two records lie in the same chunk.
    pub(crate) fn is_one_chunk(&self, a: u64, b: u64) -> bool {
        let chunk = |record: u64| self.chunks.partition_point(|chunk| chunk.first_record <= record);
        chunk(a) == chunk(b)
    }

    /// Finds records by their numbers, which count from 1 and must ascend. Each chunk is read at
    /// most once. A record that cannot be found again is left out.
    // `next` is the first chunk behind the record, so the record lies in the chunk before it. (For
    // example, with first records 1, 101 and 181, record 150 gives `next` 2 and lies in chunk 1.)
    // Each turn takes at least one number off `rest`, so the loop ends.
    pub(crate) fn records(&self, records: &[u64]) -> BTreeMap<u64, SourceRecord> {
        let (mut found, mut rest, mut buffer) = (BTreeMap::new(), records, Vec::new());
        while let Some(first) = rest.first() {
            let next = self.chunks.partition_point(|chunk| chunk.first_record <= *first);
            let end = self.chunks.get(next).map_or(u64::MAX, |chunk| chunk.first_record);
            let (here, later) = rest.split_at(rest.partition_point(|record| *record < end));
            if let Some(spooled) = next.checked_sub(1).and_then(|at| self.chunks.get(at)) {
                found.extend(self.records_of(spooled, here, &mut buffer));
            }
            rest = later;
        }
        let positions = found.values_mut().map(|record: &mut SourceRecord| &mut record.position);
        if self.source.locate(positions).is_err() {
            found.clear();
        }
        found
    }

    fn records_of(
        &self,
        SpooledChunk { chunk, first_record }: &SpooledChunk,
        records: &[u64],
        buffer: &mut Vec<u8>,
    ) -> Vec<(u64, SourceRecord)> {
        if self.read(chunk, buffer).is_err() {
            return Vec::new();
        }
        let numbers: Vec<u64> = records.iter().map(|record| record - first_record).collect();
        let texts = loader_csv::find_records(buffer, chunk, &self.header, &self.dialect, &numbers);
        let found = texts.into_iter().map(|found| {
            let (record, line, byte) = (first_record + found.number, found.line, found.byte);
            let text = self.source.written(found.bytes, byte);
            (record, SourceRecord { position: Position { record, line, byte, column: None }, text })
        });
        found.collect()
    }
}

/// Reads a chunk of a spooled file into `buffer`, and replaces what the buffer held.
pub(super) fn read_chunk(file: &dyn ReadAt, chunk: &Chunk, buffer: &mut Vec<u8>) -> Result<()> {
    let len =
        usize::try_from(chunk.len).context(Kind::Internal, "a chunk is larger than memory")?;
    buffer.resize(len, 0);
    file.read_exact_at(buffer, chunk.offset).map_err(not_read)
}
