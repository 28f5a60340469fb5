//! Reads just enough of SQL text to tell what a CREATE VIEW creates, where a statement ends, and
//! whether a text names a table.
//!
//! The module is no parser. It knows quotes, comments and words by Redshift's rules, a backslash in
//! a literal included, and leaves the rest to the warehouse. (For example, the `;` in `'a;b'` or
//! behind `--` ends no statement.)

mod one_statement;

use std::iter::Peekable;
use std::ops::Range;

use loader_model::names::TableName;

pub(crate) use one_statement::is_one_statement;

/// The beginning of a CREATE VIEW statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CreateView {
    /// Whether the statement is a CREATE MATERIALIZED VIEW.
    pub(crate) materialized: bool,
    /// The parts of the view's name, folded and without quotes: the view, its schema and the view,
    /// or database, schema and view.
    pub(crate) name: Vec<String>,
    /// Where the name stands in the text.
    pub(crate) name_at: Range<usize>,
}

/// A piece of SQL that means something. Blanks and comments mean nothing and are skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token<'a> {
    /// A bare identifier, keyword or number.
    Word(&'a str),
    /// A quoted identifier, with its quotes removed and doubled quotes inside made single.
    Quoted(String),
    /// A literal. Its content names no table, so it is dropped.
    Literal,
    /// Any other character.
    Sign(char),
}

/// Tokens with their places. A quote or comment that never closes reaches to the end of the text,
/// so broken SQL yields tokens too and no error.
struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    fn of(text: &'a str) -> Tokens<'a> {
        Tokens { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start().len();
            self.at += if blank > 0 {
                blank
            } else if rest.starts_with("--") {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                comment_len(rest)
            } else {
                return;
            };
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = (Range<usize>, Token<'a>);

    // Every arm takes at least one byte, so the iterator always ends. The arm for `$` stands before
    // the arm for words: `$` may continue a name (`v$1`), but a token that begins with it is either
    // a literal (`$tag$ … $tag$`) or a sign. An identifier that never closes has no last quote to
    // strip.
    fn next(&mut self) -> Option<Self::Item> {
        self.skip_blanks();
        let (start, rest) = (self.at, self.rest());
        let first = rest.chars().next()?;
        let (len, token) = match first {
            '\'' => (quoted_len(rest, true), Token::Literal),
            '"' => {
                let len = quoted_len(rest, false);
                let inside = rest[1..len].strip_suffix('"').unwrap_or(&rest[1..len]);
                (len, Token::Quoted(inside.replace("\"\"", "\"")))
            }
            '$' => dollar_len(rest).map_or((1, Token::Sign('$')), |len| (len, Token::Literal)),
            letter if is_word(letter) => {
                let len = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
                (len, Token::Word(&rest[..len]))
            }
            sign => (sign.len_utf8(), Token::Sign(sign)),
        };
        self.at += len;
        Some((start..self.at, token))
    }
}

/// Whether a letter may stand in a bare identifier, at any place.
/// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_names.html>
pub(crate) fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '$' || !letter.is_ascii()
}

/// The length of a block comment in bytes. Block comments nest, so `/* a /* b */ c */` is one.
fn comment_len(text: &str) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with("*/") {
            // The text begins with `/*`, so the depth is at least 1 here.
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length in bytes of a text that begins with a quote, up to and with the closing quote; the
/// whole length when it never closes.
fn quoted_len(text: &str, backslashes: bool) -> usize {
    closed_len(text, backslashes).unwrap_or(text.len())
}

/// The same; `None` when the quote never closes. A doubled quote is no end, so `'it''s'` is one
/// literal. `backslashes`: whether a backslash escapes the next character, as it does in a literal
/// and not in an identifier.
fn closed_len(text: &str, backslashes: bool) -> Option<usize> {
    // Single bytes can be compared: in UTF-8 no byte of a longer character equals an ASCII quote or
    // backslash, so a place behind a quote is always a character boundary.
    let quote = text.as_bytes()[0];
    let (bytes, mut at) = (text.as_bytes(), 1);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if backslashes => at += 1,
            byte if byte == quote && bytes.get(at + 1) == Some(&quote) => at += 1,
            byte if byte == quote => return Some(at + 1),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The length of the `$tag$…$tag$` literal that begins here; `None` when there is none. (For
/// example, `$$it's$$` is a literal, and `$1` is not.)
fn dollar_len(text: &str) -> Option<usize> {
    let tag_len = text[1..].find('$')? + 2;
    let tag = &text[..tag_len];
    let inside = &tag[1..tag_len - 1];
    if inside.starts_with(|letter: char| letter.is_ascii_digit()) || !inside.chars().all(is_word) {
        return None;
    }
    Some(text[tag_len..].find(tag).map_or(text.len(), |end| tag_len + end + tag_len))
}

/// Reads the beginning of a CREATE VIEW; `None` for any other statement. (For example,
/// `CREATE OR REPLACE VIEW public.v_orders AS …` has the name `public`, `v_orders`.)
pub(crate) fn create_view(text: &str) -> Option<CreateView> {
    let mut tokens = Tokens::of(text).peekable();
    // `word` takes a token only if it is the wanted one, so optional words can just be tried.
    let mut word = |wanted: &str| {
        let found = |token: &(Range<usize>, Token<'_>)| matches!(&token.1, Token::Word(word) if word.eq_ignore_ascii_case(wanted));
        tokens.next_if(found).is_some()
    };
    if !word("create") || (word("or") && !word("replace")) {
        return None;
    }
    let materialized = word("materialized");
    if !word("view") {
        return None;
    }
    let (name, name_at) = dotted_name(&mut tokens)?;
    Some(CreateView { materialized, name, name_at })
}

/// The parts of a dotted name, folded and without quotes, and the place of the whole name.
fn dotted_name(tokens: &mut Peekable<Tokens<'_>>) -> Option<(Vec<String>, Range<usize>)> {
    let (mut name, mut name_at) = (Vec::new(), None);
    loop {
        let (at, part) = match tokens.next()? {
            (at, Token::Word(word)) => (at, word.to_ascii_lowercase()),
            (at, Token::Quoted(name)) => (at, name.to_ascii_lowercase()),
            (_, Token::Literal | Token::Sign(_)) => return None,
        };
        name.push(part);
        let whole = name_at.map_or(at.clone(), |whole: Range<usize>| whole.start..at.end);
        if tokens.next_if(|token| token.1 == Token::Sign('.')).is_none() {
            return Some((name, whole));
        }
        name_at = Some(whole);
    }
}

/// The only statement of a text, without its `;`. `None` when another one follows: `SELECT 1;` is
/// one statement, `SELECT 1; SELECT 2` is two.
pub(crate) fn single_statement(text: &str) -> Option<&str> {
    let mut tokens = Tokens::of(text);
    // Comments are no tokens, so a comment behind the `;` is no second statement.
    match tokens.find(|(_, token)| *token == Token::Sign(';')) {
        None => Some(text.trim()),
        Some((at, _)) => tokens.next().is_none().then(|| text[..at.start].trim()),
    }
}

/// Whether a text ends with these words, in any case, with any blanks and comments between them.
pub(crate) fn ends_with_words(text: &str, words: &[&str]) -> bool {
    let tokens: Vec<Token<'_>> = Tokens::of(text).map(|(_, token)| token).collect();
    let tail = tokens.len().checked_sub(words.len()).map(|start| &tokens[start..]);
    tail.is_some_and(|tail| {
        let same =
            |(token, word): (&Token<'_>, &&str)| matches!(token, Token::Word(text) if text.eq_ignore_ascii_case(word));
        tail.iter().zip(words).all(same)
    })
}

/// Whether a text names a relation together with its schema, quoted or not, in any case.
/// Late-binding views must name a relation so.
///
/// An alias with the name of the schema passes for the schema.
/// (For example, `SELECT s.t FROM x AS s` counts as naming the table `s.t`.)
pub(crate) fn mentions(text: &str, relation: &TableName) -> bool {
    let tokens: Vec<Token<'_>> = Tokens::of(text).map(|(_, token)| token).collect();
    let is = |token: &Token<'_>, name: &str| match token {
        Token::Word(word) => word.to_ascii_lowercase() == name,
        Token::Quoted(word) => word.to_ascii_lowercase() == name,
        Token::Literal | Token::Sign(_) => false,
    };
    tokens.windows(3).any(|three| {
        is(&three[0], &relation.schema)
            && three[1] == Token::Sign('.')
            && is(&three[2], &relation.table)
    })
}

/// Whether a text has a relation's name without a schema before it. The search path decides which
/// relation that is, so the text may mean a relation of another schema.
pub(crate) fn mentions_unqualified(text: &str, relation: &TableName) -> bool {
    // Behind a dot the name belongs to another schema (`old.orders`) or is a column (`o.orders`).
    let mut after_dot = false;
    Tokens::of(text).any(|(_, token)| {
        let is_name = match &token {
            Token::Word(word) => word.to_ascii_lowercase() == relation.table,
            Token::Quoted(word) => word.to_ascii_lowercase() == relation.table,
            Token::Literal | Token::Sign(_) => false,
        };
        let found = is_name && !after_dot;
        after_dot = token == Token::Sign('.');
        found
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_created_view_is_found_behind_comments() {
        let text = "/* a /* nested */ one */ create -- so\nOR replace VIEW db . \"My \"\"S\" \
                    .V$1(a) as select 1";
        let create = create_view(text).expect("it creates a view");
        assert_eq!(create.name, ["db", "my \"s", "v$1"]);
        assert_eq!(&text[create.name_at], "db . \"My \"\"S\" .V$1");
        assert!(
            create_view("create materialized view m as select 1")
                .is_some_and(|create| create.materialized)
        );
    }

    #[test]
    fn other_statements_create_no_view() {
        for text in [
            "",
            "select 1",
            "create table v as select 1",
            "create or view v",
            "create view",
            "create view 'v'",
        ] {
            assert_eq!(create_view(text), None, "{text}");
        }
    }

    #[test]
    fn a_statement_ends_at_a_semicolon_outside_of_quotes() {
        let quoted = "select ';', \";\", 'it''s; \\'; x', $$;$$, $a$ $$; $a$ -- ;\n /* ; */ ";
        assert_eq!(single_statement(quoted), Some(quoted.trim()));
        assert_eq!(single_statement("select 1 ; -- end\n"), Some("select 1"));
        assert_eq!(single_statement("select 1; drop table t"), None);
        assert_eq!(single_statement("select 'open; drop"), Some("select 'open; drop"));
    }

    #[test]
    fn words_at_the_end_are_found() {
        let late = |text: &str| ends_with_words(text, &["with", "no", "schema", "binding"]);
        assert!(late("select 1 WITH no\nSCHEMA /* x */ binding"));
        assert!(!late("select 'with no schema binding'"));
        assert!(!late("binding"));
    }

    #[test]
    fn a_table_is_mentioned_as_a_word() {
        let orders = TableName { schema: "s".into(), table: "orders".into() };
        for text in [
            "SELECT * FROM s.Orders",
            "select 1 from \"S\" . /* so */ \"orders\" o",
            "select 1 from db.s.orders",
        ] {
            assert!(mentions(text, &orders), "{text}");
        }
        for text in [
            "select * from t.orders",
            "select * from s.orders_2",
            "select 's.orders'",
            "select orders from s.o",
            "",
        ] {
            assert!(!mentions(text, &orders), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(?s)[ ;'\"$/*\\\\a.äv\n-]{0,40}") {
            let relation = TableName { schema: "a".into(), table: "v".into() };
            let _ = (create_view(&text), single_statement(&text), mentions(&text, &relation));
        }
    }
}
