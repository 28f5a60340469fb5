//! How headers become names of columns, which names a table cannot have, and which column of a
//! table a name means.
//!
//! In: texts. Out: names, sentences and places. The default plugin names a file's columns by these
//! rules, and the host finds the table's columns by them, so that both mean the same column.

mod columns;
mod refused;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

pub use columns::{Columns, Found};
pub use refused::{Reserved, called, refused};

/// The clean name of a header: in Unicode's normal form C and lower case, each run of characters
/// other than letters, marks and digits replaced by one underscore, and none at the ends. `Email
/// Address!` becomes `email_address`, `年齢 (years)` becomes `年齢_years`, `??` becomes empty.
///
/// The name depends on this header alone, never on its place or on other headers. A clean name is
/// its own clean name.
// Lower case may take a text out of normal form: a J with a caron is two characters, its lower-case
// letter is one. Hence the second `nfc`.
pub fn clean(header: &str) -> String {
    let lower = header.nfc().collect::<String>().to_lowercase();
    joined(lower.nfc(), |character| character.is_alphanumeric() || is_combining_mark(character))
}

/// The name that the Glue job gave a header: as [`clean`], but only `a` to `z` and digits stay.
/// `Größe` becomes `gr_e`, `ÄÖÜ` becomes empty.
pub fn glue(header: &str) -> String {
    // By Unicode's lower case: the Kelvin sign (U+212A) becomes a plain k.
    let lower = header.to_lowercase();
    joined(lower.chars(), |character| matches!(character, 'a'..='z' | '0'..='9'))
}

/// The characters that stay, with one underscore between two of them where others were.
fn joined(characters: impl Iterator<Item = char>, stays: impl Fn(char) -> bool) -> String {
    let mut name = String::new();
    let mut is_broken = false;
    for character in characters {
        if !stays(character) {
            is_broken = true;
            continue;
        }
        if std::mem::take(&mut is_broken) && !name.is_empty() {
            name.push('_');
        }
        name.push(character);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_marks_and_digits_of_every_script_stay() {
        let check = |header: &str, expected: &str| {
            assert_eq!(clean(header), expected, "{header:?}");
            assert_eq!(clean(expected), expected, "a clean name is its own");
        };
        check("First Name", "first_name");
        check("Email Address!", "email_address");
        check("  TOTAL__AMOUNT -- (EUR)  ", "total_amount_eur");
        check("_x_", "x");
        check("2024", "2024");
        check("Größe", "größe");
        check("GRO\u{308}SSE", "grösse");
        check("年齢 (years)", "年齢_years");
        check("हिन्दी संख्या", "हिन्दी_संख्या");
        check("Цена, руб.", "цена_руб");
        check("m²", "m²");
        check("J\u{30c}", "\u{1f0}");
        check("\u{212a}elvin", "kelvin");
        check("a\u{200f}b", "a_b");
        check("💶", "");
        check("", "");
    }

    #[test]
    fn the_glue_job_kept_ascii_alone() {
        let check = |header: &str, expected: &str| assert_eq!(glue(header), expected, "{header:?}");
        check("  TOTAL__AMOUNT -- (EUR)  ", "total_amount_eur");
        check("Größe", "gr_e");
        check("ÄÖÜ", "");
        check("\u{212a}elvin", "kelvin");
    }
}
