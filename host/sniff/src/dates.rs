//! Columns of dates that are not written as `2024-01-31`: only their format tells what they say.

/// A column of dates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateColumn {
    pub name: String,
    /// The formats that all of its dates have, in the letters of strftime: two where no day over 12
    /// tells the day from the month.
    pub formats: Vec<String>,
    /// Whether a time of day stands behind the date.
    pub has_time: bool,
    pub count: u64,
}

/// What the texts of a column tell of dates.
#[derive(Default)]
pub(crate) struct Dates {
    count: u64,
    others: u64,
    /// As the first date is written; all must be.
    form: Option<Form>,
    /// The greatest first and second number.
    greatest: (u32, u32),
}

/// How a date is written.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Form {
    separator: char,
    time: Time,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Time {
    None,
    Minutes,
    Seconds,
}

impl Dates {
    /// Adds a text that is not empty and no NULL.
    pub(crate) fn add(&mut self, text: &str) {
        match date(text) {
            Some((form, first, second)) if self.form.is_none_or(|known| known == form) => {
                self.form = Some(form);
                self.count += 1;
                self.greatest = (self.greatest.0.max(first), self.greatest.1.max(second));
            }
            _ => self.others += 1,
        }
    }

    /// The column, if all of its texts are dates of one form.
    pub(crate) fn column(&self, name: &str) -> Option<DateColumn> {
        let form = self.form.filter(|_| self.others == 0)?;
        // With points the day goes first, wherever dates have points.
        let can_be = |day: u32, month: u32| day <= 31 && month <= 12;
        let (first, second) = self.greatest;
        let is_month_first = can_be(second, first) && form.separator != '.';
        let orders = [(can_be(first, second), "%d", "%m"), (is_month_first, "%m", "%d")];
        let time = match form.time {
            Time::None => "",
            Time::Minutes => " %H:%M",
            Time::Seconds => " %H:%M:%S",
        };
        let by = form.separator;
        let formats = orders.into_iter().filter(|(fits, _, _)| *fits);
        let formats: Vec<String> =
            formats.map(|(_, one, two)| format!("{one}{by}{two}{by}%Y{time}")).collect();
        let (name, has_time, count) = (name.to_owned(), form.time != Time::None, self.count);
        (!formats.is_empty()).then_some(DateColumn { name, formats, has_time, count })
    }
}

/// A date such as `31.01.2024` or `1/31/2024 10:30`: its form, and its first two numbers.
fn date(text: &str) -> Option<(Form, u32, u32)> {
    let (day, time) = match text.split_once(' ') {
        Some((day, time)) => (day, time_of(time)?),
        None => (text, Time::None),
    };
    let separator = day.chars().find(|c| !c.is_ascii_digit())?;
    let mut numbers = day.split(separator);
    let (first, second, year) = (numbers.next()?, numbers.next()?, numbers.next()?);
    let is_date = matches!(separator, '.' | '/' | '-')
        && numbers.next().is_none()
        && number(year, 4..=4).is_some();
    let (first, second) = (number(first, 1..=2)?, number(second, 1..=2)?);
    let numbers_fit = first >= 1 && second >= 1 && first.max(second) <= 31;
    (is_date && numbers_fit).then_some((Form { separator, time }, first, second))
}

fn time_of(text: &str) -> Option<Time> {
    let parts: Vec<&str> = text.split(':').collect();
    let below = |part: &str, end: u32| number(part, 1..=2).is_some_and(|value| value < end);
    match parts.as_slice() {
        [hour, minute] if below(hour, 24) && below(minute, 60) => Some(Time::Minutes),
        [hour, minute, second] if below(hour, 24) && below(minute, 60) && below(second, 60) => {
            Some(Time::Seconds)
        }
        _ => None,
    }
}

/// A number of so many digits.
fn number(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let is_number = digits.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formats(texts: &[&str]) -> Vec<String> {
        let mut dates = Dates::default();
        texts.iter().for_each(|text| dates.add(text));
        dates.column("d").map(|column| column.formats).unwrap_or_default()
    }

    #[test]
    fn the_format_is_told_by_all_dates() {
        assert_eq!(formats(&["31.01.2024", "1.2.2024"]), ["%d.%m.%Y"]);
        assert_eq!(formats(&["01.02.2024"]), ["%d.%m.%Y"]);
        assert_eq!(formats(&["01/31/2024", "02/01/2024"]), ["%m/%d/%Y"]);
        assert_eq!(formats(&["31-01-2024 10:30"]), ["%d-%m-%Y %H:%M"]);
        assert_eq!(formats(&["31/01/2024 1:05:09"]), ["%d/%m/%Y %H:%M:%S"]);
        assert_eq!(formats(&["01/02/2024"]), ["%d/%m/%Y", "%m/%d/%Y"]);
    }

    #[test]
    fn what_is_no_date_in_one_row_is_no_column_of_dates() {
        for texts in [
            &["31.01.2024", "n. a."][..],
            &["31.01.2024", "31/01/2024"],
            &["31.01.2024", "31.01.2024 10:30"],
            &["31/01/2024", "01/31/2024"],
            &["01.31.2024"],
            &["2024-01-31"],
            &["1.2.24"],
            &["00.01.2024"],
            &["31.01.2024 25:00"],
            &["1.2.3"],
            &[],
        ] {
            assert_eq!(formats(texts), [""; 0], "{texts:?}");
        }
    }
}
