//! A field's text as a column's value, by Redshift's rules for loads. In: bytes of a field, the
//! column, the options. Out: the value in the row buffer, or code and reason for STL_LOAD_ERRORS.
//! For example, `20.259` loaded into a DECIMAL(8,2) is 20.25, because COPY cuts surplus digits
//! where INSERT rounds. `numbers`, `characters` and `moments` read the families of types.
//! Source: the Developer Guide's "Data conversion parameters" and "Load error reference".

use serde_json::Value;

use super::binary::RowBuffer;
use super::characters::{characters, single_bytes};
use super::fault::{Fault, fault};
use super::moments::{DAY_MICROS, Wanted, moment, time};
use super::numbers::{decimal, double, integer, real};
use super::target::{LoadedColumn, LoadedType};
use crate::sql::TextOptions;

/// Whether a field stands for NULL.
// Text can be empty or blank, so it becomes NULL only when an option says so: two blanks stay two
// blanks in a VARCHAR, unless BLANKSASNULL is given. A number or a date cannot be empty or blank,
// so there such a field is always NULL.
fn is_null(field: &[u8], kind: LoadedType, options: &TextOptions) -> bool {
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

/// Writes a field of a record, or the reason why the column cannot take it.
pub(crate) fn write_field(
    field: &[u8],
    column: &LoadedColumn,
    options: &TextOptions,
    out: &mut RowBuffer,
) -> Result<(), Fault> {
    let trimmed = match column.kind {
        LoadedType::Varchar(_) if options.trim_blanks => field.trim_ascii_end(),
        _ => field,
    };
    // Both forms are checked. With TRIMBLANKS and BLANKSASNULL, two blanks are blank only before
    // they are trimmed to nothing, and `\N` with a blank behind it is the null mark only after.
    if is_null(field, column.kind, options) || is_null(trimmed, column.kind, options) {
        return write_null(column, options, out);
    }
    write_value(trimmed, column, options, out)
}

/// Writes a null. A NOT NULL column gets its default instead, and is a fault (1213) without one.
pub(crate) fn write_null(
    column: &LoadedColumn,
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
            &LoadedColumn { default: None, ..column.clone() },
            options,
            out,
        ),
        (None, true) => Err(fault(1213, "Missing data for not-null field")),
    }
}

/// Writes the value that FILLRECORD puts in place of a missing field.
pub(crate) fn write_missing(
    column: &LoadedColumn,
    options: &TextOptions,
    out: &mut RowBuffer,
) -> Result<(), Fault> {
    // A missing VARCHAR is the empty string, not a null. All other types, CHAR too, get a null.
    if matches!(column.kind, LoadedType::Varchar(_)) && !options.empty_as_null {
        out.bytes(b"");
        return Ok(());
    }
    write_null(column, options, out)
}

fn write_value(
    field: &[u8],
    column: &LoadedColumn,
    options: &TextOptions,
    out: &mut RowBuffer,
) -> Result<(), Fault> {
    match column.kind {
        LoadedType::Int2 => {
            out.int2(narrow(integer(field, "Short", i64::from(i16::MIN)..=i64::from(i16::MAX))?))
        }
        LoadedType::Int4 => {
            out.int4(narrow(integer(field, "Integer", i64::from(i32::MIN)..=i64::from(i32::MAX))?))
        }
        LoadedType::Int8 => out.int8(integer(field, "Long", i64::MIN..=i64::MAX)?),
        LoadedType::Float4 => out.float4(real(field)?),
        LoadedType::Float8 => out.float8(double(field, "Double")?),
        LoadedType::Bool => out.boolean(boolean(field)?),
        LoadedType::Numeric { precision, scale } => {
            out.numeric(decimal(field, precision, scale, options.round_decimals)?, scale)
        }
        LoadedType::Varchar(bytes) => out.bytes(&characters(field, bytes, options)?),
        LoadedType::Char(bytes) => out.bytes(&single_bytes(field, bytes, options)?),
        LoadedType::Date => match date(field, options)? {
            Some(days) => out.date(days),
            None => out.null(),
        },
        LoadedType::Timestamp | LoadedType::TimestampTz => {
            match timestamp(field, column.kind, options)? {
                Some(micros) => out.timestamp(micros),
                None => out.null(),
            }
        }
        LoadedType::Time => out.int8(
            time(field).ok_or_else(|| fault(1206, "Invalid time format or value [HH24:MI:SS]"))?,
        ),
        LoadedType::Super => {
            check_json(field)?;
            out.json(field);
        }
        LoadedType::Varbyte => out.bytes(
            &hex(field).ok_or_else(|| fault(1223, "Invalid hexadecimal value for VARBYTE"))?,
        ),
    }
    Ok(())
}

fn boolean(field: &[u8]) -> Result<bool, Fault> {
    loader_values::parse_bool_literal(field).ok_or_else(|| fault(1210, "Invalid boolean value"))
}

/// Days since 1970. `None` is the NULL that ACCEPTANYDATE loads for text that is not a date.
fn date(field: &[u8], options: &TextOptions) -> Result<Option<i32>, Fault> {
    // A DATEFORMAT may have hours in it, and `div_euclid` rounds down: 1969-12-31 23:00 is day -1.
    // With `/` it would be day 0, a day late.
    match moment(field, &options.date_format, Wanted::Date) {
        Some(micros) => Ok(Some(narrow(micros.div_euclid(DAY_MICROS)))),
        None if options.accept_any_date => Ok(None),
        None => Err(fault(
            1205,
            format!("Invalid Date Format - length must be 10 or more: {}", preview(field)),
        )),
    }
}

/// Microseconds since 1970. `None` is the NULL that ACCEPTANYDATE loads for text that is not a
/// moment.
fn timestamp(field: &[u8], kind: LoadedType, options: &TextOptions) -> Result<Option<i64>, Fault> {
    match moment(field, &options.time_format, Wanted::of(kind)) {
        Some(micros) => Ok(Some(micros)),
        None if options.accept_any_date => Ok(None),
        None => Err(fault(1206, "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]")),
    }
}

fn check_json(field: &[u8]) -> Result<(), Fault> {
    let value = serde_json::from_slice(field)
        .map_err(|error| fault(1224, format!("Invalid JSON: {error}")))?;
    strings_fit(&value)
        .then_some(())
        .ok_or_else(|| fault(1224, "String value exceeds the max size of 65535 bytes"))
}

/// Whether no string of a SUPER is longer than a VARCHAR may be. (A database can be set to take
/// longer ones, and few are.)
fn strings_fit(value: &Value) -> bool {
    let fits = |text: &String| text.len() <= 65_535;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => fits(text),
        Value::Array(values) => values.iter().all(strings_fit),
        Value::Object(members) => {
            members.iter().all(|(name, value)| fits(name) && strings_fit(value))
        }
    }
}

fn preview(field: &[u8]) -> String {
    String::from_utf8_lossy(&field[..field.len().min(32)]).into_owned()
}

fn narrow<T: TryFrom<i64> + Default>(number: i64) -> T {
    // The conversion never fails: `integer` has checked the type's range, and the days come from a
    // date in the years 1 to 9999.
    T::try_from(number).unwrap_or_default()
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
