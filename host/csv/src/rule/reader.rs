//! Reads the fields of a column by its rule.
//!
//! In: a field as it stands in the file. Out: NULL, the empty string, or the text in the form that
//! every column is read in; a field that the rule refuses is NULL, and noted.

use super::{ColumnRule, RefusedBecause, RefusedField};
use crate::dialect::Dialect;
use crate::field::{Field, FieldReader, ReadField};

/// Reads the fields of one column.
#[derive(Clone, Debug)]
pub(crate) struct RuleReader {
    rule: ColumnRule,
    reader: FieldReader,
    quote: Option<u8>,
    /// The last text that was spelt otherwise than it stands in the file.
    spelt: String,
}

impl RuleReader {
    pub(crate) fn new(rule: &ColumnRule, dialect: &Dialect) -> RuleReader {
        let null_tokens = rule.nulls.as_ref().unwrap_or(&dialect.null_tokens).clone();
        let dialect = Dialect { null_tokens, ..dialect.clone() };
        RuleReader {
            rule: rule.clone(),
            reader: FieldReader::new(&dialect),
            quote: dialect.quote,
            spelt: String::new(),
        }
    }

    /// Reads a field. `None`: it is no value of the column's type, or written otherwise.
    // A bare field is compared with the null tokens as it stands in the file, before escapes are
    // taken off (`\N`), but without the blanks at its ends where these say nothing.
    pub(crate) fn read<'b>(
        &'b mut self,
        raw: &'b [u8],
        scratch: &'b mut Vec<u8>,
    ) -> Option<Field<'b>> {
        let is_quoted = !raw.is_empty() && raw.first() == self.quote.as_ref();
        let raw = if self.rule.trim && !is_quoted { trimmed(raw) } else { raw };
        let text = match self.reader.read(raw, scratch) {
            Field::Text(text) => text,
            Field::QuotedEmpty => return Some(self.empty()),
            Field::Null => return Some(Field::Null),
        };
        let text = if self.rule.trim { trimmed(text) } else { text };
        if text.is_empty() {
            return Some(if is_quoted { self.empty() } else { Field::Null });
        }
        if is_quoted && self.rule.quoted_nulls && self.reader.is_null_token(text) {
            return Some(Field::Null);
        }
        let Some(form) = &self.rule.form else { return Some(Field::Text(text)) };
        self.spelt = form.spell(std::str::from_utf8(text).ok()?)?;
        Some(Field::Text(self.spelt.as_bytes()))
    }

    /// What the quoted empty text is.
    fn empty(&self) -> Field<'static> {
        let mut nulls = self.rule.nulls.iter().flatten();
        let is_null = self.rule.quoted_nulls && nulls.any(String::is_empty);
        if is_null { Field::Null } else { Field::QuotedEmpty }
    }
}

/// A text without the blanks and tabulators at its ends.
fn trimmed(text: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = text.iter().position(|byte| !is_blank(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
    &text[start..end]
}

/// Reads the fields of one column, one row after the other, and notes those that are refused.
pub(crate) struct Judge<'a> {
    reader: &'a mut RuleReader,
    keeps_empty: bool,
    /// The row of the next field.
    row: usize,
    /// Rows, each with its reason.
    refused: Vec<(usize, RefusedBecause)>,
}

impl<'a> Judge<'a> {
    /// `keeps_empty`: the column takes the empty string, and does not read it as NULL. `first_row`:
    /// the place in the batch of the first row whose field is read.
    pub(crate) fn new(
        reader: &'a mut RuleReader,
        keeps_empty: bool,
        first_row: usize,
    ) -> Judge<'a> {
        Judge { reader, keeps_empty, row: first_row, refused: Vec::new() }
    }

    /// The fields that were refused, which stand in this column.
    pub(crate) fn refused_in(self, column: usize) -> impl Iterator<Item = RefusedField> {
        self.refused.into_iter().map(move |(row, because)| RefusedField { row, column, because })
    }
}

impl ReadField for &mut Judge<'_> {
    fn read<'b>(&'b mut self, raw: &'b [u8], scratch: &'b mut Vec<u8>) -> Field<'b> {
        let Judge { reader, keeps_empty, row, refused } = &mut **self;
        let (this_row, is_required) = (*row, reader.rule.required);
        *row += 1;
        let Some(field) = reader.read(raw, scratch) else {
            refused.push((this_row, RefusedBecause::IsNot));
            return Field::Null;
        };
        let is_null = match field {
            Field::Null => true,
            Field::QuotedEmpty => !*keeps_empty,
            Field::Text(_) => false,
        };
        if is_null && is_required {
            refused.push((this_row, RefusedBecause::Null));
        }
        field
    }
}
