//! Reads an expression.
//!
//! ```text
//! or    = and { "or" and }            and  = not { "and" not }         not = "not" not | "(" or ")" | test
//! test  = value [ compare value | "is" ["not"] "null" | ["not"] "in" "(" constant { "," constant } ")" ]
//! value = constant | name | "\"any name\""                  constant = number | "'text'" | "true" | "false"
//! ```

use std::fmt;

use loader_sdk::Decimal;

/// Deeper ones would use up the stack of the sandbox.
const MAX_DEPTH: usize = 100;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    Or(Vec<Expression>),
    And(Vec<Expression>),
    Not(Box<Expression>),
    Compare(Value, Comparison, Value),
    IsNull(Value),
    In(Value, Vec<Value>),
    /// A column that is true or false itself.
    Is(Value),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Column(String),
    Number(Decimal),
    Text(String),
    Boolean(bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// Without quotes, as it was written; may be a word of the grammar.
    Word(String),
    Value(Value),
    Compare(Comparison),
    Open,
    Close,
    Comma,
    End,
}

pub(crate) fn parse(text: &str) -> Result<Expression, String> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, depth: 0 };
    let expression = parser.or()?;
    match parser.peek() {
        Token::End => Ok(expression),
        _ => Err(parser.expected("and, or, or the end")),
    }
}

struct Parser {
    /// With the number of the character that each begins at; the last is the end.
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

    fn not(&mut self) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("more than {MAX_DEPTH} not and ( inside each other"));
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
            self.need(&Token::Open)?;
            let mut constants = vec![self.constant()?];
            while self.take(&Token::Comma) {
                constants.push(self.constant()?);
            }
            self.need(&Token::Close)?;
            return Ok(negate(negated, Expression::In(value, constants)));
        }
        if negated { Err(self.expected("in")) } else { Ok(Expression::Is(value)) }
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

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, String> {
    let characters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut place = 0;
    while let Some(&character) = characters.get(place) {
        let begin = place + 1;
        let rest = &characters[place..];
        let (token, length) = match character {
            _ if character.is_whitespace() => {
                place += 1;
                continue;
            }
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            ',' => (Token::Comma, 1),
            '\'' => quoted(rest, '\'')
                .map(|(text, length)| (Token::Value(Value::Text(text)), length))
                .ok_or_else(|| format!("at character {begin}: the text is not closed"))?,
            '"' => quoted(rest, '"')
                .map(|(name, length)| (Token::Value(Value::Column(name)), length))
                .ok_or_else(|| format!("at character {begin}: the name is not closed"))?,
            '0'..='9' | '-' | '+' | '.' => number(rest).ok_or_else(|| {
                format!(
                    "at character {begin}: a number is expected, such as -1.5 or 2e6, of at \
                         most 38 digits"
                )
            })?,
            _ if is_word(character) => {
                let word: String =
                    rest.iter().take_while(|character| is_word(**character)).collect();
                let length = word.chars().count();
                (Token::Word(word), length)
            }
            _ => comparison(rest).ok_or_else(|| {
                format!(
                    "at character {begin}: no expression has \
                                                        {character} in it"
                )
            })?,
        };
        tokens.push((begin, token));
        place += length;
    }
    tokens.push((characters.len() + 1, Token::End));
    Ok(tokens)
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// What stands between quotes, of which two stand for one, and how many characters that took.
fn quoted(rest: &[char], quote: char) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut place = 1;
    loop {
        match (*rest.get(place)?, rest.get(place + 1)) {
            (character, Some(next)) if character == quote && *next == quote => place += 1,
            (character, _) if character == quote => return Some((text, place + 1)),
            _ => {}
        }
        text.push(rest[place]);
        place += 1;
    }
}

fn number(rest: &[char]) -> Option<(Token, usize)> {
    let mut length = 0;
    while let Some(&character) = rest.get(length) {
        let after_exponent = length > 0 && matches!(rest[length - 1], 'e' | 'E');
        let is_sign = matches!(character, '-' | '+') && (length == 0 || after_exponent);
        if !(is_word(character) || character == '.' || is_sign) {
            break;
        }
        length += 1;
    }
    let text: String = rest[..length].iter().collect();
    Some((Token::Value(Value::Number(Decimal::parse(&text).ok()?)), length))
}

fn comparison(rest: &[char]) -> Option<(Token, usize)> {
    let (comparison, length) = match (rest.first()?, rest.get(1)) {
        ('!', Some('=')) | ('<', Some('>')) => (Comparison::NotEqual, 2),
        ('<', Some('=')) => (Comparison::LessOrEqual, 2),
        ('>', Some('=')) => (Comparison::GreaterOrEqual, 2),
        ('<', _) => (Comparison::Less, 1),
        ('>', _) => (Comparison::Greater, 1),
        ('=', _) => (Comparison::Equal, 1),
        _ => return None,
    };
    Some((Token::Compare(comparison), length))
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Column(name) => formatter.write_str(name),
            Value::Number(number) => write!(formatter, "{number}"),
            Value::Text(text) => write!(formatter, "'{text}'"),
            Value::Boolean(value) => write!(formatter, "{value}"),
        }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Word(word) => formatter.write_str(word),
            Token::Value(value) => write!(formatter, "{value}"),
            Token::Compare(_) => formatter.write_str("a comparison"),
            Token::Open => formatter.write_str("("),
            Token::Close => formatter.write_str(")"),
            Token::Comma => formatter.write_str("a comma"),
            Token::End => formatter.write_str("the end"),
        }
    }
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
            Err("more than 100 not and ( inside each other".to_owned())
        );
    }

    #[test]
    fn numbers_may_touch_what_follows() {
        assert_eq!(parse("a=-1.5e-3"), parse("a = -0.0015"));
        assert_eq!(parse("a in (1,2)"), parse("a in ( 1 , 2 )"));
        assert!(parse("a = 1x").is_err());
    }
}
