//! Reads one line as a JSON object.
//!
//! In: a line. Out: each key with its value as it stands, or the reason why the line is no row.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::line_reader::Line;
use crate::json_row;

/// The longest key: far longer than the name of a column.
const MAX_KEY_BYTES: usize = 4096;

/// Calls `take` with each key and value of a line, in their order; it says whether the object had
/// the key before. Errors: why the line is no row.
pub(super) fn members<'a>(
    line: Line<'a>,
    mut take: impl FnMut(&str, &'a str) -> bool,
) -> Result<(), String> {
    let Line::Text(line) = line else { return Err(json_row::too_long()) };
    let line = std::str::from_utf8(line).map_err(|error| {
        format!(
            "byte {} of the line is not in the file's encoding; name that with --encoding, or \
             correct the byte",
            error.valid_up_to()
        )
    })?;
    let mut refused = Ok(());
    let mut take = |key: &str, value: &'a RawValue| {
        check(key, value.get())?;
        match take(key, value.get()) {
            true => Err(format!("the key `{key}` stands twice in the object")),
            false => Ok(()),
        }
    };
    let mut json = serde_json::Deserializer::from_str(line);
    let visitor = Members { take: &mut take, refused: &mut refused };
    let read = json.deserialize_map(visitor).and_then(|()| json.end());
    read.map_err(|error| reason(&error, line.len()))?;
    refused
}

/// Refuses what no column can hold.
fn check(key: &str, value: &str) -> Result<(), String> {
    if key.len() > MAX_KEY_BYTES {
        return Err(format!("a key has {} bytes, and may have {MAX_KEY_BYTES}", key.len()));
    }
    if key.contains('\0') {
        return Err("a key holds a NUL (`\\u0000`), which no name of a column has".to_owned());
    }
    match bad_escape(value) {
        None => Ok(()),
        Some(0) => Err(format!(
            "the value of `{key}` holds a NUL (`\\u0000`), which Redshift cannot store"
        )),
        Some(unit) => {
            Err(format!("the value of `{key}` holds half of a character (`\\u{unit:04x}`)"))
        }
    }
}

/// The first escape in a value that no text has: a NUL, or half of a character. `value` is JSON, in
/// which a backslash stands in strings alone.
fn bad_escape(value: &str) -> Option<u16> {
    let unit = |rest: &str| u16::from_str_radix(rest.strip_prefix("\\u")?.get(..4)?, 16).ok();
    let mut rest = value;
    while let Some(at) = rest.find('\\') {
        rest = &rest[at..];
        let length = match unit(rest) {
            None => 2,
            Some(0) => return Some(0),
            Some(first @ 0xD800..0xDC00) => match rest.get(6..).and_then(unit) {
                Some(0xDC00..0xE000) => 12,
                _ => return Some(first),
            },
            Some(second @ 0xDC00..0xE000) => return Some(second),
            Some(_) => 6,
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    None
}

/// Why a line is no row. For example, `the line is no JSON object: expected ``:`` at byte 5 of 12`.
fn reason(error: &serde_json::Error, bytes: usize) -> String {
    let place = match error.column() {
        0 => String::new(),
        column => format!(" at byte {column} of {bytes}"),
    };
    format!(
        "the line is no JSON object: {}{place}; write each object in a line of its own",
        fact(error)
    )
}

/// The error without the place that serde_json gives it, which is one within the line.
fn fact(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split_once(" at line ").map_or(text.clone(), |(fact, _)| fact.to_owned())
}

/// Visits the members of an object.
struct Members<'m, F> {
    take: &'m mut F,
    refused: &'m mut Result<(), String>,
}

impl<'a, F: FnMut(&str, &'a RawValue) -> Result<(), String>> Visitor<'a> for Members<'_, F> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(key) = members.next_key_seed(Key)? {
            let value: &'a RawValue = members.next_value()?;
            if self.refused.is_ok() {
                *self.refused = (self.take)(&key, value);
            }
        }
        Ok(())
    }
}

/// Reads a key, without a copy where it has no escape.
struct Key;

impl<'a> DeserializeSeed<'a> for Key {
    type Value = Cow<'a, str>;

    fn deserialize<D: Deserializer<'a>>(self, key: D) -> Result<Cow<'a, str>, D::Error> {
        key.deserialize_str(self)
    }
}

impl<'a> Visitor<'a> for Key {
    type Value = Cow<'a, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'a str) -> Result<Cow<'a, str>, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Cow<'a, str>, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> String {
        let mut read = Vec::new();
        let line = Line::Text(line.as_bytes());
        let members = members(line, |key, value| {
            read.push(format!("{key}={value}"));
            false
        });
        members.map_or_else(|reason| reason, |()| read.join(" "))
    }

    #[test]
    fn values_stay_as_they_stand() {
        let line = r#" {"a" : 1.50, "b\u00e9":"x\ny" ,"c":{"d": [ 1e3 ]},"e":null} "#;
        assert_eq!(read(line), r#"a=1.50 bé="x\ny" c={"d": [ 1e3 ]} e=null"#);
        assert_eq!(read("{}"), "");
    }

    #[test]
    fn lines_that_are_no_objects_have_a_reason() {
        let begins = |line: &str, reason: &str| {
            let said = read(line);
            assert!(said.starts_with(reason), "{line}: {said}");
        };
        begins("[1]", "the line is no JSON object: invalid type: sequence, expected an object");
        begins("1", "the line is no JSON object: invalid type: integer `1`, expected an object");
        begins(r#"{"a":1} {"a":2}"#, "the line is no JSON object: trailing characters at byte 9");
        begins(r#"{"a" 1}"#, "the line is no JSON object: expected `:` at byte 6 of 7");
        begins(r#"{"a":"b"#, "the line is no JSON object: EOF while parsing a string");
        begins("{\"a\":\"\t\"}", "the line is no JSON object: control character");
        begins(r#"{"a":"\ud800"}"#, r"the value of `a` holds half of a character (`\ud800`)");
        begins(r#"{"a":"\udc00x"}"#, r"the value of `a` holds half of a character (`\udc00`)");
        begins(r#"{"a":["\ud83dx"]}"#, r"the value of `a` holds half of a character (`\ud83d`)");
        assert_eq!(
            read(r#"{"a":[1e999,"\\u0000\ud83d\ude00"]}"#),
            r#"a=[1e999,"\\u0000\ud83d\ude00"]"#
        );
        let deep = format!("{{\"a\":{}\"\\u00e9\"{}}}", "[".repeat(500), "]".repeat(500));
        assert!(read(&deep).starts_with("a=[["));
        begins(r#"{"a":["\u0000"]}"#, "the value of `a` holds a NUL (`\\u0000`), ");
        begins(r#"{"a":"\u0000","b" 1}"#, "the line is no JSON object: expected `:`");
        begins(r#"{"a":NaN}"#, "the line is no JSON object: expected value at byte 6");
        let key = format!("{{\"{}\":1}}", "k".repeat(5000));
        begins(&key, "a key has 5000 bytes, and may have 4096");
    }
}
