//! From the text of an expression to words, values and signs: `day >= '2024-02-01'` gives a word, a
//! comparison and a value.

use std::fmt;

use loader_sdk::Decimal;

use crate::expression::{Comparison, Value};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    /// A word without quotes, as it was written. It may be a word of the grammar, such as `and`.
    Word(String),
    Value(Value),
    Compare(Comparison),
    Open,
    Close,
    Comma,
    End,
}

/// All tokens, each with the number of the character that it begins at; the last is the end.
pub(crate) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, String> {
    let characters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut place = 0;
    while let Some(&character) = characters.get(place) {
        if character.is_whitespace() {
            place += 1;
            continue;
        }
        let (token, length) = token(character, &characters[place..])
            .map_err(|why| format!("at character {}: {why}", place + 1))?;
        tokens.push((place + 1, token));
        place += length;
    }
    tokens.push((characters.len() + 1, Token::End));
    Ok(tokens)
}

/// The token that begins with a character, and how many characters it takes.
// A name in quotes is a column at once and never a word of the grammar: `"or"` is the column or.
fn token(character: char, rest: &[char]) -> Result<(Token, usize), String> {
    match character {
        '(' => Ok((Token::Open, 1)),
        ')' => Ok((Token::Close, 1)),
        ',' => Ok((Token::Comma, 1)),
        '\'' => {
            let (text, length) = quoted(rest, '\'').ok_or("the text is not closed")?;
            Ok((Token::Value(Value::Text(text)), length))
        }
        '"' => {
            let (name, length) = quoted(rest, '"').ok_or("the name is not closed")?;
            Ok((Token::Value(Value::Column(name)), length))
        }
        '0'..='9' | '-' | '+' | '.' => number(rest).ok_or_else(|| {
            "a number is expected, such as -1.5 or 2e6, of at most 38 digits".to_owned()
        }),
        _ if is_word(character) => Ok(word(rest)),
        _ => comparison(rest).ok_or_else(|| format!("no expression has {character} in it")),
    }
}

fn word(rest: &[char]) -> (Token, usize) {
    let word: Vec<char> =
        rest.iter().copied().take_while(|&character| is_word(character)).collect();
    (Token::Word(word.iter().collect()), word.len())
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The text between quotes, and how many characters it took with them. Two quotes stand for one:
/// `'it''s'` becomes it's.
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

// Takes letters too, so that `1x` is refused as a whole and not read as the number 1 and a word. A
// sign belongs to the number at its start and behind its exponent: in `1-2` the number ends at the
// sign.
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
    // The longer signs first, else `<=` would be `<` and a stray `=`.
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
