//! What a field looks like: a number, a day, a text. The looks decide between candidates, never
//! what a load makes of a value, so more is known here than the loader reads.

/// The looks of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Empty,
    /// A text such as `NA`.
    Null,
    Number,
    Date,
    Time,
    Moment,
    Boolean,
    Address,
    Text,
}

/// Texts that people write for NULL.
pub(crate) const NULLS: [&str; 18] = [
    "NA", "N/A", "n/a", "#N/A", "NULL", "Null", "null", "None", "NaN", "nan", "\\N", "-", "--",
    "---", ".", "..", "?", "(null)",
];

/// A number as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NumberText {
    pub(crate) mark: Mark,
    /// Digits before and behind the mark.
    pub(crate) digits: (usize, usize),
    pub(crate) has_groups: bool,
}

/// What a number has before its fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    None,
    Point,
    Comma,
    /// `1,234` is 1234 for some and 1.234 for others.
    CommaOrGroups,
}

pub(crate) fn kind(text: &str) -> Kind {
    let text = text.trim();
    let Some(first) = text.bytes().next() else { return Kind::Empty };
    if text.len() <= 6 && NULLS.contains(&text) {
        return Kind::Null;
    }
    if text.len() > 64 {
        return if is_address(text) { Kind::Address } else { Kind::Text };
    }
    if (first.is_ascii_digit() || !first.is_ascii_alphabetic()) && number(text).is_some() {
        return Kind::Number;
    }
    if let Some(kind) = moment(text) {
        return kind;
    }
    let booleans = ["true", "false", "yes", "no"];
    if booleans.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Kind::Boolean;
    }
    if is_address(text) { Kind::Address } else { Kind::Text }
}

/// An address of the web, of mail, or of a machine.
fn is_address(text: &str) -> bool {
    let is_web = text.contains("://") || text.starts_with("www.");
    let is_mail = text.split_once('@').is_some_and(|(name, host)| {
        let domain = host.rsplit_once('.').map_or("", |(_, domain)| domain);
        let is_domain = domain.starts_with(char::is_alphabetic);
        !name.is_empty() && is_domain && !host.contains('@')
    });
    let parts = || text.split('.');
    let is_machine = parts().count() == 4 && parts().all(|part| part.parse::<u8>().is_ok());
    !text.contains(' ') && (is_web || is_mail || is_machine)
}

pub(crate) fn number(text: &str) -> Option<NumberText> {
    let text = text.trim();
    let bare = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(text);
    let is_beside = |c: char| matches!(c, '$' | '€' | '£' | '¥' | '%' | '+' | '-' | ' ' | '\u{a0}');
    let bare = bare.trim_matches(is_beside);
    let (mantissa, exponent) = bare.split_once(['e', 'E']).unwrap_or((bare, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if exponent.is_empty() || !is_digits(exponent) {
        return None;
    }
    let is_of_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
    if !mantissa.contains(|c: char| c.is_ascii_digit()) || !mantissa.chars().all(is_of_number) {
        return None;
    }
    let count = |mark: char| mantissa.matches(mark).count();
    match (count('.'), count(',')) {
        (0, 0) => Some(whole(mantissa.len(), false, Mark::None)),
        (1, 0) => fraction(mantissa, '.', Mark::Point),
        (0, 1) => comma(mantissa),
        (0, _) => grouped(mantissa, ',').map(|digits| whole(digits, true, Mark::Point)),
        (_, 0) => grouped(mantissa, '.').map(|digits| whole(digits, true, Mark::Comma)),
        (_, 1) if mantissa.find(',') > mantissa.rfind('.') => fraction(mantissa, ',', Mark::Comma),
        (1, _) if mantissa.find('.') > mantissa.rfind(',') => fraction(mantissa, '.', Mark::Point),
        _ => None,
    }
}

fn whole(digits: usize, has_groups: bool, mark: Mark) -> NumberText {
    NumberText { mark, digits: (digits, 0), has_groups }
}

fn comma(text: &str) -> Option<NumberText> {
    let (before, behind) = text.split_once(',')?;
    let may_be_group = behind.len() == 3 && (1..=3).contains(&before.len()) && before != "0";
    let mark = if may_be_group { Mark::CommaOrGroups } else { Mark::Comma };
    Some(NumberText { mark, digits: (before.len(), behind.len()), has_groups: false })
}

/// A number with a fraction, and maybe groups of digits before it.
fn fraction(text: &str, at: char, mark: Mark) -> Option<NumberText> {
    let (before, behind) = text.rsplit_once(at)?;
    let of_groups = if at == '.' { ',' } else { '.' };
    let has_groups = before.contains(of_groups);
    let digits = if has_groups { grouped(before, of_groups)? } else { before.len() };
    Some(NumberText { mark, digits: (digits, behind.len()), has_groups })
}

/// The digits of a number whose groups of three are parted by a mark.
fn grouped(text: &str, mark: char) -> Option<usize> {
    let mut groups = text.split(mark);
    let first = groups.next()?;
    let is_first = (1..=3).contains(&first.len());
    let are_groups = is_first && groups.all(|group| group.len() == 3);
    are_groups.then(|| text.len() - text.matches(mark).count())
}

/// A day, a time of day, or both.
fn moment(text: &str) -> Option<Kind> {
    if !text.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if is_time(text) {
        return Some(Kind::Time);
    }
    if is_date(text) {
        return Some(Kind::Date);
    }
    let places = text.char_indices().filter(|(_, c)| matches!(c, 'T' | ' '));
    for (place, _) in places {
        if is_date(&text[..place]) && is_time(&text[place + 1..]) {
            return Some(Kind::Moment);
        }
    }
    None
}

fn is_date(text: &str) -> bool {
    let text = text.trim_end_matches(',');
    let mark = |c: char| matches!(c, '-' | '/' | '.' | ' ');
    let mut parts = text.split(mark);
    let (Some(a), Some(b), Some(c), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let mut marks = text.chars().filter(|c| mark(*c));
    if marks.next() != marks.next() {
        return false;
    }
    let (b, named) = (b.trim_end_matches(','), is_month(a) || is_month(b));
    let parts = [a, b, c];
    let is_number = |part: &&&str| {
        (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let numbers = parts.iter().filter(is_number).count();
    let long = parts.iter().filter(|part| part.len() > 2 && !is_month(part)).count();
    let is_small = |part: &str, most: u32| part.parse().is_ok_and(|n: u32| (1..=most).contains(&n));
    match (numbers, named) {
        (2, true) => true,
        (3, false) => {
            long <= 1
                && (a.len() == 4 || c.len() > 1)
                && b.len() <= 2
                && is_small(b, 31)
                && !text.contains(' ')
        }
        _ => false,
    }
}

fn is_month(text: &str) -> bool {
    let months =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    text.is_ascii()
        && text.len() >= 3
        && months.iter().any(|month| text[..3].eq_ignore_ascii_case(month))
        && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// `9:05`, `09:05:33.25`, `09:05 PM`, `09:05:33+02:00`.
pub(crate) fn is_time(text: &str) -> bool {
    let of_clock = |c: char| c.is_ascii_digit() || matches!(c, ':' | '.');
    let end = text.find(|c: char| !of_clock(c)).unwrap_or(text.len());
    let (clock, zone) = text.split_at(end);
    let of_zone = |c: char| c.is_ascii_digit() || ":+- ZzAaPpMm".contains(c);
    let parts: Vec<&str> = clock.split(':').collect();
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_part = |(place, part): (usize, &&str)| {
        let (whole, fraction) = part.split_once('.').unwrap_or((part, "0"));
        let is_long = if place == 0 { whole.len() <= 2 } else { whole.len() == 2 };
        is_long && is_digits(whole) && is_digits(fraction)
    };
    (2..=3).contains(&parts.len())
        && parts.iter().enumerate().all(is_part)
        && zone.len() <= 9
        && zone.chars().all(of_zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_of_fields() {
        let check = |expected, texts: &[&str]| {
            for text in texts {
                assert_eq!(kind(text), expected, "{text}");
            }
        };
        check(Kind::Empty, &["", " "]);
        check(Kind::Null, &["NA", "\\N", "-"]);
        check(Kind::Number, &["1", "-1.5", "1,5", "1.234,50", "$74.69", "12%", "1e-7", "(5.00)"]);
        check(Kind::Date, &["2024-01-31", "31.1.2024", "1/31/24", "31-Jan-2024", "Jan 31, 2024"]);
        check(Kind::Time, &["9:05", "23:59:59.25", "9:05 PM"]);
        check(Kind::Moment, &["2024-01-31 10:00", "2024-01-31T10:00:00Z", "1/31/2024 1:00 PM"]);
        check(Kind::Boolean, &["true", "No"]);
        check(Kind::Address, &["https://a.b/c?d=1,2", "a@b.org", "10.0.0.1"]);
        check(Kind::Text, &["5.1@3.5", "a@b.c@d.e", "@b.org"]);
        check(Kind::Text, &["a", "1.2.3", "1;2", "1:2:x", "room 5", "12/x/2024", "2024-13-"]);
    }

    #[test]
    fn the_mark_of_a_number() {
        let mark = |text| number(text).map(|number| number.mark);
        assert_eq!(mark("1,5"), Some(Mark::Comma));
        assert_eq!(mark("1.234,50 €"), Some(Mark::Comma));
        assert_eq!(mark("1,234"), Some(Mark::CommaOrGroups));
        assert_eq!(mark("0,234"), Some(Mark::Comma));
        assert_eq!(mark("1,234.5"), Some(Mark::Point));
        assert_eq!(mark("1,23,4"), None);
        assert_eq!(mark("12"), Some(Mark::None));
    }
}
