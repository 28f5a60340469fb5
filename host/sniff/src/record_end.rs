//! What ends the records of a text.

use crate::findings::{Finding, RecordEnd, Sureness};

/// The line end that most lines have.
pub(crate) fn find(text: &str) -> Finding<RecordEnd> {
    let count = |end: &str| text.matches(end).count();
    let both = count("\r\n");
    let counts = [
        (both, RecordEnd::CrLf),
        (count("\n") - both, RecordEnd::Lf),
        (count("\r") - both, RecordEnd::Cr),
    ];
    let all: usize = counts.iter().map(|(count, _)| count).sum();
    let (most, end) =
        counts.into_iter().max_by_key(|(count, _)| *count).unwrap_or((0, RecordEnd::None));
    match most {
        0 => Finding::new(RecordEnd::None, Sureness::Sure, "there is one line"),
        _ if most == all => Finding::new(end, Sureness::Sure, format!("all {all} lines end so")),
        _ => {
            let because = format!("{most} of {all} line ends are; each of them is read as one");
            Finding::new(end, Sureness::Likely, because)
        }
    }
}
