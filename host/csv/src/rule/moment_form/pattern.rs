//! One way to write moments, such as `%d.%m.%Y`.
//!
//! In: a pattern with letters behind percent signs, as strftime has them. Out: the moment that a
//! text says. Nothing is guessed: a text has exactly the parts of the pattern, a number next to
//! another one has all of its digits, and a year has two or four as the pattern says. (Readers of
//! the libraries take `10124` for `%d%m%y`, and find the 10th of December 2004 in it.)

use std::fmt;

use jiff::civil::{Date, DateTime, Time, datetime};
use thiserror::Error;

use super::moment::Read;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// A year of two digits is one from 1969 to 2068, as in POSIX.
const FIRST_YEAR: i16 = 1969;
const EPOCH: DateTime = datetime(1970, 1, 1, 0, 0, 0, 0);
const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// One way to write moments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    Written {
        pattern: String,
        parts: Vec<Part>,
    },
    /// A number of seconds since 1970-01-01 00:00 UTC, or of so many parts of a second.
    Epoch {
        parts: i64,
    },
}

/// A piece of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Literal(char),
    Year,
    YearOfCentury,
    Month,
    MonthName,
    Day,
    Hour,
    HourOfHalf,
    Half,
    Minute,
    Second,
    /// The point and up to nine digits; or nothing.
    Fraction,
    Zone,
}

/// Why a pattern cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PatternError {
    #[error("the format `{0}` has `%{1}`, which is not known; {HELP}")]
    Unknown(String, String),
    #[error("the format `{0}` has no letter behind a percent sign; {HELP}")]
    NoLetters(String),
    #[error(
        "the format `{0}` does not tell the whole day; it needs year, month and day, as %d.%m.%Y \
         has them"
    )]
    NoDay(String),
    #[error("the format `{0}` tells something twice; leave one of the two away")]
    Twice(String),
    #[error(
        "the format `{0}` does not tell the whole time; %M needs the hour before it, %S the \
         minute, %I goes together with %p, and a zone needs a time"
    )]
    NoTime(String),
    #[error("the format `{0}` has a zone, and a date has none; give the column the type timestamp")]
    ZoneOfDay(String),
    #[error("the formats `{0}` and `{1}` read {2} as two days; keep one of them")]
    TwoDays(String, String, String),
}

const HELP: &str = "a date such as 31.01.2024 has the format %d.%m.%Y, a time such as 10:30:00 has \
                    %H:%M:%S, and seconds since 1970 have epochsecs (all letters: docs/columns.md)";

/// The numbers that a text says.
#[derive(Default)]
struct Found {
    year: i16,
    month: i8,
    day: i8,
    hour: i8,
    is_afternoon: Option<bool>,
    minute: i8,
    second: i8,
    nanos: i32,
    /// Seconds east of UTC.
    offset: i64,
}

impl Pattern {
    pub(super) fn new(pattern: &str) -> Result<Pattern, PatternError> {
        let epoch = [("epochsecs", 1), ("epochmillisecs", 1000), ("epochmicrosecs", 1_000_000)];
        if let Some((_, parts)) = epoch.into_iter().find(|(name, _)| *name == pattern) {
            return Ok(Pattern::Epoch { parts });
        }
        let mut parts = Vec::new();
        let mut letters = pattern.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '%' => parts.extend_from_slice(directive(pattern, &mut letters)?),
                literal => parts.push(Part::Literal(literal)),
            }
        }
        check(pattern, &parts)?;
        Ok(Pattern::Written { pattern: pattern.to_owned(), parts })
    }

    pub(super) fn has_zone(&self) -> bool {
        matches!(self, Pattern::Written { parts, .. } if parts.contains(&Part::Zone))
    }

    /// The moment that a text says. `None`: it is not written so, or there is no such moment.
    pub(super) fn read(&self, text: &str) -> Option<Read> {
        let parts = match self {
            Pattern::Written { parts, .. } => parts,
            Pattern::Epoch { parts } => return read_epoch(text, *parts),
        };
        let (mut found, mut rest) = (Found::default(), text);
        for (place, part) in parts.iter().enumerate() {
            let is_beside_digits = parts.get(place + 1).is_some_and(|next| next.is_number())
                || place.checked_sub(1).is_some_and(|before| parts[before].is_number());
            rest = part.take(rest, is_beside_digits, &mut found)?;
        }
        if rest.is_empty() { found.moment() } else { None }
    }

    /// A moment in this form.
    pub(super) fn write(&self, moment: DateTime) -> String {
        match self {
            Pattern::Written { parts, .. } => parts.iter().map(|part| part.write(moment)).collect(),
            Pattern::Epoch { parts } => {
                let seconds = moment.duration_since(EPOCH).as_secs();
                seconds.saturating_mul(*parts).to_string()
            }
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Pattern::Written { pattern, .. } => pattern,
            Pattern::Epoch { parts: 1 } => "epochsecs",
            Pattern::Epoch { parts: 1000 } => "epochmillisecs",
            Pattern::Epoch { .. } => "epochmicrosecs",
        })
    }
}

/// The parts of the directive behind a percent sign.
fn directive(
    pattern: &str,
    letters: &mut std::str::Chars<'_>,
) -> Result<&'static [Part], PatternError> {
    let unknown = |letters: String| PatternError::Unknown(pattern.to_owned(), letters);
    let letter = letters.next().ok_or_else(|| unknown(String::new()))?;
    Ok(match letter {
        'Y' => &[Part::Year],
        'y' => &[Part::YearOfCentury],
        'm' => &[Part::Month],
        'b' | 'B' | 'h' => &[Part::MonthName],
        'd' | 'e' => &[Part::Day],
        'H' => &[Part::Hour],
        'I' => &[Part::HourOfHalf],
        'p' => &[Part::Half],
        'M' => &[Part::Minute],
        'S' => &[Part::Second],
        'z' => &[Part::Zone],
        '%' => &[Part::Literal('%')],
        'F' => &[Part::Year, Part::Literal('-'), Part::Month, Part::Literal('-'), Part::Day],
        'T' => &[Part::Hour, Part::Literal(':'), Part::Minute, Part::Literal(':'), Part::Second],
        '.' | ':' => match (letter, letters.next()) {
            ('.', Some('f')) => &[Part::Fraction],
            (':', Some('z')) => &[Part::Zone],
            (mark, next) => {
                return Err(unknown(format!("{mark}{}", next.map_or(String::new(), String::from))));
            }
        },
        other => return Err(unknown(other.to_string())),
    })
}

/// Checks that the parts tell one moment, each of its numbers once.
fn check(pattern: &str, parts: &[Part]) -> Result<(), PatternError> {
    let pattern = || pattern.to_owned();
    let has = |part: Part| parts.contains(&part);
    let count = |among: &[Part]| parts.iter().filter(|part| among.contains(part)).count();
    if parts.iter().all(|part| matches!(part, Part::Literal(_))) {
        return Err(PatternError::NoLetters(pattern()));
    }
    let alternatives: [&[Part]; 9] = [
        &[Part::Year, Part::YearOfCentury],
        &[Part::Month, Part::MonthName],
        &[Part::Day],
        &[Part::Hour, Part::HourOfHalf],
        &[Part::Half],
        &[Part::Minute],
        &[Part::Second],
        &[Part::Fraction],
        &[Part::Zone],
    ];
    if alternatives.iter().any(|among| count(among) > 1) {
        return Err(PatternError::Twice(pattern()));
    }
    if alternatives[..3].iter().any(|among| count(among) == 0) {
        return Err(PatternError::NoDay(pattern()));
    }
    let has_hour = has(Part::Hour) || has(Part::HourOfHalf);
    let is_time = (has_hour || !(has(Part::Minute) || has(Part::Zone)))
        && (has(Part::Minute) || !has(Part::Second))
        && (has(Part::Second) || !has(Part::Fraction))
        && has(Part::HourOfHalf) == has(Part::Half);
    if is_time { Ok(()) } else { Err(PatternError::NoTime(pattern())) }
}

impl Part {
    fn is_number(self) -> bool {
        !matches!(
            self,
            Part::Literal(_) | Part::MonthName | Part::Half | Part::Zone | Part::Fraction
        )
    }

    /// Takes the part from the start of a text; returns the rest. `is_beside_digits`: another number
    /// stands next to this one, so all of its digits must be there.
    fn take<'a>(self, text: &'a str, is_beside_digits: bool, found: &mut Found) -> Option<&'a str> {
        let least = if is_beside_digits { 2 } else { 1 };
        let rest = match self {
            Part::Literal(literal) => return text.strip_prefix(literal),
            Part::MonthName => return month_name(text, found),
            Part::Half => return half(text, found),
            Part::Fraction => return fraction(text, found),
            Part::Zone => return zone(text, found),
            Part::Year => number(text, 4, 4, &mut found.year)?,
            Part::YearOfCentury => {
                let rest = number(text, 2, 2, &mut found.year)?;
                let is_before = found.year + 1900 < FIRST_YEAR;
                found.year += if is_before { 2000 } else { 1900 };
                rest
            }
            Part::Month => number(text, least, 2, &mut found.month)?,
            Part::Day => number(text, least, 2, &mut found.day)?,
            Part::Hour | Part::HourOfHalf => number(text, least, 2, &mut found.hour)?,
            Part::Minute => number(text, 2, 2, &mut found.minute)?,
            Part::Second => number(text, 2, 2, &mut found.second)?,
        };
        Some(rest)
    }

    fn write(self, moment: DateTime) -> String {
        let hour = (moment.hour() + 11) % 12 + 1;
        match self {
            Part::Literal(literal) => literal.to_string(),
            Part::Year => format!("{:04}", moment.year()),
            Part::YearOfCentury => format!("{:02}", moment.year().rem_euclid(100)),
            Part::Month => format!("{:02}", moment.month()),
            Part::MonthName => {
                MONTHS[usize::from(moment.month().unsigned_abs()) - 1][..3].to_owned()
            }
            Part::Day => format!("{:02}", moment.day()),
            Part::Hour => format!("{:02}", moment.hour()),
            Part::HourOfHalf => format!("{hour:02}"),
            Part::Half => if moment.hour() < 12 { "AM" } else { "PM" }.to_owned(),
            Part::Minute => format!("{:02}", moment.minute()),
            Part::Second => format!("{:02}", moment.second()),
            Part::Fraction => String::new(),
            Part::Zone => "+00:00".to_owned(),
        }
    }
}

/// Takes a number of so many digits: as many as there are, up to `most`.
fn number<'a, T: std::str::FromStr>(
    text: &'a str,
    least: usize,
    most: usize,
    into: &mut T,
) -> Option<&'a str> {
    let digits = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    *into = number.parse().ok().filter(|_| digits >= least)?;
    Some(rest)
}

/// An English name, whole or its first three letters.
fn month_name<'a>(text: &'a str, found: &mut Found) -> Option<&'a str> {
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (name, rest) = text.split_at(letters);
    let is_it =
        |month: &str| month.eq_ignore_ascii_case(name) || month[..3].eq_ignore_ascii_case(name);
    let place = MONTHS.iter().position(|month| is_it(month))?;
    found.month = i8::try_from(place + 1).ok()?;
    Some(rest)
}

fn half<'a>(text: &'a str, found: &mut Found) -> Option<&'a str> {
    let (half, rest) = text.split_at_checked(2)?;
    found.is_afternoon = match half.to_ascii_lowercase().as_str() {
        "am" => Some(false),
        "pm" => Some(true),
        _ => return None,
    };
    Some(rest)
}

fn fraction<'a>(text: &'a str, found: &mut Found) -> Option<&'a str> {
    let Some(behind) = text.strip_prefix('.') else { return Some(text) };
    let (nanos, rest) = nanos(behind)?;
    found.nanos = nanos;
    Some(rest)
}

/// One to nine digits behind a point, as nanoseconds.
fn nanos(text: &str) -> Option<(i32, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    let nanos = format!("{number:0<9}").parse().ok().filter(|_| (1..=9).contains(&digits))?;
    Some((nanos, rest))
}

/// `Z`, `+01`, `+0100` or `+01:00`, less than 16 hours.
fn zone<'a>(text: &'a str, found: &mut Found) -> Option<&'a str> {
    if let Some(rest) = text.strip_prefix(['Z', 'z']) {
        return Some(rest);
    }
    let (sign, rest) = text.split_at_checked(1)?;
    let sign = match sign {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (mut hours, mut minutes) = (0i64, 0i64);
    let mut rest = number(rest, 2, 2, &mut hours)?;
    if let Some(taken) = number(rest.strip_prefix(':').unwrap_or(rest), 2, 2, &mut minutes) {
        rest = taken;
    }
    found.offset = sign * (hours * 3600 + minutes * 60);
    (hours < 16 && minutes < 60).then_some(rest)
}

impl Found {
    fn moment(&self) -> Option<Read> {
        let hour = match self.is_afternoon {
            None => self.hour,
            Some(is_afternoon) if (1..=12).contains(&self.hour) => {
                self.hour % 12 + if is_afternoon { 12 } else { 0 }
            }
            Some(_) => return None,
        };
        let date = Date::new(self.year, self.month, self.day).ok()?;
        let time = Time::new(hour, self.minute, self.second, self.nanos).ok()?;
        let since = DateTime::from_parts(date, time).duration_since(EPOCH);
        let nanos = i64::from(since.subsec_nanos()).rem_euclid(NANOS_PER_SECOND);
        let seconds = since.as_secs() - i64::from(since.subsec_nanos() < 0);
        Some(Read { seconds: seconds - self.offset, nanos: u32::try_from(nanos).ok()? })
    }
}

/// A whole number, for seconds also with a fraction.
fn read_epoch(text: &str, parts: i64) -> Option<Read> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) if parts == 1 => (whole, Some(fraction)),
        _ => (text, None),
    };
    let number: i64 = whole.parse().ok()?;
    let nanos = match fraction.map(nanos) {
        None => number.rem_euclid(parts) * (NANOS_PER_SECOND / parts),
        // A fraction goes away from zero, as its number does.
        Some(Some((nanos, ""))) if text.starts_with('-') => -i64::from(nanos),
        Some(Some((nanos, ""))) => i64::from(nanos),
        Some(_) => return None,
    };
    let seconds = number.div_euclid(parts) + nanos.div_euclid(NANOS_PER_SECOND);
    Some(Read { seconds, nanos: u32::try_from(nanos.rem_euclid(NANOS_PER_SECOND)).ok()? })
}
