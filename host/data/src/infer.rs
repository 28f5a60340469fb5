//! Infer: reads the file once, from its beginning to its end, and learns the types of its columns.
//!
//! In: a stream of bytes. Out: the spool, which is the bytes in a temporary file, cut into chunks
//! at record boundaries, and the profile of every column over the whole file. The caller's thread
//! copies and cuts; the workers profile the chunks behind it.

mod notices;
mod profiling;
mod sifting;
mod specs;
mod spool;

use std::io::{Read, Write};
use std::num::NonZeroUsize;

use loader_csv::{Chunk, CsvError, CsvErrorKind, Dialect, Header, ProfileMerge, Splitter};
use loader_model::error::{Context, Error, Kind, Result};
use loader_model::max_rejects::MaxRejects;
use loader_model::stop::StopFlag;

use crate::column_spec::ColumnSpec;
use crate::decompress::read_failure;
use crate::encoding::{Content, Source};
use crate::failures::{csv_failure, wrong_column_names};
use profiling::{CutChunk, MergedProfiles, ProfileFailure, profile_behind};
use sifting::Sifting;
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
    /// Rows that may be rejected. Where there may be some, rows that cannot be read are set aside.
    pub max_rejects: MaxRejects,
}

/// Reads `content` to its end on this thread.
///
/// Errors: `Data` with the position of the first mistake in the source, or with the first ones where
/// more rows cannot be read than may be rejected; `Config` for what the user says of columns that
/// are not there.
// A file may have two mistakes: a ragged row in chunk 1, and behind it a quote that is never
// closed, which ends the cutting. The profiles' mistake counts before that of the cutting, because
// all chunks lie before the place where the cutting ended, so their mistake is the first.
pub fn run(
    content: Content,
    reading: &Reading<'_>,
    workers: NonZeroUsize,
    stop: &StopFlag,
) -> Result<Spool> {
    let Content { mut text, source } = content;
    let mut cutter = Cutter::new(reading, &source);
    let first = MergedProfiles::default();
    let (copied, mut profiles) =
        profile_behind(source.copy(), reading.dialect, workers, first, |hand_out| {
            copy(&mut text, &mut cutter, stop, hand_out)
        });
    let mistake = match profiles.take_failure() {
        Some(ProfileFailure::Spool(error)) => return Err(error),
        Some(ProfileFailure::Mistake(mistake)) => Some(mistake),
        None => None,
    };
    if let Some(mistake) = &mistake
        && !reading.max_rejects.allows_any()
    {
        return Err(failure(mistake.clone(), reading, &source));
    }
    let Copied { size_bytes, mistake: of_cut } = copied?;
    let header = cutter.header("a file without header got through")?;
    if mistake.or(of_cut).is_some() {
        let sifting =
            Sifting { source: &source, size_bytes, header: &header, reading, workers, stop };
        profiles = sifting.go_on(profiles)?;
    }
    let (chunks, merge) = profiles.finish(&source)?;
    let mut profile = merge.unwrap_or_else(|| ProfileMerge::new(&header)).finish();
    source.locate(profile.positions().map(|position| &mut position.byte))?;
    let chunks = chunks.into_iter().zip(&profile.first_records);
    let chunks = chunks.map(|(chunk, first)| SpooledChunk { chunk, first_record: *first });
    let spool = Spool {
        header,
        chunks: chunks.collect(),
        profile,
        dialect: reading.dialect.clone(),
        columns: cutter.placed.by_place,
        unplaced: cutter.placed.unplaced,
        notices_of_columns: cutter.placed.notices,
        source: source.clone(),
        size_bytes,
    };
    sifting::judge(&spool, reading.max_rejects)?;
    Ok(spool)
}

/// The error of the first mistake in a file.
fn failure(mistake: CsvError, reading: &Reading<'_>, source: &Source) -> Error {
    let names = reading.column_names.filter(|_| !reading.dialect.header);
    match (&mistake.kind, names) {
        (CsvErrorKind::RaggedRow { found, .. }, Some(names)) if mistake.position.record == 1 => {
            let columns: Vec<String> = (1..=*found).map(|n| format!("column_{n}")).collect();
            wrong_column_names(names.len(), &columns)
        }
        _ => csv_failure(mistake, source),
    }
}

/// A file in the spool.
struct Copied {
    size_bytes: u64,
    /// What ended the cutting, where rows may be rejected.
    mistake: Option<CsvError>,
}

/// Copies the text into the temporary file, and hands out chunks as they become complete.
// Bytes are written before the splitter sees them: the workers read a chunk from the file as soon
// as it is handed out. `hand_out` says false after an error in a chunk. Then the `Internal` error
// here only ends the loop, and `run` reports the chunk's error instead; but where rows may be
// rejected, the rest of the file is still copied.
fn copy(
    text: &mut impl Read,
    cutter: &mut Cutter<'_>,
    stop: &StopFlag,
    hand_out: &dyn Fn(CutChunk) -> bool,
) -> Result<Copied> {
    let mut file = cutter.source.copy();
    let (mut buffer, mut size_bytes) = (vec![0; READ_BYTES], 0);
    loop {
        stop.check()?;
        let n = text.read(&mut buffer).map_err(read_failure)?;
        let bytes = &buffer[..n];
        file.write_all(bytes).context(
            Kind::Internal,
            "the temporary copy of the file cannot be written; is the disk of TMPDIR full?",
        )?;
        size_bytes += n as u64;
        for chunk in cutter.cut(bytes)? {
            let header = cutter.header("a chunk came before the header")?;
            if !hand_out((chunk, header)) {
                cutter.end()?;
                break;
            }
        }
        if n == 0 {
            return Ok(Copied { size_bytes, mistake: cutter.mistake.take() });
        }
    }
}

/// Cuts the file, and reads its columns as the user says.
struct Cutter<'a> {
    reading: &'a Reading<'a>,
    source: &'a Source,
    splitter: Splitter,
    /// With the rules of its columns; `None`: it has not been asked for yet.
    header: Option<Header>,
    placed: Placed,
    /// The file is cut no further, but copied to its end.
    has_ended: bool,
    /// The mistake that ended the cutting.
    mistake: Option<CsvError>,
}

impl<'a> Cutter<'a> {
    fn new(reading: &'a Reading<'a>, source: &'a Source) -> Cutter<'a> {
        Cutter {
            reading,
            source,
            splitter: Splitter::new(reading.dialect, CHUNK_BYTES),
            header: None,
            placed: Placed::default(),
            has_ended: false,
            mistake: None,
        }
    }

    /// The chunks that are complete with the file's next bytes; none are its end.
    ///
    /// Errors: `Data` for a mistake in the header, and for any other where no row may be rejected.
    fn cut(&mut self, bytes: &[u8]) -> Result<Vec<Chunk>> {
        if self.has_ended {
            return Ok(Vec::new());
        }
        let splitter = &mut self.splitter;
        let cut = if bytes.is_empty() { splitter.finish() } else { splitter.push(bytes) };
        match cut {
            Ok(chunks) => Ok(chunks),
            Err(mistake)
                if splitter.header().is_none() || !self.reading.max_rejects.allows_any() =>
            {
                Err(csv_failure(mistake, self.source))
            }
            Err(mistake) => {
                (self.has_ended, self.mistake) = (true, Some(mistake));
                Ok(Vec::new())
            }
        }
    }

    /// Cuts the file no further, since a chunk has a mistake.
    fn end(&mut self) -> Result<()> {
        self.has_ended = true;
        match self.reading.max_rejects.allows_any() {
            true => Ok(()),
            false => Err(Error::new(Kind::Internal, "the profiling threads ended early")),
        }
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
        let Reading { dialect, columns, column_names, .. } = self.reading;
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
        let max_rejects = MaxRejects::default();
        let reading = Reading { dialect: &dialect, columns: &[], column_names: None, max_rejects };
        let content = Content::of(Box::new(csv.as_bytes()), None).expect("text");
        let spool = run(content, &reading, NonZeroUsize::MIN, &stop).expect("reads");
        assert_eq!((spool.profile.records, spool.size_bytes), (3, csv.len() as u64));
        let found = spool.records(&[2, 3, 9]);
        let found: Vec<(u64, u64, &[u8])> =
            found.iter().map(|(number, record)| (*number, record.line, &*record.text)).collect();
        assert_eq!(found, [(2, 3, &b"\"2\n3\",y"[..]), (3, 5, b"4,z")]);
    }
}
