//! Dates and times in text by Redshift's rules for loads. In: bytes of a field and DATEFORMAT or
//! TIMEFORMAT. Out: microseconds since 1970, or nothing when the field has another form.

use super::format;
use super::target::LoadedType;
use crate::sql::Moment;

/// What a moment is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Date,
    Timestamp,
    TimestampTz,
}

impl Wanted {
    pub(crate) fn of(kind: LoadedType) -> Wanted {
        if kind == LoadedType::TimestampTz { Wanted::TimestampTz } else { Wanted::Timestamp }
    }
}

/// Microseconds since 1970.
pub(crate) fn moment(field: &[u8], form: &Moment, wanted: Wanted) -> Option<i64> {
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

/// Microseconds of a day.
pub(crate) const DAY_MICROS: i64 = 86_400_000_000;

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

/// A TIME, in microseconds since midnight.
pub(crate) fn time(field: &[u8]) -> Option<i64> {
    let whole = [b"1970-01-01 ", field].concat();
    let has_zone = field.iter().any(|byte| !matches!(byte, b'0'..=b'9' | b':' | b'.'));
    if has_zone { None } else { loader_values::parse_timestamp(&whole) }
}
