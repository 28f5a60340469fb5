//! Finds syntax that PostgreSQL accepts and Redshift refuses, such as DISTINCT ON. In: a parsed
//! statement. Out: the first refusal. The list follows Redshift's pages on unsupported PostgreSQL
//! features, as far as the statements of a loader come near them.

mod leader_only;
mod statement;

use std::ops::ControlFlow;

use sqlparser::ast::{
    Distinct, Expr, ObjectName, Query, Select, SetExpr, Statement, TableFactor, TableWithJoins,
    Visit, Visitor,
};

use crate::sql::error::SqlError;

pub(super) use leader_only::{check_mixture, check_source};

use leader_only::is_named;

/// Refuses what Redshift refuses: first by the statement's verb, then anywhere inside the
/// statement.
pub(super) fn check(statement: &Statement) -> Result<(), SqlError> {
    statement::check(statement)?;
    match statement.visit(&mut Refuser) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

/// Whether the query is `SELECT … INTO`.
pub(super) fn select_into(query: &Query) -> bool {
    query.body.as_select().is_some_and(|select| select.into.is_some())
}

struct Refuser;

impl Visitor for Refuser {
    type Break = SqlError;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<SqlError> {
        let writes = query
            .with
            .iter()
            .flat_map(|with| &with.cte_tables)
            .any(|cte| is_write(&cte.query.body));
        if writes {
            return ControlFlow::Break(SqlError::absent(
                "WITH",
                "no data-changing statements in WITH",
            ));
        }
        if matches!(query.body.as_ref(), SetExpr::Table(_)) {
            return ControlFlow::Break(SqlError::absent("TABLE", "no TABLE command"));
        }
        if !query.locks.is_empty() {
            return ControlFlow::Break(SqlError::absent("FOR", "no SELECT … FOR UPDATE; use LOCK"));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<SqlError> {
        if matches!(select.distinct, Some(Distinct::On(_))) {
            return ControlFlow::Break(SqlError::absent("ON", "no DISTINCT ON; use ROW_NUMBER()"));
        }
        if select.qualify.is_some() {
            return ControlFlow::Break(SqlError::unsupported("QUALIFY"));
        }
        let lateral = |table: &TableWithJoins| {
            is_lateral(&table.relation) || table.joins.iter().any(|join| is_lateral(&join.relation))
        };
        if select.from.iter().any(lateral) {
            return ControlFlow::Break(SqlError::absent("LATERAL", "no LATERAL"));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<SqlError> {
        match factor {
            // The VALUES of an INSERT are the body of its query, not a table, and pass.
            TableFactor::Derived { subquery, .. }
                if matches!(subquery.body.as_ref(), SetExpr::Values(_)) =>
            {
                ControlFlow::Break(SqlError::absent(
                    "VALUES",
                    "no VALUES lists as tables; use SELECT … UNION ALL",
                ))
            }
            TableFactor::Pivot { .. } | TableFactor::Unpivot { .. } => {
                ControlFlow::Break(SqlError::unsupported("PIVOT"))
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<SqlError> {
        match expression {
            Expr::IsDistinctFrom(..) | Expr::IsNotDistinctFrom(..) => {
                ControlFlow::Break(SqlError::absent("DISTINCT", "no IS DISTINCT FROM"))
            }
            Expr::Array(_) => ControlFlow::Break(SqlError::unsupported("ARRAY")),
            Expr::Function(function) => check_function(&function.name, function.filter.is_some()),
            _ => ControlFlow::Continue(()),
        }
    }
}

fn check_function(name: &ObjectName, has_filter: bool) -> ControlFlow<SqlError> {
    if has_filter {
        return ControlFlow::Break(SqlError::absent(
            "(",
            "no FILTER on aggregates; use CASE inside",
        ));
    }
    let absent = [
        "string_agg",
        "array_agg",
        "json_agg",
        "jsonb_agg",
        "unnest",
        "gen_random_uuid",
        "format",
        "nextval",
    ];
    match absent.iter().find(|absent| is_named(name, absent)) {
        Some(absent) => ControlFlow::Break(SqlError::new(format!(
            "function {absent} does not exist in Amazon Redshift"
        ))),
        None => ControlFlow::Continue(()),
    }
}

fn is_lateral(factor: &TableFactor) -> bool {
    matches!(
        factor,
        TableFactor::Derived { lateral: true, .. } | TableFactor::Function { lateral: true, .. }
    )
}

fn is_write(body: &SetExpr) -> bool {
    matches!(body, SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_))
}
