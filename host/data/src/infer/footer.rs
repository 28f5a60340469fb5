//! The footer of a file: lines behind its last record that are no rows.
//!
//! In: the bytes of a file, piece by piece. Out: the same without the footer. Only the end of a file
//! tells where that begins, so the last bytes so far are kept back.

use std::borrow::Cow;

use loader_model::error::{Error, Kind, Result};

use crate::read_at::{ReadAt, not_read};

/// What the footer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Footer {
    /// The last lines; blank ones do not count.
    Lines(u64),
    /// All from the last line on that begins with this text.
    Begins(String),
}

/// The bytes in which a footer must be.
const TAIL_BYTES: usize = 256 * 1024;
/// The most lines of a footer that is found by its text. Rows behind a line that only looks like a
/// footer must not be lost.
const MOST_LINES: u64 = 20;

/// The end of the file so far.
#[derive(Debug)]
pub(super) struct Tail {
    footer: Option<Footer>,
    kept: Vec<u8>,
    /// Some bytes were passed on.
    is_partial: bool,
    found: Found,
}

/// The footer that was found.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    bytes: usize,
    lines: u64,
}

impl Tail {
    pub(super) fn new(footer: Option<Footer>) -> Tail {
        Tail { footer, kept: Vec::new(), is_partial: false, found: Found::default() }
    }

    /// Takes the next bytes, and gives on those that are not in the footer; none are the file's end.
    ///
    /// Errors: `Data` for a footer that is too long.
    pub(super) fn pass<'b>(&mut self, bytes: &'b [u8]) -> Result<Cow<'b, [u8]>> {
        let Some(footer) = &self.footer else { return Ok(bytes.into()) };
        self.kept.extend_from_slice(bytes);
        if bytes.is_empty() {
            self.found = find(&self.kept, footer);
            if let Footer::Lines(lines) = footer
                && self.found.lines < *lines
                && self.is_partial
            {
                let fact = format!(
                    "the last {lines} lines have more than {TAIL_BYTES} bytes; correct --skip-footer"
                );
                return Err(Error::new(Kind::Data, fact));
            }
            self.kept.truncate(self.kept.len() - self.found.bytes);
            return Ok(std::mem::take(&mut self.kept).into());
        }
        let passed = self.kept.len().saturating_sub(TAIL_BYTES);
        self.is_partial |= passed > 0;
        Ok(self.kept.drain(..passed).collect::<Vec<u8>>().into())
    }

    /// Finds the footer of a text of which any stretch can be read, and gives its bytes.
    ///
    /// Errors: as of [`Tail::pass`], and those of reading.
    pub(super) fn find_at_end(&mut self, text: &dyn ReadAt, size_bytes: u64) -> Result<u64> {
        if self.footer.is_none() {
            return Ok(0);
        }
        let length = size_bytes.min(TAIL_BYTES as u64);
        let mut end = vec![0; length as usize];
        self.is_partial = length < size_bytes;
        text.read_exact_at(&mut end, size_bytes - length).map_err(not_read)?;
        self.kept = end;
        self.pass(&[])?;
        Ok(self.footer_bytes())
    }

    /// The bytes of the footer.
    pub(super) fn footer_bytes(&self) -> u64 {
        self.found.bytes as u64
    }

    /// What was left out.
    pub(super) fn notice(&self) -> Option<String> {
        let footer = self.footer.as_ref()?;
        let left_out = match self.found.lines {
            1 => "the last line of the file was left out".to_owned(),
            n => format!("the last {n} lines of the file were left out"),
        };
        Some(match footer {
            Footer::Lines(_) => format!("{left_out}, as --skip-footer says"),
            Footer::Begins(text) if self.found.lines == 0 => format!(
                "none of the last {MOST_LINES} lines begins with `{text}`, so nothing was left out as \
                 the footer"
            ),
            Footer::Begins(text) => {
                format!("{left_out}: the footer begins with the line `{text}…`, as --footer says")
            }
        })
    }
}

/// Finds the footer at the end of a text.
// Lines are taken from the end. Blank lines are part of a footer, and are not counted.
fn find(text: &[u8], footer: &Footer) -> Found {
    let most = match footer {
        Footer::Lines(lines) => *lines,
        Footer::Begins(_) => MOST_LINES,
    };
    let (mut end, mut lines, mut found) = (text.len(), 0, Found::default());
    while lines < most && end > 0 {
        let start = line_start(text, end);
        let line = text[start..end].trim_ascii_end();
        lines += u64::from(!line.is_empty());
        let here = Found { bytes: text.len() - start, lines };
        match footer {
            Footer::Lines(_) => found = here,
            Footer::Begins(begins) if line.starts_with(begins.as_bytes()) => return here,
            Footer::Begins(_) => (),
        }
        end = start;
    }
    found
}

/// Where the line begins that ends at `end`, behind its line end.
fn line_start(text: &[u8], end: usize) -> usize {
    let line = &text[..end];
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    memchr::memrchr2(b'\n', b'\r', line).map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of a text that comes in pieces of so many bytes.
    fn body(text: &str, footer: Footer, piece: usize) -> String {
        let mut tail = Tail::new(Some(footer));
        let mut body = Vec::new();
        for bytes in text.as_bytes().chunks(piece).chain([&[][..]]) {
            body.extend_from_slice(&tail.pass(bytes).expect("short"));
        }
        String::from_utf8(body).expect("text")
    }

    #[test]
    fn a_footer_is_found_wherever_the_file_is_cut() {
        for piece in [1, 2, 3, 100] {
            let lines = |text, lines| body(text, Footer::Lines(lines), piece);
            assert_eq!(lines("a\n1\nT\n", 1), "a\n1\n");
            assert_eq!(lines("a\r\n1\r\n\r\nT\r\nU", 2), "a\r\n1\r\n\r\n");
            assert_eq!(lines("a\r1\rT\r\r\r", 1), "a\r1\r");
            assert_eq!(lines("a\n1\n", 0), "a\n1\n");
            assert_eq!(lines("a\n", 5), "");
            let begins = |text: &str| body(text, Footer::Begins("Total".to_owned()), piece);
            assert_eq!(begins("a\n1\nTotal;3\nby me\n\n"), "a\n1\n");
            assert_eq!(begins("a\n1\n"), "a\n1\n");
            let rows = format!("a\nTotal\n{}", "1\n".repeat(30));
            assert_eq!(begins(&rows), rows);
        }
    }
}
