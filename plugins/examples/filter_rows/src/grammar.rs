//! Reads an expression by this grammar, for example `status <> 'test' and amount > 0`:
//!
//! ```text
//! or    = and { "or" and }            and  = not { "and" not }         not = "not" not | "(" or ")" | test
//! test  = value [ compare value | "is" ["not"] "null" | ["not"] "in" "(" constant { "," constant } ")" ]
//! value = constant | name | "\"any name\""                  constant = number | "'text'" | "true" | "false"
//! ```

use crate::expression::{Expression, Value};
use crate::tokens::{Token, tokens};

/// How deep an expression may be nested. The parser calls itself for each level, and the stack of
/// the sandbox is small.
const MAX_DEPTH: usize = 100;

pub(crate) fn parse(text: &str) -> Result<Expression, String> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, depth: 0 };
    let expression = parser.or()?;
    match parser.peek() {
        Token::End => Ok(expression),
        _ => Err(parser.expected("and, or, or the end")),
    }
}

struct Parser {
    /// The tokens, each with the number of the character that it begins at. The last is the end.
    tokens: Vec<(usize, Token)>,
    next: usize,
    depth: usize,
}

impl Parser {
    fn or(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.and()?];
        while self.take_word("or") {
            parts.push(self.and()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::Or(parts) })
    }

    fn and(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.not()?];
        while self.take_word("and") {
            parts.push(self.not()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::And(parts) })
    }

    // Every level of nesting passes through here, a `(` by way of `or` and `and`; so this is the
    // only place that counts. After an error the count no longer matters, as parsing ends.
    fn not(&mut self) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("not and ( are nested more than {MAX_DEPTH} deep"));
        }
        let expression = if self.take_word("not") {
            Expression::Not(Box::new(self.not()?))
        } else if self.take(&Token::Open) {
            let inner = self.or()?;
            self.need(&Token::Close)?;
            inner
        } else {
            self.test()?
        };
        self.depth -= 1;
        Ok(expression)
    }

    fn test(&mut self) -> Result<Expression, String> {
        let value = self.value()?;
        if let Token::Compare(comparison) = *self.peek() {
            self.next += 1;
            return Ok(Expression::Compare(value, comparison, self.value()?));
        }
        if self.take_word("is") {
            let negated = self.take_word("not");
            if !self.take_word("null") {
                return Err(self.expected("null"));
            }
            return Ok(negate(negated, Expression::IsNull(value)));
        }
        let negated = self.take_word("not");
        if self.take_word("in") {
            return Ok(negate(negated, Expression::In(value, self.constants()?)));
        }
        if negated { Err(self.expected("in")) } else { Ok(Expression::Is(value)) }
    }

    /// One constant or more, in parentheses.
    fn constants(&mut self) -> Result<Vec<Value>, String> {
        self.need(&Token::Open)?;
        let mut constants = vec![self.constant()?];
        while self.take(&Token::Comma) {
            constants.push(self.constant()?);
        }
        self.need(&Token::Close)?;
        Ok(constants)
    }

    fn value(&mut self) -> Result<Value, String> {
        let value = match self.peek() {
            Token::Value(value) => value.clone(),
            Token::Word(word) => match constant_word(word) {
                Some(value) => value,
                None if is_reserved(word) => return Err(self.expected("a column or a value")),
                None => Value::Column(word.clone()),
            },
            _ => return Err(self.expected("a column or a value")),
        };
        self.next += 1;
        Ok(value)
    }

    fn constant(&mut self) -> Result<Value, String> {
        let place = self.next;
        match self.value() {
            Ok(Value::Column(_)) | Err(_) => {
                // Back to the token itself, so that the error names it and not what follows.
                self.next = place;
                Err(self.expected("a value"))
            }
            Ok(value) => Ok(value),
        }
    }

    fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |(_, token)| token)
    }

    fn take(&mut self, token: &Token) -> bool {
        let found = self.peek() == token;
        self.next += usize::from(found);
        found
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Token::Word(found) if found.eq_ignore_ascii_case(word));
        self.next += usize::from(found);
        found
    }

    fn need(&mut self, token: &Token) -> Result<(), String> {
        if self.take(token) { Ok(()) } else { Err(self.expected(&token.to_string())) }
    }

    fn expected(&self, what: &str) -> String {
        let place = self.tokens.get(self.next).map_or(0, |(place, _)| *place);
        format!("at character {place}: expected {what}, found {}", self.peek())
    }
}

fn negate(negated: bool, expression: Expression) -> Expression {
    if negated { Expression::Not(Box::new(expression)) } else { expression }
}

fn constant_word(word: &str) -> Option<Value> {
    let is = |other: &str| word.eq_ignore_ascii_case(other);
    if is("true") || is("false") { Some(Value::Boolean(is("true"))) } else { None }
}

fn is_reserved(word: &str) -> bool {
    ["and", "or", "not", "is", "in", "null"]
        .iter()
        .any(|reserved| word.eq_ignore_ascii_case(reserved))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn and_binds_closer_than_or_and_not_closest() {
        let is = |name: &str| Expression::Is(Value::Column(name.to_owned()));
        let not = |expression| Expression::Not(Box::new(expression));
        let expected = Expression::Or(vec![is("a"), Expression::And(vec![not(is("b")), is("c")])]);
        assert_eq!(parse("a or not b AND c"), Ok(expected));
        assert_eq!(parse("\"or\""), Ok(is("or")));
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
        assert!(parse(&nested(99)).is_ok());
        assert_eq!(
            parse(&nested(100_000)),
            Err("not and ( are nested more than 100 deep".to_owned())
        );
    }

    #[test]
    fn numbers_may_touch_what_follows() {
        assert_eq!(parse("a=-1.5e-3"), parse("a = -0.0015"));
        assert_eq!(parse("a in (1,2)"), parse("a in ( 1 , 2 )"));
        assert!(parse("a = 1x").is_err());
    }
}
