//! Records and fields of delimited and CSV files, by Redshift's rules. In: a byte stream. Out: one
//! record at a time, its fields unquoted, with the line it starts on. Memory is bounded by the
//! longest record (4 MB, as in Redshift).
//!
//! A record ends at LF, and a CR before the LF is dropped; a lone CR and a byte order mark are
//! data. Blanks around a quoted field are ignored, blanks around a bare field are data. For
//! example, the line `a, "b" , c` has the fields `a`, `b` and ` c`.

use std::io::{self, BufRead, Read};

use crate::sql::TextOptions;

/// Redshift's limit for a row.
const MAX_RECORD_BYTES: usize = 4 << 20;

/// A field of the last record.
// `start` and `end` count in the unquoted content, `position` in the record as it stands in the
// file. The two drift apart at every quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    start: usize,
    end: usize,
    /// The byte where the field starts, in the record as it stands in the file.
    pub(crate) position: usize,
}

/// Why a record cannot be split into fields; code and reason of STL_LOAD_ERRORS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordFault {
    pub(crate) code: i32,
    pub(crate) reason: &'static str,
    pub(crate) position: usize,
}

const BAD_QUOTE: &str = "Invalid quote formatting for CSV";
const NO_END_QUOTE: &str = "Delimited value missing end quote";

/// Reads records.
pub(crate) struct Records<R> {
    reader: R,
    delimiter: u8,
    quote: Option<u8>,
    ignores_blank_lines: bool,
    /// The record's lines as they are in the file, without the last line end.
    raw: Vec<u8>,
    /// Unquoted fields, one after the other.
    content: Vec<u8>,
    fields: Vec<Span>,
    next_line: u64,
    line: u64,
}

/// The next thing in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Record,
    Fault(RecordFault),
    End,
}

impl<R: BufRead> Records<R> {
    /// Skips the header lines. IGNOREHEADER counts lines, not records: a header with a line end in
    /// quotes counts as two.
    pub(crate) fn new(reader: R, options: &TextOptions) -> io::Result<Records<R>> {
        let mut records = Records {
            reader,
            delimiter: options.delimiter,
            quote: options.quote,
            ignores_blank_lines: options.ignore_blank_lines,
            raw: Vec::new(),
            content: Vec::new(),
            fields: Vec::new(),
            next_line: 1,
            line: 1,
        };
        for _ in 0..options.ignore_header {
            records.raw.clear();
            if !records.read_line()? {
                break;
            }
        }
        Ok(records)
    }

    /// The line where the last record starts, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// The last record as it stands in the file.
    pub(crate) fn raw(&self) -> &[u8] {
        &self.raw
    }

    pub(crate) fn fields(&self) -> &[Span] {
        &self.fields
    }

    pub(crate) fn field(&self, span: Span) -> &[u8] {
        &self.content[span.start..span.end]
    }

    /// Reads the next record.
    pub(crate) fn next_record(&mut self) -> io::Result<Next> {
        loop {
            self.raw.clear();
            self.line = self.next_line;
            if !self.read_line()? {
                return Ok(Next::End);
            }
            if !(self.ignores_blank_lines && trimmed(&self.raw).is_empty()) {
                break;
            }
        }
        self.split()
    }

    /// Appends a line with its end to `raw`; false at the end of the file.
    fn read_line(&mut self) -> io::Result<bool> {
        // Reading one byte more than a row may have is enough to see that the row is too long. So a
        // file without any line end cannot fill the memory.
        let room = (MAX_RECORD_BYTES + 1).saturating_sub(self.raw.len());
        let count = self.reader.by_ref().take(room as u64).read_until(b'\n', &mut self.raw)?;
        if self.raw.len() > MAX_RECORD_BYTES {
            return Err(io::Error::other(format!(
                "line {}: the row is longer than {MAX_RECORD_BYTES} bytes",
                self.line
            )));
        }
        self.next_line += 1;
        Ok(count > 0)
    }

    fn split(&mut self) -> io::Result<Next> {
        self.content.clear();
        self.fields.clear();
        let mut at = 0;
        loop {
            let step = match self.opening_quote(at) {
                Some(opening) => self.quoted(at, opening)?,
                None => self.bare(at),
            };
            match step {
                FieldEnd::Field { next } => at = next,
                FieldEnd::Last => return Ok(Next::Record),
                // A fault gives up what was read of the record. The next record starts at the next
                // line, so one bad line costs one row.
                FieldEnd::Fault(fault) => return Ok(Next::Fault(fault)),
            }
        }
    }

    /// Where a quoted field's opening quote is, behind blanks; `None` for a bare field.
    fn opening_quote(&self, start: usize) -> Option<usize> {
        let quote = self.quote?;
        // A delimiter may itself be a blank, such as a tab: then it ends the field.
        let opening = start + self.blanks(&self.raw[start..]);
        (self.raw.get(opening) == Some(&quote)).then_some(opening)
    }

    /// The number of blanks that the text starts with, up to a delimiter.
    fn blanks(&self, text: &[u8]) -> usize {
        text.iter()
            .take_while(|byte| matches!(**byte, b' ' | b'\t') && **byte != self.delimiter)
            .count()
    }

    fn bare(&mut self, start: usize) -> FieldEnd {
        let delimiter = self.delimiter;
        let rest = &self.raw[start..];
        let end = rest.iter().position(|byte| *byte == delimiter).map(|length| start + length);
        let text = match end {
            Some(end) => &self.raw[start..end],
            None => trimmed(rest),
        };
        if let Some(quote) = self.quote
            && let Some(offset) = text.iter().position(|byte| *byte == quote)
        {
            return bad_quote(start + offset);
        }
        let from = self.content.len();
        self.content.extend_from_slice(text);
        self.fields.push(Span { start: from, end: self.content.len(), position: start });
        end.map_or(FieldEnd::Last, |end| FieldEnd::Field { next: end + 1 })
    }

    /// A field whose opening quote is at `opening`.
    fn quoted(&mut self, start: usize, opening: usize) -> io::Result<FieldEnd> {
        let from = self.content.len();
        let Some(at) = self.unquote(opening + 1)? else {
            return Ok(FieldEnd::Fault(RecordFault {
                code: 1214,
                reason: NO_END_QUOTE,
                position: opening,
            }));
        };
        self.fields.push(Span { start: from, end: self.content.len(), position: start });
        let rest = trimmed(&self.raw[at..]);
        let blanks = self.blanks(rest);
        Ok(match rest.get(blanks) {
            None => FieldEnd::Last,
            Some(byte) if *byte == self.delimiter => FieldEnd::Field { next: at + blanks + 1 },
            Some(_) => bad_quote(at + blanks),
        })
    }

    /// Takes the content up to the closing quote, over line ends and doubled quotes; returns the
    /// byte behind the quote, or `None` when the file ends first.
    fn unquote(&mut self, start: usize) -> io::Result<Option<usize>> {
        let quote = self.quote.unwrap_or(b'"');
        let mut at = start;
        loop {
            let Some(length) = self.raw[at..].iter().position(|byte| *byte == quote) else {
                self.content.extend_from_slice(&self.raw[at..]);
                at = self.raw.len();
                // `read_line` appends to `raw`, so positions stay those of the whole record.
                if !self.read_line()? {
                    return Ok(None);
                }
                continue;
            };
            self.content.extend_from_slice(&self.raw[at..at + length]);
            at += length + 1;
            // A quote closes the field unless a second one follows: `"a""b"` is `a"b`.
            if self.raw.get(at) != Some(&quote) {
                return Ok(Some(at));
            }
            self.content.push(quote);
            at += 1;
        }
    }
}

fn bad_quote(position: usize) -> FieldEnd {
    FieldEnd::Fault(RecordFault { code: 1200, reason: BAD_QUOTE, position })
}

/// Where a field ended.
enum FieldEnd {
    Field { next: usize },
    Last,
    Fault(RecordFault),
}

/// The line without its end.
fn trimmed(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&[&str]]) {
        let options = TextOptions { delimiter: b',', quote: Some(b'"'), ..TextOptions::default() };
        let mut records = Records::new(text.as_bytes(), &options).unwrap();
        let mut found = Vec::new();
        loop {
            match records.next_record().unwrap() {
                Next::End => break,
                Next::Record => {
                    found.push(
                        records
                            .fields()
                            .iter()
                            .map(|span| String::from_utf8_lossy(records.field(*span)).into_owned())
                            .collect::<Vec<_>>(),
                    );
                }
                Next::Fault(fault) => found.push(vec![format!(
                    "{}:{}:{}",
                    records.line(),
                    fault.code,
                    fault.position
                )]),
            }
        }
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn records_and_fields() {
        check("a,b\r\nc,\n", &[&["a", "b"], &["c", ""]]);
        check("\"a\"\"b\",\"x,\ny\"\nc,d", &[&["a\"b", "x,\ny"], &["c", "d"]]);
        check("a, \"b\" , c\n", &[&["a", "b", " c"]]);
        check("a\n\nb", &[&["a"], &[""], &["b"]]);
        check("a\rb,c\n", &[&["a\rb", "c"]]);
        check("a,\"b\"x\nc,d\"\ne,\"f\n", &[&["1:1200:5"], &["2:1200:3"], &["3:1214:2"]]);
    }

    #[test]
    fn a_header_is_skipped_by_lines() {
        let options = TextOptions { ignore_header: 2, ..TextOptions::default() };
        let mut records = Records::new(&b"h\nh\na|b\n"[..], &options).unwrap();
        assert_eq!(records.next_record().unwrap(), Next::Record);
        assert_eq!((records.line(), records.fields().len(), records.raw()), (3, 2, &b"a|b\n"[..]));
    }
}
