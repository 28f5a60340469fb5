//! Files with records that cannot be read: all others can.

use loader_csv::{
    Chunk, CsvErrorKind, DecodeAs, Decoder, Dialect, Header, ProfileMerge, SIFT_BESIDE_BYTES,
    SiftFrom, Sifter, Splitter, describe_broken, find_records, profile_chunk,
};
use proptest::prelude::*;

use crate::properties::{any_bytes, dialects, wild_files, written_files};
use crate::{bytes_of, naive, naive_sift, text};

/// A file that was sifted from its first record on.
pub(crate) struct Sifted {
    header: Header,
    chunks: Vec<Chunk>,
    /// The numbers of the chunks' first records.
    first_records: Vec<u64>,
    /// Number and values of the rows, and the number and the words of the broken records.
    pub(crate) rows: Vec<(u64, Vec<Option<String>>)>,
    pub(crate) broken: Vec<(u64, String)>,
}

/// Cuts the file into small chunks, and reads them. `None`: the file has no header, or there is a
/// broken record behind which nothing fits.
pub(crate) fn sift(file: &[u8], dialect: &Dialect, target: usize) -> Option<Sifted> {
    let header = header(file, dialect)?;
    let chunks = chunks(file, dialect, &header, target)?;
    let mut merge = ProfileMerge::new(&header);
    for chunk in &chunks {
        merge.push(profile_chunk(bytes_of(file, chunk), chunk, &header, dialect).expect("sifted"));
    }
    let profile = merge.finish();
    let as_text = vec![DecodeAs::Text; header.names.len()];
    let mut decoder = Decoder::new(dialect, &header, &as_text, 7);
    let (mut rows, mut broken) = (Vec::new(), Vec::new());
    for (chunk, first) in chunks.iter().zip(&profile.first_records) {
        let bytes = bytes_of(file, chunk);
        for described in describe_broken(bytes, chunk, &header, *first) {
            let words = format!("{}; {}", described.error, described.because);
            broken.push((described.error.position.record, words));
        }
        for decoded in decoder.decode_chunk(bytes, chunk, *first) {
            let decoded = decoded.expect("sifted");
            for row in 0..decoded.batch.num_rows() {
                let values = decoded.batch.columns().iter();
                let values = values.map(|column| text(column.as_ref(), row)).collect();
                rows.push((decoded.rows.value(row).unsigned_abs(), values));
            }
        }
    }
    assert_eq!(profile.records, (rows.len() + broken.len()) as u64);
    Some(Sifted { header, chunks, first_records: profile.first_records, rows, broken })
}

fn header(file: &[u8], dialect: &Dialect) -> Option<Header> {
    let mut splitter = Splitter::new(dialect, 1 << 30);
    // A mistake behind the header does not matter here.
    splitter.push(file).and_then(|_| splitter.finish()).ok();
    splitter.header().cloned()
}

fn chunks(file: &[u8], dialect: &Dialect, header: &Header, target: usize) -> Option<Vec<Chunk>> {
    let mut sifter = Sifter::new(dialect, header, &SiftFrom::beginning(header), target);
    let mut chunks = Vec::new();
    loop {
        let rest = &file[sifter.offset() as usize..];
        chunks.extend(sifter.push(rest, true).ok()?);
        if rest.is_empty() {
            break;
        }
    }
    for chunk in &chunks {
        let lines_before = naive::line_ends(&file[..chunk.offset as usize]);
        assert_eq!(chunk.first_line, lines_before + 1, "lines before {chunk:?}");
    }
    Some(chunks)
}

/// What the records of a file are: values joined by `|`, or why they are broken.
fn told(file: &str, dialect: &Dialect) -> String {
    let sifted = [1, 9, 1 << 20].map(|target| {
        let sifted = sift(file.as_bytes(), dialect, target).expect("the rest can be read");
        let rows = sifted.rows.into_iter().map(|(number, values)| {
            let values: Vec<String> =
                values.into_iter().map(|value| value.unwrap_or_else(|| "~".to_owned())).collect();
            (number, values.join("|"))
        });
        let mut all: Vec<(u64, String)> = rows.chain(sifted.broken).collect();
        all.sort();
        all
    });
    assert!(sifted.iter().all(|all| *all == sifted[0]), "{sifted:?}");
    let lines: Vec<String> = sifted[0].iter().map(|(_, line)| line.clone()).collect();
    lines.join("\n")
}

#[test]
fn rows_around_a_broken_one_are_read() {
    let dialect = Dialect::default();
    insta::assert_snapshot!(told("a,b\n1,x\n2\n3,y,z\n4,\"w\"\n", &dialect), @"
    record 1, line 2, byte 4: the line beside it has a field alone, which may be a part of this row that a line end cuts off: quote fields that hold a line end; its quotes are in order
    record 2, line 3, byte 8: the row has 1 field, but the header has 2; fill it up with delimiters where fields at its end are empty, and quote fields that hold a line end; its quotes are in order
    record 3, line 4, byte 10: the row has 3 fields, but the header has 2; quote fields that hold the delimiter, or correct the delimiter; its quotes are in order
    4|w
    ");
    insta::assert_snapshot!(told("a,b\n1,x\n2,5\" pipe\n3,\"5\" pipe\"\n4,\"w\"\n", &dialect), @r#"
    1|x
    record 2, line 3, byte 11, column "b": a quote stands within a field that does not begin with one: put in the delimiter that is missing before it, or quote the field and double the quotes inside of it; its quotes are in order
    record 3, line 4, byte 23, column "b": a blank follows the closing quote; take away the blanks between quotes and delimiters, and double the quotes that belong to the field; the rest of the file fits from there on
    4|w
    "#);
    insta::assert_snapshot!(told("a,b\n1,\"x\n2,\"y\"\n3,z\n4,w\n", &dialect), @r#"
    record 1, line 3, byte 12, column "b": text follows the closing quote; double the quotes that belong to the field; the next 3 records fit from there on
    2|y
    3|z
    4|w
    "#);
    insta::assert_snapshot!(told("a,b,c\n1,\"x\ny,2\n2,\"y\",3\n3,z,4\n4,w,5\n", &dialect), @r#"
    record 1, line 4, byte 18, column "b": text follows the closing quote; double the quotes that belong to the field; the next 3 records fit from there on
    2|y|3
    3|z|4
    4|w|5
    "#);
    insta::assert_snapshot!(told("a,b\n1,x\n2,y\n3,\"z\n", &dialect), @r#"
    1|x
    2|y
    record 3, line 4, byte 14, column "b": the quoted field that begins here is never closed; close it, and double the quotes inside of it; the rest of the file fits from there on
    "#);
}

#[test]
fn lines_of_an_open_field_are_no_rows() {
    let dialect = Dialect::default();
    // `see,this` and `and,that` fit, but `no more` does not: three in a row must.
    let file = "a,b\n1,\"see,this\nand,that\nno more\" x\n2,y\n3,z\n4,w\n";
    insta::assert_snapshot!(told(file, &dialect), @r#"
    record 1, line 4, byte 33, column "b": a blank follows the closing quote; take away the blanks between quotes and delimiters, and double the quotes that belong to the field; the next 3 records fit from there on
    2|y
    3|z
    4|w
    "#);
    // Nowhere do three in a row fit.
    insta::assert_snapshot!(told("a,b\n1,\"x\n2,\"y\nz\n3,w\n4\n", &dialect), @r#"
    record 1, line 3, byte 12, column "b": text follows the closing quote; double the quotes that belong to the field; no three records in a row fit behind it, so it ends as early as its quotes allow
    record 2, line 3, byte 11, column "b": the quoted field that begins here is never closed; close it, and double the quotes inside of it; the rest of the file fits from there on
    "#);
}

#[test]
fn a_quote_without_a_place_in_reach_where_records_fit_is_a_mistake() {
    let dialect = Dialect::default();
    let file = format!("a,b\n1,\"x\n{}2,y\n3,z\n", "no\n".repeat(6 << 20));
    let header = header(file.as_bytes(), &dialect).expect("has one");
    let mut sifter = Sifter::new(&dialect, &header, &SiftFrom::beginning(&header), 1 << 20);
    let window = &file.as_bytes()[4..][..(1 << 20) + SIFT_BESIDE_BYTES];
    let mistake = sifter.push(window, false).expect_err("nothing fits");
    assert_eq!((mistake.kind, mistake.position.line), (CsvErrorKind::UnclosedQuote, 2));
    // At the end of the file, nothing is left that would have to fit.
    assert!(sift(b"a,b\n1,\"x\nno\nno\nno\n2,y", &dialect, 1 << 20).is_some());
}

#[test]
fn a_record_longer_than_any_window_is_passed_over() {
    let dialect = Dialect::default();
    let (target, window_bytes) = (1 << 20, (1 << 20) + SIFT_BESIDE_BYTES);
    let long = "x".repeat(2 * window_bytes);
    let file = format!("a,b\n0,w\n1,{long}\r\n2,y\n\n3,z\n");
    let header = header(file.as_bytes(), &dialect).expect("has one");
    let mut sifter = Sifter::new(&dialect, &header, &SiftFrom::beginning(&header), target);
    let mut chunks = Vec::new();
    loop {
        let rest = &file.as_bytes()[sifter.offset() as usize..];
        let window = &rest[..rest.len().min(window_bytes)];
        chunks.extend(sifter.push(window, window.len() == rest.len()).expect("goes on"));
        if rest.is_empty() {
            break;
        }
    }
    let records: Vec<_> = chunks
        .iter()
        .map(|chunk| (chunk.first_line, chunk.sifted.as_deref().map_or(0, |broken| broken.len())))
        .collect();
    assert_eq!(records, [(2, 1), (4, 0)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn broken_records_are_those_of_a_plain_reader(
        file in prop_oneof![wild_files(), written_files(), any_bytes()],
        dialect in dialects(),
        target in 1usize..80,
    ) {
        let sifted = sift(&file, &dialect, target);
        let Some(head) = header(&file, &dialect) else { return Ok(()) };
        let at = Sifter::new(&dialect, &head, &SiftFrom::beginning(&head), 1).offset() as usize;
        let header = naive::header_spellings(&file, &dialect);
        let expected = naive_sift::sift(&file, at, head.names.len(), &header, &dialect);
        let Some(expected) = expected else {
            prop_assert!(sifted.is_none());
            return Ok(());
        };
        let sifted = sifted.ok_or_else(|| TestCaseError::fail("nothing fits again"))?;
        let broken: Vec<u64> = sifted.broken.iter().map(|(number, _)| *number).collect();
        let numbered = (1u64..).zip(&expected);
        let of_plain = numbered.filter(|(_, record)| record.values.is_none());
        let of_plain: Vec<u64> = of_plain.map(|(number, _)| number).collect();
        prop_assert_eq!(broken, of_plain);
        let rows: Vec<(u64, Vec<Option<String>>)> = (1u64..).zip(&expected)
            .filter_map(|(number, record)| {
                let values = record.values.as_ref()?.iter().map(|cell| {
                    let text = String::from_utf8_lossy(&cell.text).into_owned();
                    let is_token = text.is_empty() || dialect.null_tokens.contains(&text);
                    (cell.quoted || !is_token).then_some(text)
                });
                Some((number, values.collect()))
            })
            .collect();
        prop_assert_eq!(&sifted.rows, &rows);
        for (chunk, first) in sifted.chunks.iter().zip(&sifted.first_records) {
            let numbers: Vec<u64> = (0..chunk.len).collect();
            let bytes = bytes_of(&file, chunk);
            for found in find_records(bytes, chunk, &sifted.header, &dialect, &numbers) {
                let place = expected[(first - 1 + found.number) as usize].at;
                prop_assert_eq!(found.byte as usize, place);
            }
        }
    }
}
