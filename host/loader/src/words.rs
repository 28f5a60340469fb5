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

/// A text of lines as people get it: what a terminal would obey is replaced, wherever it comes from
/// (a header, a key, a plugin). Line ends, tabs and the program's own colours stay.
pub(crate) fn for_people(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let own = COLOURS.iter().find(|colour| rest.starts_with(**colour));
        let taken = own.map_or(letter.len_utf8(), |colour| colour.len());
        match letter {
            _ if own.is_some() => out.push_str(&rest[..taken]),
            '\n' | '\t' => out.push(letter),
            _ => out.push(shown(letter)),
        }
        rest = &rest[taken..];
    }
    out
}

/// What `console` writes for the program's tones: none, bold, dim, red, green, yellow, cyan.
const COLOURS: [&str; 7] =
    ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m", "\u{1b}[36m"];

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
    fn nothing_that_a_terminal_obeys_reaches_people() {
        let text = "na\u{1b}[2Jme\u{7}\u{1b}]0;x\u{7}\r\u{9b}2J \u{1b}[32mgood\u{1b}[0m\n\tb";
        let shown = "na\u{fffd}[2Jme\u{fffd}\u{fffd}]0;x\u{fffd}\u{fffd}\u{fffd}2J \u{1b}[32mgood\u{1b}[0m\n\tb";
        assert_eq!(for_people(text), shown);
    }

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
