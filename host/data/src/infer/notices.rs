//! Says what was left out of a file between its rows.
//!
//! In: what the profile counted. Out: sentences for the report, each with the first line.

use loader_csv::{Oddities, Oddity};

/// Things about the file that a person should look at.
pub(super) fn notices(oddities: &Oddities) -> Vec<String> {
    let notices = Oddity::ALL.iter().filter_map(|oddity| notice(oddities, *oddity));
    notices.collect()
}

/// How many there are of a kind, where the first are, and what became of them: `line 4: 1 blank
/// line was skipped; …`. `None` when there are none.
fn notice(oddities: &Oddities, oddity: Oddity) -> Option<String> {
    let tally = oddities.of(oddity);
    let sentence = sentence(oddity);
    let what = match tally.count {
        0 => return None,
        1 => format!("1 {}", sentence.one),
        n => format!("{n} {}", sentence.many),
    };
    let lines: Vec<String> = tally.lines().iter().map(u64::to_string).collect();
    let more = if tally.count > lines.len() as u64 { ", …" } else { "" };
    let lines = if lines.len() == 1 {
        format!("line {}", lines.concat())
    } else {
        format!("lines {}{more}", lines.join(", "))
    };
    Some(format!("{lines}: {what} {}", sentence.became))
}

/// What is said of a kind.
struct Sentence {
    one: &'static str,
    many: &'static str,
    became: &'static str,
}

fn sentence(oddity: Oddity) -> Sentence {
    let (one, many, became) = match oddity {
        Oddity::BlankLine => (
            "blank line was",
            "blank lines were",
            "skipped; a row of NULLs is written as its delimiters alone",
        ),
        Oddity::RepeatedHeader => (
            "record equals the header and was",
            "records equal the header and were",
            "left out; --repeated-header keep loads such records",
        ),
        Oddity::Mark => (
            "byte order mark before a record was",
            "byte order marks before records were",
            "dropped; --repeated-header keep leaves such marks in the text",
        ),
        Oddity::BareQuote => (
            "row has a quote in a field that does not begin with one; it was",
            "rows have quotes in fields that do not begin with one; they were",
            "loaded as text; --quotes strict rejects such rows",
        ),
        Oddity::ShortRow => (
            "row has too few fields and was",
            "rows have too few fields and were",
            "filled up with NULL; --short-rows reject rejects such rows",
        ),
        Oddity::TrailingDelimiter => (
            "row ends with empty fields that the header has not, which were",
            "rows end with empty fields that the header has not, which were",
            "dropped; --trailing-delimiter reject rejects such rows",
        ),
    };
    Sentence { one, many, became }
}
