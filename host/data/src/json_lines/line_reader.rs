//! The lines of a text, one after the other, in bounded memory.

use std::io::{self, BufRead, BufReader, Read};

use loader_csv::{BYTE_ORDER_MARK, MAX_ROW_BYTES};

/// Finds the lines of a text.
pub(super) struct LineReader<R> {
    text: BufReader<R>,
    line: Vec<u8>,
    is_first: bool,
}

/// A line without its line end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Text(&'a [u8]),
    /// It has more bytes than a row may have.
    TooLong,
}

/// A line, and the bytes that it takes with its line end.
pub(super) type Measured<'a> = (Line<'a>, u64);

const BUFFER_BYTES: usize = 256 * 1024;

impl<R: Read> LineReader<R> {
    pub(super) fn new(text: R) -> LineReader<R> {
        let text = BufReader::with_capacity(BUFFER_BYTES, text);
        LineReader { text, line: Vec::new(), is_first: true }
    }

    /// The next line; `None` at the end of the text. A line feed ends a line; a carriage return in
    /// front of it belongs to it, and is blank to JSON anywhere else. A byte order mark at the start
    /// of the text is left out.
    pub(super) fn next(&mut self) -> io::Result<Option<Measured<'_>>> {
        self.line.clear();
        let mut length = 0;
        loop {
            let bytes = self.text.fill_buf()?;
            if bytes.is_empty() && length == 0 {
                return Ok(None);
            }
            let end = memchr::memchr(b'\n', bytes);
            let taken = end.map_or(bytes.len(), |end| end + 1);
            if length <= MAX_ROW_BYTES {
                self.line.extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
            }
            let is_end = end.is_some() || bytes.is_empty();
            self.text.consume(taken);
            length += taken as u64;
            if is_end {
                break;
            }
        }
        let is_first = std::mem::take(&mut self.is_first);
        if self.line.len() as u64 > MAX_ROW_BYTES {
            return Ok(Some((Line::TooLong, length)));
        }
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        let line = line.strip_prefix(BYTE_ORDER_MARK).filter(|_| is_first).unwrap_or(line);
        Ok(Some((Line::Text(line), length)))
    }
}

/// Whether a line is blank to JSON, and no row.
pub(super) fn is_blank(line: &[u8]) -> bool {
    line.trim_ascii().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_and_bounded() {
        let long = vec![b'x'; MAX_ROW_BYTES as usize + 1];
        let text = [b"\xEF\xBB\xBFa\r\n\nb\rc\n", long.as_slice(), b"\nd"].concat();
        let mut reader = LineReader::new(text.as_slice());
        let mut next = || match reader.next().expect("reads") {
            Some((Line::Text(line), length)) => {
                (String::from_utf8_lossy(line).into_owned(), length)
            }
            Some((Line::TooLong, length)) => ("too long".to_owned(), length),
            None => ("end".to_owned(), 0),
        };
        let lines: Vec<(String, u64)> = (0..6).map(|_| next()).collect();
        let long = long.len() as u64 + 1;
        let expected = [("a", 6), ("", 1), ("b\rc", 4), ("too long", long), ("d", 1), ("end", 0)];
        assert_eq!(lines, expected.map(|(line, length)| (line.to_owned(), length)));
    }
}
