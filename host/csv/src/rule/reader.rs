//! Reads the fields of a column by its rule.
//!
//! In: a field as it stands in the file. Out: NULL, the empty string, or the text in the form that
//! every column is read in; a field that the rule refuses is NULL, and noted.

use super::{ColumnRule, RefusedBecause, RefusedField, ValueForm};
use crate::dialect::{Dialect, FieldForm};
use crate::field::FieldReader;
use crate::header::Header;
use crate::logical::LogicalType;
use crate::meant::Meant;
use crate::read_field::{Field, ReadField};

/// Reads the fields of one column.
#[derive(Clone, Debug)]
pub(crate) struct RuleReader {
    rule: ColumnRule,
    reader: FieldReader,
    /// How values are written that are no strings, in a file which tells them apart. `None`: as
    /// all.
    number_form: Option<ValueForm>,
    /// Null tokens are NULL in quotes, too; and so is the empty text.
    quoted_nulls: bool,
    quoted_empty_is_null: bool,
    /// The last text that was spelt otherwise than it stands in the file.
    spelt: String,
}

impl RuleReader {
    /// The reader of a column that has a rule.
    pub(crate) fn new(header: &Header, column: usize, dialect: &Dialect) -> Option<RuleReader> {
        let rule = header.rule(column)?;
        let null_tokens = rule.nulls.as_ref().unwrap_or(&dialect.null_tokens).clone();
        let quoted_nulls = rule.quoted_nulls || (dialect.quoted_nulls && rule.nulls.is_none());
        let quoted_empty_is_null = quoted_nulls && null_tokens.iter().any(String::is_empty);
        let is_json = dialect.field_form == FieldForm::Json;
        let number_form = rule.form.as_ref().filter(|_| is_json).map(ValueForm::of_plain_numbers);
        let form = match header.meant(column) {
            Some(Meant::Type { logical: LogicalType::Date | LogicalType::Timestamp, .. }) => {
                rule.form.as_ref().map(ValueForm::of_plain_moments)
            }
            _ => rule.form.clone(),
        };
        let dialect = Dialect { null_tokens, quoted_nulls: false, ..dialect.clone() };
        Some(RuleReader {
            rule: ColumnRule { form, ..rule.clone() },
            reader: FieldReader::new(&dialect),
            number_form,
            quoted_nulls,
            quoted_empty_is_null,
            spelt: String::new(),
        })
    }

    /// The same, but values of JSON stay as they are.
    #[must_use]
    pub(crate) fn of_values(self) -> RuleReader {
        RuleReader { reader: self.reader.of_values(), ..self }
    }

    /// Reads a field. `None`: it is no value of the column's type, or written otherwise.
    // A field is compared with the null tokens as it stands in the file, before escapes are taken
    // off (`\N`), but without the blanks at its ends where these say nothing.
    pub(crate) fn read<'b>(
        &'b mut self,
        raw: &'b [u8],
        scratch: &'b mut Vec<u8>,
    ) -> Option<Field<'b>> {
        let is_quoted = self.reader.is_quoted(raw);
        let trims = self.rule.trim;
        let raw = if trims && !is_quoted { trimmed(raw) } else { raw };
        let may_be_null = is_quoted && self.quoted_nulls;
        if may_be_null && self.reader.is_quoted_null(raw, if trims { trimmed } else { as_it_is }) {
            return Some(Field::Null);
        }
        let text = match self.reader.read(raw, scratch) {
            Field::Text(text) => text,
            Field::QuotedEmpty => return Some(self.empty()),
            Field::Null => return Some(Field::Null),
        };
        let text = if trims { trimmed(text) } else { text };
        if text.is_empty() {
            return Some(if is_quoted { self.empty() } else { Field::Null });
        }
        let form = if is_quoted { &self.rule.form } else { &self.number_form };
        let Some(form) = form.as_ref().or(self.rule.form.as_ref()) else {
            return Some(Field::Text(text));
        };
        self.spelt = form.spell(std::str::from_utf8(text).ok()?)?;
        Some(Field::Text(self.spelt.as_bytes()))
    }

    /// What the quoted empty text is.
    fn empty(&self) -> Field<'static> {
        if self.quoted_empty_is_null { Field::Null } else { Field::QuotedEmpty }
    }
}

fn as_it_is(text: &[u8]) -> &[u8] {
    text
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
