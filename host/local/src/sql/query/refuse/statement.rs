//! Refusals by a statement's verb: clauses of INSERT, UPDATE, DELETE, MERGE and TRUNCATE that only
//! PostgreSQL has. In: the statement. Out: the first refusal.

use sqlparser::ast::{
    BinaryOperator, Delete, Expr, FromTable, Insert, Merge, MergeAction, MergeClauseKind,
    Statement, TableFactor, Truncate,
};

use crate::sql::error::SqlError;

/// Refuses by the statement's verb.
pub(super) fn check(statement: &Statement) -> Result<(), SqlError> {
    match statement {
        Statement::Insert(insert) => check_insert(insert),
        Statement::Update(update) if update.returning.is_some() => Err(no_returning()),
        Statement::Delete(delete) => check_delete(delete),
        Statement::Merge(merge) => {
            check_merge_relations(merge)?;
            check_merge_clauses(merge)
        }
        Statement::Truncate(truncate) => check_truncate(truncate),
        _ => Ok(()),
    }
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
    Ok(())
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

fn check_truncate(truncate: &Truncate) -> Result<(), SqlError> {
    let is_plain = truncate.table_names.len() == 1
        && truncate.identity.is_none()
        && truncate.cascade.is_none();
    if is_plain {
        return Ok(());
    }
    Err(SqlError::absent("truncate", "TRUNCATE [TABLE] of one table, without further options"))
}

/// Checks that a MERGE goes from one table to another, on equality, with no alias for its target.
fn check_merge_relations(merge: &Merge) -> Result<(), SqlError> {
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
    Ok(())
}

/// Checks that a MERGE has one WHEN MATCHED and one WHEN NOT MATCHED, which both act and have no
/// conditions.
fn check_merge_clauses(merge: &Merge) -> Result<(), SqlError> {
    let count = |kind| merge.clauses.iter().filter(|clause| clause.clause_kind == kind).count();
    let matched = count(MergeClauseKind::Matched);
    let not_matched = count(MergeClauseKind::NotMatched);
    if matched != 1 || not_matched != 1 || merge.clauses.len() != 2 {
        return Err(SqlError::absent(
            "WHEN",
            "both WHEN MATCHED and WHEN NOT MATCHED, once each, in a MERGE",
        ));
    }
    let is_plain = merge.clauses.iter().all(|clause| {
        clause.predicate.is_none() && !matches!(clause.action, MergeAction::DoNothing { .. })
    });
    if !is_plain || merge.output.is_some() {
        return Err(SqlError::absent(
            "AND",
            "no conditions in the WHEN clauses of a MERGE and no DO NOTHING",
        ));
    }
    Ok(())
}

/// Whether a condition is made of equalities and AND only, such as `t.id = s.id AND t.day = s.day`.
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
