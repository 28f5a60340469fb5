//! What is said of bytes that are no text in the file's encoding.
//!
//! In: the encoding, and the place of the bytes. Out: the fact, and the setting that reads them, as
//! far as the bytes around them show it.

use crate::read_at::ReadAt;

use super::label::Encoding;

/// The bytes before the place, and from it on, that are looked at.
const BEFORE: u64 = 64 * 1024;
const AROUND: usize = 128 * 1024;

/// What is wrong with bytes that are not in the encoding.
pub(crate) fn fact(encoding: Encoding) -> String {
    match encoding == Encoding::UTF_8 {
        true => "these bytes are not UTF-8".to_owned(),
        false => format!("these bytes are no text in {}", encoding.name()),
    }
}

/// What the user can do about the bytes at a place in the text.
pub(crate) fn advice(encoding: Encoding, text: &dyn ReadAt, byte: u64) -> &'static str {
    if encoding != Encoding::UTF_8 {
        return "correct them, or name the file's own encoding with --encoding";
    }
    let mut around = vec![0; AROUND];
    let length = text.read_at(&mut around, byte.saturating_sub(BEFORE)).unwrap_or(0);
    around.truncate(length);
    match look(&around) {
        Look::Western => {
            "a file of Windows in western Europe or America is read with --encoding windows-1252"
        }
        Look::Utf8 => "the text around them is UTF-8, so correct them",
        Look::Other => "name the file's encoding with --encoding",
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Look {
    /// Single letters with accents among those of ASCII.
    Western,
    /// Characters of UTF-8 beside what is none.
    Utf8,
    Other,
}

/// What text looks like that is not UTF-8.
// Two bytes over 0x7F in a row are seldom letters of western Europe. Mostly they are a character of
// eastern Asia, or letters of another script, in which every letter is over 0x7F. By chance they
// may be a character of UTF-8 too, so some of these beside many malformed ones say nothing.
fn look(text: &[u8]) -> Look {
    let (mut characters, mut malformed, mut bytes, mut in_a_row) = (0, 0, 0, 0);
    for chunk in text.utf8_chunks() {
        characters += chunk.valid().chars().filter(|character| !character.is_ascii()).count();
        malformed += usize::from(!chunk.invalid().is_empty());
    }
    for pair in text.windows(2) {
        bytes += usize::from(pair[0] > 0x7F);
        in_a_row += usize::from(pair[0] > 0x7F && pair[1] > 0x7F);
    }
    let is_undefined = |byte: &u8| matches!(byte, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D);
    let is_single = in_a_row * 4 <= bytes && !text.iter().any(is_undefined);
    match characters {
        0 if is_single => Look::Western,
        _ if characters * 2 >= malformed => Look::Utf8,
        _ => Look::Other,
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::{EUC_KR, GBK, SHIFT_JIS, WINDOWS_1251, WINDOWS_1252};

    use super::*;

    #[test]
    fn western_text_is_told_from_other_text() {
        let german = "id,city\n1,Köln\n2,Zürich\n3,„Überlingen“\n4,50 €\n";
        assert_eq!(look(&WINDOWS_1252.encode(german).0), Look::Western);
        assert_eq!(look(b"\xe9"), Look::Western);
        assert_eq!(look(&SHIFT_JIS.encode("名前,東京\n").0), Look::Other);
        assert_eq!(look(&GBK.encode("名字,北京\n").0), Look::Other);
        assert_eq!(look(&EUC_KR.encode("이름,서울\n").0), Look::Other);
        assert_eq!(look(&WINDOWS_1251.encode("имя,Москва\n").0), Look::Other);
        assert_eq!(look(&[german.as_bytes(), b"\xfcber\n"].concat()), Look::Utf8);
    }
}
