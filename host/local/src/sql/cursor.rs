//! A cursor over tokens: the tool of the small parsers (DDL, COPY, LOCK). In: the text and its
//! tokens. Out: words, names, literals, or the engine's `syntax error at or near` with its
//! position. Keywords match in any case; identifiers come out folded to lower case.

use super::error::SqlError;
use super::lexer::{Token, TokenKind};
use super::quoting::{check_identifier, quote};

/// Words that are names only in quotes (`order` is refused, `"order"` is a name). Redshift's own
/// list is longer; how strictly Redshift treats the words that are missing here is not known.
const RESERVED: &str = "all analyse analyze and any array as asc between both case cast check \
                        collate column constraint create cross current_date current_time \
                        current_timestamp current_user default deferrable desc distinct do else \
                        end except false for foreign freeze from full grant group having ilike in \
                        initially inner intersect into is isnull join leading left like limit \
                        localtime localtimestamp natural not notnull null on only or order outer \
                        overlaps placing primary references right select session_user similar some \
                        table then to trailing true union unique user using verbose when where";

/// Walks over one statement's tokens.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    sql: &'a str,
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(sql: &'a str, tokens: &'a [Token]) -> Cursor<'a> {
        Cursor { sql, tokens, at: 0 }
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// The next token's text, as typed; empty at the end.
    pub(crate) fn text(&self) -> &'a str {
        self.text_ahead(0)
    }

    fn text_ahead(&self, ahead: usize) -> &'a str {
        self.tokens.get(self.at + ahead).map_or("", |token| &self.sql[token.start..token.end])
    }

    fn kind(&self) -> Option<&'a TokenKind> {
        self.kind_ahead(0)
    }

    fn kind_ahead(&self, ahead: usize) -> Option<&'a TokenKind> {
        self.tokens.get(self.at + ahead).map(|token| &token.kind)
    }

    /// Whether a bare identifier or keyword comes next.
    pub(super) fn is_at_word(&self) -> bool {
        self.kind() == Some(&TokenKind::Word)
    }

    pub(crate) fn skip(&mut self) {
        self.at += 1;
    }

    /// Takes the words if all of them come next, in order. Otherwise the cursor stays: for example,
    /// `eat("alter column")` takes nothing of `alter sortkey`.
    pub(crate) fn eat(&mut self, words: &str) -> bool {
        let count = words.split(' ').count();
        let matches = words.split(' ').enumerate().all(|(ahead, word)| {
            let is_quoted = matches!(
                self.kind_ahead(ahead),
                Some(TokenKind::Literal(_) | TokenKind::Quoted(_))
            );
            !is_quoted && self.text_ahead(ahead).eq_ignore_ascii_case(word)
        });
        if matches {
            self.at += count;
        }
        matches
    }

    pub(crate) fn peeks(&self, words: &str) -> bool {
        self.clone().eat(words)
    }

    pub(crate) fn expect(&mut self, words: &str) -> Result<(), SqlError> {
        if self.eat(words) { Ok(()) } else { Err(self.syntax_error()) }
    }

    /// Takes CASCADE, or RESTRICT, which is the default of both engines.
    pub(super) fn eat_cascade(&mut self) -> bool {
        let is_cascade = self.eat("cascade");
        if !is_cascade {
            self.eat("restrict");
        }
        is_cascade
    }

    /// The engine's words for a token that the grammar does not have here. The position counts
    /// characters, from 1.
    pub(crate) fn syntax_error(&self) -> SqlError {
        match self.tokens.get(self.at) {
            Some(token) => SqlError::syntax(
                &self.sql[token.start..token.end],
                self.sql[..token.start].chars().count() + 1,
            ),
            None => SqlError::new("syntax error at end of input"),
        }
    }

    /// An identifier, folded to lower case. Reserved words need quotes.
    pub(crate) fn identifier(&mut self) -> Result<String, SqlError> {
        let is_reserved = |word: &str| {
            RESERVED.split_whitespace().any(|reserved| reserved.eq_ignore_ascii_case(word))
        };
        if self.is_at_word() && is_reserved(self.text()) {
            return Err(self.syntax_error());
        }
        self.label()
    }

    /// An identifier in a place where every word is a name, as behind a dot (`s.order`).
    fn label(&mut self) -> Result<String, SqlError> {
        let name = match self.kind() {
            Some(TokenKind::Word) => self.text().to_ascii_lowercase(),
            Some(TokenKind::Quoted(name)) => name.clone(),
            _ => return Err(self.syntax_error()),
        };
        check_identifier(&name)?;
        self.skip();
        Ok(name)
    }

    /// `name` or `schema.name`.
    pub(crate) fn qualified_name(&mut self) -> Result<Name, SqlError> {
        let mut parts = vec![self.identifier()?];
        while self.eat(".") {
            parts.push(self.label()?);
        }
        let table = parts.pop().unwrap_or_default();
        // A database in front (`dev.sales.orders`) is always the current one and is left out.
        Ok(Name { schema: parts.pop(), table })
    }

    /// `item, item …`, at least one.
    pub(super) fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Cursor<'a>) -> Result<T, SqlError>,
    ) -> Result<Vec<T>, SqlError> {
        let mut items = vec![item(self)?];
        while self.eat(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// `(name, name …)`.
    pub(super) fn names_in_brackets(&mut self) -> Result<Vec<String>, SqlError> {
        self.expect("(")?;
        let names = self.list(Cursor::identifier)?;
        self.expect(")")?;
        Ok(names)
    }

    /// Whether an element of a list in brackets is over: at a comma, a `)` or the end.
    pub(super) fn is_at_element_end(&self) -> bool {
        self.is_at_end() || self.peeks(",") || self.peeks(")")
    }

    pub(crate) fn literal(&mut self) -> Result<&'a str, SqlError> {
        match self.kind() {
            Some(TokenKind::Literal(value)) => {
                self.skip();
                Ok(value)
            }
            _ => Err(self.syntax_error()),
        }
    }

    /// A literal's inside as typed, with only its doubled quotes undone. COPY needs it because COPY
    /// reads its own escapes (`DELIMITER '\t'`).
    pub(crate) fn raw_literal(&mut self) -> Result<String, SqlError> {
        let text = self.text();
        self.literal()?;
        // The text may start with a prefix: of `E'\t'` the part behind the first quote counts.
        let inner = text.find('\'').map_or(text, |quote| &text[quote + 1..]);
        Ok(inner.strip_suffix('\'').unwrap_or(inner).replace("''", "'"))
    }

    pub(crate) fn number(&mut self) -> Result<u64, SqlError> {
        let error = self.syntax_error();
        let number = self.text().parse().map_err(|_| error)?;
        self.skip();
        Ok(number)
    }

    /// Skips `( … )`, nested; returns the text between the outer brackets. A bracket in a literal
    /// is no token of its own and is not counted: `(')')` is one pair.
    pub(crate) fn brackets(&mut self) -> Result<&'a str, SqlError> {
        let open = self.clone();
        self.expect("(")?;
        let start = self.position();
        let mut depth = 1_usize;
        loop {
            if self.is_at_end() {
                return Err(open.syntax_error());
            }
            if self.peeks("(") {
                depth += 1;
            } else if self.peeks(")") {
                depth -= 1;
            }
            let end = self.position();
            self.skip();
            if depth == 0 {
                return Ok(&self.sql[start..end]);
            }
        }
    }

    /// The byte where the next token starts.
    pub(crate) fn position(&self) -> usize {
        self.tokens.get(self.at).map_or(self.end(), |token| token.start)
    }

    fn end(&self) -> usize {
        self.tokens.last().map_or(0, |token| token.end)
    }

    /// The text from byte `start` to the end of the token that was taken last.
    pub(crate) fn since(&self, start: usize) -> &'a str {
        let end = self
            .at
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last))
            .map_or(start, |token| token.end);
        &self.sql[start..end.max(start)]
    }

    /// The text that is left.
    pub(crate) fn rest(&self) -> &'a str {
        &self.sql[self.position().min(self.end())..self.end()]
    }

    pub(crate) fn expect_end(&self) -> Result<(), SqlError> {
        if self.is_at_end() { Ok(()) } else { Err(self.syntax_error()) }
    }
}

/// A table's name, folded; Display quotes it for PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) schema: Option<String>,
    pub(crate) table: String,
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{}.", quote(schema))?;
        }
        f.write_str(&quote(&self.table))
    }
}
