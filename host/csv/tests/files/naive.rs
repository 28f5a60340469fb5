//! A CSV reader that is slow and plain: the reference for the real one.

use loader_csv::{
    CsvErrorKind, Dialect, Quotes, Ragged, RepeatedHeader, ShortRows, TrailingDelimiter,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) text: Vec<u8>,
    /// Quoted, or with an escape where there are no quotes: so it is no null token.
    pub(crate) quoted: bool,
}

pub(crate) const MARK: &[u8] = b"\xEF\xBB\xBF";

/// A whole file.
pub(crate) struct File {
    /// All records, the header first.
    pub(crate) records: Vec<Vec<Cell>>,
    /// Those that are no rows.
    pub(crate) blank_lines: u64,
    /// Records that equal the header.
    pub(crate) headers: u64,
    /// Byte order marks behind the header, or anywhere but at the start of a file without one.
    pub(crate) marks: u64,
    width: usize,
}

/// The file; or what is wrong with which record (0 is the first). All ragged rows count as long
/// ones.
pub(crate) fn read(bytes: &[u8], dialect: &Dialect) -> Result<File, (usize, CsvErrorKind)> {
    let mut rest = bytes.strip_prefix(MARK).unwrap_or(bytes);
    for _ in 0..dialect.skip_rows {
        rest = skip_line(rest);
    }
    let mut file = File { records: Vec::new(), blank_lines: 0, width: 0, headers: 0, marks: 0 };
    // Blank lines behind the last record, which are those at the end of the file so far.
    let mut blank_lines = 0;
    let mut header: Vec<Vec<u8>> = Vec::new();
    let drops = dialect.repeated_header == RepeatedHeader::Skip;
    while !rest.is_empty() {
        // A line has one mark beside that of the file; another one is text.
        if let Some(line) = rest.strip_prefix(MARK).filter(|_| drops) {
            rest = line;
            file.marks += u64::from(file.width > 0 || !dialect.header);
            // A line with a mark is no blank line, so those before it are not at the file's end.
            if file.width > 0 {
                file.blank(std::mem::take(&mut blank_lines));
            }
        }
        let Some(first) = rest.first() else { break };
        if is_line_end(*first) {
            blank_lines += 1;
            rest = skip_line(rest);
        } else if Some(*first) == dialect.comment {
            rest = skip_line(rest);
        } else {
            let blank_before = std::mem::take(&mut blank_lines);
            let is_first = file.width == 0;
            if !is_first {
                file.blank(blank_before);
            }
            let number = file.records.len();
            let (mut record, left) = record(rest, dialect).map_err(|kind| (number, kind))?;
            let text = &rest[..rest.len() - left.len()];
            if is_first {
                file.width = width_of_header(&record, dialect);
                if dialect.header {
                    record.truncate(file.width);
                }
                if !dialect.header {
                    file.blank(blank_before);
                }
            }
            rest = skip_line(left);
            let is_repeated = header.iter().any(|header| text == header);
            fit(&mut record, file.width, dialect);
            let (expected, found) = (file.width, record.len());
            if found != expected && !is_repeated {
                let ragged = Ragged::Long;
                return Err((number, CsvErrorKind::RaggedRow { expected, found, ragged }));
            }
            if is_first && dialect.header && drops && found > 1 {
                header = spellings(&record, text, dialect);
            } else if is_repeated {
                file.headers += 1;
                continue;
            }
            file.records.push(record);
        }
    }
    if file.records.is_empty() { Err((0, CsvErrorKind::Empty)) } else { Ok(file) }
}

impl File {
    /// Takes blank lines that have a record behind them.
    fn blank(&mut self, lines: u64) {
        if self.width == 1 {
            let row = vec![Cell { text: Vec::new(), quoted: false }];
            self.records.extend((0..lines).map(|_| row.clone()));
        } else {
            self.blank_lines += lines;
        }
    }
}

/// The number of columns.
fn width_of_header(record: &[Cell], dialect: &Dialect) -> usize {
    let surplus = record.iter().rev().take_while(|cell| cell.text.is_empty() && !cell.quoted);
    match dialect.trailing_delimiter {
        TrailingDelimiter::Allow => (record.len() - surplus.count()).max(1),
        TrailingDelimiter::Reject => record.len(),
    }
}

/// Fills a short record up, or drops empty fields too many, where the dialect says so.
pub(crate) fn fit(record: &mut Vec<Cell>, width: usize, dialect: &Dialect) {
    let surplus = record.get(width..).unwrap_or_default();
    let is_empty = surplus.iter().all(|cell| cell.text.is_empty() && !cell.quoted);
    if dialect.trailing_delimiter == TrailingDelimiter::Allow && is_empty {
        record.truncate(width);
    }
    if dialect.short_rows == ShortRows::Fill && record.len() < width {
        record.resize(width, Cell { text: Vec::new(), quoted: false });
    }
}

/// The header as it stands in the file, and with no name or all names quoted.
fn spellings(header: &[Cell], text: &[u8], dialect: &Dialect) -> Vec<Vec<u8>> {
    let mut spellings = vec![text.to_vec()];
    let special = |byte: &u8| {
        [Some(dialect.delimiter), dialect.quote, dialect.escape, Some(b'\n'), Some(b'\r')]
            .contains(&Some(*byte))
    };
    let is_plain = !header.iter().any(|cell| cell.text.iter().any(&special));
    if let Some(quote) = dialect.quote.filter(|_| is_plain) {
        let quoted = |cell: &Cell| [&[quote], &*cell.text, &[quote]].concat();
        let texts: Vec<Vec<u8>> = header.iter().map(|cell| cell.text.clone()).collect();
        let quoted: Vec<Vec<u8>> = header.iter().map(quoted).collect();
        spellings.extend([texts.join(&dialect.delimiter), quoted.join(&dialect.delimiter)]);
    }
    spellings.retain(|spelling| !spelling.is_empty());
    spellings
}

/// How records are written that are left out, since they are the header.
pub(crate) fn header_spellings(file: &[u8], dialect: &Dialect) -> Vec<Vec<u8>> {
    let drops = dialect.repeated_header == RepeatedHeader::Skip;
    if !drops || !dialect.header {
        return Vec::new();
    }
    let mut rest = file.strip_prefix(MARK).unwrap_or(file);
    for _ in 0..dialect.skip_rows {
        rest = skip_line(rest);
    }
    loop {
        rest = rest.strip_prefix(MARK).unwrap_or(rest);
        match rest.first() {
            None => return Vec::new(),
            Some(first) if is_line_end(*first) || Some(*first) == dialect.comment => {
                rest = skip_line(rest);
            }
            Some(_) => break,
        }
    }
    match record(rest, dialect) {
        Ok((header, left)) if width_of_header(&header, dialect) > 1 => {
            let named = &header[..width_of_header(&header, dialect)];
            spellings(named, &rest[..rest.len() - left.len()], dialect)
        }
        _ => Vec::new(),
    }
}

/// A record and what follows it, beginning with its line end.
pub(crate) fn record<'a>(
    file: &'a [u8],
    dialect: &Dialect,
) -> Result<(Vec<Cell>, &'a [u8]), CsvErrorKind> {
    let mut rest = file;
    let mut cells = Vec::new();
    loop {
        let mut quoted = !rest.is_empty() && rest.first().copied() == dialect.quote;
        let mut text = Vec::new();
        if quoted {
            rest = quoted_text(&rest[1..], dialect, &mut text)?;
        } else {
            let escape = dialect.escape.filter(|_| dialect.quote.is_none());
            while let Some(byte) = rest.first() {
                if Some(*byte) == dialect.quote && dialect.quotes == Quotes::Strict {
                    let is_blank = text.trim_ascii().is_empty();
                    return Err(match is_blank {
                        true => CsvErrorKind::BlankBeforeQuote,
                        false => CsvErrorKind::BareQuote,
                    });
                }
                if Some(*byte) == escape && rest.len() > 1 {
                    (quoted, rest) = (true, &rest[1..]);
                } else if *byte == dialect.delimiter || is_line_end(*byte) {
                    break;
                }
                text.push(rest[0]);
                rest = &rest[1..];
            }
        }
        cells.push(Cell { text, quoted });
        match rest.first() {
            None => return Ok((cells, rest)),
            Some(byte) if is_line_end(*byte) => return Ok((cells, rest)),
            Some(byte) if *byte == dialect.delimiter => rest = &rest[1..],
            Some(b' ' | b'\t') => return Err(CsvErrorKind::BlankAfterQuote),
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

pub(crate) fn is_line_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

pub(crate) fn skip_line(file: &[u8]) -> &[u8] {
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
