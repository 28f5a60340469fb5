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
    /// The length of a delimiter.
    gap: usize,
    /// The length with the line end; `None` when the bytes ran out before a line end.
    pub(crate) length: Option<usize>,
}

impl Record {
    pub(crate) fn fields<'b>(&self, bytes: &'b [u8]) -> impl Iterator<Item = (usize, &'b [u8])> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|end| end + self.gap));
        starts.zip(&self.ends).map(|(start, end)| (start, &bytes[start..*end]))
    }
}

/// Reads the record at the start of `bytes`, which must not be a blank line or a comment. The
/// error's row is `None`.
pub(crate) fn read_record(bytes: &[u8], rules: &Rules) -> Result<Record, RowError> {
    let mut scanner = Scanner::new(bytes, needles(rules));
    let mut ends = Vec::new();
    let (mut field_start, gap) = (0, rules.delimiter_length());
    while let Some(at) = scanner.next() {
        let byte = bytes[at];
        if byte == rules.delimiter {
            if at >= field_start && rules.is_delimiter(bytes, at) {
                ends.push(at);
                field_start = at + gap;
            }
        } else if byte == b'\n' || byte == b'\r' {
            ends.push(at);
            return Ok(Record {
                ends,
                gap,
                length: line_length(&bytes[at..], false).map(|length| at + length),
            });
        } else if Some(byte) == rules.quote {
            let error = |(kind, byte)| RowError { kind, row: None, byte, column: Some(ends.len()) };
            if rules.opens_field(&bytes[field_start..at]) {
                close_quote(bytes, &mut scanner, rules, at).map_err(error)?;
            } else if !rules.takes_bare_quotes {
                return Err(error((bare_quote(&bytes[field_start..at]), at)));
            }
        } else if rules.is_bare_escape(byte) {
            scanner.skip_to(at + 2);
        }
    }
    ends.push(bytes.len());
    Ok(Record { ends, gap, length: None })
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

/// Checks what follows a closing quote.
#[inline(always)]
fn check_behind(bytes: &[u8], rules: &Rules, at: usize) -> Result<(), (CsvErrorKind, usize)> {
    let blanks = match rules.trims {
        true => bytes[at..].iter().take_while(|byte| rules.is_trimmed(**byte)).count(),
        false => 0,
    };
    match bytes.get(at + blanks) {
        None | Some(b'\n' | b'\r') => Ok(()),
        Some(next) if *next == rules.delimiter && rules.is_delimiter(bytes, at + blanks) => Ok(()),
        Some(b' ' | b'\t') => Err((CsvErrorKind::BlankAfterQuote, at)),
        Some(_) => Err((CsvErrorKind::TextAfterQuote, at)),
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
            if bytes.get(at + 1).is_some_and(|next| Some(*next) == rules.quote) {
                plain = at + 1;
                continue;
            }
            return check_behind(bytes, rules, at + 1);
        }
    }
    Err((CsvErrorKind::UnclosedQuote, open))
}
