//! Numbers in text by Redshift's rules for loads: integers and decimals are digits only (`1e5` is
//! refused), and surplus decimals are cut where INSERT would round. In: bytes of a field. Out: the
//! number, or the fault.

use super::fault::{Fault, fault};

/// Reads a whole number in the range of its type.
// The digits are checked before the number is parsed, because the fault names the first bad
// character and its place: `1.0` gives "Invalid digit, Value '.', Pos 1, Type: Integer".
pub(crate) fn integer(
    field: &[u8],
    type_name: &str,
    range: std::ops::RangeInclusive<i64>,
) -> Result<i64, Fault> {
    let digits = usize::from(matches!(field.first(), Some(b'+' | b'-')));
    if let Some(offset) = field[digits..].iter().position(|byte| !byte.is_ascii_digit()) {
        return Err(invalid_digit(field, digits + offset, type_name));
    }
    if field.len() == digits {
        return Err(invalid_digit(field, 0, type_name));
    }
    match loader_values::parse_i64(field) {
        Some(number) if range.contains(&number) => Ok(number),
        _ => {
            let sql_type = match type_name {
                "Long" => "BIGINT",
                "Short" => "SMALLINT",
                _ => "INTEGER",
            };
            Err(fault(1222, format!("Overflow for {sql_type}")))
        }
    }
}

/// Reads a REAL: a double, rounded.
pub(crate) fn real(field: &[u8]) -> Result<f32, Fault> {
    #[expect(clippy::cast_possible_truncation, reason = "a REAL is rounded to")]
    let value = double(field, "Real")? as f32;
    // The text `inf` is a value. Digits that become infinite, such as 1e39, are an overflow.
    if value.is_infinite() && field.iter().any(u8::is_ascii_digit) {
        return Err(fault(1208, "Overflow for REAL"));
    }
    Ok(value)
}

/// Reads a DOUBLE PRECISION.
pub(crate) fn double(field: &[u8], type_name: &str) -> Result<f64, Fault> {
    let number = loader_values::parse_f64(field)
        .ok_or_else(|| Fault { code: 1208, ..invalid_digit(field, 0, type_name) })?;
    if number.is_infinite() && field.iter().any(u8::is_ascii_digit) {
        return Err(fault(1208, "Overflow for DOUBLE PRECISION"));
    }
    Ok(number)
}

/// Reads plain digits with a point and no exponent. Digits that the scale cannot hold are cut off,
/// or rounded half away from zero. For example, `-0.005` as DECIMAL(8,2) is 0.00, or -0.01 with
/// ROUNDEC.
// A DECIMAL of up to 19 digits is stored in 8 bytes, so precision alone does not tell whether a
// number fits: 9223372036854775808 has 19 digits and is too much for DECIMAL(19,0).
pub(crate) fn decimal(field: &[u8], precision: u8, scale: u8, rounds: bool) -> Result<i128, Fault> {
    let overflow = || decimal_overflow(precision, scale);
    let digits = digits(field, scale)?.ok_or_else(overflow)?;
    let missing = u32::from(scale - digits.fraction);
    let mut scaled = digits.unscaled.checked_mul(10_i128.pow(missing)).ok_or_else(overflow)?;
    if rounds && digits.has_surplus_half {
        scaled += 1;
    }
    let fits = scaled < 10_i128.pow(u32::from(precision))
        && (precision > 19 || i64::try_from(scaled).is_ok());
    let signed = if field.first() == Some(&b'-') { -scaled } else { scaled };
    if fits { Ok(signed) } else { Err(overflow()) }
}

fn decimal_overflow(precision: u8, scale: u8) -> Fault {
    let message = format!("Numeric data overflow (result precision): DECIMAL({precision},{scale})");
    fault(1209, message)
}

/// The digits of a decimal, without its sign.
struct Digits {
    unscaled: i128,
    /// The number of digits after the point, at most the scale.
    fraction: u8,
    /// Whether the first digit that the scale cannot hold is 5 or more.
    has_surplus_half: bool,
}

/// Reads the digits; `None` when there are more than a DECIMAL can have.
// Two kinds of digits are not counted towards the 38: zeros in front, and digits behind the scale,
// of which only the first is looked at, for rounding. (0.0149 with scale 2 is not rounded up: the 4
// decides and the 9 is not asked.)
fn digits(field: &[u8], scale: u8) -> Result<Option<Digits>, Fault> {
    let start = usize::from(matches!(field.first(), Some(b'+' | b'-')));
    let (mut unscaled, mut count) = (0_i128, 0_u32);
    let mut fraction: Option<u8> = None;
    let mut has_surplus_half = None;
    for (offset, byte) in field[start..].iter().enumerate() {
        match (byte, fraction) {
            (b'.', None) => fraction = Some(0),
            (b'0'..=b'9', Some(count)) if count >= scale => {
                has_surplus_half = has_surplus_half.or(Some(*byte >= b'5'));
            }
            (b'0'..=b'9', _) => {
                count += u32::from(unscaled != 0 || *byte != b'0');
                if count > 38 {
                    return Ok(None);
                }
                unscaled = unscaled * 10 + i128::from(byte - b'0');
                fraction = fraction.map(|count| count + 1);
            }
            _ => return Err(invalid_digit(field, start + offset, "Decimal")),
        }
    }
    if !field[start..].iter().any(u8::is_ascii_digit) {
        return Err(invalid_digit(field, 0, "Decimal"));
    }
    let fraction = fraction.unwrap_or(0).min(scale);
    Ok(Some(Digits { unscaled, fraction, has_surplus_half: has_surplus_half == Some(true) }))
}

fn invalid_digit(field: &[u8], position: usize, type_name: &str) -> Fault {
    let value = String::from_utf8_lossy(&field[position..])
        .chars()
        .next()
        .map(String::from)
        .unwrap_or_default();
    fault(1207, format!("Invalid digit, Value '{value}', Pos {position}, Type: {type_name}"))
}
