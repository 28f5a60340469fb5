//! Fields by DATEFORMAT and TIMEFORMAT. In: a pattern and a field. Out: microseconds since 1970, or
//! nothing. For example, `DD.MON.YY` reads `05.Feb.99` as 1999-02-05. A pattern with unknown parts
//! was refused when the statement was read.

use crate::sql::part_at;

#[derive(Default)]
struct Parts {
    year: i32,
    month: i32,
    day: i32,
    hour: i32,
    minute: i32,
    second: i32,
    micros: i64,
    is_afternoon: Option<bool>,
}

fn digits(text: &mut &str, most: usize) -> Option<i32> {
    // Fewer digits than `most` are enough, so `MM/DD/YYYY` reads `1/5/2024`. Without any digit the
    // empty text does not parse, and the field is refused.
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(count);
    *text = rest;
    number.parse().ok()
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

fn month_name(text: &mut &str) -> Option<i32> {
    let name = text.get(..3)?.to_ascii_lowercase();
    let index = MONTHS.iter().position(|month| *month == name)?;
    *text = &text[3..];
    i32::try_from(index + 1).ok()
}

fn fraction(text: &mut &str) -> Option<i64> {
    let Some(rest) = text.strip_prefix('.') else { return Some(0) };
    let count = rest.bytes().take_while(u8::is_ascii_digit).count();
    if count == 0 || count > 6 {
        return None;
    }
    *text = &rest[count..];
    // The digits are filled up on the right: `.5` is 500,000 microseconds, not 5.
    Some(format!("{:0<6}", &rest[..count]).parse().unwrap_or(0))
}

/// Reads `field` by `pattern`; `None` when the two do not match. For a DATE, text behind the
/// pattern is ignored.
pub(crate) fn read(pattern: &str, field: &str, is_date: bool) -> Option<i64> {
    let mut parts = Parts { year: 1970, month: 1, day: 1, ..Parts::default() };
    let (mut pattern, mut text) = (pattern, field);
    // A character of the pattern that begins no part stands for itself: the field must have it too.
    while let Some(first) = pattern.chars().next() {
        if let Some(part) = part_at(pattern) {
            parts.read(part, &mut text)?;
            pattern = &pattern[part.len()..];
        } else {
            text = text.strip_prefix(first)?;
            pattern = &pattern[first.len_utf8()..];
        }
    }
    if text.is_empty() || is_date { parts.micros() } else { None }
}

impl Parts {
    /// Takes a part of the pattern from the start of `text`.
    // OF (an offset) is a part that a pattern may hold, but no field is read by it: the last arm
    // refuses the field.
    fn read(&mut self, part: &str, text: &mut &str) -> Option<()> {
        match part {
            "YYYY" => self.year = digits(text, 4)?,
            "YY" => {
                let year = digits(text, 2)?;
                self.year = if year < 70 { 2000 + year } else { 1900 + year };
            }
            "MON" => self.month = month_name(text)?,
            "MM" => self.month = digits(text, 2)?,
            "DD" => self.day = digits(text, 2)?,
            "HH" | "HH24" | "HH12" => self.hour = digits(text, 2)?,
            "MI" => self.minute = digits(text, 2)?,
            "SS" => {
                self.second = digits(text, 2)?;
                self.micros = fraction(text)?;
            }
            "AM" | "PM" => {
                self.is_afternoon = Some(text.get(..2)?.eq_ignore_ascii_case("pm"));
                *text = &text[2..];
            }
            _ => return None,
        }
        Some(())
    }

    /// Microseconds since 1970; `None` for a day or a time that does not exist.
    fn micros(&self) -> Option<i64> {
        // `parse_date` refuses a day that does not exist, such as 2024-02-30.
        let date = format!("{:04}-{:02}-{:02}", self.year, self.month, self.day);
        let days = loader_values::parse_date(date.as_bytes())?;
        // 12 AM is midnight and 12 PM is noon.
        let hour = match self.is_afternoon {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        if hour > 23 || self.minute > 59 || self.second > 59 {
            return None;
        }
        let seconds =
            i64::from(days) * 86_400 + i64::from(hour * 3600 + self.minute * 60 + self.second);
        Some(seconds * 1_000_000 + self.micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, field, expected) in [
            ("MM/DD/YYYY", "12/31/2001", Some("2001-12-31 00:00:00")),
            ("YYYYMMDD HHMISS", "20240229 235959", Some("2024-02-29 23:59:59")),
            ("DD.MON.YY", "05.Feb.99", Some("1999-02-05 00:00:00")),
            (
                "YYYY-MM-DD HH12:MI:SS AM",
                "2024-01-01 12:00:01.5 am",
                Some("2024-01-01 00:00:01.500000"),
            ),
            ("YYYY-MM-DD", "2024-13-01", None),
            ("YYYY-MM-DD", "2024-01-01x", None),
        ] {
            let micros = read(pattern, field, false);
            assert_eq!(micros.map(loader_values::format_timestamp).as_deref(), expected, "{field}");
        }
    }
}
