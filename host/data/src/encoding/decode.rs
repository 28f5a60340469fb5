//! Makes UTF-8 of bytes in another encoding.
//!
//! In: the bytes, in pieces of any size. Out: their text, in which [`MISTAKE`] stands for each
//! sequence that the encoding does not have.

use encoding_rs::{Decoder, DecoderResult};
use memchr::memchr;

use super::label::Encoding;

/// Stands in the text for a malformed sequence. No UTF-8 has this byte, so the row that it is in
/// is refused or rejected.
pub(super) const MISTAKE: u8 = 0xFF;

/// The most text that is made in one go.
const STEP_BYTES: usize = 64 * 1024;

/// A decoder of one encoding that writes [`MISTAKE`] where the text is malformed.
pub(super) struct Decode {
    pub(super) encoding: Encoding,
    decoder: Decoder,
}

impl Decode {
    // Without handling of marks: a mark becomes that of UTF-8, which the CSV reader drops, and the
    // places stay right.
    pub(super) fn new(encoding: Encoding) -> Decode {
        Decode { encoding, decoder: encoding.0.new_decoder_without_bom_handling() }
    }

    /// Appends the text of the next bytes.
    pub(super) fn push(&mut self, mut bytes: &[u8], is_last: bool, text: &mut Vec<u8>) {
        let start = text.len();
        loop {
            let most = self.decoder.max_utf8_buffer_length_without_replacement(bytes.len());
            let from = text.len();
            text.resize(from + most.unwrap_or(bytes.len()).clamp(16, STEP_BYTES), 0);
            let (result, read, written) =
                self.decoder.decode_to_utf8_without_replacement(bytes, &mut text[from..], is_last);
            text.truncate(from + written);
            bytes = &bytes[read..];
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => (),
                DecoderResult::Malformed(..) => text.push(MISTAKE),
            }
        }
        if self.encoding.has_undefined_bytes() {
            mark_undefined(text, start);
        }
    }
}

/// Puts [`MISTAKE`] in the place of each C1 control character.
fn mark_undefined(text: &mut Vec<u8>, start: usize) {
    let (mut to, mut from) = (start, start);
    while let Some(at) = memchr(0xC2, &text[from..]) {
        let at = from + at;
        if to < from {
            text.copy_within(from..at, to);
        }
        to += at - from;
        let is_control = matches!(text.get(at + 1), Some(0x80..=0x9F));
        text[to] = if is_control { MISTAKE } else { 0xC2 };
        to += 1;
        from = at + if is_control { 2 } else { 1 };
    }
    if to < from {
        let rest = text.len() - from;
        text.copy_within(from.., to);
        text.truncate(to + rest);
    }
}
