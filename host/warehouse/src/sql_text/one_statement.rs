//! Whether a text that somebody else may have written is one statement, however its quotes and
//! comments are read.
//!
//! Whether a backslash escapes a quote is a setting of the database, and not every reader of SQL
//! nests comments. A text that is one statement to this program could be two to the warehouse: with
//! backslashes `'\'; DROP TABLE t --'` is one literal, without them it is `'\'` and a second
//! statement. So a text passes only when there is no second reading of it.

use super::{closed_len, comment_len, is_word};

/// Whether a text is one statement, without `;`, in every reading.
pub(crate) fn is_one_statement(text: &str) -> bool {
    [true, false].into_iter().all(|backslashes| is_one(text, backslashes))
}

// A comment may have no quote and no `;`. Then it does not matter where it ends, or whether it is
// one: nothing in it could hide a statement or begin one.
fn is_one(text: &str, backslashes: bool) -> bool {
    let (mut at, mut before) = (0, ' ');
    while let Some(letter) = text[at..].chars().next() {
        let rest = &text[at..];
        let len = match letter {
            '\'' | '"' => closed_len(rest, backslashes && letter == '\''),
            ';' => None,
            '-' if rest.starts_with("--") => plain(&rest[..rest.find('\n').unwrap_or(rest.len())]),
            '/' if rest.starts_with("/*") => plain(&rest[..comment_len(rest)]),
            // `$$` may begin a literal, unless it stands in a name: `v$1`.
            '$' if !is_word(before) => None,
            letter => Some(letter.len_utf8()),
        };
        let Some(len) = len else { return false };
        (at, before) = (at + len, letter);
    }
    true
}

/// The length of a comment that has no quote and no `;`.
fn plain(comment: &str) -> Option<usize> {
    (!comment.contains(['\'', '"', ';'])).then_some(comment.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_one_statement_to_everybody_passes() {
        for text in [
            "CREATE VIEW \"s\".\"v\" AS SELECT 'it''s; so', \"a;b\", E'a\\\\' FROM t",
            "CREATE VIEW v$1 AS SELECT 1 -- all of it\n/* a /* nested */ one */ FROM t",
            "",
        ] {
            assert!(is_one_statement(text), "{text}");
        }
    }

    #[test]
    fn what_could_be_two_does_not() {
        for text in [
            "CREATE VIEW v AS SELECT 1; DROP TABLE t",
            "CREATE VIEW v AS SELECT 1;",
            "SELECT '\\'; DROP TABLE t --'",
            "SELECT '\\''; DROP TABLE t --'",
            "SELECT 'open",
            "SELECT \"open",
            "SELECT 1 -- it's\n; DROP TABLE t --'",
            "SELECT 1 /* ; */",
            "SELECT 1 /* /* */ '*/ ; DROP TABLE t --'",
            "SELECT $$ ; $$",
            "SELECT $a$ '$a$; DROP TABLE t --'",
        ] {
            assert!(!is_one_statement(text), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(?s)[ ;'\"$/*\\\\a.ä\n-]{0,40}") {
            let _ = is_one_statement(&text);
        }
    }
}
