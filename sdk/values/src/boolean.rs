//! Booleans: the two words that type inference believes, and the longer list that Redshift's COPY
//! takes.

/// Reads `true` or `false`, in any case.
///
/// Type inference uses this short list, because `t`, `yes` and `1` may as well be text or a number.
/// (For example, a column of `1` and `0` holds integers.)
pub fn parse_bool(text: &[u8]) -> Option<bool> {
    match text.len() {
        4 if text.eq_ignore_ascii_case(b"true") => Some(true),
        5 if text.eq_ignore_ascii_case(b"false") => Some(false),
        _ => None,
    }
}

/// Reads what Redshift takes for a BOOLEAN column: `t true y yes 1` and `f false n no 0`, in any
/// case.
///
/// For example, `Yes` becomes true and `0` becomes false. `on` is not in the list, so it is `None`.
///
/// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_Boolean_type.html>
pub fn parse_bool_literal(text: &[u8]) -> Option<bool> {
    match text {
        [b't' | b'T' | b'y' | b'Y' | b'1'] => Some(true),
        [b'f' | b'F' | b'n' | b'N' | b'0'] => Some(false),
        _ if text.len() == 3 && text.eq_ignore_ascii_case(b"yes") => Some(true),
        _ if text.len() == 2 && text.eq_ignore_ascii_case(b"no") => Some(false),
        _ => parse_bool(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inference_believes_only_the_two_words() {
        assert_eq!(parse_bool(b"TRUE"), Some(true));
        assert_eq!(parse_bool(b"False"), Some(false));
        for text in ["", "t", "yes", "1", "0", " true", "true ", "truer", "nope", "nope!"] {
            assert_eq!(parse_bool(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn literals_are_those_of_redshift() {
        for text in ["t", "T", "true", "TRUE", "y", "Yes", "1"] {
            assert_eq!(parse_bool_literal(text.as_bytes()), Some(true), "{text:?}");
        }
        for text in ["f", "F", "false", "n", "NO", "0"] {
            assert_eq!(parse_bool_literal(text.as_bytes()), Some(false), "{text:?}");
        }
        for text in ["", "2", "01", "on", "off", "ja", " t"] {
            assert_eq!(parse_bool_literal(text.as_bytes()), None, "{text:?}");
        }
    }
}
