//! As `naive`, where records may be broken: the reference for what is set aside.

use loader_csv::{CsvErrorKind, Dialect, Quotes, RepeatedHeader, ShortRows};

use crate::naive::{Cell, MARK, fit, is_line_end, record, skip_line};

/// A record behind the header.
pub(crate) struct Sifted {
    pub(crate) at: usize,
    /// Behind its line end.
    end: usize,
    /// Its values, unless it is broken.
    pub(crate) values: Option<Vec<Cell>>,
    is_lone_field: bool,
}

/// Reads on from `at`, where a record begins, and passes over broken records. `None`: nowhere do
/// records fit again.
pub(crate) fn sift(
    file: &[u8],
    at: usize,
    width: usize,
    header: &[Vec<u8>],
    dialect: &Dialect,
) -> Option<Vec<Sifted>> {
    let mut records = all_records(file, at, width, header, dialect)?;
    let quote = |at: usize| dialect.quote.is_some() && file.get(at).copied() == dialect.quote;
    let mut beside = Vec::new();
    for index in 0..records.len() {
        let lone = &records[index];
        if !lone.is_lone_field {
            continue;
        }
        if let Some(before) = index.checked_sub(1).map(|before| &records[before])
            && before.end == lone.at
            && !quote(text_end(file, before.end) - 1)
        {
            beside.push(index - 1);
        }
        if records.get(index + 1).is_some_and(|next| next.at == lone.end && !quote(next.at)) {
            beside.push(index + 1);
        }
    }
    for index in beside {
        records[index].values = None;
    }
    Some(records)
}

/// The place before the line end that is before `end`.
fn text_end(file: &[u8], end: usize) -> usize {
    let text = &file[..end];
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.strip_suffix(b"\r").unwrap_or(text).len()
}

fn all_records(
    file: &[u8],
    mut at: usize,
    width: usize,
    header: &[Vec<u8>],
    dialect: &Dialect,
) -> Option<Vec<Sifted>> {
    let mut records = Vec::new();
    let mut blank = Vec::new();
    let good_record = |at: usize, length: usize, values: Vec<Cell>| Sifted {
        at,
        end: at + length,
        values: Some(values),
        is_lone_field: false,
    };
    while at < file.len() {
        let rest = &file[at..];
        let drops = dialect.repeated_header == RepeatedHeader::Skip;
        let has_mark = drops && rest.starts_with(MARK);
        if has_mark {
            at += MARK.len();
            records.append(&mut blank);
        }
        let rest = &file[at..];
        let line = rest.len() - skip_line(rest).len();
        match rest.first() {
            None => break,
            Some(first) if is_line_end(*first) => {
                if width == 1 {
                    let values = vec![Cell { text: Vec::new(), quoted: false }];
                    blank.push(good_record(at, line, values));
                }
                at += line;
                continue;
            }
            Some(first) if Some(*first) == dialect.comment => {
                at += line;
                continue;
            }
            Some(_) => records.append(&mut blank),
        }
        match good(rest, width, header, dialect) {
            Ok((record, length)) => {
                if let Some(record) = record {
                    records.push(good_record(at, length, record));
                }
                at += length;
            }
            Err(_) => {
                let length = broken_length(rest, line, width, header, dialect)?;
                let is_lone_field = is_lone_field(rest, width, dialect);
                records.push(Sifted { at, end: at + length, values: None, is_lone_field });
                at += length;
            }
        }
    }
    Some(records)
}

fn is_lone_field(rest: &[u8], width: usize, dialect: &Dialect) -> bool {
    let Ok((alone, left)) = record(rest, dialect) else { return false };
    let own = &rest[..rest.len() - left.len()];
    let has_all_fields = |delimiter: &u8| {
        let dialect = Dialect { quotes: Quotes::Lenient, delimiter: *delimiter, ..dialect.clone() };
        record(own, &dialect).is_ok_and(|(record, _)| record.len() == width)
    };
    let mut others = b",;\t|".iter().filter(|other| **other != dialect.delimiter);
    width > 1
        && dialect.short_rows == ShortRows::Reject
        && alone.len() == 1
        && !others.any(has_all_fields)
}

/// A record that fits, `None` for the header once more; and its length with its line end.
fn good(
    rest: &[u8],
    width: usize,
    header: &[Vec<u8>],
    dialect: &Dialect,
) -> Result<(Option<Vec<Cell>>, usize), Option<CsvErrorKind>> {
    let (mut record, left) = record(rest, dialect).map_err(Some)?;
    let length = rest.len() - skip_line(left).len();
    let text = &rest[..rest.len() - left.len()];
    fit(&mut record, width, dialect);
    let is_text = std::str::from_utf8(text).is_ok() && !text.contains(&0);
    let is_header = header.iter().any(|header| text == header);
    let fits = record.len() == width || is_header;
    if is_text && fits { Ok(((!is_header).then_some(record), length)) } else { Err(None) }
}

/// The length of a broken record, whose first line is `line` bytes long.
fn broken_length(
    rest: &[u8],
    line: usize,
    width: usize,
    header: &[Vec<u8>],
    dialect: &Dialect,
) -> Option<usize> {
    let lenient = Dialect { quotes: Quotes::Lenient, ..dialect.clone() };
    let clash = match record_or_clash(rest, &lenient) {
        Ok(left) => return Some(rest.len() - skip_line(left).len()),
        Err(clash) => clash,
    };
    let mut at = line;
    let mut earliest = line;
    loop {
        if clash.is_some() && at == rest.len() {
            return Some(earliest);
        }
        if fits(&rest[at..], width, header, dialect) {
            return Some(at);
        }
        if clash.is_some_and(|clash| clash >= at) {
            earliest = at;
        }
        if at == rest.len() {
            return None;
        }
        at = rest.len() - skip_line(&rest[at..]).len();
    }
}

/// What follows a record; or the place where text follows a closing quote, `None` for an open one.
fn record_or_clash<'a>(rest: &'a [u8], dialect: &Dialect) -> Result<&'a [u8], Option<usize>> {
    match record(rest, dialect) {
        Ok((_, left)) => Ok(left),
        Err(CsvErrorKind::UnclosedQuote) => Err(None),
        // The text before the clash alone is a record.
        Err(_) => {
            let is_clash = |end: &usize| matches!(record(&rest[..*end], dialect), Err(kind) if kind != CsvErrorKind::UnclosedQuote);
            Err((1..=rest.len()).find(is_clash).map(|end| end - 1))
        }
    }
}

/// Whether three records fit, or all that are left. Their bytes need not be text.
fn fits(mut rest: &[u8], width: usize, header: &[Vec<u8>], dialect: &Dialect) -> bool {
    let mut count = 0;
    let mut blank = 0;
    while count < 3 {
        if let Some(line) =
            rest.strip_prefix(MARK).filter(|_| dialect.repeated_header == RepeatedHeader::Skip)
        {
            rest = line;
            count += std::mem::take(&mut blank);
        }
        let Some(first) = rest.first() else { return true };
        if is_line_end(*first) {
            blank += usize::from(width == 1);
            rest = skip_line(rest);
            continue;
        }
        if Some(*first) == dialect.comment {
            rest = skip_line(rest);
            continue;
        }
        count += std::mem::take(&mut blank);
        let Ok((mut record, left)) = record(rest, dialect) else { return count >= 3 };
        let text = &rest[..rest.len() - left.len()];
        let is_header = header.iter().any(|header| text == header);
        fit(&mut record, width, dialect);
        if record.len() != width && !is_header {
            return count >= 3;
        }
        count += usize::from(!is_header);
        rest = skip_line(left);
    }
    true
}
