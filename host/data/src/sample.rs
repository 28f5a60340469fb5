//! Pieces of a content, for whoever wants to know what a file looks like before it is read.
//!
//! In: decompressed content. Out: its beginning, and the same content from its beginning on; or, of
//! a content that is read for nothing else, its beginning and its end.

use std::io::{Cursor, Read};

use loader_model::error::Result;

use crate::decompress::read_failure;

/// What a content begins and ends with.
#[derive(Debug, Default)]
pub struct Pieces {
    pub beginning: Vec<u8>,
    /// The last bytes behind the beginning.
    pub end: Vec<u8>,
    /// Whether the beginning is all.
    pub is_whole: bool,
}

/// The beginning of a content, of so many bytes unless it has fewer, and the content. Errors: those
/// of reading.
pub fn beginning(
    mut content: impl Read + Send + 'static,
    bytes: usize,
) -> Result<(Vec<u8>, impl Read + Send)> {
    let mut head = Vec::new();
    content.by_ref().take(bytes as u64).read_to_end(&mut head).map_err(read_failure)?;
    Ok((head.clone(), Cursor::new(head).chain(content)))
}

/// Reads a content to its end and keeps its first and last bytes. Errors: those of reading.
pub fn pieces(content: impl Read + Send + 'static, first: usize, last: usize) -> Result<Pieces> {
    let mut content = content;
    let (mut head, mut end) = (Vec::new(), Vec::new());
    content.by_ref().take(first as u64).read_to_end(&mut head).map_err(read_failure)?;
    // The end is kept in a buffer of twice its size, so that each byte is moved once.
    let mut read =
        content.by_ref().take(last as u64).read_to_end(&mut end).map_err(read_failure)?;
    while read > 0 {
        let surplus = end.len().saturating_sub(last);
        end.drain(..surplus);
        read = content.by_ref().take(last as u64).read_to_end(&mut end).map_err(read_failure)?;
    }
    let surplus = end.len().saturating_sub(last);
    end.drain(..surplus);
    Ok(Pieces { is_whole: end.is_empty(), beginning: head, end })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_a_content() {
        let read = |content: &'static [u8]| pieces(content, 4, 3).expect("reads");
        let whole = read(b"abcd");
        assert_eq!((whole.beginning.as_slice(), whole.is_whole), (b"abcd".as_slice(), true));
        let ends = |content| String::from_utf8(read(content).end).expect("ASCII");
        assert_eq!(ends(b"abcdef"), "ef");
        assert_eq!(ends(b"abcdefghijklmn"), "lmn");
        assert_eq!(ends(b"abcdefghijklm"), "klm");
        let (head, mut content) = beginning(b"abcdef".as_slice(), 4).expect("reads");
        let mut all = String::new();
        content.read_to_string(&mut all).expect("reads");
        assert_eq!((head.as_slice(), all.as_str()), (b"abcd".as_slice(), "abcdef"));
    }
}
