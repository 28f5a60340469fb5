//! Which encoding a sample has, and the sample as text.
//!
//! UTF-8 is known by its rules: other text with letters beyond ASCII almost never keeps to them.
//! UTF-16 is known by its mark, or by the NUL that every ASCII letter has in it. Of the encodings
//! with one byte a letter, only frequencies tell; `chardetng` knows these.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE};

use crate::findings::{Encoding, Finding, Sureness};
use crate::sample::Sample;

/// The pieces of a sample as text.
pub(crate) struct Texts {
    pub(crate) encoding: Finding<Encoding>,
    pub(crate) beginning: String,
    pub(crate) middle: String,
    pub(crate) end: String,
    pub(crate) is_whole: bool,
}

/// Errors: a sentence that says why the sample is no text.
pub(crate) fn decode(sample: Sample<'_>) -> Result<Texts, String> {
    let encoding = encoding(&sample)?;
    let known = encoding_rs::Encoding::for_label(encoding.value.name.as_bytes()).unwrap_or(UTF_8);
    // A piece of the middle may begin within a character: UTF-16's have two bytes, and pieces are cut
    // anywhere. The odd byte is then left out.
    let text = |bytes: &[u8]| {
        let mark = if bytes.is_empty() { 0 } else { mark_bytes(bytes) };
        known.decode_without_bom_handling(&bytes[mark..]).0.into_owned()
    };
    Ok(Texts {
        beginning: text(sample.beginning),
        middle: text(in_step(sample.middle, known)),
        end: text(in_step(sample.end, known)),
        is_whole: sample.is_whole,
        encoding,
    })
}

/// A piece from its first whole character on, in UTF-16: the one where more of the bytes for ASCII's
/// upper halves are NUL.
fn in_step<'a>(bytes: &'a [u8], encoding: &'static encoding_rs::Encoding) -> &'a [u8] {
    if encoding != UTF_16LE && encoding != UTF_16BE {
        return bytes;
    }
    let (even, odd) = nuls(bytes);
    let is_in_step = (even > odd) == (encoding == UTF_16BE);
    if is_in_step { bytes } else { bytes.get(1..).unwrap_or_default() }
}

fn encoding(sample: &Sample<'_>) -> Result<Finding<Encoding>, String> {
    let found = |encoding: &'static encoding_rs::Encoding, has_mark, sureness, because: &str| {
        Ok(Finding::new(Encoding { name: encoding.name(), has_mark }, sureness, because))
    };
    let head = sample.beginning;
    let by_mark = "its first bytes are a byte order mark";
    match head {
        [0xff, 0xfe, ..] => return found(UTF_16LE, true, Sureness::Sure, by_mark),
        [0xfe, 0xff, ..] => return found(UTF_16BE, true, Sureness::Sure, by_mark),
        _ => {}
    }
    if let Some(encoding) = utf_16(head) {
        return found(encoding, false, Sureness::Likely, "every other byte is NUL");
    }
    refuse_binary(head)?;
    let pieces = [(head, !sample.is_whole), (sample.middle, true), (sample.end, true)];
    let has_mark = head.starts_with(b"\xEF\xBB\xBF");
    match pieces.iter().all(|(bytes, is_cut)| is_utf_8(bytes, *is_cut)) {
        true if has_mark => found(UTF_8, true, Sureness::Sure, by_mark),
        true if pieces.iter().all(|(bytes, _)| bytes.is_ascii()) => {
            found(UTF_8, false, Sureness::Sure, "all characters are ASCII")
        }
        true => found(UTF_8, false, Sureness::Sure, "all bytes beyond ASCII are valid UTF-8"),
        false => Ok(guess(pieces.map(|(bytes, _)| bytes))),
    }
}

/// Text of one byte a letter. Errors never: there is always an encoding that fits best.
fn guess(pieces: [&[u8]; 3]) -> Finding<Encoding> {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    for (index, piece) in pieces.iter().enumerate() {
        detector.feed(piece, index + 1 == pieces.len());
    }
    let encoding = detector.guess(None, Utf8Detection::Deny);
    let byte = pieces.iter().flat_map(|piece| piece.iter()).find(|byte| !byte.is_ascii());
    let because = format!(
        "byte {:#04x} is not UTF-8, and the letters are most frequent in this one; only somebody \
         who can read them knows",
        byte.copied().unwrap_or_default()
    );
    let value = Encoding { name: encoding.name(), has_mark: false };
    Finding::new(value, Sureness::Undecided, because)
}

/// The bytes that are NUL at even and at odd places.
fn nuls(bytes: &[u8]) -> (usize, usize) {
    let count = |from: usize| bytes.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    (count(0), count(1))
}

fn utf_16(bytes: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let (even, odd) = nuls(bytes);
    let pairs = bytes.len() / 2;
    let many = |count: usize| pairs > 1 && count * 10 > pairs * 4;
    match (many(even), many(odd)) {
        (true, false) => Some(UTF_16BE),
        (false, true) => Some(UTF_16LE),
        _ => None,
    }
}

fn refuse_binary(bytes: &[u8]) -> Result<(), String> {
    let nul = bytes.iter().filter(|byte| **byte == 0).count();
    let is_odd = |byte: &&u8| matches!(**byte, 3..=8 | 0x0e..=0x1a | 0x7f);
    let odd = bytes.iter().filter(is_odd).count();
    if nul * 50 > bytes.len() || odd * 20 > bytes.len() {
        return Err(format!(
            "{nul} of its first {} bytes are NUL and {odd} other control characters; this is no \
             text",
            bytes.len()
        ));
    }
    Ok(())
}

/// Whether bytes are UTF-8, apart from characters that a cut has halved.
fn is_utf_8(bytes: &[u8], is_cut: bool) -> bool {
    let is_rest = |byte: &&u8| **byte & 0b1100_0000 == 0b1000_0000;
    let rest = if is_cut { bytes.iter().take(3).take_while(is_rest).count() } else { 0 };
    match std::str::from_utf8(&bytes[rest..]) {
        Ok(_) => true,
        Err(error) => is_cut && error.error_len().is_none(),
    }
}

fn mark_bytes(bytes: &[u8]) -> usize {
    match bytes {
        [0xEF, 0xBB, 0xBF, ..] => 3,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => 2,
        _ => 0,
    }
}
