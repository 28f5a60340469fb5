//! Hundreds of files in dialects on which the sniffer was not tuned.
//!
//! A file is right when reading it by what was found gives the rows that were written, header and
//! rows apart. Where the first row may be either, as in a file of texts without a header, the
//! sniffer says so; such a file counts as wrong all the same.

use loader_sniff::{Delimiter, Findings, Sample, Sniffed, sniff};

use crate::tables::{Numbers, Table, table};

/// How files are written.
#[derive(Clone, Copy, Debug)]
struct Dialect {
    delimiter: &'static str,
    quote: Option<char>,
    /// Which fields are quoted: those that must be, or all.
    quotes_all: bool,
    escape: Option<char>,
    header: bool,
    end: &'static str,
    before: &'static str,
    behind: &'static str,
    /// The decimal mark.
    mark: &'static str,
    utf_16: bool,
}

const USUAL: Dialect = Dialect {
    delimiter: ",",
    quote: Some('"'),
    quotes_all: false,
    escape: None,
    header: true,
    end: "\n",
    before: "",
    behind: "",
    mark: ".",
    utf_16: false,
};

const DIALECTS: [Dialect; 26] = [
    USUAL,
    Dialect { end: "\r\n", quotes_all: true, ..USUAL },
    Dialect { delimiter: ";", mark: ",", end: "\r\n", ..USUAL },
    Dialect { delimiter: ";", quotes_all: true, mark: ",", ..USUAL },
    Dialect { delimiter: "\t", ..USUAL },
    Dialect { delimiter: "\t", quote: None, escape: Some('\\'), ..USUAL },
    Dialect { delimiter: "|", quote: None, escape: Some('\\'), header: false, ..USUAL },
    Dialect { delimiter: "|", quote: Some('\''), ..USUAL },
    Dialect { escape: Some('\\'), ..USUAL },
    Dialect { delimiter: ";", escape: Some('\\'), quotes_all: true, ..USUAL },
    Dialect { delimiter: "^", end: "\r\n", ..USUAL },
    Dialect { delimiter: "~", quotes_all: true, ..USUAL },
    Dialect { delimiter: "\u{1}", ..USUAL },
    Dialect { delimiter: "\u{1f}", header: false, ..USUAL },
    Dialect { delimiter: "||", ..USUAL },
    Dialect { delimiter: "@@", ..USUAL },
    Dialect { delimiter: "^|^", quotes_all: true, ..USUAL },
    Dialect { delimiter: "; ", ..USUAL },
    Dialect { delimiter: ", ", quotes_all: true, ..USUAL },
    Dialect { header: false, end: "\r\n", ..USUAL },
    Dialect { delimiter: ";", header: false, quotes_all: true, ..USUAL },
    Dialect { before: "Orders of the spring\nprinted: 2024-05-02 10:15\n\n", ..USUAL },
    Dialect { delimiter: ";", before: "sep=;\n", ..USUAL },
    Dialect { delimiter: "\t", behind: "\n(from the warehouse of Lyon)\n", ..USUAL },
    Dialect { before: "# of the spring\n# see the manual, page 3\n", ..USUAL },
    Dialect { delimiter: ";", utf_16: true, end: "\r\n", ..USUAL },
];

const ROWS: [usize; 5] = [3, 6, 12, 60, 300];
/// Of a hundred files, how many may be read otherwise than they were written.
const MOST_WRONG_IN_A_HUNDRED: usize = 3;

#[test]
fn files_in_dialects_of_many_kinds_are_read_as_they_were_written() {
    let (mut all, mut wrong) = (0, Vec::new());
    for (place, dialect) in DIALECTS.iter().enumerate() {
        for kind in 0..8 {
            for rows in ROWS {
                let mut numbers = Numbers::new((place * 1000 + kind * 100 + rows) as u64);
                let table = with_mark(table(kind, rows, &mut numbers), dialect.mark);
                all += 1;
                if let Some(told) = difference(&table, dialect) {
                    wrong.push(format!("{dialect:?}, kind {kind}, {rows} rows: {told}"));
                }
            }
        }
    }
    assert!(all >= 1000, "there are {all} files");
    let share = format!("{} of {all} files are wrong", wrong.len());
    assert!(wrong.len() * 100 <= all * MOST_WRONG_IN_A_HUNDRED, "{share}:\n{}", wrong.join("\n"));
}

fn with_mark(mut table: Table, mark: &str) -> Table {
    let is_number = |text: &str| text.contains('.') && text.parse::<f64>().is_ok();
    for value in table.rows.iter_mut().flatten().filter(|value| is_number(value)) {
        *value = value.replace('.', mark);
    }
    table
}

/// What is otherwise than it was written; `None`: nothing.
fn difference(table: &Table, dialect: &Dialect) -> Option<String> {
    let text = written(table, dialect);
    let content = match dialect.utf_16 {
        true => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        false => text.clone().into_bytes(),
    };
    let Sniffed::Text(found) = sniff(&Sample::of_whole(&content)) else {
        return Some("no text".to_owned());
    };
    let mut rows = read(&text, &found);
    let names = usize::try_from(found.header_rows.value.0).expect("a few").min(rows.len());
    let header: Vec<Vec<String>> = rows.drain(..names).collect();
    let wanted: Vec<&Vec<String>> = dialect.header.then_some(&table.header).into_iter().collect();
    if header.iter().collect::<Vec<_>>() == wanted && rows == table.rows {
        return None;
    }
    Some(format!(
        "{} ({}: {}), quote {:?}, escape {:?}, comment {:?}, header {} ({}: {}), skip {}, footer {:?}",
        found.delimiter.value,
        found.delimiter.sureness.word(),
        found.delimiter.because,
        found.quote.value,
        found.escape.value,
        found.comment.value,
        found.header_rows.value.0,
        found.header_rows.sureness.word(),
        found.header_rows.because,
        found.skip_rows.value,
        found.footer.as_ref().map(|footer| footer.value),
    ))
}

fn written(table: &Table, dialect: &Dialect) -> String {
    let mut out = dialect.before.to_owned();
    let header = dialect.header.then_some(&table.header);
    for row in header.into_iter().chain(&table.rows) {
        let fields: Vec<String> = row.iter().map(|value| field(value, dialect)).collect();
        out += &fields.join(dialect.delimiter);
        out += dialect.end;
    }
    out + dialect.behind
}

/// A field as it is written. Without quotes, everything special is escaped.
fn field(value: &str, dialect: &Dialect) -> String {
    let escaped = |specials: &[char], escape: char| -> String {
        let parts = value.chars().map(|c| match specials.contains(&c) || c == escape {
            true => format!("{escape}{c}"),
            false => c.to_string(),
        });
        parts.collect()
    };
    let Some(quote) = dialect.quote else {
        let first = dialect.delimiter.chars().next().expect("not empty");
        return escaped(&[first, '\n', '\r'], dialect.escape.expect("an escape"));
    };
    let must = value.contains([quote, '\n', '\r']) || value.contains(dialect.delimiter.trim());
    if !must && !dialect.quotes_all {
        return value.to_owned();
    }
    let inner = match dialect.escape {
        Some(escape) => escaped(&[quote], escape),
        None => value.replace(quote, &format!("{quote}{quote}")),
    };
    format!("{quote}{inner}{quote}")
}

/// Reads a file by what was found: a reader of its own, which shares nothing with the sniffer's.
fn read(text: &str, found: &Findings) -> Vec<Vec<String>> {
    let skip = usize::try_from(found.skip_rows.value).expect("a few");
    let start: usize = text.split_inclusive('\n').take(skip).map(str::len).sum();
    let mut rows = Vec::new();
    let mut rest = &text[start..];
    while !rest.is_empty() {
        let is_comment = found.comment.value.is_some_and(|comment| rest.starts_with(comment));
        if rest.starts_with(['\n', '\r']) || is_comment {
            rest = rest.find('\n').map_or("", |end| &rest[end + 1..]);
            continue;
        }
        let (row, length) = record(rest, found);
        rows.push(row);
        rest = &rest[length..];
    }
    let footer = found.footer.as_ref().map_or(0, |footer| footer.value);
    rows.truncate(rows.len() - usize::try_from(footer).expect("a few"));
    rows
}

/// The fields of the first record, and its bytes.
fn record(text: &str, found: &Findings) -> (Vec<String>, usize) {
    let delimiter = match &found.delimiter.value {
        Delimiter::Text(delimiter) => delimiter.as_str(),
        Delimiter::Blanks | Delimiter::OneColumn => "\u{0}",
    };
    let (mut fields, mut field, mut at, mut inside) = (Vec::new(), String::new(), 0, false);
    let mut is_fresh = true;
    while let Some(c) = text[at..].chars().next() {
        let next = at + c.len_utf8();
        let follower = text[next..].chars().next();
        let takes = Some(c) == found.escape.value && (inside || found.quote.value.is_none());
        match follower {
            Some(follower) if takes => (field.push(follower), at = next + follower.len_utf8()).1,
            Some(follower) if inside && Some(c) == found.quote.value && follower == c => {
                field.push(c);
                at = next + follower.len_utf8();
            }
            _ if inside && Some(c) == found.quote.value => (inside, at) = (false, next),
            _ if inside => (field.push(c), at = next).1,
            _ if is_fresh && Some(c) == found.quote.value => (inside, at) = (true, next),
            _ if text[at..].starts_with(delimiter) => {
                fields.push(std::mem::take(&mut field));
                at += delimiter.len();
                is_fresh = true;
                continue;
            }
            _ if c == '\n' || c == '\r' => {
                let end = if text[at..].starts_with("\r\n") { at + 2 } else { next };
                fields.push(field);
                return (fields, end);
            }
            _ => (field.push(c), at = next).1,
        }
        is_fresh = false;
    }
    fields.push(field);
    (fields, text.len())
}
