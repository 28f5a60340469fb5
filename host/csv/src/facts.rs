//! What the values of one column have in common, learnt value by value within a chunk.
//! Every candidate type is followed until the first value that it does not accept; from then on it
//! is not tried again, so a column costs what its type costs, and a text column little more than
//! the lengths of its values.

use loader_values::{
    NumberShape, has_leading_zeros, number_shape, parse_bool, parse_bool_literal, parse_date,
    parse_f64, parse_i64, parse_timestamp,
};

use crate::dialect::{Dialect, LeadingZeros};

/// The types that a column may turn out to have, as bits. Text is no candidate: it accepts
/// everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Candidate {
    Boolean,
    BooleanLiteral,
    Int16,
    Int32,
    Int64,
    Decimal,
    Double,
    Date,
    Timestamp,
}

const CANDIDATES: usize = 9;
const ALL: u16 = (1 << CANDIDATES) - 1;
const BOOLEANS: u16 = Candidate::Boolean.bit() | Candidate::BooleanLiteral.bit();
const INTEGERS: u16 = Candidate::Int16.bit() | Candidate::Int32.bit() | Candidate::Int64.bit();
const DECIMALS: u16 = INTEGERS | Candidate::Decimal.bit();
const NUMBERS: u16 = DECIMALS | Candidate::Double.bit();
const CALENDAR: u16 = Candidate::Date.bit() | Candidate::Timestamp.bit();

impl Candidate {
    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A value's place: 0-based record, and byte, and in the end its line. Of the chunk first, of the
/// file after merging.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) record: u64,
    pub(crate) byte: u64,
    pub(crate) line: u64,
}

/// What is known of one column. Number facts are of use only while every value is a number.
#[derive(Clone, Debug)]
pub(crate) struct ColumnFacts {
    pub(crate) values: u64,
    pub(crate) nulls: u64,
    pub(crate) quoted_empty: u64,
    pub(crate) max_bytes: u32,
    pub(crate) longest_at: Option<Mark>,
    pub(crate) min_int: i64,
    pub(crate) max_int: i64,
    pub(crate) max_integer_digits: u32,
    pub(crate) widest_at: Option<Mark>,
    pub(crate) max_fraction_digits: u32,
    pub(crate) not_finite_at: Option<Mark>,
    pub(crate) leading_zeros_at: Option<Mark>,
    zeros_are_text: bool,
    alive: u16,
    violations: [Option<Mark>; CANDIDATES],
}

impl ColumnFacts {
    pub(crate) fn new(dialect: &Dialect) -> ColumnFacts {
        ColumnFacts {
            values: 0,
            nulls: 0,
            quoted_empty: 0,
            max_bytes: 0,
            longest_at: None,
            min_int: i64::MAX,
            max_int: i64::MIN,
            max_integer_digits: 0,
            widest_at: None,
            max_fraction_digits: 0,
            not_finite_at: None,
            leading_zeros_at: None,
            zeros_are_text: dialect.leading_zeros == LeadingZeros::Text,
            alive: ALL,
            violations: [None; CANDIDATES],
        }
    }

    /// Nothing is left to learn from a value but its length.
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

    /// Takes a value, which is neither NULL nor empty.
    #[inline(always)]
    pub(crate) fn value(&mut self, text: &[u8], mark: impl Fn() -> Mark) {
        self.values += 1;
        self.length(text.len(), &mark);
        if self.alive & NUMBERS != 0 {
            self.number(text, &mark);
        }
        if self.alive & CALENDAR != 0 {
            self.calendar(text, &mark);
        }
        if self.alive & BOOLEANS != 0 {
            self.boolean(text, &mark);
        }
    }

    /// Plain numbers are dealt with here: `[-]digits[.digits]`, up to 18 and 20 of them, no zero
    /// too many.
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
        if length == digits.len() {
            let size = size as i64;
            self.integer(if negative { -size } else { size }, mark);
        } else {
            let [b'.', fraction @ ..] = &digits[length..] else {
                return self.any_number(text, mark());
            };
            if fraction.len() > 20 || !fraction.iter().all(u8::is_ascii_digit) {
                return self.any_number(text, mark());
            }
            self.end(INTEGERS, mark);
            self.fraction(fraction);
        }
        if length > self.max_integer_digits as usize && size > 0 {
            self.widest(length as u32, mark());
        }
    }

    #[inline(always)]
    fn integer(&mut self, value: i64, mark: &impl Fn() -> Mark) {
        if value < self.min_int || value > self.max_int {
            self.min_int = self.min_int.min(value);
            self.max_int = self.max_int.max(value);
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

    #[inline(always)]
    fn fraction(&mut self, digits: &[u8]) {
        if digits.len() > self.max_fraction_digits as usize {
            let zeros = digits.iter().rev().take_while(|digit| **digit == b'0').count();
            self.max_fraction_digits = self.max_fraction_digits.max((digits.len() - zeros) as u32);
        }
    }

    fn widest(&mut self, integer_digits: u32, mark: Mark) {
        if integer_digits > self.max_integer_digits {
            self.max_integer_digits = integer_digits;
            self.widest_at = Some(mark);
        }
    }

    /// Everything that [`Self::number`] leaves over.
    #[cold]
    #[inline(never)]
    fn any_number(&mut self, text: &[u8], mark: Mark) {
        let Some(shape) = number_shape(text) else {
            return self.not_finite(text, mark);
        };
        if has_leading_zeros(text) {
            self.leading_zeros_at.get_or_insert(mark);
            if self.zeros_are_text {
                return self.end(NUMBERS, &|| mark);
            }
        }
        self.shaped_number(text, &shape, mark);
    }

    fn shaped_number(&mut self, text: &[u8], shape: &NumberShape, mark: Mark) {
        self.widest(shape.integer_digits, mark);
        self.max_fraction_digits = self.max_fraction_digits.max(shape.fraction_digits);
        match parse_i64(text) {
            Some(value) => self.integer(value, &|| mark),
            None => self.end(INTEGERS, &|| mark),
        }
        if shape.exponent || shape.integer_digits.saturating_add(shape.fraction_digits) > 38 {
            self.end(DECIMALS, &|| mark);
        }
        // Only very big numbers are written as numbers and are none as a float.
        if (shape.exponent || shape.integer_digits > 300) && parse_f64(text).is_none() {
            self.end(NUMBERS, &|| mark);
        }
    }

    /// Takes a text without digits: `NaN`, an infinity, or no number at all.
    fn not_finite(&mut self, text: &[u8], mark: Mark) {
        if parse_f64(text).is_none() {
            return self.end(NUMBERS, &|| mark);
        }
        self.not_finite_at.get_or_insert(mark);
        self.end(DECIMALS, &|| mark);
    }

    #[inline(always)]
    fn calendar(&mut self, text: &[u8], mark: &impl Fn() -> Mark) {
        if self.alive & Candidate::Date.bit() != 0 {
            if parse_date(text).is_some() {
                return;
            }
            self.end(Candidate::Date.bit(), mark);
        }
        if parse_timestamp(text).is_none() {
            self.end(CALENDAR, mark);
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

    /// Ends those of the candidates that are still alive.
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
    pub(crate) fn append(&mut self, next: &ColumnFacts) {
        self.values += next.values;
        self.nulls += next.nulls;
        self.quoted_empty += next.quoted_empty;
        if next.max_bytes > self.max_bytes {
            (self.max_bytes, self.longest_at) = (next.max_bytes, next.longest_at);
        }
        self.min_int = self.min_int.min(next.min_int);
        self.max_int = self.max_int.max(next.max_int);
        if next.max_integer_digits > self.max_integer_digits {
            (self.max_integer_digits, self.widest_at) = (next.max_integer_digits, next.widest_at);
        }
        self.max_fraction_digits = self.max_fraction_digits.max(next.max_fraction_digits);
        if self.alive & Candidate::Double.bit() != 0 {
            self.not_finite_at = self.not_finite_at.or(next.not_finite_at);
            self.leading_zeros_at = self.leading_zeros_at.or(next.leading_zeros_at);
        }
        self.alive &= next.alive;
        for (violation, next) in self.violations.iter_mut().zip(next.violations) {
            *violation = violation.or(next);
        }
    }

    /// All places that the facts name.
    pub(crate) fn marks(&mut self) -> impl Iterator<Item = &mut Mark> {
        let single = [
            &mut self.longest_at,
            &mut self.widest_at,
            &mut self.not_finite_at,
            &mut self.leading_zeros_at,
        ];
        single.into_iter().chain(&mut self.violations).flatten()
    }
}

/// The number that the digits at the start of `text` are, while it fits, and how many they are.
#[inline(always)]
fn leading_digits(text: &[u8]) -> (u64, usize) {
    let mut size = 0u64;
    let mut length = 0;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        size = size.wrapping_mul(10).wrapping_add(u64::from(digit));
        length += 1;
    }
    (size, length)
}
