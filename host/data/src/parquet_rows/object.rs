//! A row as it is shown to people: a JSON object.

use std::iter::repeat;

use loader_csv::{JSON_DELIMITER, UNREADABLE};
use serde_json::Value;

/// A row of values with their names. A row that cannot be read begins with the reason for it, which
/// is left out; the value that could not be written is NULL there.
pub(crate) fn as_object(names: &[String], row: &[u8]) -> Vec<u8> {
    let reason = usize::from(row.first() == Some(&UNREADABLE));
    let values = row.split(|byte| *byte == JSON_DELIMITER).skip(reason).chain(repeat(&[][..]));
    let mut object = vec![b'{'];
    for (name, value) in names.iter().zip(values) {
        if object.len() > 1 {
            object.push(b',');
        }
        object.extend_from_slice(Value::from(name.as_str()).to_string().as_bytes());
        object.push(b':');
        match value {
            b"" => object.extend_from_slice(b"null"),
            b"NaN" | b"inf" | b"-inf" => object.extend([b"\"", value, b"\""].concat()),
            value => object.extend_from_slice(value),
        }
    }
    object.push(b'}');
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_objects() {
        let names = ["a".to_owned(), "b\"".to_owned()];
        assert_eq!(as_object(&names, b"1\x1f"), br#"{"a":1,"b\"":null}"#);
        assert_eq!(as_object(&names, b"NaN"), br#"{"a":"NaN","b\"":null}"#);
        assert_eq!(as_object(&names, b"\xffreason\x1f\x1f2"), br#"{"a":null,"b\"":2}"#);
    }
}
