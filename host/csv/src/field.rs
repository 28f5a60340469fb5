//! What the characters of one field mean: NULL, the empty string, or its text without quotes and
//! escapes.

use memchr::{memchr, memchr2};

use crate::dialect::Dialect;

/// A field's meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field<'a> {
    Null,
    /// `""`: the empty string in a text column, NULL in any other.
    QuotedEmpty,
    /// Never empty.
    Text(&'a [u8]),
}

/// Reads fields by the rules of one dialect.
#[derive(Clone, Debug)]
pub(crate) struct FieldReader {
    quote: Option<u8>,
    escape: Option<u8>,
    null_tokens: Vec<Vec<u8>>,
    /// Whether some null token begins with the byte; spares most fields the comparison.
    null_starts: [bool; 256],
}

impl FieldReader {
    pub(crate) fn new(dialect: &Dialect) -> FieldReader {
        let rules = dialect.rules();
        let null_tokens: Vec<Vec<u8>> = dialect
            .null_tokens
            .iter()
            .filter(|token| !token.is_empty())
            .map(|token| token.clone().into_bytes())
            .collect();
        let mut null_starts = [false; 256];
        for token in &null_tokens {
            null_starts[usize::from(token[0])] = true;
        }
        FieldReader { quote: rules.quote, escape: rules.escape, null_tokens, null_starts }
    }

    /// Fields of blocks without quotes can be measured without being read.
    pub(crate) fn has_null_tokens(&self) -> bool {
        !self.null_tokens.is_empty()
    }

    /// `raw` is the field as it stands in the file; `scratch` takes its text where that differs.
    #[inline(always)]
    pub(crate) fn read<'b>(&self, raw: &'b [u8], scratch: &'b mut Vec<u8>) -> Field<'b> {
        let Some(first) = raw.first() else {
            return Field::Null;
        };
        if Some(*first) == self.quote {
            return self.read_quoted(raw, scratch);
        }
        if self.null_starts[usize::from(*first)]
            && self.null_tokens.iter().any(|token| token == raw)
        {
            return Field::Null;
        }
        Field::Text(raw)
    }

    fn read_quoted<'b>(&self, raw: &'b [u8], scratch: &'b mut Vec<u8>) -> Field<'b> {
        let quote = raw[0];
        // The closing quote is there, or the row would have been an error.
        let inner = raw.get(1..raw.len() - 1).unwrap_or_default();
        if inner.is_empty() {
            return Field::QuotedEmpty;
        }
        match self.next_mark(quote, inner) {
            None => Field::Text(inner),
            Some(at) => {
                self.unescape(quote, inner, at, scratch);
                Field::Text(scratch)
            }
        }
    }

    /// Writes to `scratch` what `inner` says. Its first quote or escape is at `at`; each only
    /// announces the character after it, which is taken, however special.
    fn unescape(&self, quote: u8, inner: &[u8], at: usize, scratch: &mut Vec<u8>) {
        scratch.clear();
        let (mut rest, mut at) = (inner, at);
        loop {
            scratch.extend_from_slice(&rest[..at]);
            scratch.extend(rest.get(at + 1));
            rest = rest.get(at + 2..).unwrap_or_default();
            match self.next_mark(quote, rest) {
                Some(next) => at = next,
                None => break,
            }
        }
        scratch.extend_from_slice(rest);
    }

    /// The first quote or escape.
    #[inline]
    fn next_mark(&self, quote: u8, text: &[u8]) -> Option<usize> {
        match self.escape {
            None => memchr(quote, text),
            Some(escape) => memchr2(quote, escape, text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(dialect: &Dialect, raw: &str, expected: Field<'_>) {
        assert_eq!(
            FieldReader::new(dialect).read(raw.as_bytes(), &mut Vec::new()),
            expected,
            "{raw}"
        );
    }

    #[test]
    fn null_is_bare_and_empty_is_quoted() {
        let dialect = Dialect {
            null_tokens: vec!["NA".into(), "\\N".into(), String::new()],
            ..Dialect::default()
        };
        check(&dialect, "", Field::Null);
        check(&dialect, "NA", Field::Null);
        check(&dialect, "\\N", Field::Null);
        check(&dialect, r#""""#, Field::QuotedEmpty);
        check(&dialect, r#""NA""#, Field::Text(b"NA"));
        check(&dialect, "NAN", Field::Text(b"NAN"));
        check(&dialect, " ", Field::Text(b" "));
    }

    #[test]
    fn quotes_and_escapes_are_taken_off() {
        let doubled = Dialect::default();
        check(&doubled, r#""a""b""#, Field::Text(br#"a"b"#));
        check(&doubled, r#""""""#, Field::Text(b"\""));
        check(&doubled, r#""""""""#, Field::Text(b"\"\""));
        check(&doubled, r#""a\""#, Field::Text(b"a\\"));
        check(&doubled, r#"a"b"#, Field::Text(br#"a"b"#));
        let escaped = Dialect { escape: Some(b'\\'), ..Dialect::default() };
        check(&escaped, r#""a\"b""c\\""#, Field::Text(br#"a"b"c\"#));
        let bare = Dialect { quote: None, ..Dialect::default() };
        check(&bare, r#""a""#, Field::Text(br#""a""#));
    }
}
