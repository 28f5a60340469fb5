//! JSON as a SUPER takes it. In: a text. Out: whether Redshift reads it into a SUPER.

use loader_model::column_type::MAX_VARCHAR_BYTES;
use serde::de::IgnoredAny;

/// How deep arrays and objects may lie in each other.
/// Source: <https://docs.aws.amazon.com/redshift/latest/dg/limitations-super.html>
pub(super) const MAX_DEPTH: usize = 1000;

/// Whether a text is JSON that is not nested too deep, and no string in it is too long. A SUPER
/// takes 16 MB, and each string of it what a VARCHAR takes. (A database may be set to take longer
/// ones, `enable_large_strings_opt_in`, which a load cannot rely on.)
// The parser goes down into what it does not keep without a stack, so any depth is safe here.
pub(super) fn fits_super(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok() && is_within_bounds(text)
}

/// Looks at a text that is JSON.
fn is_within_bounds(text: &str) -> bool {
    let (mut depth, mut rest) = (0_usize, text);
    while let Some(at) = rest.find(['"', '[', '{', ']', '}']) {
        let (mark, behind) = (rest.as_bytes()[at], &rest[at + 1..]);
        match mark {
            b'"' => {
                let inside = &behind[..string_bytes(behind)];
                if !string_fits(inside) {
                    return false;
                }
                rest = &behind[inside.len() + 1..];
            }
            b'[' | b'{' if depth == MAX_DEPTH => return false,
            b'[' | b'{' => (depth, rest) = (depth + 1, behind),
            _ => (depth, rest) = (depth - 1, behind),
        }
    }
    true
}

/// How long a string is as it is written, up to its closing quote.
fn string_bytes(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.bytes().position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    });
    end.unwrap_or(text.len())
}

/// A string is never longer than it is written. (`\n` is one byte.)
fn string_fits(written: &str) -> bool {
    let max = MAX_VARCHAR_BYTES as usize;
    let read = || serde_json::from_str::<String>(&format!("\"{written}\""));
    written.len() <= max || read().is_ok_and(|text| text.len() <= max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_and_strings_have_bounds() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(fits_super(&nested(MAX_DEPTH)));
        assert!(!fits_super(&nested(MAX_DEPTH + 1)));
        assert!(!fits_super(&nested(100_000)));
        // Those in a string open nothing.
        assert!(fits_super(&format!("{{\"[{{\\\"[\": \"{}\"}}", "[".repeat(2000))));
        let long = |bytes: usize| format!("{{\"a\": [1, \"{}\"]}}", "x".repeat(bytes));
        assert!(fits_super(&long(65_535)));
        assert!(!fits_super(&long(65_536)));
        // Escapes are longer than what they say.
        assert!(fits_super(&format!("\"{}\"", "\\n".repeat(65_535))));
        assert!(!fits_super(&format!("\"{}\"", "\\n".repeat(65_536))));
        assert!(!fits_super("[1") && !fits_super("") && fits_super(" {\"a\": [{}, []]} "));
    }
}
