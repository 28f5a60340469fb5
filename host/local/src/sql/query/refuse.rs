//! What PostgreSQL accepts and Redshift does not, found in the syntax tree. In: a parsed statement.
//! Out: the first refusal. The list is the one of Redshift's "unsupported PostgreSQL features"
//! pages, where a loader comes near it.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Delete, Distinct, Expr, FromTable, Insert, Merge, MergeAction, MergeClauseKind,
    ObjectName, Query, Select, SetExpr, Statement, TableFactor, TableWithJoins, Visit, Visitor,
};

use super::super::SqlError;

/// Refuses what Redshift refuses.
pub(super) fn check(statement: &Statement) -> Result<(), SqlError> {
    match statement {
        Statement::Insert(insert) => check_insert(insert)?,
        Statement::Update(update) if update.returning.is_some() => return Err(no_returning()),
        Statement::Delete(delete) => check_delete(delete)?,
        Statement::Merge(merge) => check_merge(merge)?,
        Statement::Truncate(truncate) => {
            let plain = truncate.table_names.len() == 1
                && truncate.identity.is_none()
                && truncate.cascade.is_none();
            if !plain {
                return Err(SqlError::absent(
                    "truncate",
                    "TRUNCATE [TABLE] of one table, without further options",
                ));
            }
        }
        _ => {}
    }
    let mut refuser = Refuser;
    match statement.visit(&mut refuser) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

/// Refuses a source of rows that runs on the leader node only (INSERT, CREATE TABLE AS).
pub(super) fn check_source<T: Visit>(source: &T) -> Result<(), SqlError> {
    struct LeaderOnly;
    impl Visitor for LeaderOnly {
        type Break = SqlError;
        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<SqlError> {
            match expression {
                Expr::Function(function) if is_named(&function.name, "generate_series") => {
                    ControlFlow::Break(leader_only())
                }
                _ => ControlFlow::Continue(()),
            }
        }
        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<SqlError> {
            match factor {
                TableFactor::Table { name, args: Some(_), .. }
                    if is_named(name, "generate_series") =>
                {
                    ControlFlow::Break(leader_only())
                }
                TableFactor::Function { name, .. } if is_named(name, "generate_series") => {
                    ControlFlow::Break(leader_only())
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }
    match source.visit(&mut LeaderOnly) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

/// Whether the query is `SELECT … INTO`.
pub(super) fn select_into(query: &Query) -> bool {
    query.body.as_select().is_some_and(|select| select.into.is_some())
}

fn leader_only() -> SqlError {
    SqlError::new(
        "Specified types or functions (one per INFO message) not supported on Redshift tables.",
    )
    .with_hint("generate_series runs on the leader node only")
}

fn is_named(name: &ObjectName, expected: &str) -> bool {
    name.0
        .last()
        .and_then(|part| part.as_ident())
        .is_some_and(|last| last.value.eq_ignore_ascii_case(expected))
}

fn no_returning() -> SqlError {
    SqlError::absent("RETURNING", "no RETURNING")
}

fn check_insert(insert: &Insert) -> Result<(), SqlError> {
    if insert.on.is_some() {
        return Err(SqlError::absent(
            "ON",
            "no ON CONFLICT; use MERGE, or DELETE and INSERT in one transaction",
        ));
    }
    if insert.returning.is_some() {
        return Err(no_returning());
    }
    if insert.table_alias.is_some() {
        return Err(SqlError::absent("AS", "no alias for the target of an INSERT"));
    }
    match &insert.source {
        Some(source) => check_source(source.as_ref()),
        None => Ok(()),
    }
}

fn check_delete(delete: &Delete) -> Result<(), SqlError> {
    if delete.returning.is_some() {
        return Err(no_returning());
    }
    let (FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables)) = &delete.from;
    let aliased = tables
        .iter()
        .any(|table| matches!(&table.relation, TableFactor::Table { alias: Some(_), .. }));
    if aliased {
        return Err(SqlError::absent("AS", "no alias for the target of a DELETE"));
    }
    Ok(())
}

fn check_merge(merge: &Merge) -> Result<(), SqlError> {
    let TableFactor::Table { name: target, alias: target_alias, .. } = &merge.table else {
        return Err(SqlError::new("syntax error: the target of MERGE must be a table"));
    };
    if target_alias.is_some() {
        return Err(SqlError::absent("AS", "no alias for the target of a MERGE"));
    }
    let TableFactor::Table { name: source, .. } = &merge.source else {
        return Err(SqlError::absent("(", "MERGE from tables only, not from subqueries"));
    };
    if source == target {
        return Err(SqlError::new("source and target of MERGE must be different tables"));
    }
    if !is_equality(&merge.on) {
        return Err(SqlError::absent("ON", "equality conditions only in a MERGE"));
    }
    let matched = merge
        .clauses
        .iter()
        .filter(|clause| clause.clause_kind == MergeClauseKind::Matched)
        .count();
    let not_matched = merge
        .clauses
        .iter()
        .filter(|clause| clause.clause_kind == MergeClauseKind::NotMatched)
        .count();
    if matched != 1 || not_matched != 1 || merge.clauses.len() != 2 {
        return Err(SqlError::absent(
            "WHEN",
            "both WHEN MATCHED and WHEN NOT MATCHED, once each, in a MERGE",
        ));
    }
    let plain = merge.clauses.iter().all(|clause| {
        clause.predicate.is_none() && !matches!(clause.action, MergeAction::DoNothing { .. })
    });
    if !plain || merge.output.is_some() {
        return Err(SqlError::absent(
            "AND",
            "no conditions in the WHEN clauses of a MERGE and no DO NOTHING",
        ));
    }
    Ok(())
}

fn is_equality(condition: &Expr) -> bool {
    match condition {
        Expr::Nested(inner) => is_equality(inner),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            is_equality(left) && is_equality(right)
        }
        Expr::BinaryOp { op: BinaryOperator::Eq, .. } => true,
        _ => false,
    }
}

struct Refuser;

impl Visitor for Refuser {
    type Break = SqlError;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<SqlError> {
        let writes = query
            .with
            .iter()
            .flat_map(|with| &with.cte_tables)
            .any(|cte| super::is_write(&cte.query.body));
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
