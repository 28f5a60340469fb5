//! What the numbers of one column have in common: the digits that they need, how they are spelt,
//! and what a float or a DECIMAL would lose of them.
//!
//! All of it means something only while every value of the column is a number. For example, `12`
//! and then `n/a` leave a `max_int` of 12 behind, and `ColumnProfile::new` drops it.

use loader_values::{NumberShape, reads_back};
use serde::{Deserialize, Serialize};

use crate::mark::Mark;

/// As many significant digits of each value have to be kept, or all that it has.
const KEPT_DIGITS: u32 = 6;
/// A float tells all numbers of so many significant digits apart.
const DIGITS_OF_A_FLOAT: u32 = 15;
/// A float tells all whole numbers up to here apart: 2 to the power of 53.
const WHOLE_NUMBERS_OF_A_FLOAT: u64 = 1 << 53;

/// A kind of spelling: how many values have it, and the first of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) count: u64,
    pub(crate) first: Option<Mark>,
}

/// The facts about a column's numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NumberFacts {
    pub(crate) min_int: i64,
    pub(crate) max_int: i64,
    pub(crate) max_integer_digits: u32,
    pub(crate) widest_at: Option<Mark>,
    pub(crate) max_fraction_digits: u32,
    pub(crate) finest_at: Option<Mark>,
    pub(crate) not_finite_at: Option<Mark>,
    pub(crate) leading_zeros_at: Option<Mark>,
    /// Numbers that a number would not give back as they are: `+5`, `-0`, `.5`, `1.`.
    pub(crate) respelt: Seen,
    pub(crate) exponents: Seen,
    /// An exponent has a sign: `1e-7`, and not `12E4`.
    pub(crate) is_scientific: bool,
    /// How many values have a point.
    pub(crate) pointed: u64,
    /// The fewest and the most digits that are written after a point.
    pub(crate) written: (u32, u32),
    /// The first value with that most.
    pub(crate) written_at: Option<Mark>,
    /// The least scale of a DECIMAL at which each value keeps [`KEPT_DIGITS`] digits.
    pub(crate) kept_scale: u32,
    pub(crate) kept_at: Option<Mark>,
    /// The first value that a float does not give back.
    pub(crate) imprecise_at: Option<Mark>,
}

impl Default for NumberFacts {
    fn default() -> NumberFacts {
        NumberFacts {
            min_int: i64::MAX,
            max_int: i64::MIN,
            max_integer_digits: 0,
            widest_at: None,
            max_fraction_digits: 0,
            finest_at: None,
            not_finite_at: None,
            leading_zeros_at: None,
            respelt: Seen::default(),
            exponents: Seen::default(),
            is_scientific: false,
            pointed: 0,
            written: (u32::MAX, 0),
            written_at: None,
            kept_scale: 0,
            kept_at: None,
            imprecise_at: None,
        }
    }
}

/// A number of the usual form, taken apart: `-12.50`.
#[derive(Clone, Copy)]
pub(crate) struct Plain<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) negative: bool,
    /// The digits before the point as a number, and how many there are.
    pub(crate) size: u64,
    pub(crate) length: usize,
    /// The digits after the point; none for a whole number.
    pub(crate) fraction: &'a [u8],
}

impl NumberFacts {
    #[inline(always)]
    pub(crate) fn widest(&mut self, integer_digits: u32, mark: impl FnOnce() -> Mark) {
        if integer_digits > self.max_integer_digits {
            self.max_integer_digits = integer_digits;
            self.widest_at = Some(mark());
        }
    }

    /// Takes a whole number of the usual form.
    #[inline(always)]
    pub(crate) fn whole(&mut self, number: Plain<'_>, mark: &impl Fn() -> Mark) {
        if number.size >= WHOLE_NUMBERS_OF_A_FLOAT {
            self.may_be_imprecise(number.text, mark);
        }
    }

    /// Takes a number of the usual form with digits after its point.
    // Most values need no more digits than those before them, and pass with comparisons alone.
    #[inline(always)]
    pub(crate) fn pointed(&mut self, number: Plain<'_>, mark: &impl Fn() -> Mark) {
        let written = number.fraction.len() as u32;
        self.write(written, mark);
        let before = if number.size > 0 { number.length as u32 } else { 0 };
        if written > self.max_fraction_digits
            || (written > self.kept_scale && before < KEPT_DIGITS)
            || before + written > DIGITS_OF_A_FLOAT
        {
            self.fine(number, before, mark);
        }
    }

    #[inline(always)]
    fn write(&mut self, written: u32, mark: &impl Fn() -> Mark) {
        self.pointed += 1;
        self.written.0 = self.written.0.min(written);
        if written > self.written.1 {
            (self.written.1, self.written_at) = (written, Some(mark()));
        }
    }

    // Zeros at the end need no digit of the scale: `12.500` has one fraction digit, not three.
    fn fine(&mut self, number: Plain<'_>, before: u32, mark: &impl Fn() -> Mark) {
        let zeros = |digits: &mut dyn Iterator<Item = &u8>| {
            digits.take_while(|digit| **digit == b'0').count() as u32
        };
        let fraction_digits =
            number.fraction.len() as u32 - zeros(&mut number.fraction.iter().rev());
        let significant_digits = match before {
            0 => fraction_digits.saturating_sub(zeros(&mut number.fraction.iter())),
            _ => before + fraction_digits,
        };
        self.digits(fraction_digits, significant_digits, mark);
        if fraction_digits == 0 {
            // At most 18 digits.
            let size = number.size as i64;
            self.whole_value(if number.negative { -size } else { size });
        }
        if significant_digits > DIGITS_OF_A_FLOAT {
            self.may_be_imprecise(number.text, mark);
        }
    }

    /// Notes the value of a number without a fraction, in any form.
    // As long as all numbers are so, `1.0` comes here too: no number before has made
    // `max_fraction_digits` longer than nothing.
    pub(crate) fn whole_value(&mut self, value: i64) {
        self.min_int = self.min_int.min(value);
        self.max_int = self.max_int.max(value);
    }

    // All but six of the significant digits may go, as far as they are behind the point.
    fn digits(&mut self, fraction: u32, significant: u32, mark: &impl Fn() -> Mark) {
        if fraction > self.max_fraction_digits {
            (self.max_fraction_digits, self.finest_at) = (fraction, Some(mark()));
        }
        let kept = fraction.saturating_sub(significant.saturating_sub(KEPT_DIGITS));
        if kept > self.kept_scale {
            (self.kept_scale, self.kept_at) = (kept, Some(mark()));
        }
    }

    fn may_be_imprecise(&mut self, text: &[u8], mark: &impl Fn() -> Mark) {
        if self.imprecise_at.is_none() && !reads_back(text) {
            self.imprecise_at = Some(mark());
        }
    }

    /// Takes a number of any form, such as `+5`, `007`, `.5` or `1.5E-3`.
    pub(crate) fn any(&mut self, text: &[u8], shape: &NumberShape, mark: Mark) {
        self.widest(shape.integer_digits, || mark);
        self.digits(shape.fraction_digits, shape.significant_digits, &|| mark);
        let (before, behind) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        let point = before.iter().position(|byte| *byte == b'.');
        if let Some(at) = point {
            self.write((before.len() - at - 1) as u32, &|| mark);
        }
        if let Some(exponent) = behind {
            self.exponents.add(mark);
            self.is_scientific |= matches!(exponent, [b'+' | b'-', ..]);
        }
        if is_respelt(before, shape) {
            self.respelt.add(mark);
        }
        if shape.exponent || shape.significant_digits > DIGITS_OF_A_FLOAT {
            self.may_be_imprecise(text, &|| mark);
        }
    }

    /// Adds the facts of the values that follow. `all_numbers`: all values so far are numbers, so
    /// the marks of the next ones count.
    // The order matters: chunks are appended in file order, and `>` and `or` keep the first mark.
    pub(crate) fn append(&mut self, next: &NumberFacts, all_numbers: bool) {
        self.min_int = self.min_int.min(next.min_int);
        self.max_int = self.max_int.max(next.max_int);
        if next.max_integer_digits > self.max_integer_digits {
            (self.max_integer_digits, self.widest_at) = (next.max_integer_digits, next.widest_at);
        }
        if next.max_fraction_digits > self.max_fraction_digits {
            (self.max_fraction_digits, self.finest_at) = (next.max_fraction_digits, next.finest_at);
        }
        if next.kept_scale > self.kept_scale {
            (self.kept_scale, self.kept_at) = (next.kept_scale, next.kept_at);
        }
        self.is_scientific |= next.is_scientific;
        self.pointed += next.pointed;
        self.written.0 = self.written.0.min(next.written.0);
        if next.written.1 > self.written.1 {
            (self.written.1, self.written_at) = (next.written.1, next.written_at);
        }
        if all_numbers {
            self.not_finite_at = self.not_finite_at.or(next.not_finite_at);
            self.leading_zeros_at = self.leading_zeros_at.or(next.leading_zeros_at);
            self.imprecise_at = self.imprecise_at.or(next.imprecise_at);
            self.respelt.append(next.respelt);
            self.exponents.append(next.exponents);
        }
    }

    /// All marks, so that the caller can shift them.
    pub(crate) fn marks(&mut self) -> impl Iterator<Item = &mut Mark> {
        let marks = [
            &mut self.widest_at,
            &mut self.finest_at,
            &mut self.not_finite_at,
            &mut self.leading_zeros_at,
            &mut self.respelt.first,
            &mut self.exponents.first,
            &mut self.written_at,
            &mut self.kept_at,
            &mut self.imprecise_at,
        ];
        marks.into_iter().flatten()
    }
}

impl Seen {
    fn add(&mut self, mark: Mark) {
        self.count += 1;
        self.first.get_or_insert(mark);
    }

    fn append(&mut self, next: Seen) {
        self.count += next.count;
        self.first = self.first.or(next.first);
    }
}

/// Whether a number without its exponent is not written as numbers are: with a plus, as a negative
/// zero, or without digits on one side of its point.
fn is_respelt(text: &[u8], shape: &NumberShape) -> bool {
    let negative = text.starts_with(b"-");
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    matches!(digits, [b'+', ..] | [b'.', ..] | [.., b'.'])
        || (negative && shape.significant_digits == 0)
}
