//! Which format a file has: by its first bytes, and by what the user names. Its name says nothing.

use loader_csv::BYTE_ORDER_MARK;
use loader_model::choices::{Choice, FileFormat};
use loader_model::error::{Error, Kind, Result};
use serde::de::IgnoredAny;
use serde_json::error::Category;

/// The bytes that the functions here should get, unless the file has fewer.
pub(super) const BYTES: usize = 256 * 1024;

const PARQUET: &[u8] = b"PAR1";

/// Whether a file that begins like this is Parquet. Errors: `Data` where the user names another
/// format than it has.
// A header may begin with these letters, but has no such bytes behind them.
pub(super) fn is_parquet(head: &[u8], format: FileFormat) -> Result<bool> {
    let is_control = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r');
    let is_it =
        head.starts_with(PARQUET) && (head == PARQUET || head.iter().take(128).any(is_control));
    match format {
        FileFormat::Auto | FileFormat::Parquet if is_it => Ok(true),
        FileFormat::Csv | FileFormat::Json if is_it => Err(refusal(format, "a Parquet file")),
        FileFormat::Parquet => Err(refusal(format, "no Parquet file")),
        FileFormat::Auto | FileFormat::Csv | FileFormat::Json => Ok(false),
    }
}

fn refusal(named: FileFormat, found: &str) -> Error {
    let fact = format!(
        "the file is {found}, and --file-format {} says otherwise; leave it out",
        named.name()
    );
    Error::new(Kind::Data, fact)
}

/// Whether a text that begins like this is read as JSON Lines. Errors: `Data` for JSON that has not
/// an object in each line.
pub(super) fn is_json_lines(head: &[u8], format: FileFormat) -> Result<bool> {
    match format {
        FileFormat::Csv | FileFormat::Parquet => return Ok(false),
        FileFormat::Auto | FileFormat::Json => (),
    }
    let text = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head).trim_ascii_start();
    let line_end = text.iter().position(|byte| *byte == b'\n');
    let line = &text[..line_end.unwrap_or(text.len())];
    let is_line_cut = line_end.is_none() && head.len() >= BYTES;
    let is_object = match first_value(line) {
        Value::Whole => line.first() == Some(&b'{'),
        Value::CutOff => is_line_cut && line.first() == Some(&b'{'),
        Value::Followed | Value::None => false,
    };
    if !is_object && is_document(text) {
        return Err(Error::new(
            Kind::Data,
            "the file is a JSON document, and JSON Lines have an object in each line; write it so, \
             for example by `jq -c '.[]'` for an array and `jq -c .` for objects over several lines",
        ));
    }
    Ok(is_object || begins_object(line) || format == FileFormat::Json)
}

/// Whether a line begins as an object does, with a key in quotes and a colon: an object that cannot
/// be read is still no CSV.
fn begins_object(line: &[u8]) -> bool {
    let key = line.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    let mut keys =
        serde_json::Deserializer::from_slice(key.unwrap_or_default()).into_iter::<String>();
    let is_key = matches!(keys.next(), Some(Ok(_)));
    let behind = key.and_then(|key| key.get(keys.byte_offset()..)).map(<[u8]>::trim_ascii_start);
    is_key && behind.and_then(<[u8]>::first) == Some(&b':')
}

/// Whether a text is a JSON array, or objects over several lines. An array may be cut off; one of
/// names in brackets, as `[id],[name]`, is a header.
fn is_document(text: &[u8]) -> bool {
    match text.first() {
        Some(b'{') => is_value(text),
        Some(b'[') => {
            let inner = text[1..].trim_ascii_start();
            let begins_value =
                matches!(inner.first(), Some(b'{' | b'[' | b']' | b'"' | b'0'..=b'9'));
            begins_value && is_value(text)
        }
        _ => false,
    }
}

fn is_value(text: &[u8]) -> bool {
    matches!(first_value(text), Value::Whole | Value::CutOff)
}

/// The JSON value that a text begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    /// And nothing follows but further values.
    Whole,
    /// And something else follows.
    Followed,
    /// The text ends within a value.
    CutOff,
    None,
}

fn first_value(text: &[u8]) -> Value {
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<IgnoredAny>();
    match values.next() {
        Some(Ok(_)) => {
            let behind = text[values.byte_offset()..].trim_ascii_start();
            match behind.first() {
                None | Some(b'{' | b'[') => Value::Whole,
                Some(_) => Value::Followed,
            }
        }
        Some(Err(error)) if error.classify() == Category::Eof => Value::CutOff,
        Some(Err(_)) | None => Value::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(head: &str) -> String {
        match is_json_lines(head.as_bytes(), FileFormat::Auto) {
            Ok(is) => is.to_string(),
            Err(error) => error.to_string().chars().take(27).collect(),
        }
    }

    #[test]
    fn json_lines_are_told_from_csv_and_from_documents() {
        for text in [
            "{\"a\": NaN}\n",
            "{\"a\":1},x\n",
            "{\"a\":1\n{\"a\":2}\n",
            "{ \"a\" :'x'}\n",
            "{\"a\":1}\n",
            "\n {\"a\": {}} \r\nnonsense\n",
            "{}",
            "\u{feff}{\"a\":1}\n",
        ] {
            assert_eq!(json(text), "true", "{text}");
        }
        for text in ["a,b\n1,2\n", "", "{a},{b}\n1,2\n", "[a],[b]\n1,2\n", "1\n", "{\"a\"},b\n"] {
            assert_eq!(json(text), "false", "{text}");
        }
        for text in [
            "[{\"a\":1},\n{\"a\":2}]\n",
            "{\n \"a\": 1\n}\n",
            "[\n  {\"a\": 1}]",
            "{\"a\":\n1}",
            "{\n \"a\": 1\n}\n{\n \"a\": 2\n}\n",
            "[]",
            "[1,2]",
            "[[1,2],\n[3,4]]",
            "[1,2]\n[3,4]\n",
        ] {
            assert_eq!(json(text), "the file is a JSON document", "{text}");
        }
    }

    #[test]
    fn a_format_that_is_named_is_held() {
        let parquet = b"PAR1\x15\x04\x15";
        assert!(is_parquet(parquet, FileFormat::Auto).is_ok_and(|is| is));
        assert!(is_parquet(b"PAR1,PAR2\n1,2\n", FileFormat::Auto).is_ok_and(|is| !is));
        let error = is_parquet(parquet, FileFormat::Csv).expect_err("it is none").to_string();
        assert_eq!(
            error,
            "the file is a Parquet file, and --file-format csv says otherwise; leave it out"
        );
        let error = is_parquet(b"a,b\n", FileFormat::Parquet).expect_err("it is none").to_string();
        assert_eq!(
            error,
            "the file is no Parquet file, and --file-format parquet says otherwise; leave it out"
        );
        assert!(is_json_lines(b"nonsense\n", FileFormat::Json).is_ok_and(|is| is));
        assert!(is_json_lines(b"{\"a\":1}\n", FileFormat::Csv).is_ok_and(|is| !is));
    }
}
