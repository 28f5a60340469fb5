//! How the dates and times of a column are written.
//!
//! In: a text and patterns such as `%d.%m.%Y`. Out: the text as it is read in every column, such as
//! `2024-01-31`.

mod moment;
mod pattern;

use jiff::civil::{DateTime, datetime};
use loader_values::{
    format_date, parse_date, parse_date_loosely, parse_timestamp, parse_timestamp_loosely,
};
use serde::{Deserialize, Serialize};

use crate::zone::is_elsewhere;
use moment::Read;
use pattern::Pattern;

pub use pattern::PatternError;

const SECONDS_PER_DAY: i64 = 86_400;

/// The moment that messages show.
const SHOWN: DateTime = datetime(2024, 1, 31, 10, 30, 0, 0);
/// Days by which two patterns are told apart that read one text as two days.
const TRIED: [DateTime; 2] = [datetime(2024, 2, 1, 0, 0, 0, 0), datetime(2003, 5, 4, 0, 0, 0, 0)];

/// How dates and times are written: in one of the patterns, or without patterns in any of the forms
/// that are read where a table has the type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct MomentForm {
    patterns: Vec<Pattern>,
}

impl TryFrom<Vec<String>> for MomentForm {
    type Error = PatternError;

    fn try_from(patterns: Vec<String>) -> Result<MomentForm, PatternError> {
        MomentForm::new(&patterns)
    }
}

impl From<MomentForm> for Vec<String> {
    fn from(form: MomentForm) -> Vec<String> {
        form.patterns.iter().map(Pattern::to_string).collect()
    }
}

impl MomentForm {
    /// The form of moments. Errors: a pattern that is none, or two that read a text as two days.
    pub fn new(patterns: &[String]) -> Result<MomentForm, PatternError> {
        let patterns: Vec<Pattern> =
            patterns.iter().map(|pattern| Pattern::new(pattern)).collect::<Result<_, _>>()?;
        for (place, one) in patterns.iter().enumerate() {
            for other in &patterns[..place] {
                check_apart(other, one)?;
            }
        }
        Ok(MomentForm { patterns })
    }

    /// The form of days. Errors: as of [`Self::new`]; also for patterns with a zone, in which a day
    /// would become that of UTC.
    pub fn of_days(patterns: &[String]) -> Result<MomentForm, PatternError> {
        let form = MomentForm::new(patterns)?;
        match form.patterns.iter().find(|pattern| pattern.has_zone()) {
            Some(pattern) => Err(PatternError::ZoneOfDay(pattern.to_string())),
            None => Ok(form),
        }
    }

    /// A day, also as the midnight of that day.
    pub(super) fn spell_day(&self, text: &str) -> Option<String> {
        if self.patterns.is_empty() {
            let bytes = text.as_bytes();
            let is_day = parse_date(bytes).or_else(|| parse_date_loosely(bytes)).is_some();
            return (is_day && !is_elsewhere(bytes)).then(|| text.to_owned());
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

    /// A moment of this form, for messages. `usual`: the moment where there is no pattern.
    pub(super) fn example(&self, usual: &str) -> String {
        self.patterns.first().map_or_else(|| usual.to_owned(), |pattern| pattern.write(SHOWN))
    }

    fn read(&self, text: &str) -> Option<Read> {
        self.patterns.iter().find_map(|pattern| pattern.read(text))
    }
}

/// Refuses two patterns such as `%d/%m/%Y` and `%m/%d/%Y`: which of them fits would depend on the
/// day.
fn check_apart(one: &Pattern, other: &Pattern) -> Result<(), PatternError> {
    for day in TRIED {
        let text = one.write(day);
        let (first, second) = (one.read(&text), other.read(&text));
        if first.is_some() && second.is_some() && first != second {
            return Err(PatternError::TwoDays(one.to_string(), other.to_string(), text));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
