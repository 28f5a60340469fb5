//! Exact decimals: text becomes a scaled 128-bit integer and the integer becomes text, never by way
//! of a float.
//!
//! Digits past the scale are rounded half away from zero, and the caller is told. A number that
//! does not fit the precision is an error. For example, `20.259` becomes 20.26 in a DECIMAL(8,2),
//! rounded; `1e20` is too large for a DECIMAL(38,18), which holds 20 digits before the point.

use crate::number::{Number, parse_not_finite};

/// The most digits that a decimal has, here as in Redshift and in Arrow's `Decimal128`.
pub const MAX_PRECISION: u8 = 38;

/// A decimal as `unscaled / 10^scale`, for the scale that the caller asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    pub unscaled: i128,
    /// Digits other than zero stood past the scale, and were rounded away.
    pub rounded: bool,
}

/// Why a text is not a decimal of the precision and scale that the caller asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecimalError {
    /// Not written as a number.
    NotANumber,
    /// NaN or an infinity, which no decimal holds.
    NotFinite,
    /// More digits left of the point than precision minus scale, perhaps only after rounding:
    /// `9.99` is too large for a DECIMAL(2,1), because it rounds to 10.0.
    OutOfRange,
}

impl std::fmt::Display for DecimalError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            DecimalError::NotANumber => "not a number",
            DecimalError::NotFinite => "not a finite number",
            DecimalError::OutOfRange => "too many digits before the point",
        })
    }
}

impl std::error::Error for DecimalError {}

/// Reads a number, with an exponent or without, as `DECIMAL(precision, scale)`, exactly from its
/// digits.
///
/// For example, `1.5E-1` becomes 15 at scale 2, which is 0.15.
///
/// Errors: those of [`DecimalError`]; also `OutOfRange` for a precision over [`MAX_PRECISION`] or a
/// scale over the precision.
#[inline]
pub fn parse_decimal(text: &[u8], precision: u8, scale: u8) -> Result<Decimal, DecimalError> {
    if precision > MAX_PRECISION || scale > precision {
        return Err(DecimalError::OutOfRange);
    }
    // The short way only saves time. It may give up on any text, because the long way reads them
    // all and gives the same answer.
    match short_decimal(text, precision, scale) {
        Some(unscaled) => Ok(Decimal { unscaled, rounded: false }),
        None => long_decimal(text, precision, scale),
    }
}

/// The common case: at most 18 digits, no exponent, nothing to round, in range. `None` is for all
/// other texts, numbers or not.
// Nothing overflows: a value below 10^18 times at most 10^19 is below 10^37, and an `i128` holds
// 1.7 * 10^38. Larger powers would serve only scales from 20 on, which are rare.
#[inline]
fn short_decimal(text: &[u8], precision: u8, scale: u8) -> Option<i128> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        _ => (false, text),
    };
    let (value, fraction_digits) = short_digits(digits)?;
    let missing = usize::from(scale).checked_sub(fraction_digits)?;
    let unscaled = product(value, *SMALL_POWERS_OF_TEN.get(missing)?);
    if unscaled >= power_of_ten(usize::from(precision)) {
        return None;
    }
    let unscaled = unscaled as i128;
    Some(if negative { -unscaled } else { unscaled })
}

/// Reads at most 18 digits with at most one point: their value without the point, and how many of
/// them follow it. For example, `12.50` gives 1250 and 2.
#[inline]
fn short_digits(digits: &[u8]) -> Option<(u64, usize)> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut value = 0u64;
    let mut fraction_digits = None;
    for (index, byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            value = value * 10 + u64::from(digit);
        } else if *byte == b'.' && fraction_digits.is_none() && digits.len() > 1 {
            // The length is checked because `1.` and `.5` are numbers, but a point alone is not.
            fraction_digits = Some(digits.len() - 1 - index);
        } else {
            return None;
        }
    }
    Some((value, fraction_digits.unwrap_or(0)))
}

// `kept` is how many digits, from the first that is not zero on, stand before the place where the
// scale cuts. `0.0456` at scale 3 has the digits 456 and keeps two of them: 45, rounded to 46. With
// 0, the first digit still decides (`0.005` becomes 0.01 at scale 2). Below 0, the result is zero.
fn long_decimal(text: &[u8], precision: u8, scale: u8) -> Result<Decimal, DecimalError> {
    let number = Number::parse(text).ok_or_else(|| match parse_not_finite(text) {
        Some(_) => DecimalError::NotFinite,
        None => DecimalError::NotANumber,
    })?;
    let zeros = number.digits().take_while(|&digit| digit == 0).count();
    let mut digits = number.digits().skip(zeros).peekable();
    if digits.peek().is_none() {
        return Ok(Decimal { unscaled: 0, rounded: false });
    }
    // The first digit is not zero, so more digits than the precision cannot fit. The check also
    // keeps the loop in `rounded_to` short: the `kept` of `1e999999999` is a billion.
    let kept = number.point().saturating_sub(zeros as i64).saturating_add(i64::from(scale));
    if kept > i64::from(precision) {
        return Err(DecimalError::OutOfRange);
    }
    if kept < 0 {
        return Ok(Decimal { unscaled: 0, rounded: true });
    }
    let (unscaled, rounded) = rounded_to(kept, digits);
    if unscaled >= power_of_ten(usize::from(precision)) {
        return Err(DecimalError::OutOfRange);
    }
    let unscaled = unscaled as i128;
    Ok(Decimal { unscaled: if number.negative { -unscaled } else { unscaled }, rounded })
}

/// The first `kept` digits as a number, rounded half up by the digits behind them, and whether any
/// of the latter is not zero.
fn rounded_to(kept: i64, mut digits: impl Iterator<Item = u8>) -> (u128, bool) {
    let mut unscaled = 0u128;
    for _ in 0..kept {
        unscaled = unscaled * 10 + u128::from(digits.next().unwrap_or(0));
    }
    let first_dropped = digits.next().unwrap_or(0);
    let rounded = first_dropped != 0 || digits.any(|digit| digit != 0);
    (unscaled + u128::from(first_dropped >= 5), rounded)
}

/// Appends `unscaled / 10^scale` as plain digits, all `scale` digits of the fraction included:
/// `-0.050` for -50 and 3.
pub fn write_decimal(unscaled: i128, scale: u8, out: &mut String) {
    use std::fmt::Write;
    if unscaled < 0 {
        out.push('-');
    }
    let size = unscaled.unsigned_abs();
    // Writing to a String does not fail. Scale 0 comes first, because the next arm would write 5 as
    // `5.0`. Scales past 38 leave no integer part.
    let _ = match POWERS_OF_TEN.get(usize::from(scale)) {
        _ if scale == 0 => write!(out, "{size}"),
        Some(one) => {
            write!(out, "{}.{:0width$}", size / one, size % one, width = usize::from(scale))
        }
        None => write!(out, "0.{size:0width$}", width = usize::from(scale)),
    };
}

const POWERS_OF_TEN: [u128; MAX_PRECISION as usize + 1] = {
    let mut powers = [1u128; MAX_PRECISION as usize + 1];
    let mut index = 1;
    while index < powers.len() {
        powers[index] = powers[index - 1] * 10;
        index += 1;
    }
    powers
};

/// The powers of ten that 64 bits hold.
const SMALL_POWERS_OF_TEN: [u64; 20] = {
    let mut powers = [1u64; 20];
    let mut index = 1;
    while index < powers.len() {
        powers[index] = powers[index - 1] * 10;
        index += 1;
    }
    powers
};

/// `a * b`, by halves: a multiplication of `u128` is a function call in WebAssembly, and a checked
/// one is three.
// No step overflows: the largest sum is (2^32 - 1)^2 + 2 * (2^32 - 1), which is 2^64 - 1.
#[inline]
fn product(a: u64, b: u64) -> u128 {
    const LOW: u64 = u32::MAX as u64;
    let (a_high, a_low, b_high, b_low) = (a >> 32, a & LOW, b >> 32, b & LOW);
    let low = a_low * b_low;
    let middle = a_high * b_low + (low >> 32);
    let carried = a_low * b_high + (middle & LOW);
    let high = a_high * b_high + (middle >> 32) + (carried >> 32);
    u128::from(high) << 64 | u128::from(carried << 32 | low & LOW)
}

/// The callers pass exponents from 0 to 38: `parse_decimal` refuses a larger precision.
fn power_of_ten(exponent: usize) -> u128 {
    POWERS_OF_TEN.get(exponent).copied().unwrap_or(u128::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, precision: u8, scale: u8, expected: &str) {
        let actual = match parse_decimal(text.as_bytes(), precision, scale) {
            Err(error) => format!("{error:?}"),
            Ok(decimal) => {
                let mut out = String::new();
                write_decimal(decimal.unscaled, scale, &mut out);
                if decimal.rounded { format!("{out} rounded") } else { out }
            }
        };
        assert_eq!(actual, expected, "{text:?} as ({precision},{scale})");
    }

    #[test]
    fn numbers_are_exact_or_say_that_they_are_not() {
        check("0.1", 38, 18, "0.100000000000000000");
        check("20.259", 8, 2, "20.26 rounded");
        check("20.250", 8, 2, "20.25");
        check("-20.255", 8, 2, "-20.26 rounded");
        check("-20.254999999999999999999999", 8, 2, "-20.25 rounded");
        check("+1.", 8, 2, "1.00");
        check(".5", 8, 2, "0.50");
        check("-0", 8, 2, "0.00");
        check("007", 8, 2, "7.00");
        check("0.004", 8, 2, "0.00 rounded");
        check("0.005", 8, 2, "0.01 rounded");
        check("0.0049", 8, 2, "0.00 rounded");
        check("0.0005", 8, 2, "0.00 rounded");
    }

    #[test]
    fn exponents_are_applied_to_the_digits() {
        check("1e5", 8, 2, "100000.00");
        check("1.5E-1", 8, 2, "0.15");
        check("15e-3", 8, 2, "0.02 rounded");
        check("0e999999999999", 8, 2, "0.00");
        check("1e-999999999999", 8, 2, "0.00 rounded");
        check("1e999999999999", 8, 2, "OutOfRange");
    }

    #[test]
    fn what_does_not_fit_is_an_error_even_when_rounding_makes_it_so() {
        check("1e20", 38, 18, "OutOfRange");
        check("99999999999999999999", 38, 18, "99999999999999999999.000000000000000000");
        check("100000000000000000000", 38, 18, "OutOfRange");
        check("9.99", 2, 1, "OutOfRange");
        check("9.94", 2, 1, "9.9 rounded");
        check("0.95", 1, 1, "OutOfRange");
        check("0.5", 0, 0, "OutOfRange");
        check(
            "99999999999999999999999999999999999999",
            38,
            0,
            "99999999999999999999999999999999999999",
        );
        check("1", 39, 0, "OutOfRange");
        check("1", 3, 4, "OutOfRange");
    }

    #[test]
    fn what_is_no_number_says_which_kind() {
        for text in ["", "-", ".", "+.", "abc", "1 ", "1,5", "1..2", "1e", "--1", "0x1", "1.2.3"] {
            check(text, 38, 18, "NotANumber");
        }
        for text in ["NaN", "inf", "-Infinity"] {
            check(text, 38, 18, "NotFinite");
        }
    }

    #[test]
    fn an_error_says_what_the_number_lacks() {
        let said =
            |text: &str| parse_decimal(text.as_bytes(), 2, 1).map_err(|error| error.to_string());
        assert_eq!(said("x"), Err("not a number".to_owned()));
        assert_eq!(said("inf"), Err("not a finite number".to_owned()));
        assert_eq!(said("10"), Err("too many digits before the point".to_owned()));
    }

    #[test]
    fn every_unscaled_value_can_be_written() {
        let mut out = String::new();
        write_decimal(i128::MIN, 0, &mut out);
        out.push(' ');
        write_decimal(-5, 40, &mut out);
        assert_eq!(
            out,
            "-170141183460469231731687303715884105728 -0.0000000000000000000000000000000000000005"
        );
    }

    /// The same rules on a string of digits, without any arithmetic but "add one".
    fn reference(
        negative: bool,
        integer: &str,
        fraction: &str,
        exponent: i32,
        precision: u8,
        scale: u8,
    ) -> Option<(String, bool)> {
        let mut digits = format!("{}{integer}{fraction}{}", "0".repeat(200), "0".repeat(200));
        let point = (200 + integer.len() as i32 + exponent) as usize;
        let dropped = digits.split_off(point + usize::from(scale));
        let mut kept: Vec<u8> = digits.into_bytes();
        if dropped.as_bytes()[0] >= b'5' {
            for digit in kept.iter_mut().rev() {
                if *digit == b'9' {
                    *digit = b'0';
                } else {
                    *digit += 1;
                    break;
                }
            }
        }
        let kept = String::from_utf8(kept).ok()?;
        let kept = kept.trim_start_matches('0');
        if kept.len() > usize::from(precision) {
            return None;
        }
        let sign = if negative && !kept.is_empty() { "-" } else { "" };
        Some((
            format!("{sign}{}", if kept.is_empty() { "0" } else { kept }),
            dropped.bytes().any(|digit| digit != b'0'),
        ))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn products_by_halves_are_products(a: u64, b: u64) {
            prop_assert_eq!(product(a, b), u128::from(a) * u128::from(b));
        }

        #[test]
        fn decimals_agree_with_long_hand(
            negative: bool,
            integer in "[0-9]{0,24}|[0-9]{1,45}|9{1,20}",
            fraction in "[0-9]{1,24}|[0-9]{1,45}|9{1,20}|49{1,20}",
            exponent in proptest::option::of(-60i32..60),
            precision in 1u8..=38,
            scale in 0u8..=38,
        ) {
            let scale = scale.min(precision);
            let mut text = format!("{}{integer}.{fraction}", if negative { "-" } else { "" });
            if let Some(exponent) = exponent {
                text.push_str(&format!("e{exponent}"));
            }
            let actual = parse_decimal(text.as_bytes(), precision, scale);
            match reference(negative, &integer, &fraction, exponent.unwrap_or(0), precision, scale) {
                None => prop_assert_eq!(actual, Err(DecimalError::OutOfRange), "{}", text),
                Some((unscaled, rounded)) => {
                    let actual = actual.map(|decimal| (decimal.unscaled.to_string(), decimal.rounded));
                    prop_assert_eq!(actual, Ok((unscaled, rounded)), "{}", text);
                }
            }
        }

        #[test]
        fn what_is_written_is_read_back(unscaled in -10i128.pow(38) + 1..10i128.pow(38), scale in 0u8..=38) {
            let mut text = String::new();
            write_decimal(unscaled, scale, &mut text);
            prop_assert_eq!(parse_decimal(text.as_bytes(), 38, scale), Ok(Decimal { unscaled, rounded: false }));
        }
    }
}
