//! The query of a view. In: Redshift text. Out: PostgreSQL text and the relations that the query
//! reads. `IN` lists and TRIM are written as the operators and functions that they stand for, which
//! is how Redshift keeps them. The answer of `pg_get_viewdef` can then be sent again.

use std::ops::ControlFlow;

use sqlparser::ast::{BinaryOperator, Expr, Statement, TrimWhereField, VisitMut, VisitorMut};

use super::{build, parse::parse, refuse, rewrite};
use crate::sql::error::SqlError;
use crate::sql::relations::relations;

/// A view's query.
#[derive(Debug)]
pub(in crate::sql) struct ViewQuery {
    /// PostgreSQL text.
    pub(in crate::sql) text: String,
    /// The names of the relations that the query reads, as PostgreSQL writes them.
    pub(in crate::sql) reads: Vec<String>,
    /// Whether a relation has no schema in front, in the user's own text.
    pub(in crate::sql) has_bare_names: bool,
    /// Whether the query has ORDER BY, LIMIT or OFFSET at its end, not only in a subquery.
    pub(in crate::sql) is_ordered: bool,
}

/// Reads the query that starts at byte `start` of `sql` and ends where `sql` ends.
// The relations are listed twice. Bare names are looked for before the rewrite, which puts a schema
// in front of system views: `svv_columns` is bare as the user wrote it. `reads` is for PostgreSQL
// and needs the names that the rewrite made.
pub(in crate::sql) fn view_query(sql: &str, start: usize) -> Result<ViewQuery, SqlError> {
    let mut statement = parse_from(sql, start)?;
    let has_bare_names = relations(&mut statement).iter().any(|name| name.0.len() == 1);
    rewrite::in_place(&mut statement)?;
    let _ = VisitMut::visit(&mut statement, &mut Plain);
    let reads = relations(&mut statement).iter().map(ToString::to_string).collect();
    let is_ordered = match &statement {
        Statement::Query(query) => query.order_by.is_some() || query.limit_clause.is_some(),
        _ => false,
    };
    Ok(ViewQuery { text: statement.to_string(), reads, has_bare_names, is_ordered })
}

fn parse_from(sql: &str, start: usize) -> Result<Statement, SqlError> {
    // Blanks in place of the statement's head keep the positions in errors those of the request.
    // Line ends stay, because sqlparser counts positions by line.
    let blanks: String = sql[..start].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
    let statement = parse(&format!("{blanks}{}", &sql[start..]))?;
    refuse::check(&statement)?;
    match statement {
        Statement::Query(_) => Ok(statement),
        _ => Err(SqlError::syntax(
            sql[start..].split_whitespace().next().unwrap_or(""),
            blanks.chars().count() + 1,
        )),
    }
}

/// Writes `IN` lists and TRIM as the operators and functions that they stand for.
struct Plain;

impl VisitorMut for Plain {
    type Break = ();

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        let plain = match expression {
            Expr::InList { expr, list, negated } => comparisons(expr, list, *negated),
            Expr::Trim { expr, trim_where, trim_what, trim_characters: None } => {
                Some(trim(expr, trim_where.as_ref(), trim_what.as_deref()))
            }
            _ => None,
        };
        if let Some(plain) = plain {
            *expression = plain;
        }
        ControlFlow::Continue(())
    }
}

/// `a IN (x, y)` becomes `((a) = (x) OR (a) = (y))`, and `a NOT IN (x, y)` becomes
/// `((a) <> (x) AND (a) <> (y))`. The brackets keep the precedence when `a` or `x` is an
/// expression.
fn comparisons(expression: &Expr, list: &[Expr], negated: bool) -> Option<Expr> {
    let (comparison, connective) = match negated {
        false => (BinaryOperator::Eq, BinaryOperator::Or),
        true => (BinaryOperator::NotEq, BinaryOperator::And),
    };
    let binary = |left: Expr, op: BinaryOperator, right: Expr| Expr::BinaryOp {
        left: Box::new(left),
        op,
        right: Box::new(right),
    };
    let nested = |inner: &Expr| Expr::Nested(Box::new(inner.clone()));
    list.iter()
        .map(|value| binary(nested(expression), comparison.clone(), nested(value)))
        .reduce(|all, next| binary(all, connective.clone(), next))
        .map(|all| Expr::Nested(Box::new(all)))
}

fn trim(expression: &Expr, side: Option<&TrimWhereField>, characters: Option<&Expr>) -> Expr {
    let name = match side {
        Some(TrimWhereField::Leading) => "ltrim",
        Some(TrimWhereField::Trailing) => "rtrim",
        Some(TrimWhereField::Both) | None => "btrim",
    };
    build::call(name, std::iter::once(expression).chain(characters))
}
