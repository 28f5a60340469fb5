//! Values as other programs write them, for columns whose type is known: a table has said that they
//! are whole numbers, dates or moments, so nothing has to be guessed.
//!
//! These functions take all that the strict ones take, and more. They never decide which type a new
//! column gets: `20240131` is a date in a DATE column and a number anywhere else.

use crate::calendar::parse_timestamp;
use crate::number::{Number, parse_i64};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// A moment, and whether digits of its second were cut: a microsecond is the finest that a
/// timestamp keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Microseconds since 1970-01-01 00:00 UTC.
    pub micros: i64,
    pub cut: bool,
}

/// Reads a number whose value is whole, such as `1.0`, `1e3` or `+5`, when it fits 64 bits.
pub fn parse_whole_loosely(text: &[u8]) -> Option<i64> {
    if let Some(value) = parse_i64(text) {
        return Some(value);
    }
    let number = Number::parse(text)?;
    let point = usize::try_from(number.point().max(0)).ok()?;
    let digits: Vec<u8> = number.digits().collect();
    let (before, behind) = digits.split_at(point.min(digits.len()));
    let zeros = point.saturating_sub(digits.len());
    if behind.iter().any(|digit| *digit != 0) {
        return None;
    }
    if before.iter().all(|digit| *digit == 0) {
        return Some(0);
    }
    let sign = if number.negative { "-" } else { "" };
    let before: String = before.iter().map(|digit| char::from(b'0' + digit)).collect();
    // More zeros than an `i64` has digits are too many in any case.
    parse_i64(format!("{sign}{before}{}", "0".repeat(zeros.min(20))).as_bytes())
}

/// Reads a day: all that [`parse_timestamp_loosely`] reads, as long as it is a midnight in UTC.
pub fn parse_date_loosely(text: &[u8]) -> Option<i32> {
    let micros = parse_timestamp_loosely(text)?.micros;
    if micros.rem_euclid(MICROS_PER_DAY) != 0 {
        return None;
    }
    i32::try_from(micros.div_euclid(MICROS_PER_DAY)).ok()
}

/// Reads a moment, with blanks at its end or none. Beside the strict form: `2024-1-5`, `20240105`,
/// hours of one digit, seven to nine digits of a second, a blank before the zone, and the zones
/// `+0100`, `UTC` and `GMT`.
pub fn parse_timestamp_loosely(text: &[u8]) -> Option<Moment> {
    let text = text.trim_ascii_end();
    if let Some(micros) = parse_timestamp(text) {
        return Some(Moment { micros, cut: false });
    }
    let (date, rest) = date(text)?;
    let (clock, cut, rest) = match rest {
        [b'T' | b' ', rest @ ..] => clock(rest)?,
        rest => (String::from(" 00:00:00"), false, rest),
    };
    let zone = zone(rest.trim_ascii_start())?;
    let micros = parse_timestamp(format!("{date}{clock}{zone}").as_bytes())?;
    Some(Moment { micros, cut })
}

/// Spells a time of day, with its zone, as the strict form has it: `9:05` becomes `09:05`. `None`
/// when it is none.
pub fn spell_time_loosely(text: &str) -> Option<String> {
    let (clock, _, rest) = clock(text.trim_end().as_bytes())?;
    let zone = zone(rest.trim_ascii_start())?;
    parse_timestamp(format!("2000-01-01{clock}{zone}").as_bytes())?;
    Some(format!("{}{zone}", clock.trim_start()))
}

/// `YYYY-M-D` or `YYYYMMDD` as `YYYY-MM-DD`, and what follows.
fn date(text: &[u8]) -> Option<(String, &[u8])> {
    let (digits, rest) = digits(text);
    match (digits.len(), rest) {
        (8, _) => {
            let (year, day) = digits.split_at(4);
            Some((format!("{year}-{}-{}", &day[..2], &day[2..]), rest))
        }
        (4, [b'-', rest @ ..]) => {
            let (month, rest) = one_or_two(rest)?;
            let [b'-', rest @ ..] = rest else { return None };
            let (day, rest) = one_or_two(rest)?;
            Some((format!("{digits}-{month}-{day}"), rest))
        }
        _ => None,
    }
}

/// `H:MM[:SS[.f]]` as ` HH:MM:SS.ffffff`, whether digits were cut, and what follows.
fn clock(text: &[u8]) -> Option<(String, bool, &[u8])> {
    let (hour, rest) = one_or_two(text)?;
    let [b':', rest @ ..] = rest else { return None };
    let (minute, rest) = rest.split_at_checked(2)?;
    let minute = std::str::from_utf8(minute).ok()?;
    let [b':', rest @ ..] = rest else {
        return Some((format!(" {hour}:{minute}"), false, rest));
    };
    let (second, rest) = rest.split_at_checked(2)?;
    let second = std::str::from_utf8(second).ok()?;
    let [b'.', rest @ ..] = rest else {
        return Some((format!(" {hour}:{minute}:{second}"), false, rest));
    };
    let (fraction, rest) = digits(rest);
    if !(1..=9).contains(&fraction.len()) {
        return None;
    }
    let (kept, lost) = fraction.split_at(fraction.len().min(6));
    let cut = lost.bytes().any(|digit| digit != b'0');
    Some((format!(" {hour}:{minute}:{second}.{kept}"), cut, rest))
}

/// A zone as the strict form spells it.
fn zone(text: &[u8]) -> Option<String> {
    match text {
        [] => Some(String::new()),
        b"Z" | b"z" => Some("Z".to_owned()),
        utc if utc.eq_ignore_ascii_case(b"utc") || utc.eq_ignore_ascii_case(b"gmt") => {
            Some("Z".to_owned())
        }
        [b'+' | b'-', rest @ ..] => {
            let sign = char::from(text[0]);
            let offset = std::str::from_utf8(rest).ok()?;
            match rest.len() {
                4 => Some(format!("{sign}{}:{}", offset.get(..2)?, offset.get(2..)?)),
                _ => Some(format!("{sign}{offset}")),
            }
        }
        _ => None,
    }
}

fn one_or_two(text: &[u8]) -> Option<(String, &[u8])> {
    let (digits, rest) = digits(text);
    matches!(digits.len(), 1 | 2).then(|| (format!("{digits:0>2}"), rest))
}

fn digits(text: &[u8]) -> (&str, &[u8]) {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(count);
    // Digits are ASCII.
    (std::str::from_utf8(digits).unwrap_or_default(), rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{format_date, format_timestamp, parse_date};

    #[test]
    fn whole_numbers_in_other_forms() {
        for (text, value) in [
            ("5", 5),
            ("+5", 5),
            ("1.0", 1),
            ("-12.000", -12),
            ("1e3", 1000),
            ("1.5e1", 15),
            ("120e-1", 12),
            ("0.0", 0),
            ("0e9", 0),
            ("0.000e-5", 0),
            ("9223372036854775807.0", i64::MAX),
        ] {
            assert_eq!(parse_whole_loosely(text.as_bytes()), Some(value), "{text:?}");
        }
        for text in
            ["1.5", "1e-1", "15e-1", "0.01e1", "9223372036854775808.0", "1e19", "1e99", "x", ""]
        {
            assert_eq!(parse_whole_loosely(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn moments_in_other_forms() {
        let read = |text: &str| {
            let moment = parse_timestamp_loosely(text.as_bytes())?;
            Some((format_timestamp(moment.micros), moment.cut))
        };
        for (text, shown, cut) in [
            ("2024-1-5", "2024-01-05 00:00:00", false),
            ("20240105", "2024-01-05 00:00:00", false),
            ("2024-01-05 ", "2024-01-05 00:00:00", false),
            ("2024-1-5 9:05", "2024-01-05 09:05:00", false),
            ("20240105T090500", "", false),
            ("2024-01-05T09:05:00+0200", "2024-01-05 07:05:00", false),
            ("2024-01-05 09:05:00 -0500", "2024-01-05 14:05:00", false),
            ("2024-01-05 09:05:00 UTC", "2024-01-05 09:05:00", false),
            ("2024-01-05 09:05:00.1234567", "2024-01-05 09:05:00.123456", true),
            ("2024-01-05 09:05:00.123456000Z", "2024-01-05 09:05:00.123456", false),
            ("2024-01-05 09:05:00.1234567890", "", false),
            ("2024-02-30", "", false),
            ("2024-13-1", "", false),
            ("24-1-5", "", false),
            ("2024-1", "", false),
            ("2024-01-05 24:00", "", false),
            ("2024-01-05 CET", "", false),
            ("", "", false),
        ] {
            let expected = (!shown.is_empty()).then(|| (shown.to_owned(), cut));
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn days_are_midnights() {
        let read = |text: &str| parse_date_loosely(text.as_bytes()).map(format_date);
        for text in
            ["2024-01-05", "20240105", "2024-1-5", "2024-01-05 00:00:00", "2024-01-05T00:00Z"]
        {
            assert_eq!(read(text).as_deref(), Some("2024-01-05"), "{text:?}");
        }
        for text in ["2024-01-05 00:00:01", "2024-01-05 00:00+02", "1704412800", "x"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn times_in_other_forms() {
        assert_eq!(spell_time_loosely("9:05:00").as_deref(), Some("09:05:00"));
        assert_eq!(spell_time_loosely("9:05 +0200").as_deref(), Some("09:05+02:00"));
        assert_eq!(spell_time_loosely("23:59:59.5").as_deref(), Some("23:59:59.5"));
        for text in ["24:00", "9", "9:5", "x", "", "9:05pm"] {
            assert_eq!(spell_time_loosely(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_strictly_is_read_the_same(text in "[0-9]{4}-[01][0-9]-[0-3][0-9]( [0-2][0-9]:[0-5][0-9](:[0-5][0-9](.[0-9]{1,6})?)?)?(Z|[+-][01][0-9])?") {
            if let Some(micros) = parse_timestamp(text.as_bytes()) {
                let moment = Moment { micros, cut: false };
                prop_assert_eq!(parse_timestamp_loosely(text.as_bytes()), Some(moment));
            }
            if let Some(days) = parse_date(text.as_bytes()) {
                prop_assert_eq!(parse_date_loosely(text.as_bytes()), Some(days));
            }
        }

        #[test]
        fn nothing_panics(text in "[-+0-9.:TZUutc eE/]{0,30}") {
            let _ = parse_timestamp_loosely(text.as_bytes());
            let _ = spell_time_loosely(&text);
            let _ = parse_whole_loosely(text.as_bytes());
        }
    }
}
