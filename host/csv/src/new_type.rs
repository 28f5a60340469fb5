//! The type that a column gets where no table has it yet, and which of its values decided it.
//!
//! In: the profile of a column. Out: the first type that gives every value back as its producer
//! wrote it: a text that a number would not give back (`+5`, `12E4`) is no number.

use crate::counted::Counted;
use crate::error::Position;
use crate::facts::Candidate;
use crate::logical::LogicalType;
use crate::meant::Meant;
use crate::profile::ColumnProfile;
use crate::rule::ValueForm;

/// The digits of a DECIMAL, and those of them that usually stand after its point: as many as a
/// later file may need, since Redshift cannot widen a DECIMAL.
const PRECISION: u32 = 38;
const SCALE: u32 = 18;

/// The type of a new column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewType {
    /// `Double` only where a DECIMAL would lose what a value says.
    pub logical: LogicalType,
    /// Precision and scale of a `Decimal`.
    pub decimal: Option<(u8, u8)>,
    /// Why it is no other type. `None`: all values have the type, and no narrower one.
    pub because: Option<Because>,
    /// The user has said so, or the file has types: whatever the values are.
    pub is_given: bool,
}

/// The values that kept a column from the type that most of its values have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Because {
    pub cause: Cause,
    /// The first of them.
    pub at: Position,
    /// How many they are, where they are counted.
    pub count: Option<u64>,
}

/// What a column's values have about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Text among numbers or dates.
    Odd,
    /// Numbers with leading zeros.
    LeadingZeros,
    /// Whole numbers that a number would not give back: `+5`, `-0`.
    Respelt,
    /// Exponents without a sign, among numbers without a point, such as `12E4`, which may be a part
    /// number.
    Exponents,
    /// More digits than a DECIMAL has.
    TooManyDigits,
    /// Keys of which two might become one number: `3.1` and `3.10`.
    Key,
    /// Numbers so small, or so far apart, that a DECIMAL would lose what they say.
    Vanishing,
    /// The same, where a float would not give all numbers back either.
    PastFloats,
}

impl NewType {
    /// The type that the user has given with the form of the values.
    pub(crate) fn given(form: &ValueForm) -> NewType {
        let (logical, decimal) = match form {
            ValueForm::Whole { bits: 16, .. } => (LogicalType::Int16, None),
            ValueForm::Whole { bits: 32, .. } => (LogicalType::Int32, None),
            ValueForm::Whole { .. } => (LogicalType::Int64, None),
            ValueForm::Decimal { precision, scale, .. } => {
                (LogicalType::Decimal, Some((*precision, *scale)))
            }
            ValueForm::Double { .. } => (LogicalType::Double, None),
            ValueForm::Boolean => (LogicalType::Boolean, None),
            ValueForm::Date(_) => (LogicalType::Date, None),
            ValueForm::Timestamp(_) => (LogicalType::Timestamp, None),
            ValueForm::Text { .. } | ValueForm::TimestampTz(_) => (LogicalType::Text, None),
        };
        NewType { logical, decimal, because: None, is_given: true }
    }

    fn of(logical: LogicalType) -> NewType {
        NewType { logical, decimal: None, because: None, is_given: false }
    }

    fn decimal(precision: u32, scale: u32) -> NewType {
        // Both are at most 38.
        let decimal = Some((precision as u8, scale as u8));
        NewType { decimal, ..NewType::of(LogicalType::Decimal) }
    }

    fn because(self, cause: Cause, at: Option<&Position>, count: Option<u64>) -> NewType {
        NewType { because: at.map(|at| Because { cause, at: at.clone(), count }), ..self }
    }
}

impl ColumnProfile {
    /// The type that the column gets in a table that does not have it yet. `is_key`: rows are
    /// merged by it, so no two values may become one.
    pub fn new_type(&self, is_key: bool) -> NewType {
        if let Some(given) = &self.given {
            return given.clone();
        }
        let is = |logical| self.accepts(logical).is_ok();
        match self.meant {
            // A value may be past what the type holds here, as a date of the year 12000 is.
            Some(Meant::Type { logical, decimal }) if is(logical) => {
                return NewType { decimal, is_given: true, ..NewType::of(logical) };
            }
            Some(Meant::Type { .. }) => return self.text(),
            Some(Meant::Strings) if self.values > 0 => return self.moments(),
            Some(Meant::Strings | Meant::Numbers) | None => (),
        }
        if self.values == 0 {
            return NewType::of(LogicalType::Text);
        }
        if is(LogicalType::Boolean) {
            return NewType::of(LogicalType::Boolean);
        }
        if self.accepts_candidate(Candidate::Whole).is_ok() {
            return self.whole_numbers();
        }
        if is(LogicalType::Double) {
            return if is_key { self.key() } else { self.numbers() };
        }
        self.moments()
    }

    fn moments(&self) -> NewType {
        [LogicalType::Date, LogicalType::Timestamp]
            .into_iter()
            .find(|logical| self.accepts(*logical).is_ok())
            .map_or_else(|| self.text(), NewType::of)
    }

    /// Whether the user has given the type.
    pub fn is_given(&self) -> bool {
        self.given.is_some()
    }

    /// Whether the file has types, and gives the column one.
    pub fn is_typed(&self) -> bool {
        matches!(self.meant, Some(Meant::Type { .. }))
    }

    /// A number that another one of the column may equal without being spelt like it, as `3.10` may
    /// equal `3.1`, `+5` may equal `5` and `007` may equal `7`. `None`: no two can.
    pub fn respelt_number(&self) -> Option<&Position> {
        let mixed =
            self.pointed > 0 && (self.pointed < self.values || self.written.0 != self.written.1);
        [&self.respelt.first, &self.exponents.first, &self.leading_zeros_at]
            .into_iter()
            .flatten()
            .chain(self.written_at.as_ref().filter(|_| mixed))
            .next()
    }

    /// The narrowest type that gives all values back; text when there are none.
    pub fn logical(&self) -> LogicalType {
        self.new_type(false).logical
    }

    fn whole_numbers(&self) -> NewType {
        let text = NewType::of(LogicalType::Text);
        let is = |logical| self.accepts(logical).is_ok();
        match () {
            () if self.respelt.count > 0 && !self.are_numbers() => {
                let Counted { count, first } = &self.respelt;
                text.because(Cause::Respelt, first.as_ref(), Some(*count))
            }
            () if is(LogicalType::Int32) => NewType::of(LogicalType::Int32),
            () if is(LogicalType::Int64) => NewType::of(LogicalType::Int64),
            () if self.max_integer_digits <= PRECISION => NewType::decimal(PRECISION, 0),
            () => text.because(Cause::TooManyDigits, self.widest_at.as_ref(), None),
        }
    }

    /// Numbers with a fraction or an exponent.
    // Without a sign, and among numbers without a point, an exponent is more likely a letter: `12E4`
    // stands in a list of part numbers. `1e-7` comes from programs that compute, and so does the
    // `1e3` among `1012.3` and `998.1`.
    fn numbers(&self) -> NewType {
        let text = NewType::of(LogicalType::Text);
        if let Some(exponents) = self.bare_exponents() {
            return text.because(Cause::Exponents, exponents.first.as_ref(), Some(exponents.count));
        }
        let scale = PRECISION.saturating_sub(self.max_integer_digits).min(SCALE);
        if self.max_integer_digits <= PRECISION && self.kept_scale <= scale {
            return NewType::decimal(PRECISION, scale);
        }
        let (cause, at) = match self.max_integer_digits > PRECISION {
            true => (Cause::TooManyDigits, &self.widest_at),
            false => (Cause::Vanishing, &self.kept_at),
        };
        match &self.imprecise_at {
            None => NewType::of(LogicalType::Double).because(cause, at.as_ref(), None),
            imprecise_at => text.because(Cause::PastFloats, imprecise_at.as_ref(), None),
        }
    }

    /// Numbers by which rows are merged. They are numbers only where two that are spelt otherwise
    /// are never one: `1.50` and `2.00` may be a DECIMAL, `3.1` and `3.10` are texts.
    fn key(&self) -> NewType {
        let (integer, fraction) = (self.max_integer_digits, self.written.1);
        let respelt = self.respelt_number().filter(|_| !self.are_numbers());
        let odd = self.not_finite_at.as_ref().or(respelt);
        if odd.is_some() || integer + fraction > PRECISION {
            let at = odd.or(self.widest_at.as_ref()).or(self.finest_at.as_ref());
            return NewType::of(LogicalType::Text).because(Cause::Key, at, None);
        }
        NewType::decimal(PRECISION, (PRECISION - integer).min(SCALE).max(fraction))
    }

    /// Whether the file says that the values are numbers.
    fn are_numbers(&self) -> bool {
        self.meant == Some(Meant::Numbers)
    }

    fn bare_exponents(&self) -> Option<&Counted> {
        let is_measured = self.is_scientific || self.pointed > 0 || self.are_numbers();
        Some(&self.exponents).filter(|exponents| exponents.count > 0 && !is_measured)
    }

    /// Text, and the values that made it so when nearly all others look like numbers or dates.
    fn text(&self) -> NewType {
        let text = NewType::of(LogicalType::Text);
        if self.meant == Some(Meant::Strings) {
            return text;
        }
        let numbers_end = self.accepts(LogicalType::Double).err();
        let zeros = self.leading_zeros_at.as_ref().filter(|zeros| Some(*zeros) == numbers_end);
        if zeros.is_some() {
            return text.because(Cause::LeadingZeros, zeros, Some(self.padded));
        }
        // A column of dates ends as numbers at its first value, and as dates at the odd one.
        let moments_end = self.accepts(LogicalType::Timestamp).err();
        let odd = numbers_end.into_iter().chain(moments_end).max_by_key(|at| at.record);
        text.because(Cause::Odd, odd, Some(self.values - self.measured))
    }
}
