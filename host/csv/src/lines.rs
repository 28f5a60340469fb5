//! Physical lines: where they end and how many there are. LF, CRLF and a lone CR each end a line.

use memchr::{memchr, memchr_iter, memchr2};
use serde::{Deserialize, Serialize};

/// Counts line ends over consecutive pieces of a file; a CRLF may be cut in two.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct LineCounter {
    complete: u64,
    pending_cr: bool,
}

impl LineCounter {
    /// A counter for bytes that begin in this line, counted from 1.
    pub(crate) fn begin_at(line: u64) -> LineCounter {
        LineCounter { complete: line.saturating_sub(1), pending_cr: false }
    }

    /// A counter for bytes behind a CR or not. The line that it ends is counted with them.
    pub(crate) fn after(cr: bool) -> LineCounter {
        LineCounter { complete: 0, pending_cr: cr }
    }

    /// The same counter, behind so many lines.
    pub(crate) fn behind(&self, lines: u64) -> LineCounter {
        LineCounter { complete: self.complete + lines, pending_cr: self.pending_cr }
    }

    /// The line ends so far, without a CR at the very end.
    pub(crate) fn without_cr(&self) -> u64 {
        self.complete
    }

    // Every LF counts, and a CR counts only when no LF follows. So a CR at the end of a piece must
    // wait for the next byte: for example, `1,a\r` and then `\n2,b` contain one line end, not two.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        let Some(first) = bytes.first() else {
            return;
        };
        if self.pending_cr && *first != b'\n' {
            self.complete += 1;
        }
        self.pending_cr = false;
        self.complete += memchr_iter(b'\n', bytes).count() as u64;
        if memchr(b'\r', bytes).is_some() {
            for at in memchr_iter(b'\r', bytes) {
                match bytes.get(at + 1) {
                    Some(b'\n') => (),
                    Some(_) => self.complete += 1,
                    None => self.pending_cr = true,
                }
            }
        }
    }

    /// The line ends so far; a CR at the very end counts.
    pub(crate) fn count(&self) -> u64 {
        self.complete + u64::from(self.pending_cr)
    }
}

/// Counts the line ends in one piece.
pub fn count_lines(bytes: &[u8]) -> u64 {
    let mut counter = LineCounter::default();
    counter.feed(bytes);
    counter.count()
}

/// The length of the first line, its end included.
///
/// `None`: the line does not end in `bytes`, or it ends with a CR that an LF may still follow. With
/// `is_last` no more bytes come, so the end of `bytes` ends the line as well.
pub(crate) fn line_length(bytes: &[u8], is_last: bool) -> Option<usize> {
    let Some(at) = memchr2(b'\n', b'\r', bytes) else {
        return is_last.then_some(bytes.len()).filter(|length| *length > 0);
    };
    match (bytes[at], bytes.get(at + 1)) {
        (b'\n', _) => Some(at + 1),
        (_, Some(b'\n')) => Some(at + 2),
        (_, Some(_)) => Some(at + 1),
        (_, None) => is_last.then_some(at + 1),
    }
}

pub(crate) fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// Finds the first byte that belongs to no blank line and to no comment, in bytes outside of
/// records. `in_comment` says whether `bytes` begin within a comment, and afterwards whether they
/// end in one.
pub(crate) fn find_record(
    bytes: &[u8],
    comment: Option<u8>,
    in_comment: &mut bool,
) -> Option<usize> {
    for (at, byte) in bytes.iter().enumerate() {
        if is_line_end(*byte) {
            *in_comment = false;
        } else if !*in_comment {
            if Some(*byte) != comment {
                return Some(at);
            }
            *in_comment = true;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_the_same_however_they_are_cut() {
        let text = b"a\nb\r\nc\rd\r\r\n\n\re\n\r";
        for cut in 0..=text.len() {
            let mut counter = LineCounter::default();
            counter.feed(&text[..cut]);
            counter.feed(&text[cut..]);
            assert_eq!(counter.count(), 9, "cut at {cut}");
        }
        assert_eq!(count_lines(b""), 0);
    }

    #[test]
    fn a_line_ends_where_the_next_byte_says_so() {
        assert_eq!(line_length(b"ab\ncd", false), Some(3));
        assert_eq!(line_length(b"ab\r\ncd", false), Some(4));
        assert_eq!(line_length(b"ab\rcd", false), Some(3));
        assert_eq!(line_length(b"ab\r", false), None);
        assert_eq!(line_length(b"ab\r", true), Some(3));
        assert_eq!(line_length(b"ab", false), None);
        assert_eq!(line_length(b"ab", true), Some(2));
        assert_eq!(line_length(b"", true), None);
    }

    #[test]
    fn a_record_is_found_behind_blank_lines_and_comments() {
        let find = |text: &str, mut in_comment| {
            let found = find_record(text.as_bytes(), Some(b'#'), &mut in_comment);
            (found, in_comment)
        };
        assert_eq!(find("\n\r\n#1\n2", false), (Some(6), false));
        assert_eq!(find("\n#1", false), (None, true));
        assert_eq!(find("1#\n\n", true), (None, false));
        assert_eq!(find("1#\n1", true), (Some(3), false));
        assert_eq!(find("", true), (None, true));
    }
}
