//! A field's text as a column's value, by Redshift's rules for loads. In: bytes of a field, the
//! column, the options. Out: the value in the row buffer, or code and reason for STL_LOAD_ERRORS.
//! COPY cuts surplus decimals where INSERT rounds; VARCHAR counts bytes.
//! Source: the Developer Guide's "Data conversion parameters" and "Load error reference".

use std::borrow::Cow;

use super::binary::RowBuffer;
use super::format;
use super::statement::{Moment, TextOptions};
use super::target::{Column, Kind};

/// Why a field cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: i32,
    pub(crate) reason: String,
}

fn fault(code: i32, reason: impl Into<String>) -> Fault {
    Fault { code, reason: reason.into() }
}

/// What a field means before its type is looked at.
fn is_null(field: &[u8], kind: Kind, options: &TextOptions) -> bool {
    if field == options.null_as {
        return true;
    }
    let is_blank = field.iter().all(|byte| *byte == b' ');
    match (kind.is_text(), field.is_empty()) {
        (true, true) => options.empty_as_null,
        (true, false) => is_blank && options.blanks_as_null,
        (false, _) => is_blank,
    }
}

/// Writes a field of a record.
pub(crate) fn write_field(
    field: &[u8],
    column: &Column,
    options: &TextOptions,
    out: &mut RowBuffer,
) -> Result<(), Fault> {
    let trimmed = match column.kind {
        Kind::Varchar(_) if options.trim_blanks => field.trim_ascii_end(),
        _ => field,
    };
    if is_null(field, column.kind, options) || is_null(trimmed, column.kind, options) {
        return write_null(column, options, out);
    }
    write_value(trimmed, column, options, out)
}

/// Writes a null, or the default of a NOT NULL column.
pub(crate) fn write_null(
    column: &Column,
    options: &TextOptions,
    out: &mut RowBuffer,
) -> Result<(), Fault> {
    match (&column.default, column.not_null) {
        (_, false) => {
            out.null();
            Ok(())
        }
        (Some(default), true) => write_value(
            default.as_bytes(),
            &Column { default: None, ..column.clone() },
            options,
            out,
        ),
        (None, true) => Err(fault(1213, "Missing data for not-null field")),
    }
}

/// Writes what FILLRECORD puts in place of a missing field.
pub(crate) fn write_missing(
    column: &Column,
    options: &TextOptions,
    out: &mut RowBuffer,
) -> Result<(), Fault> {
    if matches!(column.kind, Kind::Varchar(_)) && !options.empty_as_null {
        out.bytes(b"");
        return Ok(());
    }
    write_null(column, options, out)
}

fn write_value(
    field: &[u8],
    column: &Column,
    options: &TextOptions,
    out: &mut RowBuffer,
) -> Result<(), Fault> {
    match column.kind {
        Kind::Int2 => {
            out.int2(narrow(integer(field, "Short", i64::from(i16::MIN)..=i64::from(i16::MAX))?))
        }
        Kind::Int4 => {
            out.int4(narrow(integer(field, "Integer", i64::from(i32::MIN)..=i64::from(i32::MAX))?))
        }
        Kind::Int8 => out.int8(integer(field, "Long", i64::MIN..=i64::MAX)?),
        Kind::Float4 => {
            #[expect(clippy::cast_possible_truncation, reason = "a REAL is rounded to")]
            let value = double(field, "Real")? as f32;
            if value.is_infinite() && field.iter().any(u8::is_ascii_digit) {
                return Err(fault(1208, "Overflow for REAL"));
            }
            out.float4(value);
        }
        Kind::Float8 => out.float8(double(field, "Double")?),
        Kind::Bool => out.boolean(
            loader_values::parse_bool_literal(field)
                .ok_or_else(|| fault(1210, "Invalid boolean value"))?,
        ),
        Kind::Numeric { precision, scale } => {
            out.numeric(decimal(field, precision, scale, options.round_decimals)?, scale)
        }
        Kind::Varchar(bytes) => out.bytes(&characters(field, bytes, options)?),
        Kind::Char(bytes) => {
            if !field.is_ascii() {
                return Err(fault(
                    1220,
                    "Multibyte character not supported for CHAR (Hint: Try using VARCHAR). Invalid \
                     char",
                ));
            }
            out.bytes(&characters(field, bytes, options)?);
        }
        Kind::Date => match moment(field, &options.date_format, Wanted::Date) {
            Some(micros) => out.date(narrow(micros.div_euclid(86_400_000_000))),
            None if options.accept_any_date => out.null(),
            None => {
                return Err(fault(
                    1205,
                    format!("Invalid Date Format - length must be 10 or more: {}", preview(field)),
                ));
            }
        },
        Kind::Timestamp | Kind::TimestampTz => {
            match moment(field, &options.time_format, Wanted::of(column.kind)) {
                Some(micros) => out.timestamp(micros),
                None if options.accept_any_date => out.null(),
                None => {
                    return Err(fault(
                        1206,
                        "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]",
                    ));
                }
            }
        }
        Kind::Time => out.int8(
            time(field).ok_or_else(|| fault(1206, "Invalid time format or value [HH24:MI:SS]"))?,
        ),
        Kind::Super => {
            serde_json::from_slice::<serde::de::IgnoredAny>(field)
                .map_err(|error| fault(1224, format!("Invalid JSON: {error}")))?;
            out.json(field);
        }
        Kind::Varbyte => out.bytes(
            &hex(field).ok_or_else(|| fault(1223, "Invalid hexadecimal value for VARBYTE"))?,
        ),
    }
    Ok(())
}

fn preview(field: &[u8]) -> String {
    String::from_utf8_lossy(&field[..field.len().min(32)]).into_owned()
}

fn narrow<T: TryFrom<i64> + Default>(number: i64) -> T {
    // The range was checked before.
    T::try_from(number).unwrap_or_default()
}

fn invalid_digit(field: &[u8], position: usize, type_name: &str) -> Fault {
    let value = String::from_utf8_lossy(&field[position..])
        .chars()
        .next()
        .map(String::from)
        .unwrap_or_default();
    fault(1207, format!("Invalid digit, Value '{value}', Pos {position}, Type: {type_name}"))
}

fn integer(
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
        _ => Err(fault(
            1222,
            format!(
                "Overflow for {}",
                if type_name == "Long" {
                    "BIGINT"
                } else if type_name == "Short" {
                    "SMALLINT"
                } else {
                    "INTEGER"
                }
            ),
        )),
    }
}

fn double(field: &[u8], type_name: &str) -> Result<f64, Fault> {
    let number = loader_values::parse_f64(field)
        .ok_or_else(|| Fault { code: 1208, ..invalid_digit(field, 0, type_name) })?;
    if number.is_infinite() && field.iter().any(u8::is_ascii_digit) {
        return Err(fault(1208, "Overflow for DOUBLE PRECISION"));
    }
    Ok(number)
}

/// Plain digits with a point, no exponent; what the scale cannot hold is cut off, or rounded half
/// up.
fn decimal(field: &[u8], precision: u8, scale: u8, rounds: bool) -> Result<i128, Fault> {
    let is_negative = field.first() == Some(&b'-');
    let start = usize::from(matches!(field.first(), Some(b'+' | b'-')));
    let overflow = || {
        fault(
            1209,
            format!("Numeric data overflow (result precision): DECIMAL({precision},{scale})"),
        )
    };
    let mut unscaled: i128 = 0;
    let mut digits = 0_u32;
    let mut fraction: Option<u8> = None;
    let mut has_surplus_half = None;
    for (offset, byte) in field[start..].iter().enumerate() {
        match (byte, fraction) {
            (b'.', None) => fraction = Some(0),
            (b'0'..=b'9', Some(count)) if count >= scale => {
                has_surplus_half = has_surplus_half.or(Some(*byte >= b'5'));
            }
            (b'0'..=b'9', _) => {
                if unscaled != 0 || *byte != b'0' {
                    digits += 1;
                }
                if digits > 38 {
                    return Err(overflow());
                }
                unscaled = unscaled * 10 + i128::from(byte - b'0');
                fraction = fraction.map(|count| count + 1);
            }
            _ => return Err(invalid_digit(field, start + offset, "Decimal")),
        }
    }
    let seen_digit = field[start..].iter().any(u8::is_ascii_digit);
    if !seen_digit {
        return Err(invalid_digit(field, 0, "Decimal"));
    }
    let missing = u32::from(scale - fraction.unwrap_or(0).min(scale));
    let mut scaled = unscaled.checked_mul(10_i128.pow(missing)).ok_or_else(overflow)?;
    if rounds && has_surplus_half == Some(true) {
        scaled += 1;
    }
    // DECIMAL up to 19 digits is stored in 8 bytes.
    let fits = scaled < 10_i128.pow(u32::from(precision))
        && (precision > 19 || i64::try_from(scaled).is_ok());
    if fits { Ok(if is_negative { -scaled } else { scaled }) } else { Err(overflow()) }
}

/// Text of a VARCHAR or CHAR of so many bytes.
fn characters<'a>(
    field: &'a [u8],
    bytes: usize,
    options: &TextOptions,
) -> Result<Cow<'a, [u8]>, Fault> {
    let mut text = match std::str::from_utf8(field) {
        Ok(_) => Cow::Borrowed(field),
        Err(error) => match options.accept_invalid {
            Some(replacement) => Cow::Owned(replaced(field, replacement)),
            None => return Err(bad_utf8(field, &error)),
        },
    };
    if text.contains(&0) {
        return Err(fault(1220, "Invalid null byte - field longer than 1 byte"));
    }
    if text.len() > bytes {
        if !options.truncate_columns {
            return Err(fault(1204, "String length exceeds DDL length"));
        }
        let mut end = bytes;
        while end > 0 && text[end] & 0b1100_0000 == 0b1000_0000 {
            end -= 1;
        }
        text = match text {
            Cow::Borrowed(text) => Cow::Borrowed(&text[..end]),
            Cow::Owned(mut text) => {
                text.truncate(end);
                Cow::Owned(text)
            }
        };
    }
    Ok(text)
}

fn bad_utf8(field: &[u8], error: &std::str::Utf8Error) -> Fault {
    let at = error.valid_up_to();
    let count = error.error_len().unwrap_or(field.len() - at);
    let hex: Vec<String> = field[at..at + count].iter().map(|byte| format!("{byte:02x}")).collect();
    fault(
        1220,
        format!(
            "String contains invalid or unsupported UTF-8 codepoints. Bad UTF-8 hex sequence: {} \
             (error 3)",
            hex.join(" ")
        ),
    )
}

fn replaced(field: &[u8], replacement: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    for chunk in field.utf8_chunks() {
        out.extend_from_slice(chunk.valid().as_bytes());
        out.extend(chunk.invalid().iter().map(|_| replacement));
    }
    out
}

/// What a moment is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Date,
    Timestamp,
    TimestampTz,
}

impl Wanted {
    fn of(kind: Kind) -> Wanted {
        if kind == Kind::TimestampTz { Wanted::TimestampTz } else { Wanted::Timestamp }
    }
}

/// Microseconds since 1970.
fn moment(field: &[u8], form: &Moment, wanted: Wanted) -> Option<i64> {
    match form {
        Moment::Default => default_form(field, wanted),
        Moment::Auto => iso(field, wanted),
        Moment::EpochSeconds => loader_values::parse_i64(field)?.checked_mul(1_000_000),
        Moment::EpochMilliseconds => loader_values::parse_i64(field)?.checked_mul(1000),
        Moment::Pattern(pattern) => {
            format::read(pattern, std::str::from_utf8(field).ok()?, wanted == Wanted::Date)
        }
    }
}

const DAY_MICROS: i64 = 86_400_000_000;

fn midnight(date: &[u8]) -> Option<i64> {
    Some(i64::from(loader_values::parse_date(date)?) * DAY_MICROS)
}

/// `YYYY-MM-DD HH:MI:SS[.ffffff]`; a DATE ignores the time, a TIMESTAMP without one is midnight; an
/// offset is for TIMESTAMPTZ.
fn default_form(field: &[u8], wanted: Wanted) -> Option<i64> {
    let (date, rest) = field.split_at_checked(10)?;
    if wanted == Wanted::Date || rest.is_empty() {
        return midnight(date);
    }
    let has_zone = rest.iter().any(|byte| matches!(byte, b'Z' | b'z' | b'+' | b'-'));
    if rest[0] != b' ' || (has_zone && wanted == Wanted::Timestamp) {
        return None;
    }
    loader_values::parse_timestamp(field)
}

/// The ISO 8601 forms of 'auto'.
fn iso(field: &[u8], wanted: Wanted) -> Option<i64> {
    if field.len() == 10 {
        return midnight(field);
    }
    let micros = loader_values::parse_timestamp(field)?;
    if wanted == Wanted::Date { midnight(&field[..10]) } else { Some(micros) }
}

fn time(field: &[u8]) -> Option<i64> {
    let whole = [b"1970-01-01 ", field].concat();
    let has_zone = field.iter().any(|byte| !matches!(byte, b'0'..=b'9' | b':' | b'.'));
    if has_zone { None } else { loader_values::parse_timestamp(&whole) }
}

fn hex(field: &[u8]) -> Option<Vec<u8>> {
    let nibble =
        |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    if !field.len().is_multiple_of(2) {
        return None;
    }
    field.chunks(2).map(|pair| Some(nibble(&pair[0])? * 16 + nibble(&pair[1])?)).collect()
}

#[cfg(test)]
mod tests;
