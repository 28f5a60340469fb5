//! What stands between the records of a file: blank lines, and the traces of files that were put
//! together to one.

use loader_csv::{Dialect, Oddity, RepeatedHeader};

use crate::cases::{error, read_all, rows, types};
use crate::read;

#[test]
fn a_blank_line_is_a_row_in_a_file_of_one_column() {
    let dialect = Dialect::default();
    for end in ["\n", "\r\n", "\r"] {
        let file = "r\n\n12\n\n\n\"\"\n14\n\n\n".replace('\n', end);
        assert_eq!(rows(&file, &dialect), "1|~\n2|12\n3|~\n4|~\n5|~\n6|14");
        assert_eq!(types(&file, &dialect), "r:int32");
    }
    let ragged = "record 4, line 5, byte 6: the row has 2 fields, but the header has 1;";
    assert!(error(b"r\n\n1\n\n2,3\n", &dialect).starts_with(ragged));
    let not_text = "record 4, line 5, byte 6, column \"r\": these bytes are not UTF-8";
    assert!(error(b"r\n\n1\n\n\xFF2\n", &dialect).starts_with(not_text));
    assert_eq!(read_all("r\n\n\n", &dialect).expect("a good file").profile.records, 0);
    let bare = Dialect { header: false, skip_rows: 1, comment: Some(b'#'), ..dialect };
    assert_eq!(rows("title\n\n#\n\n1\n\n#\n2\n\n#\n\n", &bare), "1|~\n2|~\n3|1\n4|~\n5|2");
}

#[test]
fn skipped_blank_lines_are_counted() {
    let count = |file: &str, dialect: &Dialect| {
        let read = read_all(file, dialect).expect("a good file");
        let blank_lines = read.profile.oddities.of(Oddity::BlankLine);
        (blank_lines.count, blank_lines.lines().first().copied().unwrap_or(0))
    };
    let dialect = Dialect { comment: Some(b'#'), ..Dialect::default() };
    assert_eq!(count("\na,b\n1,2\n3,4\n\n\n", &dialect), (0, 0));
    assert_eq!(count("\na,b\r\n1,2\r\n\r\n\r\n3,4\r\n\r\n", &dialect), (2, 4));
    assert_eq!(count("a,b\n\n1,2\n#\n\n3,4\n\n#\n\n", &dialect), (2, 2));
    assert_eq!(count("a\n\n1\n", &dialect), (0, 0));
    let bare = Dialect { header: false, ..dialect };
    assert_eq!(count("\n\n1,2\n", &bare), (2, 1));
}

#[test]
fn what_repeats_in_joined_files_is_left_out() {
    let joined = "\u{feff}a,b\r\n1,x\r\n\u{feff}\"2\",\"y\r\n\"\r\na,b\r\n\u{feff}a,b\r\n3,z\r\n";
    let dialect = Dialect::default();
    assert_eq!(types(joined, &dialect), "a:int32 b:text");
    assert_eq!(rows(joined, &dialect), "1|1|x\n2|2|y\r\n\n3|3|z");
    let read = read_all(joined, &dialect).expect("a good file");
    let lines = |oddity| read.profile.oddities.of(oddity).lines();
    assert_eq!(lines(Oddity::RepeatedHeader), [5, 6]);
    assert_eq!(lines(Oddity::Mark), [3, 6]);
    let keep = Dialect { repeated_header: RepeatedHeader::Keep, ..Dialect::default() };
    assert_eq!(rows("\u{feff}a,b\n1,x\n\u{feff}2,y\na,b\n", &keep), "1|1|x\n2|\u{feff}2|y\n3|a|b");
    assert_eq!(rows("a\na\n\u{feff}b\n", &dialect), "1|a\n2|b");
    let bare = Dialect { header: false, ..Dialect::default() };
    assert_eq!(rows("\u{feff}a,b\n\u{feff}a,b\n", &bare), "1|a|b\n2|a|b");
    let error = error(b"a,b\n1,x\na,b\n\xEF\xBB\xBF2,\xFF\n", &dialect);
    assert!(error.starts_with("record 2, line 4, byte 17, column \"b\": these bytes"), "{error}");
}

#[test]
fn a_mark_before_a_comment_or_a_quote_may_be_cut_anywhere() {
    let dialect = Dialect { comment: Some(b'#'), ..Dialect::default() };
    let file = "a,b\n1,2\n\u{feff}#,\"\n\u{feff}\"3\n\",\"4\n\"\n5,\"6\n\"\n";
    for (target, piece) in (1..40).flat_map(|piece| [(1, piece), (1 << 20, piece)]) {
        let read = read(file.as_bytes(), &dialect, target, piece).expect("a good file");
        let marks = read.profile.oddities.of(Oddity::Mark);
        assert_eq!(
            (read.profile.records, marks.count, marks.lines()),
            (3, 2, &[3, 4][..]),
            "{piece}"
        );
    }
}
