//! A CSV reader that is slow and plain: the reference for the real one.

use loader_csv::{CsvErrorKind, Dialect};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) text: Vec<u8>,
    pub(crate) quoted: bool,
}

/// All records, the header first; or what is wrong with which (0 is the first).
pub(crate) fn records(
    file: &[u8],
    dialect: &Dialect,
) -> Result<Vec<Vec<Cell>>, (usize, CsvErrorKind)> {
    let mut rest = file.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(file);
    for _ in 0..dialect.skip_rows {
        rest = skip_line(rest);
    }
    let mut records: Vec<Vec<Cell>> = Vec::new();
    while let Some(first) = rest.first() {
        if is_line_end(*first) {
            rest = &rest[1..];
        } else if Some(*first) == dialect.comment {
            rest = skip_line(rest);
        } else {
            let number = records.len();
            let (record, left) = record(rest, dialect).map_err(|kind| (number, kind))?;
            rest = left;
            let expected = records.first().map_or(record.len(), Vec::len);
            if record.len() != expected {
                return Err((number, CsvErrorKind::RaggedRow { expected, found: record.len() }));
            }
            records.push(record);
        }
    }
    if records.is_empty() { Err((0, CsvErrorKind::Empty)) } else { Ok(records) }
}

fn record<'a>(file: &'a [u8], dialect: &Dialect) -> Result<(Vec<Cell>, &'a [u8]), CsvErrorKind> {
    let mut rest = file;
    let mut cells = Vec::new();
    loop {
        let quoted = !rest.is_empty() && rest.first().copied() == dialect.quote;
        let mut text = Vec::new();
        if quoted {
            rest = quoted_text(&rest[1..], dialect, &mut text)?;
        } else {
            while let Some(byte) =
                rest.first().filter(|byte| **byte != dialect.delimiter && !is_line_end(**byte))
            {
                text.push(*byte);
                rest = &rest[1..];
            }
        }
        cells.push(Cell { text, quoted });
        match rest.first() {
            None => return Ok((cells, rest)),
            Some(byte) if is_line_end(*byte) => return Ok((cells, &rest[1..])),
            Some(byte) if *byte == dialect.delimiter => rest = &rest[1..],
            Some(_) => return Err(CsvErrorKind::TextAfterQuote),
        }
    }
}

fn quoted_text<'a>(
    file: &'a [u8],
    dialect: &Dialect,
    text: &mut Vec<u8>,
) -> Result<&'a [u8], CsvErrorKind> {
    let mut rest = file;
    loop {
        let is =
            |at: usize, byte: Option<u8>| rest.get(at).is_some() && rest.get(at).copied() == byte;
        if rest.is_empty() {
            return Err(CsvErrorKind::UnclosedQuote);
        } else if is(0, dialect.quote) && is(1, dialect.quote) {
            text.push(rest[1]);
            rest = &rest[2..];
        } else if is(0, dialect.quote) {
            return Ok(&rest[1..]);
        } else if is(0, dialect.escape) && rest.len() > 1 {
            text.push(rest[1]);
            rest = &rest[2..];
        } else {
            text.push(rest[0]);
            rest = &rest[1..];
        }
    }
}

fn is_line_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

fn skip_line(file: &[u8]) -> &[u8] {
    let Some(end) = file.iter().position(|byte| is_line_end(*byte)) else {
        return &[];
    };
    let is_pair = file[end..].starts_with(b"\r\n");
    &file[end + 1 + usize::from(is_pair)..]
}

pub(crate) fn line_ends(file: &[u8]) -> u64 {
    let mut rest = file;
    let mut count = 0;
    while rest.iter().any(|byte| is_line_end(*byte)) {
        rest = skip_line(rest);
        count += 1;
    }
    count
}
