//! Integers and floats, and the shape of a number: how many digits a decimal column needs to hold
//! it exactly.
//!
//! All functions share one grammar of numbers: a sign (`+` or `-`) or none, digits with at most one
//! point (`1`, `1.5`, `.5`, `1.`), and perhaps an exponent (`1e5`, `1.5E-3`). There are no blanks,
//! no separators and no hexadecimal digits. For example, `1_000`, `1,5` and `0x10` are not numbers.

use crate::digits::leading_digits;

/// Reads `[+-]digits` that fit 64 bits.
///
/// Leading zeros are allowed: `007` becomes 7. Where they matter, such as in postal codes, ask
/// [`has_leading_zeros`] first.
#[inline]
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    let (negative, digits) = split_sign(text);
    // 18 digits stay below 10^18, so nothing can overflow. Longer texts take the slow way.
    if digits.len() > 18 {
        return long_i64(negative, digits);
    }
    let (size, length) = leading_digits(digits);
    if length == 0 || length < digits.len() {
        return None;
    }
    Some(if negative { -size.cast_signed() } else { size.cast_signed() })
}

// Counts downwards, because -9223372036854775808 is an `i64` and 9223372036854775808 is not. The
// `checked_neg` at the end refuses the latter.
#[cold]
fn long_i64(negative: bool, digits: &[u8]) -> Option<i64> {
    let mut value = 0i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_sub(i64::from(digit))?;
    }
    if negative { Some(value) } else { value.checked_neg() }
}

/// Says whether a number starts with a zero that a number would not keep: `007`, `-01`, `00`,
/// `00.5`; not `0` or `0.5`.
///
/// The text must be a number already: only its sign and two characters are looked at, so `00abc`
/// gives true as well.
#[inline]
pub fn has_leading_zeros(text: &[u8]) -> bool {
    matches!(split_sign(text).1, [b'0', b'0'..=b'9', ..])
}

/// Reads a number, or `NaN`, `inf` or `infinity` in any case (the infinities with a sign or none).
///
/// A number becomes the nearest float. A number that is too large for a float, such as `1e999`, is
/// `None` and not infinity. So an infinite result means that the text says so.
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    if Number::parse(text).is_some() {
        // The standard library parses `1e999` as infinity. The grammar has only let a finite number
        // through, so an infinity can only be an overflow.
        let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
        return value.is_finite().then_some(value);
    }
    parse_not_finite(text)
}

/// Reads the names of the values that are not finite. All other texts are `None`, numbers included.
pub(crate) fn parse_not_finite(text: &[u8]) -> Option<f64> {
    if text.eq_ignore_ascii_case(b"nan") {
        return Some(f64::NAN);
    }
    let (negative, name) = split_sign(text);
    let infinite = name.eq_ignore_ascii_case(b"inf") || name.eq_ignore_ascii_case(b"infinity");
    infinite.then_some(if negative { f64::NEG_INFINITY } else { f64::INFINITY })
}

/// The digits that a number needs: `DECIMAL(p, s)` holds it exactly when `integer_digits <= p - s`
/// and `fraction_digits <= s`.
///
/// Digits are counted after the exponent is applied, without leading zeros and without zeros at the
/// end of the fraction. For example, `0.050` has 0 and 2, `1.5e3` has 4 and 0, and `0` has none at
/// all. Counts stop at `u32::MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberShape {
    pub integer_digits: u32,
    pub fraction_digits: u32,
    /// All digits but the zeros at both ends: 1 for `1000`, and 4 for `0.0120300`.
    pub significant_digits: u32,
    /// The number is written with an exponent, even one of zero.
    pub exponent: bool,
}

/// Measures a finite number. `None` when the text is not a number, or is `NaN` or an infinity.
// `0.00012e4` has the six digits 000012. The exponent moves the point from behind the first digit
// to behind the fifth, so four zeros and the 1 stand before it and the 2 behind it: one integer
// digit and one fraction digit.
pub fn number_shape(text: &[u8]) -> Option<NumberShape> {
    let number = Number::parse(text)?;
    let zeros_at_end = number.digits().rev().take_while(|&digit| digit == 0).count();
    let written = number.integer.len() + number.fraction.len();
    let zeros_at_start = number.digits().take_while(|&digit| digit == 0).count();
    let exponent = number.exponent.is_some();
    if zeros_at_start == written {
        let none =
            NumberShape { integer_digits: 0, fraction_digits: 0, significant_digits: 0, exponent };
        return Some(none);
    }
    let point = number.point();
    let count = |digits: i64| u32::try_from(digits.max(0)).unwrap_or(u32::MAX);
    Some(NumberShape {
        integer_digits: count(point.saturating_sub(zeros_at_start as i64)),
        fraction_digits: count(
            (written as i64).saturating_sub(zeros_at_end as i64).saturating_sub(point),
        ),
        significant_digits: count((written - zeros_at_start - zeros_at_end) as i64),
        exponent,
    })
}

/// Says whether the float nearest to a number still is that number when it is written with as few
/// digits as tell it apart from other floats. `false` for a text that is no finite number.
///
/// For example, `0.1` and `3.2e-45` read back; `12345678901234567.89` comes back as
/// `12345678901234568`, and `1e-400` as 0.
pub fn reads_back(text: &[u8]) -> bool {
    let (Some(number), Some(value)) = (Number::parse(text), parse_f64(text)) else {
        return false;
    };
    let written = format!("{value:e}");
    Number::parse(written.as_bytes()).is_some_and(|back| back.magnitude() == number.magnitude())
}

/// A finite number, taken apart. At least one of `integer` and `fraction` is not empty.
pub(crate) struct Number<'a> {
    pub(crate) negative: bool,
    pub(crate) integer: &'a [u8],
    pub(crate) fraction: &'a [u8],
    /// Stops at the ends of 32 bits: no decimal or float can tell larger exponents apart.
    pub(crate) exponent: Option<i32>,
}

impl<'a> Number<'a> {
    pub(crate) fn parse(text: &'a [u8]) -> Option<Number<'a>> {
        let (negative, rest) = split_sign(text);
        let (integer, rest) = split_digits(rest);
        let (fraction, rest) = match rest {
            [b'.', rest @ ..] => split_digits(rest),
            _ => (&rest[..0], rest),
        };
        if integer.is_empty() && fraction.is_empty() {
            return None;
        }
        let exponent = match rest {
            [] => None,
            [b'e' | b'E', rest @ ..] => Some(parse_exponent(rest)?),
            _ => return None,
        };
        Some(Number { negative, integer, fraction, exponent })
    }

    /// All digits in order, as values.
    pub(crate) fn digits(&self) -> impl DoubleEndedIterator<Item = u8> + '_ {
        self.integer.iter().chain(self.fraction).map(|byte| byte - b'0')
    }

    /// The digits without zeros at both ends, and where the point stands, counted from the first of
    /// them. So `1.50`, `15e-1` and `-0.15e1` are all ([1, 5], 1).
    fn magnitude(&self) -> (Vec<u8>, i64) {
        let zeros = self.digits().take_while(|&digit| digit == 0).count();
        let mut digits: Vec<u8> = self.digits().skip(zeros).collect();
        while digits.last() == Some(&0) {
            digits.pop();
        }
        let point = if digits.is_empty() { 0 } else { self.point() - zeros as i64 };
        (digits, point)
    }

    /// How many of the digits stand left of the point once the exponent is applied: 3 for `1.5e2`,
    /// which is past the last digit, and -1 for `1e-2`.
    pub(crate) fn point(&self) -> i64 {
        self.integer.len() as i64 + i64::from(self.exponent.unwrap_or(0))
    }
}

fn parse_exponent(text: &[u8]) -> Option<i32> {
    let (negative, digits) = split_sign(text);
    let (digits, rest) = split_digits(digits);
    if digits.is_empty() || !rest.is_empty() {
        return None;
    }
    let size = digits
        .iter()
        .fold(0i32, |size, byte| size.saturating_mul(10).saturating_add(i32::from(byte - b'0')));
    // `size` is never negative, so `-size` cannot overflow.
    Some(if negative { -size } else { size })
}

#[inline]
fn split_sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text.split_at(count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn integers_reach_both_ends_and_not_past() {
        for text in [
            "0",
            "-0",
            "+7",
            "007",
            "9223372036854775807",
            "-9223372036854775808",
            "0000000000000000000001",
        ] {
            assert_eq!(parse_i64(text.as_bytes()), text.parse().ok(), "{text:?}");
        }
        for text in [
            "",
            "-",
            "+",
            "1.0",
            "1e3",
            " 1",
            "1 ",
            "--1",
            "1_000",
            "9223372036854775808",
            "-9223372036854775809",
            "0x10",
        ] {
            assert_eq!(parse_i64(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn leading_zeros_are_those_that_a_number_would_lose() {
        for text in ["007", "-01", "+01", "00", "00.5"] {
            assert!(has_leading_zeros(text.as_bytes()), "{text:?}");
        }
        for text in ["", "0", "-0", "0.5", "-0.5", "0e3", "10", ".05"] {
            assert!(!has_leading_zeros(text.as_bytes()), "{text:?}");
        }
    }

    #[test]
    fn floats_have_the_grammar_of_numbers() {
        for (text, value) in [
            ("1", 1.0),
            ("-1.5", -1.5),
            (".5", 0.5),
            ("1.", 1.0),
            ("1e5", 1e5),
            ("+1.5E-3", 0.0015),
            ("1e-999", 0.0),
        ] {
            assert_eq!(parse_f64(text.as_bytes()), Some(value), "{text:?}");
        }
        assert!(parse_f64(b"nAn").is_some_and(f64::is_nan));
        assert_eq!(parse_f64(b"-Infinity"), Some(f64::NEG_INFINITY));
        assert_eq!(parse_f64(b"+inf"), Some(f64::INFINITY));
        for text in [
            "", ".", "-", "e5", "1e", "1e+", "1e1.5", "0x1p3", "1_0", "1,5", " 1", "1e999", "-nan",
            "infinit",
        ] {
            assert_eq!(parse_f64(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn shapes_say_which_decimal_holds_the_number() {
        let check = |text: &str, integer, fraction, significant, exponent| {
            let shape = NumberShape {
                integer_digits: integer,
                fraction_digits: fraction,
                significant_digits: significant,
                exponent,
            };
            assert_eq!(number_shape(text.as_bytes()), Some(shape), "{text:?}");
        };
        check("0", 0, 0, 0, false);
        check("-0.00", 0, 0, 0, false);
        check("0.050", 0, 2, 1, false);
        check("100", 3, 0, 1, false);
        check("0012.50", 2, 1, 3, false);
        check("1.5e3", 4, 0, 2, true);
        check("1.5e-3", 0, 4, 2, true);
        check("1200e-1", 3, 0, 2, true);
        check("0.00012e4", 1, 1, 2, true);
        check("1e99999999999", i32::MAX as u32 + 1, 0, 1, true);
        assert_eq!(number_shape(b"NaN"), None);
        assert_eq!(number_shape(b"abc"), None);
    }

    #[test]
    fn a_float_gives_back_some_numbers_and_others_not() {
        for text in ["0", "-0.00", "+5", "007", "1.50", "0.1", "3.2e-45", "5e-324", "12E4", "1e300"]
        {
            assert!(reads_back(text.as_bytes()), "{text:?}");
        }
        for text in [
            "12345678901234567.89",
            "90000000000000000001",
            "0.1234567890123456781",
            "1e-400",
            "1e999",
            "NaN",
            "x",
        ] {
            assert!(!reads_back(text.as_bytes()), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_has_fifteen_digits_reads_back(digits in 0u64..1_000_000_000_000_000, exponent in -200i32..200) {
            let text = format!("{digits}e{exponent}");
            prop_assert!(reads_back(text.as_bytes()), "{text}");
        }

        #[test]
        fn every_i64_comes_back(value: i64) {
            prop_assert_eq!(parse_i64(value.to_string().as_bytes()), Some(value));
        }

        #[test]
        fn every_finite_float_comes_back(value in proptest::num::f64::NORMAL | proptest::num::f64::ZERO) {
            prop_assert_eq!(parse_f64(value.to_string().as_bytes()), Some(value));
            prop_assert_eq!(parse_f64(format!("{value:e}").as_bytes()), Some(value));
        }

        #[test]
        fn any_text_is_read_as_the_standard_library_reads_it_or_not_at_all(text in "[-+0-9.eE]{0,12}") {
            let expected = text.parse::<f64>().ok().filter(|value| value.is_finite());
            prop_assert_eq!(parse_f64(text.as_bytes()), expected);
            prop_assert_eq!(parse_i64(text.as_bytes()), text.parse().ok());
            prop_assert_eq!(number_shape(text.as_bytes()).is_some(), text.parse::<f64>().is_ok());
        }
    }
}
