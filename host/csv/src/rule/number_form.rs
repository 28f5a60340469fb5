//! How the numbers of a column are written.
//!
//! In: a text such as `(1.234,56 €)`. Out: the number as it is read in every column, `-1234.56`.

use loader_values::{number_shape, parse_whole_loosely};
use serde::{Deserialize, Serialize};

/// How numbers are written. The default is `-1234.56`, also with a plus or an exponent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberForm {
    /// The mark between the whole number and its fraction.
    pub decimal_mark: char,
    /// The mark between groups of digits. Numbers without it are read, too.
    pub thousands: Option<char>,
    /// Texts that may stand before or behind a number, such as `€` or `USD`.
    pub currency: Vec<String>,
    /// What a percent sign behind a number says. `None`: it is refused.
    pub percent: Option<Percent>,
    pub negative: Negative,
}

/// What `12.5%` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Percent {
    /// 0.125.
    Fraction,
    /// 12.5.
    Number,
}

/// How negative numbers are written. A minus in front is read in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Negative {
    #[default]
    Minus,
    /// `5.00-`
    TrailingMinus,
    /// `(5.00)`
    Brackets,
}

impl Default for NumberForm {
    fn default() -> NumberForm {
        NumberForm {
            decimal_mark: '.',
            thousands: None,
            currency: Vec::new(),
            percent: None,
            negative: Negative::Minus,
        }
    }
}

/// What stands around the digits of a number, each at most once.
#[derive(Default)]
struct Around {
    is_signed: bool,
    is_negative: bool,
    has_currency: bool,
    is_percent: bool,
}

/// The digits of a number: those before and behind the point, and the exponent with its letter.
struct Digits<'a> {
    whole: String,
    fraction: &'a str,
    exponent: &'a str,
}

impl NumberForm {
    /// The number as it is read in every column. `None`: the text is no number of this form.
    pub(super) fn spell(&self, text: &str) -> Option<String> {
        let mut around = Around::default();
        let mut rest = text.trim();
        while let Some(inner) = self.peel(rest, &mut around) {
            rest = inner.trim();
        }
        let digits = self.digits(rest)?;
        let is_fraction = around.is_percent && self.percent == Some(Percent::Fraction);
        let number = if is_fraction { digits.hundredth()? } else { digits.plain() };
        let is_zero = number.bytes().all(|byte| matches!(byte, b'0' | b'.'));
        Some(if around.is_negative && !is_zero { format!("-{number}") } else { number })
    }

    /// A whole number that so many bits hold.
    pub(super) fn spell_whole(&self, text: &str, bits: u32) -> Option<String> {
        let value = parse_whole_loosely(self.spell(text)?.as_bytes())?;
        let beyond = value >> (bits - 1);
        // All bits past those that are held equal the sign.
        (beyond == 0 || beyond == -1).then(|| value.to_string())
    }

    /// A number with so many digits before its point at most.
    pub(super) fn spell_decimal(&self, text: &str, integer_digits: u32) -> Option<String> {
        let number = self.spell(text)?;
        let shape = number_shape(number.as_bytes())?;
        (shape.integer_digits <= integer_digits).then_some(number)
    }

    /// A number of this form, for messages.
    pub(super) fn example(&self, whole: &str, fraction: &str) -> String {
        let whole = match (self.thousands, whole.split_at_checked(1)) {
            (Some(mark), Some((first, rest))) => format!("{first}{mark}{rest}"),
            _ => whole.to_owned(),
        };
        let mark = if fraction.is_empty() { String::new() } else { self.decimal_mark.to_string() };
        let percent = if self.percent.is_some() { "%" } else { "" };
        let currency = self.currency.first().map_or("", String::as_str);
        format!("{currency}{whole}{mark}{fraction}{percent}")
    }

    /// Takes one thing off the ends of a number. `None`: nothing more is to be taken off.
    fn peel<'a>(&self, text: &'a str, around: &mut Around) -> Option<&'a str> {
        if !around.is_signed
            && let Some((inner, is_negative)) = self.without_sign(text)
        {
            (around.is_signed, around.is_negative) = (true, is_negative);
            return Some(inner);
        }
        if !around.has_currency
            && let Some(inner) = self.without_currency(text)
        {
            around.has_currency = true;
            return Some(inner);
        }
        let may_be_percent = self.percent.is_some() && !around.is_percent;
        let inner = text.strip_suffix('%').filter(|_| may_be_percent)?;
        around.is_percent = true;
        Some(inner)
    }

    fn without_sign<'a>(&self, text: &'a str) -> Option<(&'a str, bool)> {
        let minus = || match self.negative {
            Negative::Minus => None,
            Negative::TrailingMinus => text.strip_suffix('-'),
            Negative::Brackets => text.strip_prefix('(')?.strip_suffix(')'),
        };
        let negative = text.strip_prefix('-').or_else(minus).map(|inner| (inner, true));
        negative.or_else(|| text.strip_prefix('+').map(|inner| (inner, false)))
    }

    fn without_currency<'a>(&self, text: &'a str) -> Option<&'a str> {
        let without = |sign: &String| {
            text.strip_prefix(sign.as_str()).or_else(|| text.strip_suffix(sign.as_str()))
        };
        // The longest sign comes off: `US$` may be one, and `$` another.
        self.currency.iter().filter_map(without).min_by_key(|rest| rest.len())
    }

    fn digits<'a>(&self, text: &'a str) -> Option<Digits<'a>> {
        let (number, exponent) = text.split_at(text.find(['e', 'E']).unwrap_or(text.len()));
        let (whole, fraction) = number.split_once(self.decimal_mark).unwrap_or((number, ""));
        let whole = self.without_groups(whole)?;
        let is_number = !(whole.is_empty() && fraction.is_empty())
            && all_digits(&whole)
            && all_digits(fraction)
            && is_exponent(exponent);
        is_number.then_some(Digits { whole, fraction, exponent })
    }

    /// The digits before the point without their marks. `None` where a mark stands between other
    /// groups than those of thousands, or of Indian lakhs.
    // `1.5` and `0.123` with the mark `.` are refused: they are more likely numbers with a fraction,
    // which the producer wrote otherwise, than 15 and 123.
    fn without_groups(&self, whole: &str) -> Option<String> {
        let Some(mark) = self.thousands else { return Some(whole.to_owned()) };
        // Where the settings name a plain blank, the producer may have written one that does not
        // break, which looks the same.
        let is_mark = |c: char| c == mark || (mark == ' ' && matches!(c, '\u{a0}' | '\u{202f}'));
        let groups: Vec<&str> = whole.split(is_mark).collect();
        let [first, middle @ .., last] = groups.as_slice() else { return Some(whole.to_owned()) };
        let are_of = |size: usize| middle.iter().all(|group| group.len() == size);
        let are_groups = (1..=3).contains(&first.len())
            && !first.starts_with('0')
            && last.len() == 3
            && (are_of(3) || (are_of(2) && first.len() <= 2));
        are_groups.then(|| groups.concat())
    }
}

impl Digits<'_> {
    fn plain(&self) -> String {
        let Digits { whole, fraction, exponent } = self;
        written(whole, fraction, exponent)
    }

    /// The hundredth of the number; `None` where it has an exponent.
    fn hundredth(&self) -> Option<String> {
        let whole = format!("{:0>3}", self.whole);
        let (whole, moved) = whole.split_at(whole.len() - 2);
        let fraction = format!("{moved}{}", self.fraction);
        self.exponent.is_empty().then(|| written(whole, &fraction, ""))
    }
}

/// The number without leading zeros, which would make it text.
fn written(whole: &str, fraction: &str, exponent: &str) -> String {
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{whole}{point}{fraction}{exponent}")
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text is empty, or a letter with a whole number, such as `e-7`.
fn is_exponent(text: &str) -> bool {
    let Some(number) = text.strip_prefix(['e', 'E']) else { return text.is_empty() };
    let digits = number.strip_prefix(['-', '+']).unwrap_or(number);
    !digits.is_empty() && all_digits(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(form: &NumberForm, texts: &[(&str, &str)]) {
        for (text, expected) in texts {
            let spelt = form.spell(text).unwrap_or_else(|| "refused".to_owned());
            assert_eq!(spelt, *expected, "{text}");
        }
    }

    #[test]
    fn the_default_is_a_plain_number() {
        check(
            &NumberForm::default(),
            &[
                ("007", "7"),
                ("+5", "5"),
                (" -1.50 ", "-1.50"),
                (".5", "0.5"),
                ("5.", "5"),
                ("-0", "0"),
                ("1e3", "1e3"),
                ("1.5E-7", "1.5E-7"),
                ("1,5", "refused"),
                ("1 5", "refused"),
                ("5-", "refused"),
                ("(5)", "refused"),
                ("--5", "refused"),
                ("5%", "refused"),
                ("$5", "refused"),
                ("e5", "refused"),
                ("1e", "refused"),
                ("", "refused"),
                (".", "refused"),
            ],
        );
    }

    #[test]
    fn commas_and_groups_are_those_that_were_said() {
        let german =
            NumberForm { decimal_mark: ',', thousands: Some('.'), ..NumberForm::default() };
        check(
            &german,
            &[
                ("1.234,56", "1234.56"),
                ("1234,56", "1234.56"),
                ("-1.234.567", "-1234567"),
                ("12.34.567,8", "1234567.8"),
                ("0,5", "0.5"),
                ("1.5", "refused"),
                ("1.23,4", "refused"),
                ("1234.567", "refused"),
                ("1,234.56", "refused"),
                ("1,2,3", "refused"),
                (".234", "refused"),
                ("0.123", "refused"),
                ("-0.250", "refused"),
                ("000.500", "refused"),
                ("1.234.56.789", "refused"),
                ("123.45.678", "refused"),
            ],
        );
        assert_eq!(german.example("1234", "56"), "1.234,56");
        check(&german, &[("1\u{a0}234", "refused")]);
        let french = NumberForm { decimal_mark: ',', thousands: Some(' '), ..german };
        check(
            &french,
            &[
                ("1 234,5", "1234.5"),
                ("1\u{a0}234,5", "1234.5"),
                ("1\u{202f}234,5", "1234.5"),
                ("1.234", "refused"),
            ],
        );
    }

    #[test]
    fn signs_stand_where_people_write_them() {
        let currency = vec!["€".to_owned(), "USD".to_owned()];
        let brackets = NumberForm { currency, negative: Negative::Brackets, ..Default::default() };
        check(
            &brackets,
            &[
                ("€5", "5"),
                ("5 €", "5"),
                ("USD -5.10", "-5.10"),
                ("-€5", "-5"),
                ("(€5.00)", "-5.00"),
                ("€(5.00)", "-5.00"),
                ("(0.00)", "0.00"),
                ("-(5)", "refused"),
                ("€5€", "refused"),
                ("(5", "refused"),
                ("£5", "refused"),
            ],
        );
        let trailing = NumberForm { negative: Negative::TrailingMinus, ..Default::default() };
        check(&trailing, &[("5.00-", "-5.00"), ("-5", "-5"), ("-5-", "refused"), ("5", "5")]);
    }

    #[test]
    fn percent_is_a_fraction_or_a_number() {
        let of = |percent| NumberForm { percent: Some(percent), ..Default::default() };
        check(
            &of(Percent::Fraction),
            &[
                ("12.5%", "0.125"),
                ("5 %", "0.05"),
                ("-250%", "-2.50"),
                ("12345%", "123.45"),
                ("0.5", "0.5"),
            ],
        );
        check(&of(Percent::Number), &[("12.5%", "12.5"), ("12.5", "12.5"), ("5%%", "refused")]);
    }

    #[test]
    fn numbers_fit_their_types() {
        let form = NumberForm::default();
        let whole = |text, bits| form.spell_whole(text, bits);
        assert_eq!(whole("32767", 16).as_deref(), Some("32767"));
        assert_eq!(whole("-32768", 16).as_deref(), Some("-32768"));
        assert_eq!(whole("32768", 16), None);
        assert_eq!(whole("-32769", 16), None);
        assert_eq!(whole("1.0", 32).as_deref(), Some("1"));
        assert_eq!(whole("1.5", 32), None);
        assert_eq!(whole("9223372036854775807", 64).as_deref(), Some("9223372036854775807"));
        assert_eq!(form.spell_decimal("999.999", 3).as_deref(), Some("999.999"));
        assert_eq!(form.spell_decimal("1000", 3), None);
        assert_eq!(form.spell_decimal("1e3", 3), None);
    }
}
