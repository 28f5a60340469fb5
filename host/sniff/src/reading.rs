//! A text cut into rows and cells by one form.
//!
//! The rules are those of `loader-csv`, but that nothing is refused: a cell that breaks them is
//! marked. A quote opens a field only as its first character; LF, CRLF and a lone CR end a record.

use std::borrow::Cow;

/// How a text could be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) separator: Separator,
    pub(crate) quote: Option<u8>,
    pub(crate) escape: Option<u8>,
}

/// What stands between two fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Separator {
    Text(String),
    /// At least so many blanks.
    Blanks(usize),
    OneColumn,
}

/// A text, cut.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    pub(crate) text: &'a str,
    pub(crate) form: &'a Form,
    pub(crate) rows: Vec<Row>,
    cells: Vec<Cell>,
    /// The text ends within quotes.
    pub(crate) ends_open: bool,
}

/// A record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    first_cell: usize,
    cells: usize,
    /// The lines of the text before it.
    pub(crate) line: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    /// Its content, without quotes.
    start: usize,
    end: usize,
    pub(crate) quoting: Quoting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quoting {
    Bare,
    Quoted,
    /// Text follows the closing quote, or there is none.
    Broken,
}

impl<'a> Reading<'a> {
    /// Cuts a text. `is_cut`: it goes on, so its last record may be incomplete and does not count.
    pub(crate) fn new(text: &'a str, form: &'a Form, is_cut: bool) -> Reading<'a> {
        let mut cutter = Cutter { bytes: text.as_bytes(), form, at: 0, line: 0, is_open: false };
        let mut reading =
            Reading { text, form, rows: Vec::new(), cells: Vec::new(), ends_open: false };
        while cutter.at < text.len() {
            let row = cutter.row(&mut reading.cells);
            reading.rows.push(row);
        }
        reading.ends_open = cutter.is_open;
        let ends_line = text.ends_with(['\n', '\r']) && !cutter.is_open;
        if is_cut && !ends_line && reading.rows.len() > 1 {
            // A quote that the cut has left open is none that lacks its end, unless it has swallowed
            // much.
            let swallowed = reading.rows.pop().map_or(0, |row| row.end - row.start);
            reading.ends_open &= swallowed * 4 > text.len();
        }
        reading
    }

    pub(crate) fn cells(&self, row: &Row) -> &[Cell] {
        &self.cells[row.first_cell..row.first_cell + row.cells]
    }

    /// The content of a cell as it stands in the text.
    pub(crate) fn raw(&self, cell: &Cell) -> &'a str {
        self.text.get(cell.start..cell.end).unwrap_or_default()
    }

    /// What a cell says.
    pub(crate) fn value(&self, cell: &Cell) -> Cow<'a, str> {
        let raw = self.raw(cell);
        let is_plain = cell.quoting == Quoting::Bare && self.form.quote.is_some();
        let special = [self.form.quote, self.form.escape];
        let is_special = |c: char| special.contains(&u8::try_from(c).ok());
        if is_plain || !raw.contains(is_special) {
            return Cow::Borrowed(raw);
        }
        let (mut out, mut chars) = (String::new(), raw.chars().peekable());
        while let Some(c) = chars.next() {
            let byte = u8::try_from(c).ok();
            let doubled = byte == self.form.quote && chars.peek() == Some(&c);
            let escapes = self.form.escape.is_some() && byte == self.form.escape;
            let taken = if doubled || escapes { chars.next() } else { None };
            out.push(taken.unwrap_or(c));
        }
        Cow::Owned(out)
    }

    /// Whether the row has nothing in it.
    pub(crate) fn is_blank(&self, row: &Row) -> bool {
        match self.cells(row) {
            [cell] => cell.quoting == Quoting::Bare && self.raw(cell).trim().is_empty(),
            _ => false,
        }
    }
}

impl Row {
    pub(crate) fn width(&self) -> usize {
        self.cells
    }
}

struct Cutter<'a> {
    bytes: &'a [u8],
    form: &'a Form,
    at: usize,
    line: usize,
    is_open: bool,
}

impl Cutter<'_> {
    fn row(&mut self, cells: &mut Vec<Cell>) -> Row {
        let (first_cell, start, line) = (cells.len(), self.at, self.line);
        if let Separator::Blanks(_) = self.form.separator {
            self.skip_blanks();
        }
        loop {
            cells.push(self.cell());
            let length = self.separator();
            if length == 0 {
                break;
            }
            self.at += length;
        }
        if let (Separator::Blanks(_), [.., _, last]) = (&self.form.separator, &cells[first_cell..])
            && last.start == last.end
        {
            cells.pop();
        }
        let end = self.at;
        self.end_line();
        Row { first_cell, cells: cells.len() - first_cell, line, start, end }
    }

    fn cell(&mut self) -> Cell {
        match (self.form.quote, self.bytes.get(self.at)) {
            (Some(quote), Some(byte)) if quote == *byte => self.quoted(quote),
            _ => {
                let start = self.at;
                self.bare();
                Cell { start, end: self.at, quoting: Quoting::Bare }
            }
        }
    }

    /// Moves to the end of an unquoted field.
    fn bare(&mut self) {
        let escape = if self.form.quote.is_none() { self.form.escape } else { None };
        while let Some(byte) = self.bytes.get(self.at) {
            if escape.is_some() && escape == Some(*byte) {
                self.at = (self.at + 2).min(self.bytes.len());
                continue;
            }
            if matches!(byte, b'\n' | b'\r') || self.separator() > 0 {
                return;
            }
            self.at += 1;
        }
    }

    fn quoted(&mut self, quote: u8) -> Cell {
        let start = self.at + 1;
        let Some(end) = self.closing(start, quote) else {
            (self.at, self.is_open) = (self.bytes.len(), true);
            return Cell { start, end: self.at, quoting: Quoting::Broken };
        };
        self.line += lines(&self.bytes[start..end]);
        self.at = end + 1;
        let behind = self.at;
        self.bare();
        let quoting = if self.at == behind { Quoting::Quoted } else { Quoting::Broken };
        Cell { start, end, quoting }
    }

    /// The place of the quote that closes a field.
    fn closing(&self, from: usize, quote: u8) -> Option<usize> {
        let mut at = from;
        while let Some(byte) = self.bytes.get(at) {
            if Some(*byte) == self.form.escape {
                at += 2;
            } else if *byte != quote {
                at += 1;
            } else if self.bytes.get(at + 1) == Some(&quote) {
                at += 2;
            } else {
                return Some(at);
            }
        }
        None
    }

    /// The length of the separator that stands here; 0 if there is none.
    fn separator(&self) -> usize {
        let rest = &self.bytes[self.at..];
        match &self.form.separator {
            Separator::Text(text) if rest.starts_with(text.as_bytes()) => text.len(),
            Separator::Text(_) | Separator::OneColumn => 0,
            Separator::Blanks(least) => {
                let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
                if blanks >= *least { blanks } else { 0 }
            }
        }
    }

    fn skip_blanks(&mut self) {
        while self.bytes.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
    }

    fn end_line(&mut self) {
        let rest = &self.bytes[self.at..];
        let length = match rest {
            [b'\r', b'\n', ..] => 2,
            [] => return,
            _ => 1,
        };
        self.at += length;
        self.line += 1;
    }
}

/// The line ends of some bytes.
fn lines(bytes: &[u8]) -> usize {
    let ends = bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
    ends - bytes.windows(2).filter(|pair| pair == b"\r\n").count()
}
