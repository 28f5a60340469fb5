//! Fields of the generated files: numbers, texts and dates that look like chance, and are the same
//! on every machine.

use std::fmt::Write as _;

/// Numbers that look like chance.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new() -> Chance {
        Chance(7)
    }

    // A linear congruential generator. Its upper bits alone look like chance.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        const FACTOR: u64 = 6_364_136_223_846_793_005;
        self.0 = self.0.wrapping_mul(FACTOR).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

const WORDS: [&str; 16] = [
    "account", "blue", "carrier", "deliver", "express", "final", "given", "Zürich", "index", "jet",
    "known", "ledger", "market", "north", "order", "quick",
];

pub(super) fn push(line: &mut String, value: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = line.write_fmt(value);
}

/// A number with so many digits behind its point, such as -7312.05; below 100,000.
pub(super) fn push_decimal(line: &mut String, digits: u32, chance: &mut Chance) {
    let sign = if chance.below(10) == 0 { "-" } else { "" };
    let (whole, fraction) = (chance.below(100_000), chance.below(10_u64.pow(digits)));
    push(line, format_args!("{sign}{whole}.{fraction:0width$}", width = digits as usize));
}

pub(super) fn push_words(line: &mut String, words: u64, chance: &mut Chance) {
    for word in 0..words {
        if word > 0 {
            line.push(' ');
        }
        line.push_str(WORDS[chance.below(WORDS.len() as u64) as usize]);
    }
}

/// One to three words in quotes; of eight texts three have a delimiter, quotes or a line end too.
pub(super) fn push_quoted(line: &mut String, chance: &mut Chance) {
    line.push('"');
    let words = 1 + chance.below(3);
    push_words(line, words, chance);
    match chance.below(8) {
        0 => line.push_str(", and more"),
        1 => line.push_str(" \"\"so called\"\""),
        2 => line.push_str("\nsecond line"),
        _ => {}
    }
    line.push('"');
}

/// A day such as 2007-03-09.
pub(super) fn push_day(line: &mut String, chance: &mut Chance) {
    let (year, month, day) = (1992 + chance.below(34), 1 + chance.below(12), 1 + chance.below(28));
    push(line, format_args!("{year}-{month:02}-{day:02}"));
}

/// A moment such as 2007-03-09 17:05:00.
pub(super) fn push_moment(line: &mut String, chance: &mut Chance) {
    push_day(line, chance);
    let (hour, minute, second) = (chance.below(24), chance.below(60), chance.below(60));
    push(line, format_args!(" {hour:02}:{minute:02}:{second:02}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_the_same_every_time() {
        let made = || {
            let (mut line, mut chance) = (String::new(), Chance::new());
            push_decimal(&mut line, 4, &mut chance);
            line.push('|');
            push_quoted(&mut line, &mut chance);
            line.push('|');
            push_moment(&mut line, &mut chance);
            line
        };
        assert_eq!(made(), made());
        let line = made();
        let fields: Vec<&str> = line.split('|').collect();
        let fraction = fields[0].split_once('.').map(|(_, fraction)| fraction.len());
        assert_eq!((fraction, fields[2].len()), (Some(4), "2007-03-09 17:05:00".len()), "{line}");
        assert!(fields[1].starts_with('"') && fields[1].ends_with('"'), "{line}");
    }
}
