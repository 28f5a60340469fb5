//! Reads one record without knowing how many fields it should have: for headers and for error
//! messages.

use crate::dialect::Rules;
use crate::error::CsvErrorKind;
use crate::lines::line_length;
use crate::row_error::RowError;
use crate::scan::{Needles, Scanner};

/// The places of one record's fields.
pub(crate) struct Record {
    /// The place after each field.
    pub(crate) ends: Vec<usize>,
    /// The length with the line end; `None` when the bytes ran out before a line end.
    pub(crate) length: Option<usize>,
}

impl Record {
    pub(crate) fn fields<'b>(&self, bytes: &'b [u8]) -> impl Iterator<Item = (usize, &'b [u8])> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|end| end + 1));
        starts.zip(&self.ends).map(|(start, end)| (start, &bytes[start..*end]))
    }
}

/// Reads the record at the start of `bytes`, which must not be a blank line or a comment. The
/// error's row is `None`.
pub(crate) fn read_record(bytes: &[u8], rules: &Rules) -> Result<Record, RowError> {
    let mut scanner = Scanner::new(bytes, needles(rules));
    let mut ends = Vec::new();
    let mut field_start = 0;
    while let Some(at) = scanner.next() {
        let byte = bytes[at];
        if byte == rules.delimiter {
            ends.push(at);
            field_start = at + 1;
        } else if byte == b'\n' || byte == b'\r' {
            ends.push(at);
            return Ok(Record {
                ends,
                length: line_length(&bytes[at..], false).map(|length| at + length),
            });
        } else if Some(byte) == rules.quote {
            let error = |(kind, byte)| RowError { kind, row: None, byte, column: Some(ends.len()) };
            if at == field_start {
                close_quote(bytes, &mut scanner, rules, at).map_err(error)?;
            } else if !rules.takes_bare_quotes {
                return Err(error((bare_quote(&bytes[field_start..at]), at)));
            }
        } else if rules.is_bare_escape(byte) {
            scanner.skip_to(at + 2);
        }
    }
    ends.push(bytes.len());
    Ok(Record { ends, length: None })
}

// The scanner takes five characters. Without a quote or an escape, another one stands twice.
pub(crate) fn needles(rules: &Rules) -> Needles {
    let quote = rules.quote.unwrap_or(rules.delimiter);
    [rules.delimiter, b'\n', b'\r', quote, rules.escape.unwrap_or(quote)]
}

/// The mistake of a quote behind `before`, the beginning of its field.
pub(crate) fn bare_quote(before: &[u8]) -> CsvErrorKind {
    if before.trim_ascii().is_empty() {
        CsvErrorKind::BlankBeforeQuote
    } else {
        CsvErrorKind::BareQuote
    }
}

/// Takes hits up to the quote that closes the one at `open`. Errors come with their place.
// The scanner reports every quote and escape, even where the character before makes it plain text.
// `plain` is the place of such a character: for example, in `"a""b"` the quote at 2 makes the quote
// at 3 plain. A quote at the end of `bytes` closes its field. A header may still go on there; its
// caller sees that `Record::length` is `None` and waits for more bytes.
#[inline(always)]
pub(crate) fn close_quote(
    bytes: &[u8],
    scanner: &mut Scanner<'_>,
    rules: &Rules,
    open: usize,
) -> Result<(), (CsvErrorKind, usize)> {
    let mut plain = usize::MAX;
    while let Some(at) = scanner.next() {
        if at == plain {
            continue;
        }
        let byte = bytes[at];
        if Some(byte) == rules.escape {
            plain = at + 1;
        } else if Some(byte) == rules.quote {
            match bytes.get(at + 1) {
                Some(next) if Some(*next) == rules.quote => plain = at + 1,
                None | Some(b'\n' | b'\r') => return Ok(()),
                Some(next) if *next == rules.delimiter => return Ok(()),
                Some(b' ' | b'\t') => return Err((CsvErrorKind::BlankAfterQuote, at + 1)),
                Some(_) => return Err((CsvErrorKind::TextAfterQuote, at + 1)),
            }
        }
    }
    Err((CsvErrorKind::UnclosedQuote, open))
}
