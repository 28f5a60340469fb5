//! Infer: reads the file once, from its beginning to its end, and learns the types of its columns.
//!
//! In: a stream of bytes. Out: the spool, which is the bytes in a temporary file, cut into chunks
//! at record boundaries, and the profile of every column over the whole file. The caller's thread
//! copies and cuts; the workers profile the chunks behind it.

mod copied;
mod cutter;
mod file_spec;
mod first_line;
mod footer;
mod notices;
mod profiling;
mod ranges;
mod reading;
mod sifting;
mod specs;
mod spool;
mod tables;

use std::fs::File;
use std::io::Read;
use std::num::NonZeroUsize;
use std::sync::Arc;

use loader_csv::{CsvError, CsvErrorKind, ProfileMerge};
use loader_model::error::{Error, Result};
use loader_model::stop::StopFlag;

use crate::content::{Content, Source};
use crate::decompress::read_failure;
use crate::failures::{csv_failure, wrong_column_names};
use crate::temporary;
use copied::Copied;
use cutter::Cutter;
use first_line::FirstLine;
use profiling::{MergedProfiles, ProfileFailure, Profilers, profile_behind};
use sifting::Sifting;

pub use file_spec::FileSpec;
pub use footer::Footer;
pub use ranges::{LearnSpec, LearnTask, Learner, Ranges};
pub use reading::Reading;
pub(crate) use spool::SourceRecord;
pub use spool::{Spool, SpooledChunk};

const READ_BYTES: usize = 1024 * 1024;

/// Reads `content` to its end on this thread; with `ranges`, the rows are read elsewhere.
///
/// Errors: `Data` with the position of the first mistake in the source, or with the first ones
/// where more rows cannot be read than may be rejected; `Config` for what the user says of columns
/// that are not there.
// A file may have two mistakes: a ragged row in chunk 1, and behind it a quote that is never
// closed, which ends the cutting. The profiles' mistake counts before that of the cutting, because
// all chunks lie before the place where the cutting ended, so their mistake is the first.
pub fn run(
    content: Content,
    reading: &Reading<'_>,
    ranges: Option<&Ranges>,
    workers: NonZeroUsize,
    stop: &StopFlag,
) -> Result<Spool> {
    let Content { text, source, copy: file, columns } = content;
    let FirstLine { mut text, dialect, notice } = match &columns {
        None => FirstLine::of(text, reading.dialect)?,
        Some(_) => FirstLine::of_rows(text, reading.dialect),
    };
    let reading = &Reading { dialect: &dialect, ..*reading };
    let ranges = ranges.filter(|_| !dialect.is_sequential());
    let source = match ranges {
        Some(ranges) => source.in_place(Arc::clone(&ranges.copy)),
        None => source,
    };
    let mut cutter = Cutter::new(reading, &source, columns.as_ref());
    let first = MergedProfiles::default();
    let (copied, mut profiles) =
        profile_behind(source.copy(), reading.dialect, workers, first, |profilers| match ranges {
            Some(ranges) => ranges::run(ranges, &mut text, &mut cutter, stop, profilers),
            None => copy(&mut text, &file, &mut cutter, stop, profilers),
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
    let Copied { size_bytes, body_bytes, mistake: of_cut } = copied?;
    source.check_encoding()?;
    let header = cutter.header("a file without header got through")?;
    if mistake.or(of_cut).is_some() || dialect.is_sequential() {
        let sifting =
            Sifting { source: &source, body_bytes, header: &header, reading, workers, stop };
        profiles = sifting.go_on(profiles)?;
    }
    let (chunks, merge) = profiles.finish(&source)?;
    let facts = merge.unwrap_or_else(|| ProfileMerge::new(&header));
    let mut profile = facts.clone().finish();
    source.locate(profile.positions())?;
    let chunks = chunks.into_iter().zip(&profile.first_records);
    let chunks = chunks.map(|(chunk, first)| SpooledChunk { chunk, first_record: *first });
    let (types, mixed) = columns.map(|columns| (columns.types, columns.mixed)).unwrap_or_default();
    let spool = Spool {
        header,
        chunks: chunks.collect(),
        profile,
        facts,
        dialect: reading.dialect.clone(),
        columns: cutter.placed.by_place,
        unplaced: cutter.placed.unplaced,
        types,
        mixed,
        notices_before: notice
            .into_iter()
            .chain(cutter.tail.notice())
            .chain(cutter.placed.notices)
            .collect(),
        source: source.clone(),
        size_bytes,
        in_place: ranges.map(|ranges| ranges.object.clone()),
    };
    sifting::judge(&spool, reading.max_rejects)?;
    match tables::of_same_width(&spool) {
        Some(refusal) => Err(refusal),
        None => Ok(spool),
    }
}

/// The error of the first mistake in a file.
fn failure(mistake: CsvError, reading: &Reading<'_>, source: &Source) -> Error {
    let names = reading.column_names.filter(|_| !reading.dialect.header);
    match (&mistake.kind, names) {
        (CsvErrorKind::RaggedRow { found, .. }, Some(names)) if mistake.position.record == 1 => {
            let columns: Vec<String> = (1..=*found).map(|n| format!("column_{n}")).collect();
            wrong_column_names(names.len(), &columns)
        }
        _ => tables::refusal(&mistake, source, reading.dialect)
            .unwrap_or_else(|| csv_failure(mistake, source)),
    }
}

/// Copies the text into the temporary file, and hands out chunks as they become complete.
// Bytes are written before the splitter sees them: the workers read a chunk from the file as soon
// as it is handed out. `profilers` say false after an error in a chunk. Then the `Internal` error
// here only ends the loop, and `run` reports the chunk's error instead; but where rows may be
// rejected, the rest of the file is still copied.
fn copy(
    text: &mut impl Read,
    file: &File,
    cutter: &mut Cutter<'_>,
    stop: &StopFlag,
    profilers: &Profilers<'_>,
) -> Result<Copied> {
    let (mut buffer, mut size_bytes) = (vec![0; READ_BYTES], 0);
    loop {
        stop.check()?;
        let n = text.read(&mut buffer).map_err(read_failure)?;
        let bytes = &buffer[..n];
        temporary::write(file, bytes)?;
        size_bytes += n as u64;
        for chunk in cutter.cut(bytes)? {
            let header = cutter.header("a chunk came before the header")?;
            if !profilers.profile((chunk, header)) {
                cutter.end()?;
                break;
            }
        }
        if n == 0 {
            let body_bytes = size_bytes - cutter.tail.footer_bytes();
            return Ok(Copied { size_bytes, body_bytes, mistake: cutter.mistake.take() });
        }
    }
}

#[cfg(test)]
mod tests {
    use loader_csv::Dialect;
    use loader_model::choices::FileFormat;
    use loader_model::max_rejects::MaxRejects;

    use super::*;

    fn content(text: &str) -> Content {
        let text = std::io::Cursor::new(text.to_owned());
        let content = Content::of(Box::new(text), None, FileFormat::Auto, &StopFlag::default());
        content.expect("text")
    }

    #[test]
    fn records_are_found_again_with_their_lines() {
        let csv = "a,b\n1,x\n\"2\n3\",y\n4,z\n";
        let (dialect, stop) = (Dialect::default(), StopFlag::default());
        let max_rejects = MaxRejects::default();
        let reading = Reading {
            dialect: &dialect,
            columns: &[],
            column_names: None,
            max_rejects,
            footer: None,
        };
        let content = content(csv);
        let spool = run(content, &reading, None, NonZeroUsize::MIN, &stop).expect("reads");
        assert_eq!((spool.profile.records, spool.size_bytes), (3, csv.len() as u64));
        let found = spool.records(&[2, 3, 9]);
        let found: Vec<(u64, u64, &[u8])> = found
            .iter()
            .map(|(number, record)| (*number, record.position.line, &*record.text))
            .collect();
        assert_eq!(found, [(2, 3, &b"\"2\n3\",y"[..]), (3, 5, b"4,z")]);
    }

    #[test]
    fn a_quote_that_is_never_closed_costs_one_row_of_a_file_of_many_chunks() {
        let rows = 1_200_000_u64;
        for open in [10, rows / 2, rows - 10] {
            let row = |row: u64| match row == open {
                true => format!("{row},\"open\n"),
                false => format!("{row},plain\n"),
            };
            let csv = format!("id,b\n{}", (0..rows).map(row).collect::<String>());
            let (dialect, stop) = (Dialect::default(), StopFlag::default());
            let reading = Reading {
                dialect: &dialect,
                columns: &[],
                column_names: None,
                max_rejects: MaxRejects::Rows(1),
                footer: None,
            };
            let content = content(&csv);
            let spool = run(content, &reading, None, NonZeroUsize::MIN, &stop).expect("reads");
            let broken = spool.broken_records();
            assert_eq!((spool.profile.records, broken), (rows, 1), "open in row {open}");
            assert_eq!(spool.profile.columns[0].values, rows - 1, "open in row {open}");
        }
    }

    #[test]
    fn rows_are_not_guessed_where_the_work_is_spent() {
        let junk = format!("1,\"q\"z\n{}", "x\n".repeat(40_000));
        let good: String = (100..120).map(|row| format!("{row},ok\n")).collect();
        let text = "6,\"line one\nline,two\nline,three\nline,four\" oops\n";
        let csv = format!("a,b\n{junk}{junk}{good}{text}{good}");
        let (dialect, stop) = (Dialect::default(), StopFlag::default());
        let reading = Reading {
            dialect: &dialect,
            columns: &[],
            column_names: None,
            max_rejects: MaxRejects::Rows(u64::MAX),
            footer: None,
        };
        let refused = run(content(&csv), &reading, None, NonZeroUsize::MIN, &stop).err();
        let said = refused.map(|error| error.to_string()).unwrap_or_default();
        assert!(said.contains("too many quotes of the file are broken"), "{said}");
    }
}
