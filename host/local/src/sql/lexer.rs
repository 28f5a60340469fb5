//! Redshift SQL as tokens with byte positions: enough to split statements, bind parameters and
//! parse the statements that sqlparser cannot. In: the text of a request. Out: words, literals
//! (decoded: a backslash is an escape in Redshift), symbols; comments are dropped. Does not judge
//! the SQL.

use std::iter::Peekable;
use std::str::Chars;

use super::error::SqlError;

/// The kind of a token; its text is `&sql[start..end]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A bare identifier or keyword, as typed.
    Word,
    /// A quoted identifier, folded to lower case: Redshift folds names in quotes too.
    Quoted(String),
    /// A string literal's value.
    Literal(String),
    Number,
    /// `:name`, without the colon.
    Parameter(String),
    /// One character, or `::`.
    Symbol,
}

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Splits `sql` into tokens.
pub(crate) fn lex(sql: &str) -> Result<Vec<Token>, SqlError> {
    let mut lexer = Lexer { sql, bytes: sql.as_bytes(), at: 0 };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next_token()? {
        tokens.push(token);
    }
    Ok(tokens)
}

// The text is walked byte by byte. That is safe in UTF-8, because no byte of a longer character
// looks like a quote, a backslash or another sign that ends a token.
struct Lexer<'a> {
    sql: &'a str,
    bytes: &'a [u8],
    at: usize,
}

fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b'#' || byte >= 0x80
}

fn is_word_part(byte: u8) -> bool {
    is_word_start(byte) || byte.is_ascii_digit() || byte == b'$'
}

fn is_parameter_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    // The order of the arms matters: `E'a'` is a literal and not the word `E`, `x::int` has the
    // symbol `::` and no parameter `:int`, and `$$` opens a literal before it can be a symbol.
    fn next_token(&mut self) -> Result<Option<Token>, SqlError> {
        self.skip_blanks_and_comments()?;
        let start = self.at;
        let Some(&first) = self.bytes.get(start) else { return Ok(None) };
        let kind = match first {
            b'\'' => TokenKind::Literal(self.literal()?),
            b'e' | b'E' | b'n' | b'N' if self.peek(1) == b'\'' => {
                self.at += 1;
                TokenKind::Literal(self.literal()?)
            }
            b'"' => TokenKind::Quoted(self.quoted()?),
            b'$' if self.dollar_tag().is_some() => TokenKind::Literal(self.dollar_quoted()?),
            b':' if self.peek(1) == b':' => {
                self.at += 2;
                TokenKind::Symbol
            }
            b':' if is_parameter_part(self.peek(1)) => {
                self.at += 1;
                let name = self.run(is_parameter_part);
                TokenKind::Parameter(self.sql[name..self.at].to_owned())
            }
            byte if is_word_start(byte) => {
                self.run(is_word_part);
                TokenKind::Word
            }
            byte if byte.is_ascii_digit() || (byte == b'.' && self.peek(1).is_ascii_digit()) => {
                self.number();
                TokenKind::Number
            }
            _ => {
                self.at += 1;
                TokenKind::Symbol
            }
        };
        Ok(Some(Token { kind, start, end: self.at }))
    }

    /// Takes the bytes that are `part` of a token; returns where they start.
    fn run(&mut self, part: impl Fn(u8) -> bool) -> usize {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(|byte| part(*byte)) {
            self.at += 1;
        }
        start
    }

    fn number(&mut self) {
        self.run(|byte| byte.is_ascii_digit() || byte == b'.');
        // An E without digits behind it is not an exponent: of `1end` only the 1 is the number.
        let sign = usize::from(matches!(self.peek(1), b'+' | b'-'));
        if matches!(self.peek(0), b'e' | b'E') && self.peek(1 + sign).is_ascii_digit() {
            self.at += 1 + sign;
            self.run(|byte| byte.is_ascii_digit());
        }
    }

    fn skip_blanks_and_comments(&mut self) -> Result<(), SqlError> {
        loop {
            self.run(|byte| byte.is_ascii_whitespace());
            if self.peek(0) == b'-' && self.peek(1) == b'-' {
                self.run(|byte| byte != b'\n');
            } else if self.peek(0) == b'/' && self.peek(1) == b'*' {
                self.block_comment()?;
            } else {
                return Ok(());
            }
        }
    }

    fn block_comment(&mut self) -> Result<(), SqlError> {
        // Comments nest: `/* a /* b */ c */` is one comment.
        let mut depth = 0_usize;
        while self.at < self.bytes.len() {
            match (self.peek(0), self.peek(1)) {
                (b'/', b'*') => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                _ => self.at += 1,
            }
        }
        Err(SqlError::new("unterminated /* comment"))
    }

    fn quoted(&mut self) -> Result<String, SqlError> {
        let start = self.at + 1;
        self.at += 1;
        loop {
            match self.bytes.get(self.at) {
                None => return Err(SqlError::new("unterminated quoted identifier")),
                Some(b'"') if self.peek(1) == b'"' => self.at += 2,
                Some(b'"') => {
                    self.at += 1;
                    let inner = &self.sql[start..self.at - 1];
                    return Ok(inner.replace("\"\"", "\"").to_ascii_lowercase());
                }
                Some(_) => self.at += 1,
            }
        }
    }

    fn literal(&mut self) -> Result<String, SqlError> {
        let start = self.at + 1;
        self.at += 1;
        loop {
            match self.bytes.get(self.at) {
                None => return Err(SqlError::new("unterminated quoted string")),
                // The next character belongs to the escape, even a quote: `'a\'b'` is one literal.
                // Behind the last byte, `at` steps past the end of the text, and the literal counts
                // as unterminated.
                Some(b'\\') => self.at += 2,
                Some(b'\'') if self.peek(1) == b'\'' => self.at += 2,
                Some(b'\'') => {
                    self.at += 1;
                    return Ok(unescape(&self.sql[start..self.at - 1]));
                }
                Some(_) => self.at += 1,
            }
        }
    }

    /// The tag that a dollar-quoted string opens with, such as `$$` or `$body$`. A digit cannot
    /// begin it, so `$1` is no tag.
    fn dollar_tag(&self) -> Option<&str> {
        let rest = &self.sql[self.at + 1..];
        let end = rest.find('$')?;
        let tag = &rest[..end];
        let plain = tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        (plain && !tag.starts_with(|first: char| first.is_ascii_digit()))
            .then(|| &self.sql[self.at..self.at + end + 2])
    }

    fn dollar_quoted(&mut self) -> Result<String, SqlError> {
        let tag = self.dollar_tag().unwrap_or("$$").to_owned();
        let body = &self.sql[self.at + tag.len()..];
        let end =
            body.find(&tag).ok_or_else(|| SqlError::new("unterminated dollar-quoted string"))?;
        let value = body[..end].to_owned();
        self.at += 2 * tag.len() + end;
        Ok(value)
    }
}

/// The value of a literal's inside: doubled quotes and the backslash escapes of PostgreSQL 8.
fn unescape(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            // A quote in the inside is the first of two, because a single quote ends the literal.
            '\'' => {
                chars.next();
                out.push('\'');
            }
            '\\' => out.extend(escaped(&mut chars)),
            other => out.push(other),
        }
    }
    out
}

/// The character that an escape stands for, after its backslash. An octal number is a code point:
/// `\052` is `*`.
fn escaped(chars: &mut Peekable<Chars<'_>>) -> Option<char> {
    Some(match chars.next()? {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        digit @ '0'..='7' => {
            let mut code = digit.to_digit(8).unwrap_or(0);
            for _ in 0..2 {
                if let Some(next) = chars.peek().and_then(|next| next.to_digit(8)) {
                    code = code * 8 + next;
                    chars.next();
                }
            }
            return char::from_u32(code);
        }
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, expected: &[&str]) {
        let tokens = lex(sql).unwrap();
        let texts: Vec<String> = tokens
            .iter()
            .map(|token| match &token.kind {
                TokenKind::Quoted(name) => format!("<{name}>"),
                TokenKind::Literal(value) => format!("'{value}'"),
                TokenKind::Parameter(name) => format!(":{name}"),
                _ => sql[token.start..token.end].to_owned(),
            })
            .collect();
        assert_eq!(texts, expected, "{sql}");
    }

    #[test]
    fn tokens() {
        check("select \"A\"\"b\", x::int", &["select", "<a\"b>", ",", "x", "::", "int"]);
        check(r"'it''s' 'a\'b' E'\n' '\\' '\052'", &["'it's'", "'a'b'", "'\n'", "'\\'", "'*'"]);
        check("a -- ; b\n/* ; /* */ */ ; c", &["a", ";", "c"]);
        check(
            "where a = :id and t > '10:30'",
            &["where", "a", "=", ":id", "and", "t", ">", "'10:30'"],
        );
        check("$$ ; $$ #tmp 1.5e-3 .5", &["' ; '", "#tmp", "1.5e-3", ".5"]);
    }

    #[test]
    fn what_is_not_closed_is_an_error() {
        assert!(lex("select 'a").is_err());
        assert!(lex("select \"a").is_err());
        assert!(lex("/* a").is_err());
        assert!(lex(r"'a\").is_err());
    }
}
