//! What a user says of the values of one column: which texts are NULL, how its values are written,
//! and of which type they are.
//!
//! In: a field. Out: its text in the form that every column is read in, or a refusal. For example,
//! where decimals are written `1.234,56`, that text becomes `1234.56`, and `1,234.56` is refused.

mod moment_form;
mod number_form;
mod reader;

use loader_values::{parse_bool_literal, parse_f64};
use serde::{Deserialize, Serialize};

use crate::dialect::LeadingZeros;

pub use moment_form::{MomentForm, PatternError};
pub use number_form::{Negative, NumberForm, Percent};
pub(crate) use reader::{Judge, RuleReader};

/// How the fields of one column are read. The default reads them as those of every column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnRule {
    /// The texts that mean NULL here, in place of [`Dialect::null_tokens`](crate::Dialect).
    pub nulls: Option<Vec<String>>,
    /// Whether they mean NULL in quotes, too.
    pub quoted_nulls: bool,
    /// Whether blanks at the ends of a text are taken off. A text of blanks alone is then a bare
    /// empty field, or in quotes the empty string.
    pub trim: bool,
    /// Whether NULL is refused.
    pub required: bool,
    /// How numbers with leading zeros are read, in place of [`Dialect::leading_zeros`].
    ///
    /// [`Dialect::leading_zeros`]: crate::Dialect
    pub leading_zeros: Option<LeadingZeros>,
    /// The type of the values and how they are written. `None`: the type is learnt.
    pub form: Option<ValueForm>,
}

/// A type, and how its values are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ValueForm {
    /// Any text of so many bytes at most. Types whose values the warehouse makes of their text, such
    /// as SUPER, are read so, too.
    Text {
        max_bytes: Option<u32>,
    },
    /// Whole numbers of so many bits: 16, 32 or 64.
    Whole {
        bits: u32,
        written: NumberForm,
    },
    /// Digits past the scale are rounded later; digits before the point must fit.
    Decimal {
        precision: u8,
        scale: u8,
        written: NumberForm,
    },
    Double {
        written: NumberForm,
    },
    /// In the literals that Redshift takes.
    Boolean,
    Date(MomentForm),
    Timestamp(MomentForm),
    /// A moment with its zone, which is read as text.
    TimestampTz(MomentForm),
}

/// Why a field is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedBecause {
    /// It is no value of the column's [`ValueForm`].
    IsNot,
    /// It is NULL, and the column is required.
    Null,
}

/// A field that a column's rule refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedField {
    /// The row's place in the batch.
    pub row: usize,
    /// The column's place in the header.
    pub column: usize,
    pub because: RefusedBecause,
}

impl ValueForm {
    /// The same type, whose numbers are written as programs write them: `1234.56`.
    fn of_plain_numbers(&self) -> ValueForm {
        let written = NumberForm::default();
        match self {
            ValueForm::Whole { bits, .. } => ValueForm::Whole { bits: *bits, written },
            ValueForm::Decimal { precision, scale, .. } => {
                ValueForm::Decimal { precision: *precision, scale: *scale, written }
            }
            ValueForm::Double { .. } => ValueForm::Double { written },
            other => other.clone(),
        }
    }

    /// The same type, whose moments are written as programs write them: `2024-01-31`.
    fn of_plain_moments(&self) -> ValueForm {
        match self {
            ValueForm::Date(_) => ValueForm::Date(MomentForm::default()),
            ValueForm::Timestamp(_) => ValueForm::Timestamp(MomentForm::default()),
            ValueForm::TimestampTz(_) => ValueForm::TimestampTz(MomentForm::default()),
            other => other.clone(),
        }
    }

    /// The text as it is read in every column. `None`: it is no value of the type, or written
    /// otherwise.
    fn spell(&self, text: &str) -> Option<String> {
        match self {
            ValueForm::Text { max_bytes } => {
                let fits = max_bytes.is_none_or(|most| text.len() as u64 <= u64::from(most));
                fits.then(|| text.to_owned())
            }
            ValueForm::Whole { bits, written } => written.spell_whole(text, *bits),
            ValueForm::Decimal { precision, scale, written } => {
                written.spell_decimal(text, u32::from(precision.saturating_sub(*scale)))
            }
            ValueForm::Double { written } => spell_double(written, text),
            ValueForm::Boolean => parse_bool_literal(text.as_bytes()).map(|_| text.to_owned()),
            ValueForm::Date(form) => form.spell_day(text),
            ValueForm::Timestamp(form) => form.spell_moment(text),
            ValueForm::TimestampTz(form) => form.spell_zoned(text),
        }
    }

    /// What values must be: the end of the sentence "the value is not …".
    pub fn expected(&self) -> String {
        match self {
            ValueForm::Text { max_bytes: Some(most) } => format!("a text of {most} bytes at most"),
            ValueForm::Text { max_bytes: None } => "a text".to_owned(),
            ValueForm::Whole { bits, written } => {
                format!("a whole number of {bits} bits such as {}", written.example("1234", ""))
            }
            ValueForm::Decimal { precision, scale, written } => format!(
                "a DECIMAL({precision},{scale}) such as {}",
                written.example("1234", &"56"[..usize::from(*scale).min(2)])
            ),
            ValueForm::Double { written } => {
                format!("a number such as {}", written.example("1234", "56"))
            }
            ValueForm::Boolean => "a boolean such as true or no".to_owned(),
            ValueForm::Date(form) => format!("a date such as {}", form.example("2024-01-31")),
            ValueForm::Timestamp(form) => {
                format!("a timestamp such as {}", form.example("2024-01-31 10:30:00"))
            }
            ValueForm::TimestampTz(form) => {
                format!("a timestamp such as {}", form.example("2024-01-31 10:30:00+01:00"))
            }
        }
    }
}

/// `NaN` and the infinities are written in one way, whatever the other numbers are.
fn spell_double(written: &NumberForm, text: &str) -> Option<String> {
    let number = written.spell(text).filter(|number| parse_f64(number.as_bytes()).is_some());
    let not_finite = || parse_f64(text.as_bytes()).filter(|number| !number.is_finite());
    number.or_else(|| not_finite().map(|_| text.to_owned()))
}
