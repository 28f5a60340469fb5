//! Infer: reads the file once, from its beginning to its end, and learns the types of its columns.
//!
//! In: a stream of bytes. Out: the spool, which is the bytes in a temporary file, cut into chunks
//! at record boundaries, and the profile of every column over the whole file. The caller's thread
//! copies and cuts; the workers profile the chunks behind it.

mod notices;
mod profiling;
mod specs;
mod spool;

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZeroUsize;

use loader_csv::{Dialect, Header, ProfileMerge, Splitter};
use loader_model::error::{Context, Error, Kind, Result};
use loader_model::stop::StopFlag;

use crate::column_spec::ColumnSpec;
use crate::decompress::read_failure;
use crate::failures::csv_failure;
use profiling::{CutChunk, profile_behind};
use specs::Placed;

pub(crate) use spool::SourceRecord;
pub use spool::{Spool, SpooledChunk};

/// The bytes of one unit of work: large enough to hide its overhead, and small enough to spread the
/// work and to bound memory. For example, a file of 40 MiB becomes about ten chunks.
const CHUNK_BYTES: u64 = 4 * 1024 * 1024;
const READ_BYTES: usize = 1024 * 1024;

/// How a file is read.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    pub dialect: &'a Dialect,
    /// What the user says of single columns.
    pub columns: &'a [ColumnSpec],
    /// The names that take the place of the header's.
    pub column_names: Option<&'a [String]>,
}

/// Reads `content` to its end on this thread.
///
/// Errors: `Data` with the position of the first mistake in the file; `Config` for what the user
/// says of columns that are not there.
// A file may have two mistakes: a ragged row in chunk 1, and behind it a quote that is never
// closed, which ends the cutting. `profiles.finish()?` comes before `copied?`, because all chunks
// lie before the place where the cutting ended, so their mistake is the first in the file.
pub fn run(
    mut content: impl Read,
    reading: &Reading<'_>,
    workers: NonZeroUsize,
    stop: &StopFlag,
) -> Result<Spool> {
    let dialect = reading.dialect;
    let file = tempfile::tempfile()
        .context(Kind::Internal, "no temporary file can be made; check TMPDIR")?;
    let mut cutter = Cutter::new(reading);
    let (copied, profiles) = profile_behind(&file, dialect, workers, |hand_out| {
        copy(&mut content, &file, &mut cutter, stop, hand_out)
    });
    let (chunks, merge) = profiles.finish()?;
    let size_bytes = copied?;
    let header = cutter.header("a file without header got through")?;
    let profile = merge.unwrap_or_else(|| ProfileMerge::new(&header)).finish();
    let chunks = chunks.into_iter().zip(&profile.first_records);
    let chunks = chunks.map(|(chunk, first)| SpooledChunk { chunk, first_record: *first });
    Ok(Spool {
        file,
        header,
        chunks: chunks.collect(),
        profile,
        dialect: dialect.clone(),
        columns: cutter.placed.by_place,
        unplaced: cutter.placed.unplaced,
        notices_of_columns: cutter.placed.notices,
        size_bytes,
    })
}

/// Copies the content into the spool's file, hands out chunks as they become complete, and returns
/// the number of bytes.
// Bytes are written before the splitter sees them: the workers read a chunk from the file as soon
// as it is handed out. `hand_out` says false after an error in a chunk; then the `Internal` error
// here only ends the loop, and `run` reports the chunk's error instead.
fn copy(
    content: &mut impl Read,
    mut file: &File,
    cutter: &mut Cutter<'_>,
    stop: &StopFlag,
    hand_out: &dyn Fn(CutChunk) -> bool,
) -> Result<u64> {
    let (mut buffer, mut size_bytes) = (vec![0; READ_BYTES], 0);
    loop {
        stop.check()?;
        let n = content.read(&mut buffer).map_err(read_failure)?;
        let bytes = &buffer[..n];
        file.write_all(bytes).context(
            Kind::Internal,
            "the temporary copy of the file cannot be written; is the disk of TMPDIR full?",
        )?;
        size_bytes += n as u64;
        let splitter = &mut cutter.splitter;
        let chunks = if n == 0 { splitter.finish() } else { splitter.push(bytes) };
        for chunk in chunks.map_err(csv_failure)? {
            let header = cutter.header("a chunk came before the header")?;
            if !hand_out((chunk, header)) {
                return Err(Error::new(Kind::Internal, "the profiling threads ended early"));
            }
        }
        if n == 0 {
            return Ok(size_bytes);
        }
    }
}

/// Cuts the file, and reads its columns as the user says.
struct Cutter<'a> {
    reading: &'a Reading<'a>,
    splitter: Splitter,
    /// With the rules of its columns; `None`: it has not been asked for yet.
    header: Option<Header>,
    placed: Placed,
}

impl<'a> Cutter<'a> {
    fn new(reading: &'a Reading<'a>) -> Cutter<'a> {
        let splitter = Splitter::new(reading.dialect, CHUNK_BYTES);
        Cutter { reading, splitter, header: None, placed: Placed::default() }
    }

    /// The header, which the splitter has read by now. `otherwise`: the text of the error if it has
    /// not, which only a mistake in the splitter can cause.
    ///
    /// Errors: as of `specs::place`.
    fn header(&mut self, otherwise: &str) -> Result<Header> {
        if let Some(header) = &self.header {
            return Ok(header.clone());
        }
        let found = self.splitter.header();
        let found = found.ok_or_else(|| Error::new(Kind::Internal, otherwise))?;
        let Reading { dialect, columns, column_names } = self.reading;
        let given = column_names.filter(|names| names.len() == found.names.len());
        let are_known = dialect.header || given.is_some();
        self.placed = specs::place(columns, given.unwrap_or(&found.names), are_known)?;
        Ok(self.header.insert(specs::ruled(found, &self.placed.by_place)).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_found_again_with_their_lines() {
        let csv = "a,b\n1,x\n\"2\n3\",y\n4,z\n";
        let (dialect, stop) = (Dialect::default(), StopFlag::default());
        let reading = Reading { dialect: &dialect, columns: &[], column_names: None };
        let spool = run(csv.as_bytes(), &reading, NonZeroUsize::MIN, &stop).expect("reads");
        assert_eq!((spool.profile.records, spool.size_bytes), (3, csv.len() as u64));
        let found = spool.records(&[2, 3, 9]);
        let found: Vec<(u64, u64, &str)> = found
            .iter()
            .map(|(number, record)| (*number, record.line, record.text.trim_end()))
            .collect();
        assert_eq!(found, [(2, 3, "\"2\n3\",y"), (3, 5, "4,z")]);
    }
}
