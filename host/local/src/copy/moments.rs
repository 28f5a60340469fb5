//! Dates and times in text by Redshift's rules for loads. In: bytes of a field and DATEFORMAT or
//! TIMEFORMAT. Out: microseconds since 1970, or nothing when the field has another form.

use super::format;
use super::target::LoadedType;
use crate::sql::Moment;

/// The kind of column that a moment is read for.
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

/// `YYYY-MM-DD HH:MI:SS[.ffffff]`. A DATE ignores the time, and a TIMESTAMP without a time is
/// midnight. Only a TIMESTAMPTZ may have an offset: `2024-02-29 01:02:03+02` is refused for a
/// TIMESTAMP.
fn default_form(field: &[u8], wanted: Wanted) -> Option<i64> {
    let (date, rest) = field.split_at_checked(10)?;
    if wanted == Wanted::Date || rest.is_empty() {
        return midnight(date);
    }
    // The minus signs of the date are not in `rest`, so a minus sign here begins an offset.
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
    // `micros` is UTC, but a DATE takes the day as it is written: `2024-02-29T23:30:00-05` is the
    // 29th, although in UTC the 1st of March has begun.
    if wanted == Wanted::Date { midnight(&field[..10]) } else { Some(micros) }
}

/// A TIME, in microseconds since midnight.
pub(crate) fn time(field: &[u8]) -> Option<i64> {
    // On the first day, microseconds since 1970 are microseconds since midnight. An offset would
    // move them to another day, so any character that a plain time does not have is refused.
    let whole = [b"1970-01-01 ", field].concat();
    let has_zone = field.iter().any(|byte| !matches!(byte, b'0'..=b'9' | b':' | b'.'));
    if has_zone { None } else { loader_values::parse_timestamp(&whole) }
}
