//! SELECT, INSERT, UPDATE, DELETE, MERGE, TRUNCATE, the queries of views, CREATE SCHEMA: parsed by
//! sqlparser, checked, rewritten, printed. In: one statement's text. Out: PostgreSQL text. Refuses
//! what PostgreSQL would take and Redshift would not (`refuse`); functions and system views that
//! PostgreSQL lacks are objects in the database (`data_api/helpers`), so little is rewritten here.

mod refuse;
mod rewrite;
mod view;

pub(super) use view::{ViewQuery, view_query};

use std::ops::ControlFlow;

use sqlparser::ast::{BinaryOperator, Expr, Merge, SetExpr, Statement, TableFactor, VisitMut};
use sqlparser::dialect::{PostgreSqlDialect, RedshiftSqlDialect};
use sqlparser::parser::{Parser, ParserError};

use super::{Action, HELPER_SCHEMA, Prepared, SqlError, literal};

pub(super) use rewrite::system_view;

/// Checks and rewrites a statement that starts with one of the verbs above.
pub(super) fn prepare(sql: &str) -> Result<Prepared, SqlError> {
    let mut statement = parse(sql)?;
    refuse::check(&statement)?;
    rewrite_in_place(&mut statement)?;
    if let Statement::Merge(merge) = &mut statement {
        check_source_of(merge)?;
    }
    Ok(Prepared::of(match &statement {
        Statement::Query(query) if refuse::select_into(query) => {
            Action::Command(statement.to_string())
        }
        Statement::Query(_) => Action::Query(statement.to_string()),
        Statement::Truncate(_) => Action::CommittingCommand(statement.to_string()),
        _ => Action::Command(statement.to_string()),
    }))
}

/// Adds to a MERGE's condition what only the database can tell: that its source is a table.
fn check_source_of(merge: &mut Merge) -> Result<(), SqlError> {
    if let TableFactor::Table { name, .. } = &merge.source {
        let check =
            format!("{HELPER_SCHEMA}.is_merge_source({}::regclass)", literal(&name.to_string()));
        let check = Parser::new(&PostgreSqlDialect {})
            .try_with_sql(&check)
            .and_then(|mut parser| parser.parse_expr());
        let check = check.map_err(|error| syntax_error("", &error))?;
        let condition = Expr::Nested(Box::new(merge.on.as_ref().clone()));
        *merge.on = Expr::BinaryOp {
            left: Box::new(condition),
            op: BinaryOperator::And,
            right: Box::new(check),
        };
    }
    Ok(())
}

/// The query of a CREATE TABLE AS.
pub(super) fn translate_part(sql: &str) -> Result<String, SqlError> {
    let mut statement = parse(sql)?;
    refuse::check(&statement)?;
    refuse::check_source(&statement)?;
    if !matches!(&statement, Statement::Query(_)) {
        return Err(SqlError::syntax(sql.split_whitespace().next().unwrap_or(""), 1));
    }
    rewrite_in_place(&mut statement)?;
    Ok(statement.to_string())
}

/// The expression of a DEFAULT.
pub(super) fn translate_expression(sql: &str) -> Result<String, SqlError> {
    let select = format!("SELECT {sql}");
    let mut statement = parse(&select)?;
    refuse::check(&statement)?;
    rewrite_in_place(&mut statement)?;
    let text = statement.to_string();
    Ok(text.strip_prefix("SELECT ").unwrap_or(&text).to_owned())
}

fn rewrite_in_place<T: VisitMut>(statement: &mut T) -> Result<(), SqlError> {
    let mut rewriter = rewrite::Rewriter::default();
    match VisitMut::visit(statement, &mut rewriter) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

fn parse(sql: &str) -> Result<Statement, SqlError> {
    let mut statements = Parser::parse_sql(&RedshiftSqlDialect {}, sql)
        .map_err(|error| syntax_error(sql, &error))?;
    match statements.pop() {
        Some(statement) if statements.is_empty() => Ok(statement),
        _ => Err(SqlError::new("cannot insert multiple commands into a prepared statement")),
    }
}

/// The engine's words for sqlparser's `Expected: …, found: X at Line: 1, Column: 8`.
fn syntax_error(sql: &str, error: &ParserError) -> SqlError {
    let text = match error {
        ParserError::ParserError(text) | ParserError::TokenizerError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => return SqlError::new("stack depth limit exceeded"),
    };
    let located = text.rsplit_once(" at Line: ").and_then(|(before, at)| {
        let (line, column) = at.split_once(", Column: ")?;
        Some((before, line.trim().parse::<usize>().ok()?, column.trim().parse::<usize>().ok()?))
    });
    let Some((before, line, column)) = located else {
        return if text.contains("EOF") {
            SqlError::new("syntax error at end of input")
        } else {
            SqlError::new(format!("syntax error: {text}"))
        };
    };
    let found = before.rsplit_once("found: ").map_or("", |(_, found)| found);
    let ahead: usize =
        sql.lines().take(line.saturating_sub(1)).map(|line| line.chars().count() + 1).sum();
    SqlError::syntax(found, ahead + column)
}

fn is_bare_call(expression: &Expr, name: &str) -> bool {
    matches!(expression, Expr::Identifier(identifier) if identifier.quote_style.is_none() && identifier.value.eq_ignore_ascii_case(name))
}

fn is_write(body: &SetExpr) -> bool {
    matches!(body, SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_))
}
