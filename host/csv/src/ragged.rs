//! What is probably wrong with a row that has another number of fields than the header: each kind
//! has a remedy of its own.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::dialect::Rules;
use crate::error::CsvErrorKind;
use crate::read_record::Record;

/// What a row with too few or too many fields probably is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ragged {
    /// It has too few fields: they are missing, or a line end cuts the row.
    Short,
    /// The same as the last row of the file.
    Footer,
    /// It has too many fields, and those are empty.
    TrailingDelimiter,
    /// A quote does not open a field, since a blank stands before it.
    BlankBeforeQuote,
    /// It has too many fields.
    Long,
    /// The same in a dialect without quotes.
    LongWithoutQuotes,
}

impl fmt::Display for Ragged {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Ragged::Short => {
                "fill it up with delimiters where fields at its end are empty, and quote fields \
                 that hold a line end"
            }
            Ragged::Footer => {
                "it is the last row: take it out if it is a footer, such as a line of totals, or \
                 else fill it up with delimiters"
            }
            Ragged::TrailingDelimiter => {
                "all fields too many are empty: take the delimiters off the end of the row, or out of \
                 its middle"
            }
            Ragged::BlankBeforeQuote => {
                "a blank stands before a quote, which then opens no field: take away the blanks \
                 between delimiters and quotes"
            }
            Ragged::Long => "quote fields that hold the delimiter, or correct the delimiter",
            Ragged::LongWithoutQuotes => {
                "escape delimiters in fields and name the escape, quote such fields and name the \
                 quote, or correct the delimiter"
            }
        })
    }
}

/// Whether a record has the expected number of fields, or another that the dialect allows.
pub(crate) fn fits(bytes: &[u8], record: &Record, expected: usize, rules: &Rules) -> bool {
    let found = record.ends.len();
    let is_surplus = || record.fields(bytes).skip(expected).all(|(_, field)| field.is_empty());
    found == expected
        || (found < expected && rules.fills_short_rows)
        || (found > expected && rules.drops_surplus && is_surplus())
}

/// The mistake of a record that has not the expected number of fields. `bytes` begin with it;
/// `is_last`: no record follows in the file.
pub(crate) fn ragged(
    bytes: &[u8],
    record: &Record,
    expected: usize,
    rules: &Rules,
    is_last: bool,
) -> CsvErrorKind {
    let found = record.ends.len();
    let mut surplus = record.fields(bytes).skip(expected);
    let opens_nothing = |field| rules.quote.is_some_and(|quote| has_late_quote(field, quote));
    let ragged = if record.fields(bytes).any(|(_, field)| opens_nothing(field)) {
        Ragged::BlankBeforeQuote
    } else if found < expected {
        if is_last { Ragged::Footer } else { Ragged::Short }
    } else if surplus.all(|(_, field)| field.is_empty()) {
        Ragged::TrailingDelimiter
    } else if rules.quote.is_none() {
        Ragged::LongWithoutQuotes
    } else {
        Ragged::Long
    };
    CsvErrorKind::RaggedRow { expected, found, ragged }
}

/// Whether a field begins with blanks and a quote, and is cut off before the quote that would close
/// it: for example, ` "b` in `a, "b,c"`.
fn has_late_quote(field: &[u8], quote: u8) -> bool {
    let text = field.trim_ascii();
    let is_open = text.len() == 1 || text.last() != Some(&quote);
    text.first() == Some(&quote) && field.first() != Some(&quote) && is_open
}
