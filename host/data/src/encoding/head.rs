//! Which encoding a file is read as, by its first bytes and by what the user names.
//!
//! In: the first bytes of the text, and the named encoding. Out: the encoding. A byte order mark is
//! certain. What the bytes merely look like is never taken, but refused with the flag that reads
//! it: the text would be wrong without a word where the look deceives.

use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE};
use loader_model::error::{Error, Kind, Result};

use super::label::Encoding;

/// The bytes that [`decide`] should get, unless the file has fewer.
pub(super) const BYTES: u64 = 4096;

const MARKS: [(&[u8], Encoding); 3] = [
    (b"\xef\xbb\xbf", Encoding(UTF_8)),
    (b"\xff\xfe", Encoding(UTF_16LE)),
    (b"\xfe\xff", Encoding(UTF_16BE)),
];

/// The encoding of a file that begins like this.
///
/// Errors: `Data` where the bytes contradict `named`, or are those of UTF-16 and nothing says so.
pub(super) fn decide(head: &[u8], named: Option<Encoding>) -> Result<Encoding> {
    let mark = MARKS.iter().find(|(mark, _)| head.starts_with(mark));
    let encoding = named.unwrap_or(Encoding::UTF_8);
    match mark {
        Some((_, marked)) if named.is_none_or(|named| named == *marked) => return Ok(*marked),
        Some((_, marked)) => {
            let fact = format!(
                "the file begins with the byte order mark of {}, so it is not in {}, as the \
                 settings say",
                marked.name(),
                encoding.name()
            );
            return Err(refusal(&fact, *marked));
        }
        None => (),
    }
    match plain_utf_16(head) {
        Some(plain) if plain != encoding => {
            let fact = format!(
                "the file is in {} without a byte order mark, as the NUL in {} bytes of its \
                 characters shows",
                plain.name(),
                if plain.0 == UTF_16LE { "the second" } else { "the first" }
            );
            Err(refusal(&fact, plain))
        }
        None if encoding.is_utf_16() && head.len() > 1 && !head.contains(&0) => {
            let fact = format!(
                "the file is not in {}, as the settings say: its first {} bytes have no NUL, and \
                 each delimiter has one there",
                encoding.name(),
                head.len()
            );
            Err(refusal(&fact, likely(head)))
        }
        _ => Ok(encoding),
    }
}

fn refusal(fact: &str, reads_it: Encoding) -> Error {
    let fact = format!("{fact}; load it with --encoding {}", reads_it.label());
    Error::new(Kind::Data, fact)
}

/// The kind of UTF-16 that the bytes plainly are: more than every eighth of the characters' second
/// bytes is NUL, and few of their first bytes are, or the other way round.
// Each delimiter, digit and letter of English has a NUL in UTF-16, in the same place of the two; a
// few others have one in the other place, such as the Chinese character for one (U+4E00). A file in
// UTF-8 has none, or a few that do not keep to such places.
fn plain_utf_16(head: &[u8]) -> Option<Encoding> {
    let nuls = |at: usize| head.iter().skip(at).step_by(2).filter(|byte| **byte == 0).count();
    let most = |nuls: usize| nuls * 8 > head.len() / 2;
    match (nuls(0), nuls(1)) {
        (first, second) if most(second) && first * 4 < second => Some(Encoding(UTF_16LE)),
        (first, second) if most(first) && second * 4 < first => Some(Encoding(UTF_16BE)),
        _ => None,
    }
}

/// What text without NUL is likely to be.
fn likely(head: &[u8]) -> Encoding {
    match std::str::from_utf8(head) {
        Err(error) if error.error_len().is_some() => Encoding(encoding_rs::WINDOWS_1252),
        _ => Encoding::UTF_8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_decides_and_a_look_is_refused() {
        let check = |head: &[u8], label: &str, expected: &str| {
            let named = (!label.is_empty()).then(|| Encoding::of_label(label).expect("known"));
            let decided = match decide(head, named) {
                Ok(encoding) => encoding.name().to_owned(),
                Err(error) => error.to_string(),
            };
            assert_eq!(decided, expected, "{} {label}", head.escape_ascii());
        };
        let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let little: Vec<u8> = utf_16("id,name\n1,一\n");
        let big: Vec<u8> = little.chunks(2).flat_map(|unit| [unit[1], unit[0]]).collect();
        check(b"", "", "UTF-8");
        check(b"id\n", "", "UTF-8");
        check(b"id\n", "latin1", "windows-1252");
        check(b"\xef\xbb\xbfid\n", "", "UTF-8");
        check(b"\xff\xfei\0", "", "UTF-16LE");
        check(b"\xfe\xff\0i", "", "UTF-16BE");
        check(b"\xfe\xff\0i", "utf-16be", "UTF-16BE");
        check(&little, "utf-16le", "UTF-16LE");
        check(&big, "utf-16be", "UTF-16BE");
        check(b"a,\0\0\0\0\n", "", "UTF-8");
        check(&utf_16("年齢,名前\n日本,東京\n"), "utf-16le", "UTF-16LE");
        let marked = |mark: &str, named: &str, flag: &str| {
            format!(
                "the file begins with the byte order mark of {mark}, so it is not in {named}, as \
                 the settings say; load it with --encoding {flag}"
            )
        };
        check(b"\xef\xbb\xbfid", "cp1252", &marked("UTF-8", "windows-1252", "utf-8"));
        check(b"\xff\xfei\0", "utf-8", &marked("UTF-16LE", "UTF-8", "utf-16le"));
        check(b"\xfe\xff\0i", "utf-16le", &marked("UTF-16BE", "UTF-16LE", "utf-16be"));
        let plain_little = "the file is in UTF-16LE without a byte order mark, as the NUL in the \
                            second bytes of its characters shows; load it with --encoding utf-16le";
        check(&little, "", plain_little);
        check(&little, "gbk", plain_little);
        check(&little, "utf-16be", plain_little);
        let plain_big = "the file is in UTF-16BE without a byte order mark, as the NUL in the \
                         first bytes of its characters shows; load it with --encoding utf-16be";
        check(&big, "", plain_big);
        check(&big, "utf-16le", plain_big);
        let no_nul = |flag: &str| {
            format!(
                "the file is not in UTF-16LE, as the settings say: its first 5 bytes have no NUL, \
                 and each delimiter has one there; load it with --encoding {flag}"
            )
        };
        check("1,é\n".as_bytes(), "utf-16le", &no_nul("utf-8"));
        check(b"1,\xe9x\n", "utf-16le", &no_nul("windows-1252"));
    }
}
