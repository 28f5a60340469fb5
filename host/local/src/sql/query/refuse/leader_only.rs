//! Functions that Redshift runs on its leader node only. In: the source of rows of an INSERT or a
//! CREATE TABLE AS. Out: the refusal when the source calls such a function, for example
//! `INSERT INTO t SELECT n FROM generate_series(1, 3) AS n`. A plain SELECT may call it.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, ObjectName, TableFactor, Visit, Visitor};

use crate::sql::error::SqlError;

/// Refuses a source of rows that runs on the leader node only (INSERT, CREATE TABLE AS).
pub(in crate::sql) fn check_source<T: Visit>(source: &T) -> Result<(), SqlError> {
    match source.visit(&mut LeaderOnly) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

/// Whether the last part of a function's name is `expected`.
pub(super) fn is_named(name: &ObjectName, expected: &str) -> bool {
    name.0
        .last()
        .and_then(|part| part.as_ident())
        .is_some_and(|last| last.value.eq_ignore_ascii_case(expected))
}

struct LeaderOnly;

impl LeaderOnly {
    fn check(name: &ObjectName) -> ControlFlow<SqlError> {
        if !is_named(name, "generate_series") {
            return ControlFlow::Continue(());
        }
        ControlFlow::Break(
            SqlError::new(
                "Specified types or functions (one per INFO message) not supported on Redshift \
                 tables.",
            )
            .with_hint("generate_series runs on the leader node only"),
        )
    }
}

impl Visitor for LeaderOnly {
    type Break = SqlError;

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<SqlError> {
        match expression {
            Expr::Function(function) => LeaderOnly::check(&function.name),
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<SqlError> {
        match factor {
            // A name with arguments is a function, in either shape that sqlparser gives it.
            TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } => {
                LeaderOnly::check(name)
            }
            _ => ControlFlow::Continue(()),
        }
    }
}
