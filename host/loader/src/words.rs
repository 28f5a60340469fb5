//! Words for people: numbers with what they count, and sentences broken into lines.

/// A number with what it counts: `1 file`, `2 files`.
pub(crate) fn count(n: usize, what: &str) -> String {
    let end = if n == 1 { "" } else { "s" };
    format!("{n} {what}{end}")
}

/// A text in lines of at most so many letters, broken at blanks. A longer word has a line of its own,
/// broken where it must be.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace().flat_map(|word| pieces(word, width)) {
        let letters = word.chars().count();
        let gap = usize::from(used > 0);
        match lines.last_mut() {
            Some(line) if used + gap + letters <= width => {
                if gap == 1 {
                    line.push(' ');
                }
                line.push_str(&word);
                used += gap + letters;
            }
            _ => {
                used = letters;
                lines.push(word);
            }
        }
    }
    lines
}

fn pieces(word: &str, width: usize) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    letters.chunks(width.max(1)).map(|piece| piece.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_broken_at_blanks() {
        assert_eq!(wrapped("a bc  def g", 5), ["a bc", "def g"]);
        assert_eq!(wrapped("abcdefg h", 3), ["abc", "def", "g h"]);
        assert_eq!(wrapped("", 3), [""]);
        assert_eq!((count(1, "file"), count(0, "file")), ("1 file".into(), "0 files".into()));
    }
}
