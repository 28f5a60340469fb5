//! What must hold for any bytes that are read as CSV. The fuzz target runs it on what the fuzzer
//! makes, `host/csv/tests/files/corpus.rs` on the files that the fuzzer has left here; a panic is a
//! finding in both, and so is an input that takes long or much memory.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, Int64Array, RecordBatch};
use arrow_select::concat::{concat, concat_batches};
use loader_csv::{
    Chunk, CsvError, DecodeAs, Decoded, Decoder, DelimiterTail, Dialect, FieldForm, FileProfile,
    Header, LeadingZeros, ProfileMerge, Quotes, RepeatedHeader, ShortRows, SiftFrom, Sifter,
    Splitter, TrailingDelimiter, describe_broken, profile_chunk,
};

/// A file that is said to repeat itself does so up to this size: work that is quadratic takes
/// seconds then, and work that is linear some milliseconds.
const REPEATED_BYTES: usize = 64 * 1024;
/// People read a message, so it stays short for any file.
const MOST_WORDS: usize = 4096;

/// A file, how it is written, and how it comes.
struct Case {
    file: Vec<u8>,
    dialect: Dialect,
    /// The bytes that are pushed at once.
    piece: usize,
    /// The grid on which the file is cut.
    grid: u64,
    batch_rows: usize,
}

/// What was learnt of a file's columns, and its rows.
type Outcome = Result<(FileProfile, Rows), CsvError>;
/// The rows, and what is said of the records that are broken.
type Sifted = (Rows, Vec<String>);
/// Rows in one batch, and their numbers.
type Rows = (RecordBatch, Int64Array);

impl Case {
    /// Takes an input apart: five bytes of choices, and the file.
    fn of(input: &[u8]) -> Option<Case> {
        let (&[marks, rows, leniency, cut, batch], file) = input.split_first_chunk::<5>()?;
        let dialect = dialect(marks, rows, leniency);
        let (mut piece, mut grid) = (1 + usize::from(cut & 0x0f) * 5, 1 + u64::from(cut >> 4) * 7);
        let mut file = file.to_vec();
        if batch & 0x3f == 0x3f && !file.is_empty() {
            file = file.repeat(REPEATED_BYTES.div_ceil(file.len()));
            (piece, grid) = (piece * 1000, grid * 1000);
        }
        dialect.check().ok()?;
        Some(Case { file, dialect, piece, grid, batch_rows: 1 + usize::from(batch >> 6) })
    }

    /// The file, pushed in pieces and cut on a grid.
    fn chunks(&self, piece: usize, grid: u64) -> Result<(Header, Vec<Chunk>), CsvError> {
        let mut splitter = Splitter::new(&self.dialect, grid);
        let mut chunks = Vec::new();
        for bytes in self.file.chunks(piece.max(1)) {
            chunks.extend(splitter.push(bytes)?);
        }
        chunks.extend(splitter.finish()?);
        let header = splitter.header().expect("a file that was split has a header").clone();
        let is_whole = chunks.windows(2).all(|pair| pair[0].offset + pair[0].len == pair[1].offset)
            && chunks.last().is_none_or(|last| last.offset + last.len == self.file.len() as u64);
        assert!(is_whole, "gaps in {chunks:?}");
        Ok((header, chunks))
    }

    fn outcome(&self, piece: usize, grid: u64, batch_rows: usize) -> Outcome {
        let (header, chunks) = self.chunks(piece, grid)?;
        let profiles = chunks
            .iter()
            .map(|chunk| profile_chunk(self.bytes(chunk), chunk, &header, &self.dialect));
        let mut profile = FileProfile::merge(&header, profiles)?;
        let as_types: Vec<DecodeAs> = profile
            .columns
            .iter()
            .map(|column| DecodeAs::of_new(&column.new_type(false)))
            .collect();
        let mut batches = Vec::new();
        let mut decoder = Decoder::new(&self.dialect, &header, &as_types, batch_rows);
        for (chunk, first) in chunks.iter().zip(&profile.first_records) {
            for decoded in decoder.decode_chunk(self.bytes(chunk), chunk, *first) {
                let decoded = decoded?;
                assert!(decoded.batch.num_rows() <= batch_rows && decoded.refused.is_empty());
                batches.push(decoded);
            }
        }
        let rows = together(&decoder, &batches);
        assert_eq!(rows.0.num_rows() as u64, profile.records, "every record is a row");
        for column in &profile.columns {
            assert_eq!(column.values + column.nulls + column.quoted_empty, profile.records);
        }
        profile.first_records.clear();
        Ok((profile, rows))
    }

    fn bytes(&self, chunk: &Chunk) -> &[u8] {
        &self.file[chunk.offset as usize..(chunk.offset + chunk.len) as usize]
    }

    /// A file whose mistakes are set aside: every record is a row or a broken one, which is described.
    /// `None`: the file has no header, or a broken record behind which nothing fits.
    fn sifted(&self, target: usize) -> Option<Sifted> {
        let mut splitter = Splitter::new(&self.dialect, 1 << 30);
        // A mistake behind the header does not matter here.
        splitter.push(&self.file).and_then(|_| splitter.finish()).ok();
        let header = splitter.header()?;
        let chunks = self.sifted_chunks(header, target)?;
        let mut merge = ProfileMerge::new(header);
        for chunk in &chunks {
            let profile = profile_chunk(self.bytes(chunk), chunk, header, &self.dialect);
            merge.push(profile.expect("what was sifted reads"));
        }
        let profile = merge.finish();
        let as_text = vec![DecodeAs::Text; header.names.len()];
        let mut decoder = Decoder::new(&self.dialect, header, &as_text, self.batch_rows);
        let (mut batches, mut broken) = (Vec::new(), Vec::new());
        for (chunk, first) in chunks.iter().zip(&profile.first_records) {
            for described in describe_broken(self.bytes(chunk), chunk, header, *first) {
                broken.push(said(&described.error));
            }
            for decoded in decoder.decode_chunk(self.bytes(chunk), chunk, *first) {
                batches.push(decoded.expect("what was sifted reads"));
            }
        }
        let rows = together(&decoder, &batches);
        let records = rows.0.num_rows() + broken.len();
        assert_eq!(profile.records, records as u64, "every record is a row or a broken one");
        Some((rows, broken))
    }

    fn sifted_chunks(&self, header: &Header, target: usize) -> Option<Vec<Chunk>> {
        let mut sifter = Sifter::new(&self.dialect, header, &SiftFrom::beginning(header), target);
        let mut chunks = Vec::new();
        loop {
            let rest = &self.file[sifter.offset() as usize..];
            let cut = sifter.push(rest, true);
            chunks.extend(cut.inspect_err(|error| drop(said(error))).ok()?);
            if rest.is_empty() {
                return Some(chunks);
            }
        }
    }
}

/// Reads the file at once and in pieces: both come to the same rows, or to the same mistake, which
/// is told in words. What is learnt of a column is right: its type takes every value. A file that
/// does not read is read again without the records that are broken. Returns whether it reads.
pub fn read(input: &[u8]) -> bool {
    let Some(case) = Case::of(input) else { return false };
    if !case.dialect.is_sequential() {
        let whole = case.outcome(usize::MAX, 1 << 30, 1 << 14);
        let cut = case.outcome(case.piece, case.grid, case.batch_rows);
        assert_eq!(whole, cut, "where a file is cut shows");
        match whole {
            Ok(_) => return true,
            Err(error) => drop(said(&error)),
        }
    }
    let (whole, cut) = (case.sifted(1 << 22), case.sifted(case.grid as usize));
    assert_eq!(whole, cut, "where a file is cut shows");
    whole.is_some_and(|(_, broken)| broken.is_empty())
}

/// What is said of a mistake, which people can read.
fn said(error: &CsvError) -> String {
    let words = error.to_string();
    assert!(!words.is_empty() && words.len() <= MOST_WORDS, "{} bytes of words", words.len());
    words
}

fn together(decoder: &Decoder, batches: &[Decoded]) -> Rows {
    let rows = batches.iter().map(|decoded| &decoded.batch);
    let rows = concat_batches(decoder.schema(), rows).expect("batches are of one schema");
    let none = Int64Array::from_iter_values([]);
    let numbers = batches.iter().map(|decoded| &decoded.rows as &dyn Array);
    let numbers: Vec<&dyn Array> = numbers.chain([&none as &dyn Array]).collect();
    let numbers = concat(&numbers).expect("numbers are of one type");
    (rows, numbers.as_primitive::<Int64Type>().clone())
}

fn dialect(marks: u8, rows: u8, leniency: u8) -> Dialect {
    let bit = |byte: u8, bit: u32| byte >> bit & 1 == 1;
    let (delimiter, tail): (u8, &[u8]) =
        [(b',', &b""[..]), (b';', b""), (b'\t', b""), (b'|', b"|")][usize::from(marks & 3)];
    let quote = [Some(b'"'), Some(b'"'), Some(b'\''), None][usize::from(marks >> 2 & 3)];
    let escape = [None, None, Some(b'\\'), Some(b'"')][usize::from(marks >> 4 & 3)];
    Dialect {
        delimiter,
        delimiter_tail: DelimiterTail::new(tail).expect("it is short"),
        quote,
        escape,
        header: !bit(rows, 0),
        header_rows: 1 + u64::from(bit(rows, 1)),
        trim: bit(marks, 6),
        columns: None,
        skip_rows: u64::from(rows >> 2 & 3),
        comment: bit(rows, 4).then_some(b'#'),
        null_tokens: if bit(rows, 5) { vec!["NA".into(), String::new()] } else { Vec::new() },
        quoted_nulls: bit(rows, 6),
        leading_zeros: if bit(rows, 7) { LeadingZeros::Number } else { LeadingZeros::Text },
        repeated_header: if bit(leniency, 0) { RepeatedHeader::Keep } else { RepeatedHeader::Skip },
        quotes: if bit(leniency, 1) { Quotes::Lenient } else { Quotes::Strict },
        short_rows: if bit(leniency, 2) { ShortRows::Fill } else { ShortRows::Reject },
        trailing_delimiter: match bit(leniency, 3) {
            true => TrailingDelimiter::Allow,
            false => TrailingDelimiter::Reject,
        },
        field_form: FieldForm::Csv,
    }
}
