//! Values of COPY's options: counts, switches, single characters, and literals whose escapes COPY
//! reads itself. In: a cursor before the value. Out: the value, or the refusal.

use crate::sql::cursor::Cursor;
use crate::sql::error::SqlError;

/// Takes an ON or OFF, if one comes next.
pub(super) fn switch(cursor: &mut Cursor<'_>) -> bool {
    cursor.eat("on") || cursor.eat("off") || cursor.eat("true") || cursor.eat("false")
}

/// A count, bare or quoted.
pub(super) fn number(cursor: &mut Cursor<'_>) -> Result<u64, SqlError> {
    if !cursor.text().starts_with('\'') {
        return cursor.number();
    }
    let error = cursor.syntax_error();
    cursor.literal()?.parse().map_err(|_| error)
}

pub(super) fn one_character(option: &str, cursor: &mut Cursor<'_>) -> Result<u8, SqlError> {
    cursor.eat("as");
    ascii(option, &cursor.raw_literal()?)
}

pub(super) fn ascii(option: &str, literal: &str) -> Result<u8, SqlError> {
    match escapes(literal).as_slice() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r') => Ok(*byte),
        _ => Err(SqlError::new(format!("COPY {option} must be a single ASCII character"))),
    }
}

/// The bytes of a literal whose escapes COPY reads itself: `\t` becomes a tab, and so does `\011`.
/// `\N` stays as it is, because the two characters are COPY's usual mark for NULL.
pub(super) fn escapes(literal: &str) -> Vec<u8> {
    let mut rest = literal.as_bytes();
    let mut out = Vec::with_capacity(rest.len());
    while let [first, after @ ..] = rest {
        rest = match (first, after) {
            // A backslash at the very end escapes nothing and stands for itself.
            (b'\\', [_, ..]) => escape(after, &mut out),
            _ => {
                out.push(*first);
                after
            }
        };
    }
    out
}

/// Reads the escape behind a backslash; returns the text that follows the escape.
fn escape<'a>(text: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let digits = text.iter().take(3).take_while(|byte| (b'0'..=b'7').contains(*byte)).count();
    if digits > 0 {
        let code =
            text[..digits].iter().fold(0_u32, |code, digit| code * 8 + u32::from(digit - b'0'));
        // Three octal digits reach 511. Only the low byte counts: `\777` gives 255.
        out.push(u8::try_from(code & 0xff).unwrap_or(0));
        return &text[digits..];
    }
    match text[0] {
        b't' => out.push(b'\t'),
        b'n' => out.push(b'\n'),
        b'r' => out.push(b'\r'),
        b'\\' => out.push(b'\\'),
        b'N' => out.extend_from_slice(b"\\N"),
        other => out.push(other),
    }
    &text[1..]
}
