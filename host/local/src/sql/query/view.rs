//! The query of a view. In: Redshift text. Out: PostgreSQL text and what it reads. `IN` lists and
//! TRIM are written as the operators and functions they stand for, as Redshift keeps them: what
//! `pg_get_viewdef` answers can then be sent again.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Ident, ObjectName, Statement, TrimWhereField, VisitMut, VisitorMut,
};

use super::super::SqlError;
use super::super::relations::relations;

/// A view's query.
#[derive(Debug)]
pub(in super::super) struct ViewQuery {
    /// PostgreSQL text.
    pub(in super::super) text: String,
    /// What it reads, as PostgreSQL names it.
    pub(in super::super) reads: Vec<String>,
    /// Whether a relation has no schema in front.
    pub(in super::super) has_bare_names: bool,
    /// Whether the whole has ORDER BY, LIMIT or OFFSET.
    pub(in super::super) is_ordered: bool,
}

/// Reads the query that is what of `sql` starts at byte `start`.
pub(in super::super) fn view_query(sql: &str, start: usize) -> Result<ViewQuery, SqlError> {
    // Blanks in front keep the positions in errors those of the request.
    let blanks: String = sql[..start].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
    let mut statement = super::parse(&format!("{blanks}{}", &sql[start..]))?;
    super::refuse::check(&statement)?;
    if !matches!(&statement, Statement::Query(_)) {
        return Err(SqlError::syntax(
            sql[start..].split_whitespace().next().unwrap_or(""),
            blanks.chars().count() + 1,
        ));
    }
    let has_bare_names = relations(&mut statement).iter().any(|name| name.0.len() == 1);
    super::rewrite_in_place(&mut statement)?;
    let _ = VisitMut::visit(&mut statement, &mut Plain);
    let reads = relations(&mut statement).iter().map(ToString::to_string).collect();
    let is_ordered = match &statement {
        Statement::Query(query) => query.order_by.is_some() || query.limit_clause.is_some(),
        _ => false,
    };
    Ok(ViewQuery { text: statement.to_string(), reads, has_bare_names, is_ordered })
}

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

/// `a IN (x, y)` as `(a = x OR a = y)`, `a NOT IN (x, y)` as `(a <> x AND a <> y)`.
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
    let argument = |value: &Expr| FunctionArg::Unnamed(FunctionArgExpr::Expr(value.clone()));
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: std::iter::once(expression).chain(characters).map(argument).collect(),
            clauses: Vec::new(),
        }),
        within_group: Vec::new(),
        filter: None,
        null_treatment: None,
        over: None,
    })
}
