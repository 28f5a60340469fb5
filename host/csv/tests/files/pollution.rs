//! Files with one mistake each, for every kind of mistake and every row and column of a table, as
//! the Pollock benchmark makes them: no row is ever read wrong, and all rows but the broken one are
//! read.
//!
//! Source of the kinds: <https://doi.org/10.14778/3594512.3594518>, Pollock: A Data Loading
//! Benchmark.

use loader_csv::{DecodeAs, Dialect};

use crate::broken_records::sift;

const ROWS: usize = 30;
const COLUMNS: usize = 6;

/// How a table is written.
#[derive(Clone, Copy)]
struct Written {
    delimiter: char,
    quote: char,
    /// In front of a quote within a field; `None`: it is doubled.
    escape: Option<char>,
    end: &'static str,
    /// All fields are quoted, and not only those that must be.
    all_quoted: bool,
}

const WRITTEN: [Written; 5] = [
    Written { delimiter: ',', quote: '"', escape: None, end: "\r\n", all_quoted: false },
    Written { delimiter: ';', quote: '\'', escape: None, end: "\n", all_quoted: false },
    Written { delimiter: '\t', quote: '"', escape: Some('\\'), end: "\n", all_quoted: false },
    Written { delimiter: '|', quote: '"', escape: None, end: "\r", all_quoted: false },
    Written { delimiter: ',', quote: '"', escape: None, end: "\n", all_quoted: true },
];

impl Written {
    fn dialect(&self) -> Dialect {
        Dialect {
            delimiter: self.delimiter as u8,
            quote: Some(self.quote as u8),
            escape: self.escape.map(|escape| escape as u8),
            ..Dialect::default()
        }
    }

    fn field(&self, value: &str) -> String {
        let special = [self.delimiter, self.quote, '\n', '\r'];
        if !self.all_quoted && !value.contains(special) {
            return value.to_owned();
        }
        let escape = self.escape.unwrap_or(self.quote);
        let inner = value.replace(self.quote, &format!("{escape}{}", self.quote));
        format!("{0}{inner}{0}", self.quote)
    }

    fn row(&self, fields: &[String]) -> String {
        fields.join(&self.delimiter.to_string())
    }
}

/// Numbers, words, texts with everything in them, and empty fields.
fn value(row: usize, column: usize) -> String {
    match column {
        0 => format!("{}", 1000 + row),
        1 => ["red", "green", "blue"][row % 3].to_owned(),
        2 if row % 4 == 1 => format!("table, round {row}\"; 'oak'"),
        2 => format!("chair {row}"),
        3 if row % 5 == 2 => format!("two\nlines|of {row}\ttext"),
        3 => format!("{}.{:02}", row * 7, row),
        4 => format!("2024-01-{:02}", row % 28 + 1),
        _ if row.is_multiple_of(3) => String::new(),
        _ => format!("https://example.org/{row}"),
    }
}

fn values(row: usize) -> Vec<String> {
    (0..COLUMNS).map(|column| value(row, column)).collect()
}

/// One mistake.
#[derive(Clone, Copy, Debug)]
enum Pollution {
    NoDelimiterBefore,
    DelimiterBefore,
    OtherDelimiterBefore,
    QuoteAtStart,
    QuoteAtEnd,
    QuoteWithin,
    OtherEscape,
    NoClosingQuote,
    NoOpeningQuote,
    Nul,
    NotUtf8,
    LineEndWithin,
}

const POLLUTIONS: [Pollution; 12] = [
    Pollution::NoDelimiterBefore,
    Pollution::DelimiterBefore,
    Pollution::OtherDelimiterBefore,
    Pollution::QuoteAtStart,
    Pollution::QuoteAtEnd,
    Pollution::QuoteWithin,
    Pollution::OtherEscape,
    Pollution::NoClosingQuote,
    Pollution::NoOpeningQuote,
    Pollution::Nul,
    Pollution::NotUtf8,
    Pollution::LineEndWithin,
];

impl Pollution {
    /// The row with the mistake at this column; `None` where it cannot be made.
    fn row(self, fields: &[String], column: usize, written: &Written) -> Option<Vec<u8>> {
        let Written { delimiter, quote, .. } = *written;
        let (before, rest) = fields.split_at(column);
        let (field, behind) = rest.split_first()?;
        let is_quoted = field.starts_with(quote);
        let other = if delimiter == ';' { ',' } else { ';' };
        let middle = field.char_indices().nth(field.chars().count() / 2).map_or(0, |(at, _)| at);
        let (left, right) = field.split_at(middle);
        let field = match self {
            Pollution::NoDelimiterBefore | Pollution::OtherDelimiterBefore if column == 0 => {
                return None;
            }
            Pollution::NoDelimiterBefore => {
                let joined = format!("{}{field}", before[column - 1]);
                let fields = [&before[..column - 1], &[joined], behind].concat();
                return Some(written.row(&fields).into_bytes());
            }
            Pollution::OtherDelimiterBefore => {
                let joined = format!("{}{other}{field}", before[column - 1]);
                let fields = [&before[..column - 1], &[joined], behind].concat();
                return Some(written.row(&fields).into_bytes());
            }
            Pollution::DelimiterBefore => format!("{delimiter}{field}"),
            Pollution::QuoteAtStart => format!("{quote}{field}"),
            Pollution::QuoteAtEnd => format!("{field}{quote}"),
            Pollution::QuoteWithin if field.is_empty() => return None,
            Pollution::QuoteWithin => format!("{left}{quote}{right}"),
            Pollution::OtherEscape if !is_quoted => return None,
            Pollution::OtherEscape => {
                let escape = written.escape.unwrap_or(quote);
                let escaped = format!("{escape}{quote}");
                let inner = field.get(1..field.len() - 1)?;
                if !inner.contains(&escaped) {
                    return None;
                }
                let inner = inner.replacen(&escaped, &format!("/{quote}"), 1);
                format!("{quote}{inner}{quote}")
            }
            Pollution::NoClosingQuote if is_quoted => field[..field.len() - 1].to_owned(),
            Pollution::NoOpeningQuote if is_quoted => field[1..].to_owned(),
            Pollution::NoClosingQuote | Pollution::NoOpeningQuote => return None,
            Pollution::Nul => format!("{left}\0{right}"),
            Pollution::NotUtf8 => {
                let row = [before, &[format!("{left}\u{1}{right}")], behind].concat();
                let row = written.row(&row).into_bytes();
                return Some(
                    row.into_iter().map(|byte| if byte == 1 { 0xFF } else { byte }).collect(),
                );
            }
            Pollution::LineEndWithin if is_quoted || field.is_empty() => return None,
            Pollution::LineEndWithin => format!("{left}{}{right}", written.end),
        };
        Some(written.row(&[before, &[field], behind].concat()).into_bytes())
    }
}

fn file(written: &Written, polluted: usize, row: &[u8]) -> Vec<u8> {
    let names: Vec<String> =
        (0..COLUMNS).map(|column| written.field(&format!("c{column}"))).collect();
    let mut file = format!("{}{}", written.row(&names), written.end).into_bytes();
    for number in 0..ROWS {
        let fields: Vec<String> = values(number).iter().map(|value| written.field(value)).collect();
        match number == polluted {
            true => file.extend_from_slice(row),
            false => file.extend_from_slice(written.row(&fields).as_bytes()),
        }
        file.extend_from_slice(written.end.as_bytes());
    }
    file
}

/// A row as it is read: NULL for an empty field, unless it is quoted.
fn expected(row: usize, written: &Written) -> Vec<Option<String>> {
    let is_null = |value: &String| value.is_empty() && !written.all_quoted;
    values(row).into_iter().map(|value| (!is_null(&value)).then_some(value)).collect()
}

#[test]
fn a_broken_row_costs_no_other_row() {
    let mut files = 0;
    let mut wrong = Vec::new();
    for (number, written) in WRITTEN.iter().enumerate() {
        let dialect = written.dialect();
        for polluted in 0..ROWS {
            let fields: Vec<String> =
                values(polluted).iter().map(|value| written.field(value)).collect();
            for (pollution, column) in
                POLLUTIONS.iter().flat_map(|pollution| (0..COLUMNS).map(move |c| (pollution, c)))
            {
                let Some(row) = pollution.row(&fields, column, written) else { continue };
                files += 1;
                let file = file(written, polluted, &row);
                let case = format!("{number} {pollution:?} in row {polluted}, column {column}");
                wrong.extend(
                    check(&file, &dialect, written, polluted, *pollution)
                        .err()
                        .map(|w| format!("{case}: {w}")),
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {files}:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(files, 7996);
}

#[test]
fn line_ends_and_sizes_of_a_table_cost_no_row() {
    let rows_of = |text: &str, written: &Written| {
        let dialect = written.dialect();
        let read = crate::read(text.as_bytes(), &dialect, 90, 7).expect("a good file");
        let rows = read.rows(&[DecodeAs::Text; COLUMNS], 100).expect("a profiled file decodes");
        rows.into_iter().map(|row| row[1..].to_vec()).collect::<Vec<_>>()
    };
    for written in &WRITTEN {
        let line = |fields: Vec<String>| {
            written.row(&fields.iter().map(|value| written.field(value)).collect::<Vec<_>>())
        };
        let header = line((0..COLUMNS).map(|column| format!("c{column}")).collect());
        for rows in [0, 1, 2, ROWS] {
            let lines: Vec<String> = (0..rows).map(|row| line(values(row))).collect();
            let all: Vec<_> = (0..rows).map(|row| expected(row, written)).collect();
            let file = [std::slice::from_ref(&header), &lines].concat().join(written.end);
            for end in ["", written.end, "\n\n", "\r\n\r\n"] {
                assert_eq!(rows_of(&format!("{file}{end}"), written), all, "{rows} {end:?}");
            }
        }
        for (other, row) in
            ["\n", "\r\n", "\r"].iter().flat_map(|end| (0..ROWS).map(move |r| (end, r)))
        {
            let lines = (0..ROWS).map(|number| {
                let end = if number == row { other } else { written.end };
                line(values(number)) + end
            });
            let file = format!("{header}{}{}", written.end, lines.collect::<String>());
            let all: Vec<_> = (0..ROWS).map(|row| expected(row, written)).collect();
            assert_eq!(rows_of(&file, written), all, "{other:?} behind row {row}");
        }
    }
}

/// Checks that every row is read right, but for the polluted one.
fn check(
    file: &[u8],
    dialect: &Dialect,
    written: &Written,
    polluted: usize,
    pollution: Pollution,
) -> Result<(), String> {
    let sifted = sift(file, dialect, 700).ok_or("refused")?;
    let read: Vec<_> = sifted.rows.iter().map(|(_, values)| values.clone()).collect();
    let all: Vec<_> = (0..ROWS).map(|row| expected(row, written)).collect();
    // A rest behind a line end may belong to the row before it, or to the one behind.
    let is_right = |around: usize| {
        let (from, to) = (polluted.saturating_sub(around), (polluted + 1 + around).min(ROWS));
        (from..=polluted)
            .any(|from| (polluted + 1..=to).any(|to| read == [&all[..from], &all[to..]].concat()))
    };
    if read != all && !is_right(usize::from(matches!(pollution, Pollution::LineEndWithin))) {
        let wrong: Vec<_> = read.iter().filter(|row| !all.contains(row)).collect();
        return Err(format!("{} rows, {wrong:?}, {:?}", read.len(), sifted.broken));
    }
    // Where no row may be rejected, the file is refused, unless it has all rows.
    let Ok(strict) = crate::read(file, dialect, 700, 64) else { return Ok(()) };
    let rows = strict.rows(&[DecodeAs::Text; COLUMNS], 100).expect("a profiled file decodes");
    let rows: Vec<_> = rows.into_iter().map(|row| row[1..].to_vec()).collect();
    if rows == all { Ok(()) } else { Err("read wrong without rejects".to_owned()) }
}
