//! Words for people: numbers with what they count, and sentences broken into lines.

/// A number with what it counts: `1 file`, `2,000 files`.
pub(crate) fn count(n: usize, what: &str) -> String {
    let end = if n == 1 { "" } else { "s" };
    format!("{} {what}{end}", grouped(n as u64))
}

/// A number with its thousands apart.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes in a unit that people read: `0 B`, `1.4 MB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KB", "MB", "GB", "TB"];
    let (mut value, mut unit) = (bytes as f64, 0);
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// A name as a shell takes it for one word.
pub(crate) fn quoted(name: &str) -> String {
    shlex::try_quote(name).map_or_else(|_| format!("{name:?}"), |quoted| quoted.into_owned())
}

/// A letter as a terminal shows it. A name may have letters in it that a terminal obeys.
fn shown(letter: char) -> char {
    if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter }
}

/// A text as a terminal shows it.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(shown).collect()
}

/// A name with its middle left out where it is too long: beginning and end tell more.
pub(crate) fn shortened(name: &str, most: usize) -> String {
    let letters: Vec<char> = name.chars().map(shown).collect();
    if letters.len() <= most {
        return letters.into_iter().collect();
    }
    let (head, tail) = (most / 2, most - most / 2 - 1);
    let beginning: String = letters[..head].iter().collect();
    let end: String = letters[letters.len() - tail..].iter().collect();
    format!("{beginning}…{end}")
}

/// A text in lines of at most so many letters, broken at blanks. A longer word, such as an address,
/// has a line of its own and stays whole, so that it can be copied.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let letters = word.chars().count();
        let gap = usize::from(used > 0);
        match lines.last_mut() {
            Some(line) if used == 0 || used + gap + letters <= width => {
                line.push_str(if gap == 1 { " " } else { "" });
                line.extend(word.chars().map(shown));
                used += gap + letters;
            }
            _ => {
                used = letters;
                lines.push(word.chars().map(shown).collect());
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_broken_at_blanks() {
        assert_eq!(wrapped("a bc  def g", 5), ["a bc", "def g"]);
        assert_eq!(wrapped("a bcdefg h", 3), ["a", "bcdefg", "h"]);
        assert_eq!(wrapped("", 3), [""]);
        assert_eq!(wrapped("a\u{1b}[2J", 9), ["a\u{fffd}[2J"]);
        assert_eq!(shortened("a\u{1b}b", 9), "a\u{fffd}b");
        assert_eq!((quoted("a.csv"), quoted("a b;.csv")), ("a.csv".into(), "'a b;.csv'".into()));
        let sizes = [0, 999, 1_400_000, 999_600, 5_000_000_000].map(size);
        assert_eq!(sizes, ["0 B", "999 B", "1.4 MB", "1.0 MB", "5.0 GB"]);
        assert_eq!([7, 1000, 1_234_567].map(grouped), ["7", "1,000", "1,234,567"]);
        assert_eq!((count(1, "file"), count(0, "file")), ("1 file".into(), "0 files".into()));
    }
}
