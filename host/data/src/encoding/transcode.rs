//! Turns text of another encoding into UTF-8, while it is read.
//!
//! In: the source's bytes. Out: UTF-8, in which a byte that UTF-8 has not stands for each sequence that the
//! encoding does not have.

use std::io::{self, Read};
use std::sync::Arc;

use encoding_rs::ISO_2022_JP;
use memchr::{memrchr, memrchr2};

use super::decode::Decode;
use super::label::Encoding;
use super::places::Places;

const READ_BYTES: usize = 32 * 1024;

/// Reads the source as UTF-8.
pub(super) struct Transcoder<R> {
    source: R,
    decode: Decode,
    places: Arc<Places>,
    input: Vec<u8>,
    /// The text that has been made, and how many of its bytes have been handed out.
    text: Vec<u8>,
    handed_out: usize,
    has_ended: bool,
    /// The last escape sequence of ISO-2022-JP was the one to ASCII, as far as it is known.
    is_ascii: bool,
}

impl<R: Read> Transcoder<R> {
    pub(super) fn new(source: R, encoding: Encoding, places: Arc<Places>) -> Transcoder<R> {
        Transcoder {
            source,
            decode: Decode::new(encoding),
            places,
            input: vec![0; READ_BYTES],
            text: Vec::new(),
            handed_out: 0,
            has_ended: false,
            is_ascii: true,
        }
    }

    /// Reads the source once, and makes text of what it gave.
    // The first piece ends with the last line end, behind which every encoding begins anew. So its
    // end is a place that `places` can count from.
    fn step(&mut self) -> io::Result<()> {
        self.text.clear();
        self.handed_out = 0;
        let read = self.source.read(&mut self.input)?;
        self.has_ended = read == 0;
        let input = &self.input[..read];
        self.places.keep(input).map_err(io::Error::other)?;
        let lines = memrchr2(b'\n', b'\r', input).map_or(0, |at| at + 1);
        let (lines, rest) = input.split_at(lines);
        if !lines.is_empty() {
            self.decode.push(lines, false, &mut self.text);
            self.is_ascii = ends_in_ascii(lines, self.is_ascii);
            self.places.add(&self.text, lines.len(), self.begins_anew());
        }
        let before = self.text.len();
        self.decode.push(rest, self.has_ended, &mut self.text);
        self.is_ascii = ends_in_ascii(rest, self.is_ascii);
        self.places.add(&self.text[before..], rest.len(), false);
        Ok(())
    }

    /// Whether the decoder, at the end of the text, does not remember any of it.
    fn begins_anew(&self) -> bool {
        let is_ascii = self.decode.encoding.0 != ISO_2022_JP || self.is_ascii;
        is_ascii && matches!(self.text.last(), Some(b'\n' | b'\r'))
    }
}

impl<R: Read> Read for Transcoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.handed_out == self.text.len() && !self.has_ended {
            self.step()?;
        }
        let mut rest = &self.text[self.handed_out..];
        let read = rest.read(buffer)?;
        self.handed_out += read;
        Ok(read)
    }
}

/// Whether the text is in ASCII behind these bytes of ISO-2022-JP, where characters of other sets
/// stand between escape sequences. An escape sequence that is cut in two does not count, nor does
/// one that is no sequence: then no place is counted from.
fn ends_in_ascii(bytes: &[u8], was_ascii: bool) -> bool {
    match memrchr(0x1B, bytes) {
        None => was_ascii,
        Some(at) => bytes[at..].starts_with(b"\x1b(B"),
    }
}
