//! Rows that have another number of fields than the header, and what is said about them.

use loader_csv::{CsvErrorKind, Dialect, Quotes, Ragged};

use crate::read;

/// What the first mistake of a file is, however it is cut.
fn ragged(file: &str, dialect: &Dialect) -> Option<Ragged> {
    let kinds = [1, 7, 1 << 20].map(|target| match read(file.as_bytes(), dialect, target, 3) {
        Err(error) => match error.kind {
            CsvErrorKind::RaggedRow { ragged, .. } => Some(ragged),
            _ => None,
        },
        Ok(_) => None,
    });
    assert!(kinds.iter().all(|kind| *kind == kinds[0]), "{file}: {kinds:?}");
    kinds[0]
}

#[test]
fn each_kind_of_ragged_row_is_told_from_the_others() {
    let quoted = Dialect { comment: Some(b'#'), ..Dialect::default() };
    let bare = Dialect { quote: None, ..Dialect::default() };
    let lenient = Dialect { quotes: Quotes::Lenient, ..Dialect::default() };
    let check = |file: &str, dialect: &Dialect, expected| {
        assert_eq!(ragged(file, dialect), Some(expected), "{file}");
    };
    check("a,b,c\n1,2\n3,4,5\n", &quoted, Ragged::Short);
    check("a,b,c\n1,2,3\nTOTAL,3\n", &quoted, Ragged::Footer);
    check("a,b,c\n1,2,3\nTOTAL,3", &quoted, Ragged::Footer);
    check("a,b,c\n1,2,3\nTOTAL,3\n\n# end\n\n", &quoted, Ragged::Footer);
    check("a,b,c\n1,2,3\nTOTAL,3\n\n4,5\n", &quoted, Ragged::Short);
    check("a,b,c\n1,2,3\n1,2,3,4\n", &quoted, Ragged::Long);
    check("a,b\n1,2,\n3,4,\n", &quoted, Ragged::TrailingDelimiter);
    check("a,b\n1,2,,\n", &bare, Ragged::TrailingDelimiter);
    check("a,b\n1,2,\"\"\n", &quoted, Ragged::Long);
    check("a,b\n1, \"x,y\"\n", &lenient, Ragged::BlankBeforeQuote);
    check("a,b,c\n1,2, \",x\"\n", &lenient, Ragged::BlankBeforeQuote);
    check("a,b\n1, \"x\",y\n", &lenient, Ragged::Long);
    check("a,b\n1, \"x,y\"\n", &bare, Ragged::LongWithoutQuotes);
    check("a,b\n1,2,3\n", &bare, Ragged::LongWithoutQuotes);
}
