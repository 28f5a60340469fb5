//! One staged column: every value becomes what the target's column holds.
//!
//! In: the plugins' column. Out: the staged column, and a refusal for each row whose value does not
//! fit. This module also measures the longest text and counts the decimals that were rounded.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::DataType;
use loader_model::column_type::ColumnType;
use loader_model::error::{Error, Kind, Result};
use loader_sandbox::cast::strict_cast;

use super::spelling::Spelling;
use crate::plan::PlannedColumn;
use crate::refusals::Refusals;

/// Conforms one column of each batch.
pub(super) struct ColumnConformer {
    planned: PlannedColumn,
    /// How the column's texts must be spelt. `None`: any text will do.
    spelling: Option<Spelling>,
    /// The longest text of the column so far, in bytes. Texts that are too long do not count, since
    /// their rows are rejected.
    pub(super) max_text_bytes: u32,
    /// The number of decimals whose surplus digits were rounded half away from zero. For example,
    /// `1.005` becomes 1.01 in DECIMAL(10,2), and counts as one.
    pub(super) rounded: u64,
}

impl ColumnConformer {
    pub(super) fn new(planned: &PlannedColumn) -> ColumnConformer {
        ColumnConformer {
            spelling: planned.lands_in.as_ref().and_then(Spelling::of),
            planned: planned.clone(),
            max_text_bytes: 0,
            rounded: 0,
        }
    }

    /// The staged column of a transformed batch, as long as the batch.
    // The order matters. A value that cannot be cast is NULL afterwards, and an empty text may
    // become NULL; only then are NULLs looked for. A row with several reasons keeps the first.
    pub(super) fn conform(
        &mut self,
        batch: &RecordBatch,
        refusals: &mut Refusals,
    ) -> Result<ArrayRef> {
        let array = self.cast(batch.column(self.planned.source), refusals)?;
        let array = self.without_empty_texts(array);
        let array = self.respelt(array);
        self.check_nulls(&array, refusals);
        if let Some(texts) = array.as_any().downcast_ref::<StringArray>() {
            self.check_spelling(texts, refusals);
            self.check_lengths(texts, refusals);
        }
        Ok(self.without_padding(array))
    }

    fn cast(&mut self, array: &ArrayRef, refusals: &mut Refusals) -> Result<ArrayRef> {
        let planned = &self.planned;
        if !planned.cast {
            return Ok(Arc::clone(array));
        }
        let outcome = strict_cast(array, &planned.staged).map_err(|error| {
            Error::new(Kind::Internal, format!("column `{}`: {error}", planned.name))
        })?;
        self.rounded += outcome.rounded;
        for row in outcome.failed {
            refusals.add(row as usize, &planned.name, "does-not-fit", || {
                let lands_in = planned.lands_in.as_ref();
                let holder = lands_in.map_or(planned.staged.to_string(), ToString::to_string);
                format!("the value does not fit {holder}")
            });
        }
        Ok(outcome.array)
    }

    /// Makes empty texts NULL where the INSERT casts the text to another type. For example, `""`
    /// becomes NULL in a SUPER column, and stays the empty text in a VARCHAR.
    fn without_empty_texts(&self, array: ArrayRef) -> ArrayRef {
        let becomes_other =
            self.planned.lands_in.as_ref().is_some_and(ColumnType::is_staged_as_text);
        match array.as_any().downcast_ref::<StringArray>() {
            Some(texts) if becomes_other && texts.iter().any(|text| text == Some("")) => {
                let texts = texts.iter().map(|text| text.filter(|text| !text.is_empty()));
                Arc::new(texts.collect::<StringArray>())
            }
            _ => array,
        }
    }

    /// Spells texts that become another type in the one form that Redshift is known to cast.
    fn respelt(&mut self, array: ArrayRef) -> ArrayRef {
        let Some(spelling) = self.spelling else { return array };
        let Some(texts) = array.as_any().downcast_ref::<StringArray>() else { return array };
        if !spelling.has_other_forms() || texts.iter().flatten().all(|text| spelling.fits(text)) {
            return array;
        }
        let rounded = &mut self.rounded;
        let respelt = texts.iter().map(|text| {
            let text = text?;
            Some(spelling.respell(text).map_or(Cow::Borrowed(text), |(respelt, cut)| {
                *rounded += u64::from(cut);
                Cow::Owned(respelt)
            }))
        });
        Arc::new(respelt.collect::<StringArray>())
    }

    /// Takes the trailing blanks off the texts of a CHAR, which say nothing there. A CHAR is staged
    /// as VARCHAR, where the keys `ab` and `ab ` would be two.
    fn without_padding(&self, array: ArrayRef) -> ArrayRef {
        let is_char = matches!(self.planned.lands_in, Some(ColumnType::Char { .. }));
        let is_padded = |text: Option<&str>| text.is_some_and(|text| text.ends_with(' '));
        match array.as_any().downcast_ref::<StringArray>() {
            Some(texts) if is_char && texts.iter().any(is_padded) => {
                let texts = texts.iter().map(|text| text.map(|text| text.trim_end_matches(' ')));
                Arc::new(texts.collect::<StringArray>())
            }
            _ => array,
        }
    }

    fn check_nulls(&self, array: &ArrayRef, refusals: &mut Refusals) {
        if !self.planned.required || array.null_count() == 0 {
            return;
        }
        // A bare empty field is NULL, and a quoted one is the empty text.
        let is_text = *array.data_type() == DataType::Utf8;
        let (code, message) = match (self.planned.is_key, is_text) {
            (true, true) => {
                ("null-key", "an upsert key is NULL; where the empty text is meant, write `\"\"`")
            }
            (true, false) => ("null-key", "an upsert key is NULL"),
            (false, _) => ("null", "NULL, but the column is NOT NULL in the table"),
        };
        for row in (0..array.len()).filter(|row| array.is_null(*row)) {
            refusals.add(row, &self.planned.name, code, || message.to_owned());
        }
    }

    fn check_spelling(&self, texts: &StringArray, refusals: &mut Refusals) {
        let Some(spelling) = self.spelling else { return };
        for (row, text) in texts.iter().enumerate() {
            if text.is_some_and(|text| !spelling.fits(text)) {
                refusals.add(row, &self.planned.name, "does-not-fit", || {
                    format!("the value is not {}", spelling.expected())
                });
            }
        }
    }

    fn check_lengths(&mut self, texts: &StringArray, refusals: &mut Refusals) {
        // The usual case needs only the offsets. Single texts are looked at only when one of them
        // is too long.
        let (longest, most) = (longest(texts), self.planned.max_text_bytes);
        if longest <= most {
            self.max_text_bytes = self.max_text_bytes.max(longest);
            return;
        }
        for (row, text) in texts.iter().enumerate() {
            let bytes = text.map_or(0, str::len) as u64;
            if bytes > u64::from(most) {
                refusals.add(row, &self.planned.name, "too-long", || {
                    let csv = "; with --staging-format csv a SUPER takes JSON as long as a row";
                    let is_super = self.planned.lands_in == Some(ColumnType::Super);
                    let hint = if is_super && self.planned.staged_as_text { csv } else { "" };
                    format!("the text has {bytes} bytes, the column holds {most}{hint}")
                });
            } else {
                self.max_text_bytes = self.max_text_bytes.max(bytes as u32);
            }
        }
    }
}

/// The length of the longest text, in bytes.
fn longest(texts: &StringArray) -> u32 {
    let lengths = texts.value_offsets().windows(2).map(|pair| pair[1] - pair[0]);
    lengths.max().map_or(0, |longest| longest.unsigned_abs())
}
