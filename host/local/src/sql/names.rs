//! Names of up to 127 bytes, as Redshift keeps them, on a PostgreSQL that keeps 63 (and a kind in
//! front of some, see `identities`). In: a statement's text. Out: the same text with an alias for
//! each longer name, before anything else reads it, and the names that the aliases stand for. An
//! alias is the name's beginning, a mark and a hash, so that one name always has one alias, and two
//! names that begin alike have two. For example, the letter n 70 times becomes n 37 times, `_xl_`
//! and 16 hexadecimal digits. The full names are put back where names are shown: by
//! `data_api/names.rs` in answers, by `data_api/helpers/names.sql` in views.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::error::SqlError;
use super::lexer::{TokenKind, lex};
use super::quoting::quote;

/// Redshift cuts a name after this many bytes, silently and between characters.
const REDSHIFT_BYTES: usize = 127;
/// PostgreSQL cuts a name after 63 bytes, and 6 of these are kept for a `group:` in front.
const POSTGRES_BYTES: usize = 57;
/// Stands in every alias before the hash; a byte in front of it tells how the name is quoted.
// The full name is later put back into texts in which PostgreSQL has quoted the alias, or has not.
// So the byte makes PostgreSQL treat both alike: `"` where the name has a quote of its own, `~`
// where the name needs quotes, and `_` where it needs none.
pub(crate) const MARK: &str = "xl_";
/// Hexadecimal digits of the hash.
pub(crate) const HASH_DIGITS: usize = 16;

/// A name that is too long for PostgreSQL, and the alias that PostgreSQL keeps instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LongName {
    pub(crate) full: String,
    pub(crate) alias: String,
}

impl LongName {
    /// `None` when PostgreSQL can keep the (folded) name.
    pub(crate) fn of(folded: &str) -> Option<LongName> {
        if folded.len() <= POSTGRES_BYTES {
            return None;
        }
        let full = cut(folded, REDSHIFT_BYTES);
        let digest = Sha256::digest(full.as_bytes());
        let hash: String =
            digest.iter().take(HASH_DIGITS / 2).map(|byte| format!("{byte:02x}")).collect();
        // PostgreSQL quotes the alias where it would quote the name.
        let quoting = match () {
            () if full.contains('"') => '"',
            () if is_plain(full) => '_',
            () => '~',
        };
        let beginning = cut(full, POSTGRES_BYTES - 1 - MARK.len() - HASH_DIGITS);
        Some(LongName { alias: format!("{beginning}{quoting}{MARK}{hash}"), full: full.to_owned() })
    }

    /// The name that PostgreSQL keeps.
    pub(crate) fn kept(folded: &str) -> String {
        LongName::of(folded).map_or_else(|| folded.to_owned(), |name| name.alias)
    }

    /// The alias as it stands in a statement, in quotes where it needs them.
    fn identifier(&self) -> String {
        if is_plain(&self.alias) { self.alias.clone() } else { quote(&self.alias) }
    }

    /// The digits that end the alias.
    pub(crate) fn hash(&self) -> &str {
        &self.alias[self.alias.len() - HASH_DIGITS..]
    }
}

/// The first `bytes` bytes, or fewer where that would cut a character in two.
fn cut(name: &str, bytes: usize) -> &str {
    &name[..name.floor_char_boundary(bytes)]
}

fn is_plain(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// A statement in which every name is short enough for PostgreSQL.
pub(super) struct Shortened<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) names: Vec<LongName>,
    /// For each replaced name, the character of `text` where its alias ends, and by how many
    /// characters the original is longer up to there.
    // The second number adds up. After two names of 70 characters with aliases of 57 the entries
    // say 13 and 26, so a position needs only the last alias in front of it.
    lost: Vec<(usize, isize)>,
}

impl Shortened<'_> {
    /// Where the character number `position` of `text`, from 1, stood in the original.
    pub(super) fn original_position(&self, position: usize) -> usize {
        let lost = self.lost.iter().rev().find(|(end, _)| *end < position);
        position.saturating_add_signed(lost.map_or(0, |(_, characters)| *characters))
    }
}

/// Replaces the long names of a statement (or of a string that holds a name, as `regclass` takes
/// it).
pub(super) fn shorten(sql: &str) -> Result<Shortened<'_>, SqlError> {
    let mut shortened = Shortened { text: Cow::Borrowed(sql), names: Vec::new(), lost: Vec::new() };
    let mut text = String::new();
    let mut copied = 0;
    let mut lost = 0;
    for token in lex(sql)? {
        let typed = &sql[token.start..token.end];
        let Some(name) = long_name(&token.kind, typed) else { continue };
        let alias = name.identifier();
        text.push_str(&sql[copied..token.start]);
        text.push_str(&alias);
        copied = token.end;
        lost += typed.chars().count().cast_signed() - alias.chars().count().cast_signed();
        shortened.lost.push((text.chars().count(), lost));
        shortened.names.push(name);
    }
    if !shortened.names.is_empty() {
        text.push_str(&sql[copied..]);
        shortened.text = Cow::Owned(text);
    }
    Ok(shortened)
}

/// The name in a token, if it is too long for PostgreSQL.
fn long_name(kind: &TokenKind, typed: &str) -> Option<LongName> {
    match kind {
        // Folding can make a word longer, so shorter words are looked at too: `Ⱥ` has two bytes,
        // and its lower case has three.
        TokenKind::Word if typed.len() > POSTGRES_BYTES / 2 => {
            LongName::of(&typed.to_ascii_lowercase())
        }
        TokenKind::Quoted(folded) => LongName::of(folded),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_is_short_and_its_own() {
        assert_eq!(LongName::of(&"n".repeat(57)), None);
        let beginning = "ä".repeat(40);
        let names = ["a", "b", "\"c", "d e"].map(|end| format!("{beginning}{end}"));
        let aliases = names.clone().map(|name| LongName::of(&name).unwrap().alias);
        for (name, alias) in names.iter().zip(&aliases) {
            assert!(alias.len() <= POSTGRES_BYTES && alias.starts_with(&name[..36]), "{alias}");
            assert_eq!(aliases.iter().filter(|other| *other == alias).count(), 1);
            assert_eq!(LongName::of(alias), None);
        }
        assert!(aliases[2].contains("\"xl_") && aliases[3].contains("~xl_"));
        assert!(is_plain(&LongName::of(&"n".repeat(64)).unwrap().alias));
    }

    #[test]
    fn redshift_cuts_between_characters_after_127_bytes() {
        let name = format!("{}äxyz", "n".repeat(126));
        assert_eq!(LongName::of(&name).unwrap().full, "n".repeat(126));
        assert_eq!(LongName::of(&"n".repeat(200)), LongName::of(&"n".repeat(127)));
        assert_ne!(LongName::of(&"n".repeat(126)), LongName::of(&"n".repeat(127)));
    }

    #[test]
    fn only_names_are_replaced() {
        let long = "N".repeat(70);
        let alias = LongName::of(&long.to_ascii_lowercase()).unwrap().alias;
        let sql = format!("select {long}, \"{long}\", '{long}' from t -- {long}\nwhere x");
        let shortened = shorten(&sql).unwrap();
        assert_eq!(
            shortened.text,
            format!("select {alias}, {alias}, '{long}' from t -- {long}\nwhere x")
        );
        assert_eq!(shortened.names.len(), 2);
        for word in ["select", "from", "where"] {
            let at = |text: &str| text.find(word).map(|byte| byte + 1).unwrap();
            assert_eq!(shortened.original_position(at(&shortened.text)), at(&sql), "{word}");
        }
        assert!(matches!(shorten("select a").unwrap().text, Cow::Borrowed(_)));
    }
}
