//! Text for VARCHAR and CHAR by Redshift's rules for loads: lengths count bytes, and bytes that are
//! not UTF-8 are refused or replaced. In: bytes of a field. Out: bytes to store, or the fault.

use std::borrow::Cow;

use super::fault::{Fault, fault};
use crate::sql::TextOptions;

/// The text for a VARCHAR or CHAR of `bytes` bytes. Bytes that are not UTF-8 are replaced before
/// the length is measured.
pub(crate) fn characters<'a>(
    field: &'a [u8],
    bytes: usize,
    options: &TextOptions,
) -> Result<Cow<'a, [u8]>, Fault> {
    let text = match std::str::from_utf8(field) {
        Ok(_) => Cow::Borrowed(field),
        Err(error) => match options.accept_invalid {
            Some(replacement) => Cow::Owned(replaced(field, replacement)),
            None => return Err(bad_utf8(field, &error)),
        },
    };
    if text.contains(&0) {
        return Err(fault(1220, "Invalid null byte - field longer than 1 byte"));
    }
    if text.len() <= bytes {
        return Ok(text);
    }
    if !options.truncate_columns {
        return Err(fault(1204, "String length exceeds DDL length"));
    }
    Ok(cut(text, bytes))
}

/// The longest beginning of `text` that has at most `bytes` bytes and ends between characters.
fn cut(text: Cow<'_, [u8]>, bytes: usize) -> Cow<'_, [u8]> {
    // A character of several bytes goes on in bytes of the form 10xxxxxx, so a cut must not be made
    // before such a byte. For example, `äöx` cut at 3 bytes keeps `ä`. The text is longer than
    // `bytes`, so there is a byte at `end` to look at.
    let mut end = bytes;
    while end > 0 && text[end] & 0b1100_0000 == 0b1000_0000 {
        end -= 1;
    }
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[..end]),
        Cow::Owned(mut text) => {
            text.truncate(end);
            Cow::Owned(text)
        }
    }
}

/// The text for a CHAR of `bytes` bytes, which holds ASCII only.
pub(crate) fn single_bytes<'a>(
    field: &'a [u8],
    bytes: usize,
    options: &TextOptions,
) -> Result<Cow<'a, [u8]>, Fault> {
    // Checked before ACCEPTINVCHARS, which would replace a byte that CHAR has to refuse.
    if !field.is_ascii() {
        return Err(fault(
            1220,
            "Multibyte character not supported for CHAR (Hint: Try using VARCHAR). Invalid char",
        ));
    }
    characters(field, bytes, options)
}

fn bad_utf8(field: &[u8], error: &std::str::Utf8Error) -> Fault {
    let at = error.valid_up_to();
    // No length means that the field ends within a character; then all bytes from there are bad.
    let count = error.error_len().unwrap_or(field.len() - at);
    let hex: Vec<String> = field[at..at + count].iter().map(|byte| format!("{byte:02x}")).collect();
    fault(
        1220,
        format!(
            "String contains invalid or unsupported UTF-8 codepoints. Bad UTF-8 hex sequence: {} \
             (error 3)",
            hex.join(" ")
        ),
    )
}

fn replaced(field: &[u8], replacement: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    for chunk in field.utf8_chunks() {
        out.extend_from_slice(chunk.valid().as_bytes());
        // One replacement for each byte, not for each character: `a\xa4\xffb` becomes `a??b`.
        out.extend(chunk.invalid().iter().map(|_| replacement));
    }
    out
}
