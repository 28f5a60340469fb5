//! One statement's text as a syntax tree. In: Redshift text. Out: sqlparser's statement, or the
//! engine's `syntax error at or near` in place of sqlparser's words.

use sqlparser::ast::Statement;
use sqlparser::dialect::RedshiftSqlDialect;
use sqlparser::parser::{Parser, ParserError};

use crate::sql::error::SqlError;

/// Parses one statement.
pub(super) fn parse(sql: &str) -> Result<Statement, SqlError> {
    let mut statements = Parser::parse_sql(&RedshiftSqlDialect {}, sql)
        .map_err(|error| syntax_error(sql, &error))?;
    match statements.pop() {
        Some(statement) if statements.is_empty() => Ok(statement),
        _ => Err(SqlError::new("cannot insert multiple commands into a prepared statement")),
    }
}

/// The engine's words for an error of sqlparser.
// sqlparser says what it expected and what it found. The engine names only the latter, for example
// `syntax error at or near "FROM"`, with the position in characters.
pub(super) fn syntax_error(sql: &str, error: &ParserError) -> SqlError {
    let text = match error {
        ParserError::ParserError(text) | ParserError::TokenizerError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => return SqlError::new("stack depth limit exceeded"),
    };
    match located(text) {
        Some((before, line, column)) => {
            let found = before.rsplit_once("found: ").map_or("", |(_, found)| found);
            SqlError::syntax(found, position(sql, line, column))
        }
        None if text.contains("EOF") => SqlError::new("syntax error at end of input"),
        None => SqlError::new(format!("syntax error: {text}")),
    }
}

/// The number of the character at `line` and `column`; all three count from 1. A line end is one
/// character: line 2, column 1 of `a\nb` is 3.
fn position(sql: &str, line: usize, column: usize) -> usize {
    let lines_before = sql.lines().take(line.saturating_sub(1));
    lines_before.map(|line| line.chars().count() + 1).sum::<usize>() + column
}

/// Splits sqlparser's `Expected: …, found: X at Line: 1, Column: 8` into the words, the line and
/// the column.
fn located(text: &str) -> Option<(&str, usize, usize)> {
    let (before, at) = text.rsplit_once(" at Line: ")?;
    let (line, column) = at.split_once(", Column: ")?;
    Some((before, line.trim().parse().ok()?, column.trim().parse().ok()?))
}
