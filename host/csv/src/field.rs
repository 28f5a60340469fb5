//! Reads one field: its characters mean NULL, the empty string, or a text, which comes without
//! quotes and escapes.

use memchr::{memchr, memchr2};

use crate::dialect::{Dialect, FieldForm};
use crate::json_field;
use crate::read_field::{Field, ReadField};

/// Reads fields by the rules of one dialect.
#[derive(Clone, Debug)]
pub(crate) struct FieldReader {
    quote: Option<u8>,
    escape: Option<u8>,
    trims: bool,
    field_form: FieldForm,
    /// Values of JSON stay as they are, strings too.
    keeps_values: bool,
    /// The escape, when it counts outside of quotes.
    bare_escape: Option<u8>,
    null_tokens: Vec<Vec<u8>>,
    /// Null tokens are NULL in quotes, too; and so is the quoted empty field.
    quoted_nulls: bool,
    quoted_empty_is_null: bool,
    /// Whether an unquoted field that begins with this byte may be other than it is written: the
    /// first bytes of null tokens, or all bytes when escapes count outside of quotes, blanks are
    /// trimmed, or fields are values of JSON.
    may_differ: [bool; 256],
}

impl FieldReader {
    pub(crate) fn new(dialect: &Dialect) -> FieldReader {
        let rules = dialect.rules();
        let null_tokens: Vec<Vec<u8>> = dialect
            .null_tokens
            .iter()
            // The bare empty field is NULL without a token, and `token[0]` below needs a byte.
            .filter(|token| !token.is_empty())
            .map(|token| token.clone().into_bytes())
            .collect();
        let bare_escape = rules.escape.filter(|escape| rules.is_bare_escape(*escape));
        let is_json = rules.field_form == FieldForm::Json;
        let mut may_differ = [bare_escape.is_some() || rules.trims || is_json; 256];
        for token in &null_tokens {
            may_differ[usize::from(token[0])] = true;
        }
        FieldReader {
            quote: rules.quote,
            escape: rules.escape,
            trims: rules.trims,
            field_form: rules.field_form,
            keeps_values: false,
            bare_escape,
            null_tokens,
            quoted_nulls: dialect.quoted_nulls,
            quoted_empty_is_null: dialect.quoted_nulls
                && dialect.null_tokens.iter().any(String::is_empty),
            may_differ,
        }
    }

    /// The same, but values of JSON stay as they are.
    #[must_use]
    pub(crate) fn of_values(self) -> FieldReader {
        FieldReader { keeps_values: true, ..self }
    }

    /// Whether a value without quotes is exactly as long as its field, and need not be read to be
    /// measured.
    pub(crate) fn keeps_lengths(&self) -> bool {
        self.null_tokens.is_empty() && !self.trims && self.field_form == FieldForm::Csv
    }

    /// Whether a field is in quotes.
    pub(crate) fn is_quoted(&self, raw: &[u8]) -> bool {
        let quote = match self.field_form {
            FieldForm::Csv => self.quote,
            FieldForm::Json => Some(b'"'),
        };
        !raw.is_empty() && raw.first() == quote.as_ref()
    }

    /// Whether an unquoted field of this text is NULL.
    pub(crate) fn is_null_token(&self, text: &[u8]) -> bool {
        self.null_tokens.iter().any(|token| token == text)
    }

    /// Reads a field. `raw` is the field as it stands in the file. `scratch` takes the text where
    /// it differs: for example, `"5"" pipe"` becomes `5" pipe`.
    // The order decides: a quoted field never reaches the null tokens, so `"NA"` is text even where
    // `NA` is NULL. A token is compared before escapes are taken off, so where `\N` is NULL, `\\N`
    // is the text `\N`.
    #[inline(always)]
    pub(crate) fn read<'b>(&self, raw: &'b [u8], scratch: &'b mut Vec<u8>) -> Field<'b> {
        let Some(first) = raw.first() else {
            return Field::Null;
        };
        if Some(*first) == self.quote {
            return self.read_quoted(raw, scratch);
        }
        if self.may_differ[usize::from(*first)] {
            return self.read_bare(raw, scratch);
        }
        Field::Text(raw)
    }

    // Apart from `read`, so that the loops over plain fields stay small.
    #[inline(never)]
    fn read_bare<'b>(&self, raw: &'b [u8], scratch: &'b mut Vec<u8>) -> Field<'b> {
        if self.field_form == FieldForm::Json {
            return match self.keeps_values {
                true => json_field::read_value(raw),
                false
                    if self.quoted_nulls
                        && self.is_quoted(raw)
                        && self.is_quoted_null(raw, |text| text) =>
                {
                    Field::Null
                }
                false => json_field::read(raw, scratch),
            };
        }
        let raw = if self.trims { trim(raw) } else { raw };
        match raw.first() {
            None => return Field::Null,
            Some(first) if Some(*first) == self.quote => return self.read_quoted(raw, scratch),
            Some(_) => (),
        }
        if self.is_null_token(raw) {
            return Field::Null;
        }
        if let Some(escape) = self.bare_escape
            && let Some(at) = memchr(escape, raw)
        {
            self.unescape(escape, raw, at, scratch);
            return Field::Text(scratch);
        }
        Field::Text(raw)
    }

    fn read_quoted<'b>(&self, raw: &'b [u8], scratch: &'b mut Vec<u8>) -> Field<'b> {
        let raw = if self.trims { raw.trim_ascii_end() } else { raw };
        let quote = raw[0];
        let inner = self.inner(raw);
        if self.quoted_nulls && self.is_quoted_null(raw, |text| text) {
            return Field::Null;
        }
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

    /// What stands between the quotes of a field, with its escapes.
    fn inner<'b>(&self, raw: &'b [u8]) -> &'b [u8] {
        // `Rows` has seen the closing quote, or the row would be an error. `get` and not an index,
        // because a lone quote would ask for the range 1..0.
        raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default()
    }

    /// Whether a field in quotes is NULL, by its text as `trim` leaves it.
    #[cold]
    pub(crate) fn is_quoted_null(&self, raw: &[u8], trim: impl Fn(&[u8]) -> &[u8]) -> bool {
        let mut scratch = Vec::new();
        let inner = self.inner(raw);
        // An escape may be a part of a token (`\N`), and counts as it is written. Nothing else
        // does.
        let text = match (self.field_form, self.quote) {
            (FieldForm::Json, _) => match json_field::read(raw, &mut scratch) {
                Field::Text(text) => text,
                Field::QuotedEmpty | Field::Null => b"",
            },
            (FieldForm::Csv, Some(quote)) if self.escape.is_none() => {
                match self.next_mark(quote, inner) {
                    None => inner,
                    Some(at) => {
                        self.unescape(quote, inner, at, &mut scratch);
                        &scratch
                    }
                }
            }
            (FieldForm::Csv, _) => inner,
        };
        match trim(text) {
            b"" => self.quoted_empty_is_null,
            text => self.is_null_token(text),
        }
    }

    /// Writes the text of `inner` to `scratch`. The first quote or escape stands at `at`.
    // Each quote or escape is dropped and the character after it is taken as it is. So the search
    // goes on two characters further: for example, `a""b` becomes `a"b`, and the second quote is
    // not taken for the start of another pair. An escape that ends the file is text.
    fn unescape(&self, quote: u8, inner: &[u8], at: usize, scratch: &mut Vec<u8>) {
        scratch.clear();
        let (mut rest, mut at) = (inner, at);
        loop {
            scratch.extend_from_slice(&rest[..at]);
            scratch.extend(rest.get(at + 1).or(rest.get(at)));
            rest = rest.get(at + 2..).unwrap_or_default();
            match self.next_mark(quote, rest) {
                Some(next) => at = next,
                None => break,
            }
        }
        scratch.extend_from_slice(rest);
    }

    /// The place of the first quote or escape.
    #[inline]
    fn next_mark(&self, quote: u8, text: &[u8]) -> Option<usize> {
        match self.escape {
            None => memchr(quote, text),
            Some(escape) => memchr2(quote, escape, text),
        }
    }
}

/// A field without the blanks around it, of any script.
fn trim(raw: &[u8]) -> &[u8] {
    std::str::from_utf8(raw).map_or(raw, |text| text.trim().as_bytes())
}

impl ReadField for &FieldReader {
    #[inline(always)]
    fn read<'b>(&'b mut self, raw: &'b [u8], scratch: &'b mut Vec<u8>) -> Field<'b> {
        FieldReader::read(self, raw, scratch)
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
    fn null_tokens_may_be_quoted() {
        let null_tokens = vec!["NA".to_owned()];
        let dialect = Dialect { null_tokens, quoted_nulls: true, ..Dialect::default() };
        check(&dialect, r#""NA""#, Field::Null);
        check(&dialect, "NA", Field::Null);
        check(&dialect, r#""""#, Field::QuotedEmpty);
        check(&dialect, r#""N""A""#, Field::Text(br#"N"A"#));
        check(&Dialect::of_json_fields(&dialect), r#""NA""#, Field::Null);
        check(&Dialect::of_json_fields(&dialect), r#""N\u0041""#, Field::Null);
        check(&Dialect::of_json_fields(&dialect), "\"\"", Field::QuotedEmpty);
        let null_tokens = vec![r"\N".to_owned()];
        let escaped = Dialect { escape: Some(b'\\'), null_tokens, ..dialect.clone() };
        check(&escaped, r#""\N""#, Field::Null);
        check(&escaped, r#""\\N""#, Field::Text(br"\N"));
        let dialect = Dialect { null_tokens: vec![String::new()], ..dialect };
        check(&dialect, r#""""#, Field::Null);
        check(&dialect, r#""NA""#, Field::Text(b"NA"));
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
        check(&bare, r"a\b", Field::Text(br"a\b"));
        let null_tokens = vec![r"\N".to_owned()];
        let escaped = Dialect { escape: Some(b'\\'), null_tokens, ..bare };
        check(&escaped, r"C:\\x\,\n", Field::Text(br"C:\x,n"));
        check(&escaped, r#"\""#, Field::Text(b"\""));
        check(&escaped, r"a\", Field::Text(br"a\"));
        check(&escaped, r"\N", Field::Null);
        check(&escaped, r"\\N", Field::Text(br"\N"));
    }
}
