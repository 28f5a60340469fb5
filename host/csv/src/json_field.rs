//! Reads a field that is written as a JSON value.
//!
//! In: `"a\u00e9"`, `12.50`, `null`, `{"b": [1]}`, or nothing. Out: what it means in a column: a
//! string without its quotes and escapes, and all else as it stands.

use crate::read_field::Field;

/// What a JSON value means in a column. `scratch` takes strings with escapes.
pub(crate) fn read<'b>(raw: &'b [u8], scratch: &'b mut Vec<u8>) -> Field<'b> {
    match raw {
        b"" | b"null" => Field::Null,
        b"\"\"" => Field::QuotedEmpty,
        [b'"', text @ .., b'"'] if !text.contains(&b'\\') => Field::Text(text),
        [b'"', text @ .., b'"'] => {
            unescape(text, scratch);
            Field::Text(scratch)
        }
        value => Field::Text(value),
    }
}

/// A JSON value as it stands; NULL is `null`.
pub(crate) fn read_value(raw: &[u8]) -> Field<'_> {
    match raw {
        b"" | b"null" => Field::Null,
        value => Field::Text(value),
    }
}

/// Writes the text of a string to `scratch`.
// Who wrote the row has checked it. An escape that is none all the same stays as it is.
fn unescape(text: &[u8], scratch: &mut Vec<u8>) {
    scratch.clear();
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        scratch.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let length = match escape(rest) {
            Some((character, length)) => {
                let mut bytes = [0; 4];
                scratch.extend_from_slice(character.encode_utf8(&mut bytes).as_bytes());
                length
            }
            None => {
                scratch.push(b'\\');
                1
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    scratch.extend_from_slice(rest);
}

/// The character of the escape that `text` begins with, and the escape's length.
fn escape(text: &[u8]) -> Option<(char, usize)> {
    let character = match text.get(1)? {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return code_point(text),
        plain => char::from(*plain),
    };
    Some((character, 2))
}

/// The character of `\u00e9`, or of two such escapes that stand for one character.
fn code_point(text: &[u8]) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let first = unit(0)?;
    if !(0xD800..0xDC00).contains(&first) {
        return char::from_u32(first).map(|character| (character, 6));
    }
    let second = unit(6).filter(|second| (0xDC00..0xE000).contains(second))?;
    let code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
    char::from_u32(code).map(|character| (character, 12))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_json_are_fields() {
        let check = |raw: &str, expected: Field<'_>| {
            assert_eq!(read(raw.as_bytes(), &mut Vec::new()), expected, "{raw}");
        };
        check("", Field::Null);
        check("null", Field::Null);
        check("\"null\"", Field::Text(b"null"));
        check("\"\"", Field::QuotedEmpty);
        check("\" \"", Field::Text(b" "));
        check("1.50", Field::Text(b"1.50"));
        check("true", Field::Text(b"true"));
        check(r#"{"a": "b\n"}"#, Field::Text(br#"{"a": "b\n"}"#));
        check(r#""a\"b\\\/\t\u00E9\ud83d\ude00c""#, Field::Text("a\"b\\/\té😀c".as_bytes()));
        assert_eq!(read_value(br#""a\n""#), Field::Text(br#""a\n""#));
        assert_eq!(read_value(b"null"), Field::Null);
    }
}
