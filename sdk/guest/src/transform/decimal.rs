//! Exact decimal arithmetic with 38 digits, as many as Redshift has. Products have 256 bits, and
//! nothing is rounded unless the caller asks for it.

use std::cmp::Ordering;
use std::fmt;

use arrow_buffer::i256;
use loader_values as values;
use values::DecimalError;

const MAX_DIGITS: u32 = values::MAX_PRECISION as u32;

/// An exact number of at most 38 digits.
///
/// The number of zeros at the end does not matter for equality: 1.5 equals 1.50. It does matter for
/// `to_string`, which writes all of them.
///
/// ```
/// use loader_sdk::{Decimal, Rounding};
///
/// let price = Decimal::parse("19.99").unwrap();
/// let rate = Decimal::parse("1.0837").unwrap();
/// assert_eq!(price.times(rate, 2, Rounding::HalfUp).unwrap().to_string(), "21.66");
/// assert!(Decimal::parse("1e2").unwrap() == Decimal::parse("100.00").unwrap());
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    unscaled: i128,
    scale: u8,
}

/// What happens to digits past the scale.
///
/// ```
/// use loader_sdk::{Decimal, Rounding};
///
/// let half = Decimal::parse("2.5").unwrap();
/// assert_eq!(half.round(0, Rounding::HalfUp).unwrap().to_string(), "3");
/// assert_eq!(half.round(0, Rounding::HalfEven).unwrap().to_string(), "2");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// Rounds to the nearest number, and a half away from zero, as in commerce and in Redshift. For
    /// example, `-2.5` becomes -3.
    HalfUp,
    /// Rounds to the nearest number, and a half to the even neighbour, as in banks and in IEEE 754.
    /// For example, `2.5` becomes 2 and `3.5` becomes 4.
    HalfEven,
    /// Drops the digits. For example, `-2.9` becomes -2.
    Down,
}

impl Decimal {
    /// Makes the number `unscaled / 10^scale`. None when it has more than 38 digits, or `scale` is
    /// more than 38.
    ///
    /// ```
    /// assert_eq!(loader_sdk::Decimal::new(-1250, 2).unwrap().to_string(), "-12.50");
    /// ```
    pub fn new(unscaled: i128, scale: u8) -> Option<Decimal> {
        let fits =
            unscaled.unsigned_abs() < 10_u128.pow(MAX_DIGITS) && u32::from(scale) <= MAX_DIGITS;
        fits.then_some(Decimal { unscaled, scale })
    }

    /// Reads a number, with an exponent or without, and loses no digit.
    ///
    /// Errors: `NotANumber`, `NotFinite`, and `OutOfRange` for more than 38 digits.
    ///
    /// ```
    /// use loader_sdk::{Decimal, values::DecimalError};
    ///
    /// assert_eq!(Decimal::parse("1.20e3").unwrap().to_string(), "1200");
    /// assert_eq!(Decimal::parse("12,50").unwrap_err(), DecimalError::NotANumber);
    /// ```
    pub fn parse(text: &str) -> Result<Decimal, DecimalError> {
        let text = text.as_bytes();
        // The text's own scale, so that nothing is rounded. It stops at 39, which `parse_decimal`
        // refuses as out of range.
        let scale =
            values::number_shape(text).map_or(0, |shape| shape.fraction_digits.min(MAX_DIGITS + 1));
        let scale = u8::try_from(scale).unwrap_or(u8::MAX);
        let parsed = values::parse_decimal(text, values::MAX_PRECISION, scale)?;
        Ok(Decimal { unscaled: parsed.unscaled, scale })
    }

    /// Returns the number times `10^scale`, an integer.
    ///
    /// ```
    /// assert_eq!(loader_sdk::Decimal::parse("0.05").unwrap().unscaled(), 5);
    /// ```
    pub fn unscaled(self) -> i128 {
        self.unscaled
    }

    /// Returns how many digits stand after the point.
    ///
    /// ```
    /// assert_eq!(loader_sdk::Decimal::parse("0.05").unwrap().scale(), 2);
    /// ```
    pub fn scale(self) -> u8 {
        self.scale
    }

    /// Returns the number with exactly `scale` digits after the point. None when that takes more
    /// than 38 digits.
    ///
    /// ```
    /// use loader_sdk::{Decimal, Rounding};
    ///
    /// let number = Decimal::parse("-1.005").unwrap();
    /// assert_eq!(number.round(2, Rounding::HalfUp).unwrap().to_string(), "-1.01");
    /// assert_eq!(number.round(5, Rounding::Down).unwrap().to_string(), "-1.00500");
    /// ```
    pub fn round(self, scale: u8, rounding: Rounding) -> Option<Decimal> {
        rescale(i256::from_i128(self.unscaled), u32::from(self.scale), scale, rounding)
    }

    /// Returns the exact sum. None when it takes more than 38 digits.
    ///
    /// ```
    /// # use loader_sdk::Decimal;
    /// let sum = Decimal::parse("0.1").unwrap().plus(Decimal::parse("0.22").unwrap());
    /// assert_eq!(sum.unwrap().to_string(), "0.32");
    /// ```
    pub fn plus(self, other: Decimal) -> Option<Decimal> {
        let scale = self.scale.max(other.scale);
        let sum = self.at(scale).checked_add(other.at(scale))?;
        Decimal::new(sum.to_i128()?, scale)
    }

    /// Returns the exact difference. None when it takes more than 38 digits.
    ///
    /// ```
    /// # use loader_sdk::Decimal;
    /// let difference = Decimal::parse("0.3").unwrap().minus(Decimal::parse("0.1").unwrap());
    /// assert_eq!(difference.unwrap().to_string(), "0.2");
    /// ```
    pub fn minus(self, other: Decimal) -> Option<Decimal> {
        self.plus(Decimal { unscaled: -other.unscaled, ..other })
    }

    /// Returns the product, computed exactly and rounded once. None when it takes more than 38
    /// digits.
    ///
    /// ```
    /// # use loader_sdk::{Decimal, Rounding};
    /// let product = Decimal::parse("1.15").unwrap().times(Decimal::parse("0.5").unwrap(), 2, Rounding::HalfUp);
    /// assert_eq!(product.unwrap().to_string(), "0.58");
    /// ```
    pub fn times(self, other: Decimal, scale: u8, rounding: Rounding) -> Option<Decimal> {
        let product =
            i256::from_i128(self.unscaled).checked_mul(i256::from_i128(other.unscaled))?;
        rescale(product, u32::from(self.scale) + u32::from(other.scale), scale, rounding)
    }

    /// Returns the quotient, rounded once. None when `other` is zero, or when the quotient takes
    /// more than 38 digits.
    ///
    /// ```
    /// # use loader_sdk::{Decimal, Rounding};
    /// let third = Decimal::parse("1").unwrap().divided_by(Decimal::parse("3").unwrap(), 4, Rounding::HalfUp);
    /// assert_eq!(third.unwrap().to_string(), "0.3333");
    /// ```
    // a/10^s / (b/10^t) = a*10^t / (b*10^s). The wanted digits are multiplied in before the one
    // division, so there is one rounding. `over` may overflow 256 bits, but never for a quotient
    // that fits: `under` is below 10^38, so the quotient would be above 10^38 as well.
    pub fn divided_by(self, other: Decimal, scale: u8, rounding: Rounding) -> Option<Decimal> {
        let shift = i32::from(scale) + i32::from(other.scale) - i32::from(self.scale);
        let (mut over, mut under) =
            (i256::from_i128(self.unscaled), i256::from_i128(other.unscaled));
        let power = power_of_ten(shift.unsigned_abs())?;
        if shift >= 0 {
            over = over.checked_mul(power)?;
        } else {
            under = under.checked_mul(power)?;
        }
        Decimal::new(divide(over, under, rounding)?.to_i128()?, scale)
    }

    /// The unscaled number at a scale that is not smaller than its own.
    // Wrapping arithmetic cannot wrap here: 38 digits and 38 more stay below 10^76, and 255 bits
    // hold 5.7e76.
    fn at(self, scale: u8) -> i256 {
        let power = power_of_ten(u32::from(scale - self.scale)).unwrap_or(i256::ONE);
        i256::from_i128(self.unscaled).wrapping_mul(power)
    }
}

fn power_of_ten(exponent: u32) -> Option<i256> {
    i256::from_i128(10).checked_pow(exponent)
}

fn rescale(unscaled: i256, from: u32, to: u8, rounding: Rounding) -> Option<Decimal> {
    let scaled = match u32::from(to).checked_sub(from) {
        Some(more) => unscaled.checked_mul(power_of_ten(more)?)?,
        None => divide(unscaled, power_of_ten(from - u32::from(to))?, rounding)?,
    };
    Decimal::new(scaled.to_i128()?, to)
}

// The sign comes from the operands, because a quotient that is cut to 0 has none: -0.001 / 0.2 must
// round to -0.01 at scale 2. The rest is compared with `under - rest`, which no operands can
// overflow; twice the rest could.
fn divide(over: i256, under: i256, rounding: Rounding) -> Option<i256> {
    let quotient = over.checked_div(under)?;
    let rest = over.checked_rem(under)?;
    let negative = over.is_negative() != under.is_negative();
    let (rest, under) = (rest.wrapping_abs(), under.wrapping_abs());
    let past_half = rest.cmp(&under.wrapping_sub(rest));
    match (rounds_away(quotient, past_half, rounding), negative) {
        (false, _) => Some(quotient),
        (true, false) => quotient.checked_add(i256::ONE),
        (true, true) => quotient.checked_sub(i256::ONE),
    }
}

/// Whether a quotient moves away from zero. `past_half` says how the rest compares with half of the
/// divisor.
fn rounds_away(quotient: i256, past_half: Ordering, rounding: Rounding) -> bool {
    match rounding {
        Rounding::Down => false,
        Rounding::HalfUp => past_half != Ordering::Less,
        Rounding::HalfEven => match past_half {
            Ordering::Equal => quotient.wrapping_rem(i256::from_i128(2)) != i256::ZERO,
            other => other == Ordering::Greater,
        },
    }
}

// Not derived: 1.5 and 1.50 have different fields and are equal.
impl PartialEq for Decimal {
    fn eq(&self, other: &Decimal) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> Ordering {
        let scale = self.scale.max(other.scale);
        self.at(scale).cmp(&other.at(scale))
    }
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Decimal {
        Decimal { unscaled: i128::from(number), scale: 0 }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        values::write_decimal(self.unscaled, self.scale, &mut text);
        formatter.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).expect("is a number")
    }

    #[test]
    fn halves_go_where_they_are_told() {
        let check = |text: &str, expected: [&str; 3]| {
            let round = |rounding| decimal(text).round(0, rounding).expect("fits").to_string();
            assert_eq!(
                [Rounding::HalfUp, Rounding::HalfEven, Rounding::Down].map(round),
                expected,
                "{text}"
            );
        };
        check("0.5", ["1", "0", "0"]);
        check("1.5", ["2", "2", "1"]);
        check("-0.5", ["-1", "0", "0"]);
        check("-2.5", ["-3", "-2", "-2"]);
        check("2.500001", ["3", "3", "2"]);
        check("-2.49", ["-2", "-2", "-2"]);
    }

    #[test]
    fn products_are_exact_beyond_128_bits() {
        let large = decimal("99999999999999999999.999999999999999999");
        let product = large.times(large, 0, Rounding::HalfUp);
        assert!(product.is_none(), "40 digits do not fit");
        let tenth =
            large.times(decimal("0.000000000000000001"), 18, Rounding::HalfUp).expect("fits");
        assert_eq!(tenth.to_string(), "100.000000000000000000");
        let tenth =
            large.times(decimal("0.000000000000000001"), 36, Rounding::HalfUp).expect("fits");
        assert_eq!(tenth.to_string(), "99.999999999999999999999999999999999999");
    }

    #[test]
    fn quotients_are_rounded_once_whatever_the_signs() {
        let check = |over: &str, under: &str, scale, expected: &str| {
            let quotient = decimal(over).divided_by(decimal(under), scale, Rounding::HalfUp);
            assert_eq!(
                quotient.map(|quotient| quotient.to_string()).unwrap_or_default(),
                expected,
                "{over}/{under}"
            );
        };
        check("2", "3", 2, "0.67");
        check("-2", "3", 2, "-0.67");
        check("2", "-3", 2, "-0.67");
        check("-0.001", "0.2", 2, "-0.01");
        check("0.0049", "1", 2, "0.00");
        check("1", "0", 2, "");
        check("1", "0.00000000000000000001", 0, "100000000000000000000");
        check("123456.789", "1000", 0, "123");
    }

    #[test]
    fn order_and_equality_are_those_of_numbers() {
        assert_eq!(decimal("1.50"), decimal("15e-1"));
        assert!(decimal("-0.1") < decimal("0"));
        assert!(decimal("0.30000000000000004") > decimal("0.3"));
        assert!(decimal("1e37") > decimal("0.00000000000000000000000000000000000001"));
    }

    #[test]
    fn what_needs_more_digits_is_refused() {
        assert_eq!(Decimal::parse("1e38").unwrap_err(), DecimalError::OutOfRange);
        assert_eq!(Decimal::parse("1e-39").unwrap_err(), DecimalError::OutOfRange);
        assert_eq!(
            Decimal::parse("12345678901234567890.1234567890123456789").unwrap_err(),
            DecimalError::OutOfRange
        );
        assert_eq!(Decimal::parse("Infinity").unwrap_err(), DecimalError::NotFinite);
        assert_eq!(Decimal::parse("").unwrap_err(), DecimalError::NotANumber);
        assert!(decimal("9e37").plus(decimal("9e37")).is_none());
    }
}
