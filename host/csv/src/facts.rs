//! What the values of one column have in common, learnt value by value within a chunk.
//!
//! Every candidate type is followed until the first value that it does not accept, and is not tried
//! again after that. So a column costs what its type costs. For example, a column of names costs
//! little more than the lengths of its values, since the first name ends all candidates.

use loader_values::{
    Moment, NumberShape, has_leading_zeros, leading_digits, number_shape, parse_bool,
    parse_bool_literal, parse_date, parse_f64, parse_i64, parse_timestamp, parse_timestamp_loosely,
    parse_whole_loosely,
};
use serde::{Deserialize, Serialize};

use crate::dialect::LeadingZeros;
use crate::mark::Mark;
use crate::number_facts::{NumberFacts, Plain};
use crate::zone::is_elsewhere;

/// The types that a column may turn out to have. Each is one bit of a set. Text is no candidate,
/// since it accepts every value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Candidate {
    Boolean,
    BooleanLiteral,
    Int16,
    Int32,
    Int64,
    /// Digits without a point, as many as there may be.
    Whole,
    Decimal,
    Double,
    Date,
    Timestamp,
    /// A day or a moment in any of the forms that are read where the type is known.
    LooseDate,
    LooseTimestamp,
}

pub(crate) const CANDIDATES: usize = 12;
const ALL: u16 = (1 << CANDIDATES) - 1;
const BOOLEANS: u16 = Candidate::Boolean.bit() | Candidate::BooleanLiteral.bit();
const INTEGERS: u16 = Candidate::Int16.bit() | Candidate::Int32.bit() | Candidate::Int64.bit();
const WHOLES: u16 = INTEGERS | Candidate::Whole.bit();
const DECIMALS: u16 = INTEGERS | Candidate::Decimal.bit();
const NUMBERS: u16 = WHOLES | DECIMALS | Candidate::Double.bit();
const MOMENTS: u16 = Candidate::Date.bit() | Candidate::Timestamp.bit();
const LOOSE: u16 = Candidate::LooseDate.bit() | Candidate::LooseTimestamp.bit();
const CALENDAR: u16 = MOMENTS | LOOSE;
const MICROS_PER_DAY: i64 = 86_400_000_000;

impl Candidate {
    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// The facts of one column.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ColumnFacts {
    pub(crate) values: u64,
    pub(crate) nulls: u64,
    pub(crate) quoted_empty: u64,
    pub(crate) max_bytes: u32,
    pub(crate) longest_at: Option<Mark>,
    pub(crate) numbers: NumberFacts,
    /// How many values look like a number or a date: see [`looks_measured`].
    pub(crate) measured: u64,
    /// How many of them begin with a zero and another digit.
    pub(crate) padded: u64,
    /// How many moments have digits that a timestamp does not keep. Like the facts of numbers, it
    /// means something only while every value is a moment.
    pub(crate) cut: u64,
    zeros_are_text: bool,
    /// The candidates that accept every value so far.
    alive: u16,
    /// The first value that each candidate does not accept, by the candidate's number.
    violations: [Option<Mark>; CANDIDATES],
}

impl ColumnFacts {
    pub(crate) fn new(leading_zeros: LeadingZeros) -> ColumnFacts {
        ColumnFacts {
            values: 0,
            nulls: 0,
            quoted_empty: 0,
            max_bytes: 0,
            longest_at: None,
            numbers: NumberFacts::default(),
            measured: 0,
            padded: 0,
            cut: 0,
            zeros_are_text: leading_zeros == LeadingZeros::Text,
            alive: ALL,
            violations: [None; CANDIDATES],
        }
    }

    /// All candidates have ended, so only the lengths and ends of the values still matter.
    pub(crate) fn only_lengths(&self) -> bool {
        self.alive == 0
    }

    pub(crate) fn violation(&self, candidate: Candidate) -> Option<Mark> {
        self.violations[candidate as usize]
    }

    #[inline(always)]
    pub(crate) fn length(&mut self, bytes: usize, mark: impl FnOnce() -> Mark) {
        if bytes > self.max_bytes as usize {
            self.max_bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            self.longest_at = Some(mark());
        }
    }

    /// Looks at the ends of a value.
    #[inline(always)]
    pub(crate) fn ends(&mut self, text: &[u8]) {
        let measured = looks_measured(text);
        self.measured += u64::from(measured);
        self.padded += u64::from(measured && matches!(text, [b'0', b'0'..=b'9', ..]));
    }

    /// Takes a value, which is neither NULL nor empty.
    #[inline(always)]
    pub(crate) fn value(&mut self, text: &[u8], mark: impl Fn() -> Mark) {
        self.values += 1;
        self.length(text.len(), &mark);
        if self.alive & NUMBERS != 0 {
            self.number(text, &mark);
        } else {
            self.ends(text);
        }
        if self.alive & CALENDAR != 0 {
            self.calendar(text, &mark);
        }
        if self.alive & BOOLEANS != 0 {
            self.boolean(text, &mark);
        }
    }

    /// Takes a plain number, which nearly all are: `[-]digits[.digits]`, at most 18 digits before
    /// the point and 20 after it, no leading zeros, no negative zero. All others go to
    /// [`Self::any_number`].
    // 18 digits always fit an `i64`, and 18 + 20 = 38 is the most that a DECIMAL holds. So nothing
    // here can overflow, and no plain number ends `Decimal` or `Double`.
    #[inline(always)]
    fn number(&mut self, text: &[u8], mark: &impl Fn() -> Mark) {
        let (negative, digits) = match text {
            [b'-', digits @ ..] => (true, digits),
            _ => (false, text),
        };
        let (size, length) = leading_digits(digits);
        if length == 0 || length > 18 || (digits[0] == b'0' && length > 1) {
            return self.any_number(text, mark());
        }
        let is_negative_zero =
            |fraction: &[u8]| negative && size == 0 && fraction.iter().all(|digit| *digit == b'0');
        let fraction = match &digits[length..] {
            [] if !is_negative_zero(&[]) => {
                let size = size as i64;
                self.integer(if negative { -size } else { size }, mark);
                &[]
            }
            [b'.', fraction @ ..]
                if (1..=20).contains(&fraction.len())
                    && fraction.iter().all(u8::is_ascii_digit)
                    && !is_negative_zero(fraction) =>
            {
                fraction
            }
            _ => return self.any_number(text, mark()),
        };
        // It begins and ends as a number does, so its ends need no look.
        self.measured += 1;
        let plain = Plain { text, negative, size, length, fraction };
        if fraction.is_empty() {
            self.numbers.whole(plain, mark);
        } else {
            self.end(WHOLES, mark);
            self.numbers.pointed(plain, mark);
        }
        if size > 0 {
            self.numbers.widest(length as u32, mark);
        }
    }

    // Only a new minimum or maximum can leave the range of a type, so all other values skip the
    // checks. The limits start crossed (`i64::MAX`, `i64::MIN`): the first value always sets one.
    #[inline(always)]
    fn integer(&mut self, value: i64, mark: &impl Fn() -> Mark) {
        let facts = &mut self.numbers;
        if value < facts.min_int || value > facts.max_int {
            facts.min_int = facts.min_int.min(value);
            facts.max_int = facts.max_int.max(value);
            let too_big_for_16 = i16::try_from(value).is_err();
            let too_big_for_32 = i32::try_from(value).is_err();
            if too_big_for_16 {
                self.end(Candidate::Int16.bit(), mark);
            }
            if too_big_for_32 {
                self.end(Candidate::Int32.bit(), mark);
            }
        }
    }

    /// Takes every text that [`Self::number`] does not: for example `+5`, `007`, `1e6` or `n/a`.
    #[cold]
    #[inline(never)]
    fn any_number(&mut self, text: &[u8], mark: Mark) {
        self.ends(text);
        let Some(shape) = number_shape(text) else {
            return self.not_finite(text, mark);
        };
        if has_leading_zeros(text) {
            self.numbers.leading_zeros_at.get_or_insert(mark);
            if self.zeros_are_text {
                return self.end(NUMBERS, &|| mark);
            }
        }
        self.shaped_number(text, &shape, mark);
    }

    // `1e999` is written as a number, but no float holds it. A float ends near 1.8e308, so a number
    // without exponent and with at most 300 digits before the point fits and is not parsed.
    fn shaped_number(&mut self, text: &[u8], shape: &NumberShape, mark: Mark) {
        self.numbers.any(text, shape, mark);
        match parse_i64(text) {
            Some(value) => self.integer(value, &|| mark),
            None => self.end(INTEGERS, &|| mark),
        }
        if shape.fraction_digits == 0
            && let Some(value) = parse_whole_loosely(text)
        {
            self.numbers.whole_value(value);
        }
        if text.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
            self.end(WHOLES, &|| mark);
        }
        if shape.exponent || shape.integer_digits.saturating_add(shape.fraction_digits) > 38 {
            self.end(DECIMALS, &|| mark);
        }
        if (shape.exponent || shape.integer_digits > 300) && parse_f64(text).is_none() {
            self.end(NUMBERS, &|| mark);
        }
    }

    /// Takes a text that is not written as a number: `NaN`, an infinity, or other text.
    fn not_finite(&mut self, text: &[u8], mark: Mark) {
        if parse_f64(text).is_none() {
            return self.end(NUMBERS, &|| mark);
        }
        self.numbers.not_finite_at.get_or_insert(mark);
        self.end(WHOLES | DECIMALS, &|| mark);
    }

    // A date is also a timestamp (its midnight), so a value that reads as a date speaks for all.
    // Only values that are not dates are tried as timestamps.
    #[inline(always)]
    fn calendar(&mut self, text: &[u8], mark: &impl Fn() -> Mark) {
        if self.alive & Candidate::Date.bit() != 0 {
            if parse_date(text).is_some() {
                return;
            }
            self.end(Candidate::Date.bit(), mark);
        }
        match parse_timestamp(text) {
            Some(micros) if micros % MICROS_PER_DAY == 0 && !is_elsewhere(text) => {}
            Some(_) => self.end(Candidate::LooseDate.bit(), mark),
            None => self.loose(text, mark()),
        }
    }

    #[cold]
    #[inline(never)]
    fn loose(&mut self, text: &[u8], mark: Mark) {
        self.end(MOMENTS, &|| mark);
        let moment = match self.alive & LOOSE {
            0 => None,
            _ => parse_timestamp_loosely(text),
        };
        match moment {
            None => self.end(LOOSE, &|| mark),
            Some(Moment { micros, cut }) => {
                self.cut += u64::from(cut);
                if micros % MICROS_PER_DAY != 0 || is_elsewhere(text) {
                    self.end(Candidate::LooseDate.bit(), &|| mark);
                }
            }
        }
    }

    fn boolean(&mut self, text: &[u8], mark: &impl Fn() -> Mark) {
        if parse_bool(text).is_none() {
            self.end(Candidate::Boolean.bit(), mark);
        }
        if parse_bool_literal(text).is_none() {
            self.end(BOOLEANS, mark);
        }
    }

    /// Ends the given candidates. A candidate that ended before keeps its first violation.
    #[inline(always)]
    fn end(&mut self, candidates: u16, mark: &impl Fn() -> Mark) {
        if self.alive & candidates != 0 {
            self.end_alive(self.alive & candidates, mark());
        }
    }

    #[cold]
    #[inline(never)]
    fn end_alive(&mut self, candidates: u16, mark: Mark) {
        self.alive &= !candidates;
        for (index, violation) in self.violations.iter_mut().enumerate() {
            if candidates & (1 << index) != 0 {
                *violation = Some(mark);
            }
        }
    }

    /// Adds the facts of the values that follow.
    // The order matters: chunks are appended in file order, and `>` and `or` keep the first mark.
    // Whether `next`'s marks of numbers count depends on `alive` before it takes on the ends of
    // `next`, since they lie before the first value in `next` that is no number.
    pub(crate) fn append(&mut self, next: &ColumnFacts) {
        self.values += next.values;
        self.nulls += next.nulls;
        self.quoted_empty += next.quoted_empty;
        if next.max_bytes > self.max_bytes {
            (self.max_bytes, self.longest_at) = (next.max_bytes, next.longest_at);
        }
        self.measured += next.measured;
        self.padded += next.padded;
        self.cut += next.cut;
        self.numbers.append(&next.numbers, self.alive & Candidate::Double.bit() != 0);
        self.alive &= next.alive;
        for (violation, next) in self.violations.iter_mut().zip(next.violations) {
            *violation = violation.or(next);
        }
    }

    /// All marks of the column, so that the caller can shift them.
    pub(crate) fn marks(&mut self) -> impl Iterator<Item = &mut Mark> {
        self.longest_at
            .iter_mut()
            .chain(self.numbers.marks())
            .chain(self.violations.iter_mut().flatten())
    }
}

/// Whether a text begins and ends as a number, a date or a time does: `-1.5`, `2024-01-31`,
/// `10:30`. Not `n/a`, `12 kg` or `A7`.
// A guess, and used for notices alone: it is all that the values of a column can be asked that is
// text already.
#[inline(always)]
fn looks_measured(text: &[u8]) -> bool {
    let begins = matches!(text.first(), Some(b'0'..=b'9' | b'-' | b'+' | b'.'));
    begins && text.last().is_some_and(u8::is_ascii_digit)
}
