//! SELECT, INSERT, UPDATE, DELETE, MERGE, TRUNCATE, the queries of views, CREATE SCHEMA: parsed by
//! sqlparser, checked, rewritten, printed. In: one statement's text. Out: PostgreSQL text. Refuses
//! what PostgreSQL would take and Redshift would not (`refuse`). Functions and system views that
//! PostgreSQL lacks, such as GETDATE() and SVV_COLUMNS, are objects in the database
//! (`data_api/helpers`), so little is rewritten here.

mod build;
mod cast;
mod parse;
mod refuse;
mod rewrite;
mod system_views;
mod view;
mod written;

pub(super) use system_views::system_view;
pub(super) use view::{ViewQuery, view_query};

use sqlparser::ast::{BinaryOperator, Expr, Merge, Statement, TableFactor};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::error::SqlError;
use super::helper::{HELPER_SCHEMA, regclass};
use super::prepared::{Action, Prepared};
use parse::{parse, syntax_error};

/// Checks and rewrites a statement that starts with one of the verbs above.
// Refusals come first: they judge the statement as the user wrote it. The check of a MERGE's source
// is added last, because it is PostgreSQL's text already.
pub(super) fn prepare(sql: &str) -> Result<Prepared, SqlError> {
    let mut statement = parse(sql)?;
    refuse::check(&statement)?;
    refuse::check_mixture(&statement)?;
    rewrite::in_place(&mut statement)?;
    if let Statement::Merge(merge) = &mut statement {
        check_source_of(merge)?;
    }
    Ok(Prepared::of(match &statement {
        Statement::Query(query) if refuse::select_into(query) => {
            Action::Command(statement.to_string())
        }
        Statement::Query(_) => Action::Query(statement.to_string()),
        Statement::Truncate(_) => Action::CommittingCommand(statement.to_string()),
        _ => match written::table(&statement) {
            Some(table) => Action::Write { table, text: statement.to_string() },
            None => Action::Command(statement.to_string()),
        },
    }))
}

/// Adds a check to a MERGE's condition that only the database can make: that the source is a table.
// The function counts as IMMUTABLE and its argument is constant, so PostgreSQL calls it when it
// plans the MERGE. A check for each row would let a view without rows pass.
fn check_source_of(merge: &mut Merge) -> Result<(), SqlError> {
    let TableFactor::Table { name, .. } = &merge.source else { return Ok(()) };
    let check = format!("{HELPER_SCHEMA}.is_merge_source({})", regclass(&name.to_string()));
    let check = Parser::new(&PostgreSqlDialect {})
        .try_with_sql(&check)
        .and_then(|mut parser| parser.parse_expr())
        .map_err(|error| syntax_error("", &error))?;
    let condition = Expr::Nested(Box::new(merge.on.as_ref().clone()));
    *merge.on = Expr::BinaryOp {
        left: Box::new(condition),
        op: BinaryOperator::And,
        right: Box::new(check),
    };
    Ok(())
}

/// The query of a CREATE TABLE AS.
pub(super) fn translate_source(sql: &str) -> Result<String, SqlError> {
    refuse::check_source(&parse(sql)?)?;
    translate_part(sql)
}

/// The query of an EXPLAIN.
pub(super) fn translate_part(sql: &str) -> Result<String, SqlError> {
    let mut statement = parse(sql)?;
    refuse::check(&statement)?;
    refuse::check_mixture(&statement)?;
    if !matches!(&statement, Statement::Query(_)) {
        return Err(SqlError::syntax(sql.split_whitespace().next().unwrap_or(""), 1));
    }
    rewrite::in_place(&mut statement)?;
    Ok(statement.to_string())
}

/// The expression of a DEFAULT, for example `nvl(NULL, 0)`, which becomes `coalesce(NULL, 0)`.
pub(super) fn translate_expression(sql: &str) -> Result<String, SqlError> {
    // The expression borrows a SELECT, so that the checks and rewrites of statements apply to it.
    let select = format!("SELECT {sql}");
    let mut statement = parse(&select)?;
    refuse::check(&statement)?;
    rewrite::in_place(&mut statement)?;
    let text = statement.to_string();
    Ok(text.strip_prefix("SELECT ").unwrap_or(&text).to_owned())
}
