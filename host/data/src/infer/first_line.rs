//! The line `sep=;`, which spreadsheets write and read: it names the delimiter.
//!
//! In: the first bytes of a text, and the dialect that it is read by. Out: the whole text, and the
//! dialect that the line asks for.

use std::io::{Chain, Cursor, Read};

use loader_csv::{BYTE_ORDER_MARK, Dialect};
use loader_model::error::{Error, Kind, Result};

use crate::decompress::read_failure;

/// The bytes that tell whether there is such a line: a byte order mark, `sep=`, the delimiter in
/// quotes, a line end.
const HEAD_BYTES: u64 = 12;

/// A text whose first line was looked at.
pub(super) struct FirstLine<R> {
    pub(super) text: Chain<Cursor<Vec<u8>>, R>,
    pub(super) dialect: Dialect,
    pub(super) notice: Option<String>,
}

impl<R: Read> FirstLine<R> {
    /// The rows of a file that is no CSV. They have no such line.
    pub(super) fn of_rows(text: R, settings: &Dialect) -> FirstLine<R> {
        let text = Cursor::new(Vec::new()).chain(text);
        FirstLine { text, dialect: Dialect::of_json_fields(settings), notice: None }
    }

    /// Looks at the first line, unless the dialect skips it. Errors: `Data` when it names another
    /// delimiter than the settings, and those of reading.
    pub(super) fn of(mut text: R, dialect: &Dialect) -> Result<FirstLine<R>> {
        let mut head = Vec::new();
        text.by_ref().take(HEAD_BYTES).read_to_end(&mut head).map_err(read_failure)?;
        let named = delimiter(&head).filter(|_| dialect.skip_rows == 0);
        let text = Cursor::new(head).chain(text);
        let Some(named) = named else {
            return Ok(FirstLine { text, dialect: dialect.clone(), notice: None });
        };
        let shown = if named == b'\t' { "\\t".to_owned() } else { char::from(named).to_string() };
        let default = Dialect::default();
        let settings = (dialect.delimiter, dialect.delimiter_tail);
        let is_given = settings != (default.delimiter, default.delimiter_tail);
        if is_given && settings != (named, default.delimiter_tail) {
            let fact = format!(
                "line 1: the file says `sep={shown}`, and the settings name another delimiter; load \
                 it with --delimiter '{shown}', or skip the line with --skip-rows 1"
            );
            return Err(Error::new(Kind::Data, fact));
        }
        let dialect = Dialect { delimiter: named, skip_rows: 1, ..dialect.clone() };
        let notice = format!("line 1: `sep={shown}` was taken for the delimiter, and left out");
        Ok(FirstLine { text, dialect, notice: Some(notice) })
    }
}

/// The delimiter that a first line names.
fn delimiter(head: &[u8]) -> Option<u8> {
    let line = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
    let line = line.strip_prefix(b"\"").unwrap_or(line);
    let (prefix, rest) = line.split_at_checked(4)?;
    let (delimiter, rest) = rest.split_first()?;
    let rest = rest.strip_prefix(b"\"").unwrap_or(rest);
    let ends = matches!(rest.first(), None | Some(b'\n' | b'\r'));
    let is_usable = delimiter.is_ascii() && !delimiter.is_ascii_alphanumeric() && *delimiter > 0;
    (prefix.eq_ignore_ascii_case(b"sep=")
        && ends
        && is_usable
        && !matches!(delimiter, b'"' | b'\n' | b'\r'))
    .then_some(*delimiter)
}

#[cfg(test)]
mod tests {
    use loader_csv::DelimiterTail;

    use super::*;

    #[test]
    fn another_delimiter_of_the_settings_contradicts_the_line() {
        let delimiter_of = |dialect: &Dialect| {
            let first = FirstLine::of(&b"sep=|\na|b\n"[..], dialect);
            first.map(|first| first.dialect.delimiter).map_err(|error| error.kind())
        };
        let default = Dialect::default();
        assert_eq!(delimiter_of(&default), Ok(b'|'));
        assert_eq!(delimiter_of(&Dialect { trim: true, ..default.clone() }), Ok(b'|'));
        assert_eq!(delimiter_of(&Dialect { delimiter: b'|', ..default.clone() }), Ok(b'|'));
        let other = Dialect { delimiter: b';', ..default.clone() };
        assert_eq!(delimiter_of(&other), Err(Kind::Data));
        let delimiter_tail = DelimiterTail::new(b"|").expect("short");
        let two = Dialect { delimiter: b'|', delimiter_tail, ..default };
        assert_eq!(delimiter_of(&two), Err(Kind::Data));
    }

    #[test]
    fn the_line_is_known() {
        assert_eq!(delimiter(b"sep=;\r\na;b"), Some(b';'));
        assert_eq!(delimiter(b"\xEF\xBB\xBFSEP=\t\na\tb"), Some(b'\t'));
        assert_eq!(delimiter(b"\"sep=|\"\n"), Some(b'|'));
        assert_eq!(delimiter(b"sep=,"), Some(b','));
        for other in
            [&b"sep=;;\n"[..], b"sep=a\n", b"sep;a\n", b"sep=", b"step=;\n", b"sep=\n", b""]
        {
            assert_eq!(delimiter(other), None, "{}", other.escape_ascii());
        }
    }
}
