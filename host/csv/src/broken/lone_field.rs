//! A record of a single field, in a file of several columns: it may be the rest of a row that a line
//! end cuts.
//!
//! For example, in `1,fine` and `day` and `2,rain`, the text of row 1 is `fine\nday`, perhaps, and
//! then `fine` is not its value. So the rows beside such a record cannot be trusted.

use crate::broken::resync::Window;
use crate::dialect::{DelimiterTail, Rules};
use crate::lines::is_line_end;
use crate::read_record::read_record;

/// Delimiters that a row may have by mistake.
const OTHER_DELIMITERS: [u8; 4] = *b",;\t|";

/// Whether the record at `at` is a lone field. One that has all its fields with another delimiter is
/// none, nor is one with a quote in it: its field would be quoted as a whole.
// With another delimiter a quote in the record may open a field that ends far behind it. To look for
// that end would take quadratic time, so no more is read than the record itself.
pub(super) fn is_lone_field(window: &Window<'_>, at: usize) -> bool {
    let columns = window.header.names.len();
    if columns == 1 || window.rules.fills_short_rows {
        return false;
    }
    let rest = window.bytes.get(at..).unwrap_or_default();
    let Ok(record) = read_record(rest, &window.rules) else { return false };
    let own = rest.get(..record.length.unwrap_or(rest.len())).unwrap_or_default();
    let lenient = Rules { takes_bare_quotes: true, ..window.rules };
    let has_all_fields = |other: &u8| {
        let rules = Rules { delimiter: *other, tail: DelimiterTail::default(), ..lenient };
        read_record(own, &rules).is_ok_and(|record| record.ends.len() == columns)
    };
    let mut others = OTHER_DELIMITERS.iter().filter(|other| **other != window.rules.delimiter);
    record.ends.len() == 1 && !others.any(has_all_fields)
}

/// Whether a lone field begins at `at`, and no blank line or comment.
pub(super) fn is_before_lone_field(window: &Window<'_>, at: usize) -> bool {
    let first = window.bytes.get(at).filter(|first| !is_line_end(**first));
    let is_record = first.is_some_and(|first| Some(*first) != window.rules.comment);
    is_record && is_lone_field(window, at)
}
