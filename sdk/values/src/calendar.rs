//! Dates and timestamps in the proleptic Gregorian calendar, years 0001 to 9999, without leap
//! seconds.
//!
//! A date is a number of days and a timestamp a number of microseconds in UTC, both since
//! 1970-01-01, as in Arrow. (For example, 1970-02-01 is day 31.) The way from a day to its
//! date is Howard Hinnant's, <https://howardhinnant.github.io/date_algorithms.html>.

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// `0000-00-`, the first byte lowest, and the places of its dashes.
const FRONT_OF_DATE: u64 = u64::from_le_bytes(*b"0000-00-");
const DASHES_OF_DATE: u64 = 0xFF00_00FF_0000_0000;

/// Reads `YYYY-MM-DD`, a day that exists, as the number of days since 1970-01-01.
///
/// For example, `2024-02-29` becomes 19782. `2023-02-29` and `2024-2-29` are `None`.
#[inline]
pub fn parse_date(text: &[u8]) -> Option<i32> {
    let (front, day) = text.first_chunk::<8>().zip(text.last_chunk::<2>())?;
    // Each byte is 0 to 9 where a digit stands, and 0 where a dash does. Adding 6 moves more than 9
    // into the upper half of its byte.
    let (front, day) =
        (u64::from_le_bytes(*front) ^ FRONT_OF_DATE, u16::from_le_bytes(*day) ^ 0x3030);
    let is_date = text.len() == 10
        && front & DASHES_OF_DATE == 0
        && (front | (front + 0x0606_0606_0606_0606)) & 0xF0F0_F0F0_F0F0_F0F0 == 0
        && (u32::from(day) | (u32::from(day) + 0x0606)) & 0xF_F0F0 == 0;
    if !is_date {
        return None;
    }
    // The first digit of each pair is in the lower byte: ten times it, and the byte above it.
    let pairs = front * 10 + (front >> 8);
    let pair = |byte: u32| ((pairs >> (8 * byte)) & 0xFF) as i32;
    let (year, month) = (pair(0) * 100 + pair(2), pair(5));
    let day = i32::from((day & 0xFF) * 10 + (day >> 8));
    if year == 0 || !(1..=12).contains(&month) || day == 0 || day > days_in_month(year, month) {
        return None;
    }
    Some(days_from_civil(year, month, day))
}

/// Reads `YYYY-MM-DD[T ]HH:MM[:SS[.f]][Z|±HH[:MM]]` with one to six digits in `f` as the number of
/// microseconds since 1970-01-01 00:00 UTC. A date alone stands for its midnight.
///
/// A time without an offset is in UTC. (For example, `2024-03-01T00:30+01` is 23:30 of the day
/// before.) The result is `None` for more than six digits in `f`, because the others would be lost.
/// It is `None` as well for 24:00, leap seconds, offsets of 16 hours or more, and times that fall
/// outside of the years 0001 to 9999 in UTC.
#[inline]
pub fn parse_timestamp(text: &[u8]) -> Option<i64> {
    let (date, time) = text.split_at_checked(10)?;
    let midnight = i64::from(parse_date(date)?) * MICROS_PER_DAY;
    let micros = midnight + parse_time(time)?;
    // The years are checked once the offset is applied: `0001-01-01 00:00+01` is still in the year
    // before.
    let year_1 = i64::from(days_from_civil(1, 1, 1)) * MICROS_PER_DAY;
    let year_10000 = i64::from(days_from_civil(10_000, 1, 1)) * MICROS_PER_DAY;
    (year_1..year_10000).contains(&micros).then_some(micros)
}

/// `[T ]HH:MM[:SS[.f]][Z|±HH[:MM]]` or nothing, in microseconds after midnight UTC: an offset can
/// put it before midnight, or past the next one.
#[inline]
fn parse_time(text: &[u8]) -> Option<i64> {
    match text {
        [] => Some(0),
        [b'T' | b' ', h1, h2, b':', m1, m2, rest @ ..] => {
            let (hour, minute) = (two_digits(*h1, *h2)?, two_digits(*m1, *m2)?);
            let (seconds, rest) = parse_seconds(rest)?;
            if hour > 23 || minute > 59 {
                return None;
            }
            // An offset says how far the clock is ahead of UTC, so it is subtracted: `12:00+02` is
            // 10:00 in UTC.
            Some(i64::from(hour * 60 + minute) * 60_000_000 + seconds - parse_offset(rest)?)
        }
        _ => None,
    }
}

/// `[:SS[.f{1,6}]]` in microseconds, and what follows.
// The digits of `f` are padded on the right to six: `.5` is 500,000 microseconds, not 5.
fn parse_seconds(text: &[u8]) -> Option<(i64, &[u8])> {
    let [b':', s1, s2, rest @ ..] = text else {
        return Some((0, text));
    };
    let seconds = two_digits(*s1, *s2).filter(|seconds| *seconds < 60)?;
    let [b'.', rest @ ..] = rest else {
        return Some((i64::from(seconds) * 1_000_000, rest));
    };
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=6).contains(&count) {
        return None;
    }
    let (digits, rest) = rest.split_at(count);
    let written = digits.iter().fold(0i64, |value, byte| value * 10 + i64::from(byte - b'0'));
    let micros = (count..6).fold(written, |value, _| value * 10);
    Some((i64::from(seconds) * 1_000_000 + micros, rest))
}

/// `Z`, `±HH`, `±HH:MM` or nothing, in microseconds east of UTC.
fn parse_offset(text: &[u8]) -> Option<i64> {
    let (sign, hours, minutes) = match text {
        [] | [b'Z'] => return Some(0),
        [sign, h1, h2] => (sign, two_digits(*h1, *h2)?, 0),
        [sign, h1, h2, b':', m1, m2] => (sign, two_digits(*h1, *h2)?, two_digits(*m1, *m2)?),
        _ => return None,
    };
    if hours > 15 || minutes > 59 {
        return None;
    }
    let micros = i64::from(hours * 60 + minutes) * 60_000_000;
    match sign {
        b'+' => Some(micros),
        b'-' => Some(-micros),
        _ => None,
    }
}

/// Writes `YYYY-MM-DD`. Years past 9999 have more digits, and years before 0000 a minus sign.
/// (Years are astronomical: 0000 is 1 BC.)
pub fn format_date(days: i32) -> String {
    let (year, month, day) = civil_from_days(i64::from(days));
    if year < 0 {
        format!("-{:04}-{month:02}-{day:02}", -year)
    } else {
        format!("{year:04}-{month:02}-{day:02}")
    }
}

/// Writes `YYYY-MM-DD HH:MM:SS` in UTC, with `.ffffff` only when the time is not a whole second.
/// Years are as in [`format_date`].
///
/// For example, 1500000 becomes `1970-01-01 00:00:01.500000`.
pub fn format_timestamp(micros: i64) -> String {
    // Euclidean division rounds towards the past: -1 microsecond is 1969-12-31 23:59:59.999999.
    let (days, clock) = (micros.div_euclid(MICROS_PER_DAY), micros.rem_euclid(MICROS_PER_DAY));
    let (seconds, fraction) = (clock / 1_000_000, clock % 1_000_000);
    // The cast cuts nothing: 2^63 microseconds are 1.07e8 days, and an `i32` holds 2.1e9.
    let date = format_date(days as i32);
    let time = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction == 0 { format!("{date} {time}") } else { format!("{date} {time}.{fraction:06}") }
}

#[inline]
fn two_digits(tens: u8, ones: u8) -> Option<i32> {
    // A byte below `0` wraps around to more than 9, so one comparison refuses both sides.
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| i32::from(tens) * 10 + i32::from(ones))
}

/// How many days a month has; the place is its number.
const DAYS_IN_MONTH: [u8; 16] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0, 0, 0];
/// How many days of a year that is no leap year are before a month.
const DAYS_BEFORE_MONTH: [u16; 16] =
    [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 0, 0, 0];
/// How many days are before 1970-01-01, counted from 0001-01-01.
const DAYS_BEFORE_1970: i32 = 719_162;

const fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

#[inline]
const fn days_in_month(year: i32, month: i32) -> i32 {
    DAYS_IN_MONTH[(month & 15) as usize] as i32 + (month == 2 && is_leap(year)) as i32
}

// For years from 1 on: those before this one have a leap day every 4 years, but none in 3 of 4
// centuries.
#[inline]
const fn days_from_civil(year: i32, month: i32, day: i32) -> i32 {
    let before = year - 1;
    let centuries = before / 100;
    let leap_days = before / 4 - centuries + centuries / 4;
    let leap_day = (month > 2 && is_leap(year)) as i32;
    let in_year = DAYS_BEFORE_MONTH[(month & 15) as usize] as i32 + leap_day + day - 1;
    before * 365 + leap_days + in_year - DAYS_BEFORE_1970
}

// The way back. Euclidean division gives days before 0000-03-01 an era below zero. The quotients
// take the leap days out of the day of the era (one for each 4 years, none for a century, one for
// the era), so that a division by 365 gives the year.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_day_of_ten_thousand_years_has_its_number() {
        let mut days = -719_162;
        for year in 1..=9999 {
            for month in 1..=12 {
                for day in 1..=days_in_month(year, month) {
                    let text = format!("{year:04}-{month:02}-{day:02}");
                    assert_eq!(parse_date(text.as_bytes()), Some(days), "{text}");
                    assert_eq!(format_date(days), text);
                    days += 1;
                }
                let past = format!("{year:04}-{month:02}-{:02}", days_in_month(year, month) + 1);
                assert_eq!(parse_date(past.as_bytes()), None, "{past}");
            }
        }
        assert_eq!(parse_date(b"1970-01-01"), Some(0));
        assert_eq!(days, parse_date(b"9999-12-31").map_or(0, |last| last + 1));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "2024-1-01",
            "2024-01-1",
            "20240101",
            "2023-02-29",
            "1900-02-29",
            "2024-13-01",
            "2024-00-01",
            "2024-01-00",
            "0000-01-01",
            "2024/01/01",
            " 2024-01-01",
            "2024-01-01 ",
            "01-01-2024",
            "10000-01-01",
            "2024-01-0a",
            "-024-01-01",
        ] {
            assert_eq!(parse_date(text.as_bytes()), None, "{text:?}");
        }
    }

    /// Each byte of a date is looked at together with its neighbours, and still by itself.
    #[test]
    fn every_other_byte_at_every_place_makes_it_no_date() {
        for place in 0..10 {
            for byte in 0..=u8::MAX {
                let mut text = *b"2011-10-11";
                text[place] = byte;
                let is_digit = byte.is_ascii_digit() && ![4, 7].contains(&place);
                if !is_digit && byte != b"2011-10-11"[place] {
                    assert_eq!(parse_date(&text), None, "{text:?}");
                }
            }
        }
    }

    #[test]
    fn timestamps_are_in_utc() {
        let check = |text: &str, expected: &str| {
            let actual =
                parse_timestamp(text.as_bytes()).map_or("none".to_owned(), format_timestamp);
            assert_eq!(actual, expected, "{text:?}");
        };
        check("2024-02-29 12:34", "2024-02-29 12:34:00");
        check("2024-02-29T12:34:56", "2024-02-29 12:34:56");
        check("2024-02-29T12:34:56Z", "2024-02-29 12:34:56");
        check("2024-02-29 12:34:56.5", "2024-02-29 12:34:56.500000");
        check("1969-12-31 23:59:59.999999", "1969-12-31 23:59:59.999999");
        check("2024-02-29T23:30:00-01:30", "2024-03-01 01:00:00");
        check("2024-03-01T00:30+01", "2024-02-29 23:30:00");
        check("2024-02-29", "2024-02-29 00:00:00");
        check("0001-01-01 00:00", "0001-01-01 00:00:00");
        check("2024-02-29 12:00+15", "2024-02-28 21:00:00");
        check("2024-02-29 12:00-01:59", "2024-02-29 13:59:00");
        for text in [
            "",
            "2024-02-30 00:00",
            "2024-02-29T",
            "2024-02-29 1:00",
            "2024-02-29 24:00",
            "2024-02-29 12:60",
            "2024-02-29 12:34:60",
            "2024-02-29 12:34:56.",
            "2024-02-29 12:34:56.1234567",
            "2024-02-29 12:34:56 Z",
            "2024-02-29 12:34:56+16:00",
            "2024-02-29 12:34:56+01:60",
            "2024-02-29 12:34:56+01:99",
            "2024-02-29 1a:34",
            "2024-02-29 1::34",
            "2024-02-29 :1:34",
            "2024-02-29 12:34:56+0100",
            "2024-02-29 12:34.5",
            "2024-02-29  12:34",
            "0001-01-01 00:00+01",
            "9999-12-31 23:30-01",
            "2024-02-29x12:34",
        ] {
            check(text, "none");
        }
    }

    #[test]
    fn days_outside_of_the_calendar_still_print() {
        assert_eq!(format_date(-719_528), "0000-01-01");
        assert_eq!(format_date(-719_529), "-0001-12-31");
        assert_eq!(format_date(i32::MIN), "-5877641-06-23");
        assert_eq!(format_date(i32::MAX), "5881580-07-11");
        assert_eq!(format_timestamp(i64::MIN), "-290308-12-21 19:59:05.224192");
    }

    proptest! {
        #[test]
        fn every_timestamp_comes_back(micros in -62_135_596_800_000_000i64..253_402_300_800_000_000) {
            prop_assert_eq!(parse_timestamp(format_timestamp(micros).as_bytes()), Some(micros));
        }

        #[test]
        fn no_text_makes_it_panic(text: Vec<u8>, like in "[0-9]{4}-[0-9]{2}-[0-9]{2}[T \
                                                          ][0-9:.+Z-]{0,20}") {
            let _ = parse_timestamp(&text);
            let _ = parse_timestamp(like.as_bytes());
        }
    }
}
