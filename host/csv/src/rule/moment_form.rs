//! How the dates and times of a column are written.
//!
//! In: a text and patterns such as `%d.%m.%Y`. Out: the text as it is read in every column, such as
//! `2024-01-31`.

use jiff::civil::{DateTime, Time, datetime};
use jiff::fmt::strtime;
use jiff::tz::{Offset, TimeZone};
use loader_values::{
    format_date, format_timestamp, parse_date, parse_date_loosely, parse_timestamp,
    parse_timestamp_loosely,
};
use thiserror::Error;

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// A moment that each pattern must give back as far as its day: 2024-01-31 10:30:00.
const SAMPLE: DateTime = datetime(2024, 1, 31, 10, 30, 0, 0);
const SAMPLE_DAY: i64 = 19_753;

/// How dates and times are written: in one of the patterns, or without patterns in any of the forms
/// that are read where a table has the type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MomentForm {
    patterns: Vec<Pattern>,
}

/// One way to write moments.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    /// Letters behind percent signs, as those of strftime.
    Written(String),
    /// A whole number of parts of a second since 1970-01-01 00:00 UTC: so many parts each second.
    Epoch { parts: i64 },
}

/// Why a pattern cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PatternError {
    #[error(
        "the format `{0}` is not understood ({1}); a date such as 31.01.2024 has the format \
         %d.%m.%Y, a time such as 10:30:00 has %H:%M:%S, and seconds since 1970 have epochsecs"
    )]
    NotUnderstood(String, String),
    #[error(
        "the format `{0}` does not tell the whole day; it needs year, month and day, as %d.%m.%Y \
         has them"
    )]
    NoDay(String),
}

/// A moment as it was read.
struct Read {
    /// Seconds since 1970-01-01 00:00:00, in UTC where the text has a zone.
    seconds: i64,
    /// Below a second, and never negative.
    nanos: u32,
}

impl MomentForm {
    /// Errors: a pattern that is none, or with which no day can be told.
    pub fn new(patterns: &[String]) -> Result<MomentForm, PatternError> {
        let patterns = patterns.iter().map(|pattern| Pattern::new(pattern));
        Ok(MomentForm { patterns: patterns.collect::<Result<_, _>>()? })
    }

    /// A day, also as the midnight of that day.
    pub(super) fn spell_day(&self, text: &str) -> Option<String> {
        if self.patterns.is_empty() {
            let bytes = text.as_bytes();
            let is_day = parse_date(bytes).or_else(|| parse_date_loosely(bytes)).is_some();
            return is_day.then(|| text.to_owned());
        }
        let Read { seconds, nanos } = self.read(text)?;
        let is_midnight = seconds.rem_euclid(SECONDS_PER_DAY) == 0 && nanos == 0;
        let days = i32::try_from(seconds.div_euclid(SECONDS_PER_DAY)).ok()?;
        let spelt = is_midnight.then(|| format_date(days))?;
        parse_date(spelt.as_bytes()).map(|_| spelt)
    }

    /// A moment without a zone. Digits past the microsecond stay, so that they are counted when they
    /// are cut.
    pub(super) fn spell_moment(&self, text: &str) -> Option<String> {
        let spelt = match self.patterns.as_slice() {
            [] => text.to_owned(),
            _ => self.read(text)?.spelt()?,
        };
        let bytes = spelt.as_bytes();
        let is_moment =
            parse_timestamp(bytes).is_some() || parse_timestamp_loosely(bytes).is_some();
        is_moment.then_some(spelt)
    }

    /// As [`Self::spell_moment`], with the zone UTC behind it. Without patterns the text stays as it
    /// is, and is judged where the warehouse's spelling is.
    pub(super) fn spell_zoned(&self, text: &str) -> Option<String> {
        match self.patterns.as_slice() {
            [] => Some(text.to_owned()),
            _ => Some(format!("{}+00", self.spell_moment(text)?)),
        }
    }

    /// A moment of this form, for messages. `usual`: the pattern where there is none.
    pub(super) fn example(&self, usual: &str) -> String {
        match self.patterns.first() {
            Some(Pattern::Epoch { parts }) => {
                (SAMPLE_DAY * SECONDS_PER_DAY).saturating_mul(*parts).to_string()
            }
            Some(Pattern::Written(pattern)) => written(pattern).unwrap_or_default(),
            None => written(usual).unwrap_or_default(),
        }
    }

    fn read(&self, text: &str) -> Option<Read> {
        self.patterns.iter().find_map(|pattern| pattern.read(text).ok())
    }
}

impl Pattern {
    fn new(pattern: &str) -> Result<Pattern, PatternError> {
        let parts = match pattern {
            "epochsecs" => Some(1),
            "epochmillisecs" => Some(1000),
            _ => None,
        };
        if let Some(parts) = parts {
            return Ok(Pattern::Epoch { parts });
        }
        let not_understood =
            |error: jiff::Error| PatternError::NotUnderstood(pattern.to_owned(), error.to_string());
        let shown = written(pattern).map_err(not_understood)?;
        if shown == pattern {
            let no_letters = "it has no letter behind a percent sign".to_owned();
            return Err(PatternError::NotUnderstood(pattern.to_owned(), no_letters));
        }
        let day =
            read_written(pattern, &shown).ok().map(|read| read.seconds.div_euclid(SECONDS_PER_DAY));
        match day == Some(SAMPLE_DAY) {
            true => Ok(Pattern::Written(pattern.to_owned())),
            false => Err(PatternError::NoDay(pattern.to_owned())),
        }
    }

    fn read(&self, text: &str) -> Result<Read, jiff::Error> {
        match self {
            Pattern::Written(pattern) => read_written(pattern, text),
            Pattern::Epoch { parts } => read_epoch(text, *parts),
        }
    }
}

impl Read {
    fn spelt(&self) -> Option<String> {
        let whole = format_timestamp(self.seconds.checked_mul(MICROS_PER_SECOND)?);
        let nanos = format!("{:09}", self.nanos);
        Some(match nanos.trim_end_matches('0') {
            "" => whole,
            fraction => format!("{whole}.{fraction}"),
        })
    }
}

fn written(pattern: &str) -> Result<String, jiff::Error> {
    strtime::format(pattern, &SAMPLE.to_zoned(TimeZone::UTC)?)
}

fn read_written(pattern: &str, text: &str) -> Result<Read, jiff::Error> {
    let read = strtime::parse(pattern, text)?;
    let time = read.to_time().unwrap_or(Time::midnight());
    let offset = i64::from(read.offset().map_or(0, Offset::seconds));
    let date = read.to_date()?;
    check_year(date.year(), text)?;
    let moment = DateTime::from_parts(date, time);
    let moment = moment.to_zoned(TimeZone::UTC)?.timestamp();
    let (seconds, nanos) = (moment.as_second(), moment.subsec_nanosecond());
    // Both have the sign of the moment.
    let (seconds, nanos) =
        if nanos < 0 { (seconds - 1, nanos + 1_000_000_000) } else { (seconds, nanos) };
    Ok(Read { seconds: seconds - offset, nanos: nanos.unsigned_abs() })
}

/// Refuses years that are not written with four digits where the pattern says so: `%Y` reads `99` as
/// the year 99. (`%y` reads it as 1999.)
fn check_year(year: i16, text: &str) -> Result<(), jiff::Error> {
    match year < 1000 && !text.contains(&format!("{year:04}")) {
        true => Err(jiff::Error::from_args(format_args!("the year has fewer than four digits"))),
        false => Ok(()),
    }
}

fn read_epoch(text: &str, parts: i64) -> Result<Read, jiff::Error> {
    let number: i64 = text
        .trim()
        .parse()
        .map_err(|_| jiff::Error::from_args(format_args!("the text is no whole number")))?;
    let nanos = number.rem_euclid(parts) * (1_000_000_000 / parts);
    Ok(Read { seconds: number.div_euclid(parts), nanos: nanos.unsigned_abs() as u32 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(patterns: &[&str]) -> MomentForm {
        let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        MomentForm::new(&patterns).expect("patterns")
    }

    fn check(spell: impl Fn(&str) -> Option<String>, texts: &[(&str, &str)]) {
        for (text, expected) in texts {
            let spelt = spell(text).unwrap_or_else(|| "refused".to_owned());
            assert_eq!(spelt, *expected, "{text}");
        }
    }

    #[test]
    fn days_are_read_by_their_patterns() {
        let german = form(&["%d.%m.%Y", "%d.%m.%y"]);
        check(|text| form(&["%d.%m.%Y"]).spell_day(text), &[("31.01.99", "refused")]);
        check(
            |text| german.spell_day(text),
            &[
                ("31.01.2024", "2024-01-31"),
                ("1.2.2024", "2024-02-01"),
                ("31.01.99", "1999-01-31"),
                ("30.02.2024", "refused"),
                ("2024-01-31", "refused"),
                ("31.01.2024 ", "refused"),
                ("", "refused"),
            ],
        );
        assert_eq!(german.example("%Y"), "31.01.2024");
        let named = form(&["%b %d, %Y"]);
        check(
            |text| named.spell_day(text),
            &[("Mar 05, 2024", "2024-03-05"), ("mar 5, 2024", "2024-03-05")],
        );
        let plain = form(&[]);
        check(
            |text| plain.spell_day(text),
            &[
                ("2024-01-31", "2024-01-31"),
                ("20240131", "20240131"),
                ("2024-01-31 00:00:00", "2024-01-31 00:00:00"),
                ("2024-01-31 10:00:00", "refused"),
                ("31.01.2024", "refused"),
            ],
        );
    }

    #[test]
    fn a_day_is_not_cut_from_a_moment() {
        let form = form(&["%d/%m/%Y %H:%M"]);
        check(
            |text| form.spell_day(text),
            &[("31/01/2024 00:00", "2024-01-31"), ("31/01/2024 10:30", "refused")],
        );
    }

    #[test]
    fn moments_are_read_by_their_patterns() {
        let american = form(&["%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y"]);
        check(
            |text| american.spell_moment(text),
            &[
                ("01/31/2024 10:30:00 PM", "2024-01-31 22:30:00"),
                ("1/31/2024 12:00:00 am", "2024-01-31 00:00:00"),
                ("01/31/2024", "2024-01-31 00:00:00"),
                ("31/01/2024", "refused"),
            ],
        );
        let zoned = form(&["%Y%m%dT%H%M%S%.f%z"]);
        check(
            |text| zoned.spell_moment(text),
            &[
                ("20240131T103000.5+0130", "2024-01-31 09:00:00.5"),
                ("20240131T103000.123456789+0000", "2024-01-31 10:30:00.123456789"),
                ("19691231T235959.25+0000", "1969-12-31 23:59:59.25"),
            ],
        );
        assert_eq!(
            zoned.spell_zoned("20240131T103000+0130").as_deref(),
            Some("2024-01-31 09:00:00+00")
        );
    }

    #[test]
    fn seconds_since_1970_are_moments() {
        check(
            |text| form(&["epochsecs"]).spell_moment(text),
            &[
                ("1706697000", "2024-01-31 10:30:00"),
                ("-1", "1969-12-31 23:59:59"),
                ("1706697000.5", "refused"),
                ("9999999999999999", "refused"),
            ],
        );
        check(
            |text| form(&["epochmillisecs"]).spell_moment(text),
            &[("1706697000250", "2024-01-31 10:30:00.25"), ("-1", "1969-12-31 23:59:59.999")],
        );
        assert_eq!(form(&["epochsecs"]).example(""), "1706659200");
    }

    #[test]
    fn a_pattern_must_tell_the_day() {
        let error = |pattern: &str| {
            let error = MomentForm::new(&[pattern.to_owned()]).expect_err("must be refused");
            error.to_string()
        };
        insta::assert_snapshot!(error("%d.%m"), @"the format `%d.%m` does not tell the whole day; it needs year, month and day, as %d.%m.%Y has them");
        insta::assert_snapshot!(error("DD.MM.YYYY"), @"the format `DD.MM.YYYY` is not understood (it has no letter behind a percent sign); a date such as 31.01.2024 has the format %d.%m.%Y, a time such as 10:30:00 has %H:%M:%S, and seconds since 1970 have epochsecs");
        insta::assert_snapshot!(error("%!"), @"the format `%!` is not understood (strftime formatting failed: found unrecognized specifier directive `!`); a date such as 31.01.2024 has the format %d.%m.%Y, a time such as 10:30:00 has %H:%M:%S, and seconds since 1970 have epochsecs");
    }
}
