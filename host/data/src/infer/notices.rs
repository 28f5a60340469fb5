//! Says what was left out of a file between its rows.
//!
//! In: what the profile counted. Out: sentences for the report, each with the first line.

use loader_csv::{LeftOut, Tally};

/// Things about the file that a person should look at.
pub(super) fn notices(left_out: &LeftOut) -> Vec<String> {
    let LeftOut { blank_lines, headers, marks } = left_out;
    let blank_lines = found(blank_lines, "blank line was", "blank lines were")
        .map(|found| format!("{found} skipped; a row of NULLs is written as its delimiters alone"));
    let headers =
        found(headers, "record equals the header and was", "records equal the header and were")
            .map(|found| format!("{found} left out; --repeated-header keep loads such records"));
    let marks =
        found(marks, "byte order mark before a record was", "byte order marks before records were")
            .map(|found| {
                format!("{found} dropped; --repeated-header keep leaves such marks in the text")
            });
    [blank_lines, headers, marks].into_iter().flatten().collect()
}

/// How many there are and where the first is: `line 4: 1 blank line was`. `None` when there are
/// none.
fn found(tally: &Tally, one: &str, many: &str) -> Option<String> {
    match tally.count {
        0 => None,
        1 => Some(format!("line {}: 1 {one}", tally.first_line)),
        n => Some(format!("from line {} on: {n} {many}", tally.first_line)),
    }
}
