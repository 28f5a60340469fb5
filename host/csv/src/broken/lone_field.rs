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
pub(super) fn is_lone_field(window: &Window<'_>, at: usize) -> bool {
    let columns = window.header.names.len();
    let rest = window.bytes.get(at..).unwrap_or_default();
    let fields = |rules: &Rules| read_record(rest, rules).map_or(0, |record| record.ends.len());
    let lenient = Rules { takes_bare_quotes: true, ..window.rules };
    let is_alone = columns > 1 && !window.rules.fills_short_rows && fields(&window.rules) == 1;
    let other = OTHER_DELIMITERS.iter().filter(|other| **other != window.rules.delimiter);
    is_alone
        && !other.into_iter().any(|other| {
            fields(&Rules { delimiter: *other, tail: DelimiterTail::default(), ..lenient })
                == columns
        })
}

/// Whether a lone field begins at `at`, and no blank line or comment.
pub(super) fn is_before_lone_field(window: &Window<'_>, at: usize) -> bool {
    let first = window.bytes.get(at).filter(|first| !is_line_end(**first));
    let is_record = first.is_some_and(|first| Some(*first) != window.rules.comment);
    is_record && is_lone_field(window, at)
}
