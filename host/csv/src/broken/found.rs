//! The broken records of a chunk in the making.
//!
//! In: blocks of rows, and broken records, in the order of the file. Out: the broken records, with
//! rows among them that hold bytes which no field may hold, and rows beside a lone field.

use crate::broken_record::{BrokenRecord, EndsBecause};
use crate::dialect::Rules;
use crate::error::CsvErrorKind;
use crate::lines::{count_lines, line_length};
use crate::rows::Block;
use crate::text::bad_byte;

pub(super) struct Found<'a> {
    bytes: &'a [u8],
    rules: Rules,
    pub(super) broken: Vec<BrokenRecord>,
    /// The last row that could be read.
    last: Option<Row>,
    /// Where the last record ends, if that is a lone field.
    lone_field_end: Option<usize>,
}

/// A row that can be read: its places in the chunk, without its line end, and its number.
#[derive(Clone, Copy)]
struct Row {
    start: usize,
    end: usize,
    number: u64,
}

impl<'a> Found<'a> {
    pub(super) fn new(bytes: &'a [u8], rules: Rules) -> Found<'a> {
        Found { bytes, rules, broken: Vec::new(), last: None, lone_field_end: None }
    }

    /// Takes the rows of a block.
    pub(super) fn rows(&mut self, block: &Block) {
        let row =
            |(index, (start, end))| Row { start, end, number: block.first_row + index as u64 };
        let Some(first) = block.records().enumerate().map(row).next() else { return };
        self.last = block.records().enumerate().map(row).last();
        if self.lone_field_end.take() == Some(first.start) && !self.is_quote(first.start) {
            self.beside_lone_field(first);
        }
        self.bad_text(block);
    }

    /// Takes a broken record.
    pub(super) fn broken(&mut self, record: BrokenRecord, is_lone_field: bool) {
        if is_lone_field {
            let is_adjacent = |row: &Row| self.behind_line_end(row.end) == record.start;
            let row = self.last.filter(is_adjacent);
            if let Some(row) = row.filter(|_| !self.is_quote_before_line_end(record.start)) {
                self.beside_lone_field(row);
            }
        }
        self.lone_field_end = is_lone_field.then_some(record.end);
        self.broken.push(record);
    }

    /// The row behind this one cannot be trusted, perhaps.
    pub(super) fn ends_with_lone_field(&self) -> bool {
        self.lone_field_end.is_some()
    }

    /// A quoted field that begins or ends here is whole.
    fn is_quote(&self, at: usize) -> bool {
        self.rules.quote.is_some() && self.bytes.get(at).copied() == self.rules.quote
    }

    fn is_quote_before_line_end(&self, at: usize) -> bool {
        let text = self.bytes.get(..at).unwrap_or_default();
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        self.is_quote(text.len().wrapping_sub(1))
    }

    fn beside_lone_field(&mut self, row: Row) {
        if self.broken.last().is_some_and(|broken| broken.start == row.start) {
            return;
        }
        self.broken.push(BrokenRecord {
            start: row.start,
            end: self.behind_line_end(row.end),
            row: row.number,
            byte: row.start,
            lines_before: 0,
            column: None,
            kind: CsvErrorKind::BesideLoneField,
            because: EndsBecause::OwnEnd,
        });
    }

    /// Finds the rows of a block that hold bytes which no field may hold.
    fn bad_text(&mut self, block: &Block) {
        let from = block.records().next().map_or(0, |(start, _)| start);
        let to = block.records().last().map_or(from, |(_, end)| end);
        if bad_byte(self.bytes, from..to, self.rules.field_form).is_none() {
            return;
        }
        for (row, (start, end)) in block.records().enumerate() {
            let is_known = self.broken.last().is_some_and(|broken| broken.start == start);
            let bad = bad_byte(self.bytes, start..end, self.rules.field_form);
            if let Some((at, kind)) = bad.filter(|_| !is_known) {
                let is_of_row = matches!(kind, CsvErrorKind::Unreadable(_));
                self.broken.push(BrokenRecord {
                    start,
                    end: self.behind_line_end(end),
                    row: block.first_row + row as u64,
                    byte: at,
                    lines_before: count_lines(self.bytes.get(start..at).unwrap_or_default()),
                    column: (!is_of_row).then(|| block.column_at(row, at)),
                    kind,
                    because: EndsBecause::OwnEnd,
                });
            }
        }
    }

    fn behind_line_end(&self, at: usize) -> usize {
        at + line_length(self.bytes.get(at..).unwrap_or_default(), true).unwrap_or(0)
    }
}
