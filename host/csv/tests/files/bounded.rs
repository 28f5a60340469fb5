//! Files that are made to cost time or memory, before their first record or by broken ones. Each of
//! these tests would take minutes where the work is quadratic.

use loader_csv::{
    CsvError, CsvErrorKind, Dialect, Header, MAX_COLUMNS, MAX_ROW_BYTES, Quotes, RepeatedHeader,
    Splitter, TrailingDelimiter,
};

use crate::broken_records::sift;

fn header_of(file: &[u8], dialect: &Dialect, piece: usize) -> Result<Header, CsvError> {
    let mut splitter = Splitter::new(dialect, 1 << 20);
    for bytes in file.chunks(piece) {
        splitter.push(bytes)?;
    }
    splitter.finish()?;
    Ok(splitter.header().expect("a file that was split has a header").clone())
}

fn refusal_of(file: &[u8], dialect: &Dialect) -> String {
    let refused = |piece| header_of(file, dialect, piece).expect_err("refused").to_string();
    let (whole, in_pieces) = (refused(file.len()), refused(4096));
    assert_eq!(whole, in_pieces, "the pieces decide");
    whole
}

#[test]
fn blank_lines_and_comments_before_the_header_cost_linear_time() {
    let dialect = Dialect { comment: Some(b'#'), ..Dialect::default() };
    for lines in ["\n", "\r", "\r\n", "#\n"] {
        let file = lines.repeat((8 << 20) / lines.len()) + "a,b\n1,2\n";
        let header = header_of(file.as_bytes(), &dialect, 1 << 20).expect("reads");
        assert_eq!(header.names, ["a", "b"]);
    }
}

#[test]
fn a_header_in_small_pieces_costs_linear_time() {
    let file = "x".repeat(MAX_ROW_BYTES as usize - 2) + ",b\n";
    assert_eq!(header_of(file.as_bytes(), &Dialect::default(), 7).expect("reads").names[1], "b");
}

#[test]
fn a_wide_file_is_refused_at_its_header() {
    let bare = Dialect { header: false, ..Dialect::default() };
    let at_most = "x,".repeat(MAX_COLUMNS - 1) + "x\n";
    let too_wide = ",".repeat(1_000_000) + "\n";
    for dialect in [Dialect::default(), bare] {
        let header = header_of(at_most.as_bytes(), &dialect, 4096).expect("reads");
        assert_eq!(header.names.len(), MAX_COLUMNS);
        assert_eq!(
            refusal_of(too_wide.as_bytes(), &dialect),
            "line 1, byte 0: the file has 1000001 columns, and a load takes 1599; split the file"
        );
    }
}

#[test]
fn lines_that_are_kept_before_the_first_row_are_bounded() {
    let bare = Dialect { header: false, comment: Some(b'#'), ..Dialect::default() };
    let limit = MAX_ROW_BYTES as usize;
    let rows = |lines: String| header_of((lines + "1\n").as_bytes(), &bare, 4096).map(|_| ());
    assert_eq!(rows("\n".repeat(limit)), Ok(()));
    assert_eq!(rows("#\n".repeat(limit)), Ok(()));
    let too_many = "\n".repeat(limit + 1) + "1\n";
    assert_eq!(
        refusal_of(too_many.as_bytes(), &bare),
        "line 1, byte 0: more than 4194304 bytes of blank lines stand in front of the \
         first row; take them away, or pass them with --skip-rows"
    );
    let skips = Dialect { skip_rows: limit as u64 + 1, ..bare };
    assert!(header_of(too_many.as_bytes(), &skips, 4096).is_ok());
}

#[test]
fn a_header_is_as_long_as_a_row_may_be() {
    let limit = MAX_ROW_BYTES as usize;
    for end in ["\n", "\r\n", "\r"] {
        let file = "x".repeat(limit) + end + "1\n";
        assert!(header_of(file.as_bytes(), &Dialect::default(), 4096).is_ok(), "{end:?}");
    }
    let refused = header_of("x".repeat(limit + 9).as_bytes(), &Dialect::default(), 4096);
    let kind = refused.expect_err("too long").kind;
    assert_eq!(kind, CsvErrorKind::TooLong { limit: MAX_ROW_BYTES, open_quote: false });
}

#[test]
fn very_many_broken_rows_are_described_in_linear_time() {
    let file = "a,b\n".to_owned() + &"1\n".repeat(900_000);
    let sifted = sift(file.as_bytes(), &Dialect::default(), 1 << 22).expect("sifts");
    assert_eq!(sifted.broken.len(), 900_000);
    let (number, words) = &sifted.broken[899_999];
    assert_eq!(*number, 900_000);
    assert!(words.starts_with("record 900000, line 900001, byte 1800002: "), "{words}");
}

/// Found by the fuzzer: each group of rows opens a quote that the next one closes and opens again, so
/// that a record seems to go on to the end of the file.
#[test]
fn quotes_that_never_fit_are_looked_at_in_linear_time() {
    let dialect = Dialect {
        header: false,
        skip_rows: 3,
        quotes: Quotes::Lenient,
        repeated_header: RepeatedHeader::Keep,
        trailing_delimiter: TrailingDelimiter::Allow,
        ..Dialect::default()
    };
    let rows =
        [b"id,x\n".as_slice(), &b"\r".repeat(22), b"\xe2\n3,DE,0\",\"\t1d,nameI,\n"].concat();
    let file = rows.repeat((8 << 20) / rows.len());
    assert!(sift(&file, &dialect, 1 << 22).is_none(), "the search is not given up");
}
