//! Rewrites a syntax tree where the engines differ: names in lower case, literals that hold
//! escapes, TOP, date functions with a bare date part, NVL, SYSDATE, types in casts, and the names
//! of Redshift's system views. In: what Redshift's dialect parsed. Out: the same tree for
//! PostgreSQL.

use std::ops::ControlFlow;

use sqlparser::ast::{
    DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, LimitClause,
    ObjectName, Query, SetExpr, Top, TopQuantity, Value, ValueWithSpan, VisitMut, VisitorMut,
};

use super::{build, cast::rewrite_cast, system_views};
use crate::sql::error::SqlError;
use crate::sql::helper::HELPER_SCHEMA;
use crate::sql::names::shorten;
use crate::sql::quoting::check_identifier;

/// Functions whose first argument is a bare date part.
const DATE_PART_FUNCTIONS: [&str; 5] =
    ["dateadd", "date_add", "datediff", "date_diff", "date_part"];

/// Rewrites a parsed statement.
///
/// Errors: a type that Redshift does not have, TOP beside LIMIT, or an empty name.
pub(super) fn in_place<T: VisitMut>(statement: &mut T) -> Result<(), SqlError> {
    match VisitMut::visit(statement, &mut Rewriter) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Rewriter;

type Flow = ControlFlow<SqlError>;

impl VisitorMut for Rewriter {
    type Break = SqlError;

    fn pre_visit_ident(&mut self, identifier: &mut Ident) -> Flow {
        fold(identifier)
    }

    fn pre_visit_relation(&mut self, relation: &mut ObjectName) -> Flow {
        // A database in front (`dev.sales.orders`) is always the current one.
        if relation.0.len() == 3 {
            relation.0.remove(0);
        } else if let Some(view) = system_views::in_place_of(relation) {
            *relation = view;
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_value(&mut self, value: &mut ValueWithSpan) -> Flow {
        // sqlparser prints two quotes in a row as they stand, as if they were doubled already, and
        // so loses a quote of `a''b`. It escapes each character of an escape literal: `E'a\'\'b'`.
        if let Value::SingleQuotedString(text) = &mut value.value
            && text.contains(['\'', '\\', '\n', '\r', '\t'])
        {
            value.value = Value::EscapedStringLiteral(std::mem::take(text));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &mut Query) -> Flow {
        if let SetExpr::Select(select) = query.body.as_mut()
            && let Some(top) = select.top.take()
        {
            match limit(top) {
                Ok(limit) if query.limit_clause.is_none() => query.limit_clause = Some(limit),
                Ok(_) => {
                    return ControlFlow::Break(SqlError::new("syntax error at or near \"limit\""));
                }
                Err(error) => return ControlFlow::Break(error),
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> Flow {
        match expression {
            Expr::Cast { data_type, expr, .. } => {
                if *data_type == DataType::Regclass {
                    shorten_literal(expr);
                }
                if let Err(error) = rewrite_cast(data_type) {
                    return ControlFlow::Break(error);
                }
            }
            Expr::Function(function) => rewrite_call(function),
            Expr::Identifier(bare) if is_sysdate(bare) => *expression = build::call("sysdate", []),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// The LIMIT for a TOP: `TOP 3` becomes `LIMIT 3`.
fn limit(top: Top) -> Result<LimitClause, SqlError> {
    let rows = match top.quantity {
        Some(TopQuantity::Constant(rows)) => Expr::value(Value::Number(rows.to_string(), false)),
        Some(TopQuantity::Expr(rows)) => rows,
        None => return Err(SqlError::new("syntax error at or near \"top\"")),
    };
    Ok(LimitClause::LimitOffset { limit: Some(rows), offset: None, limit_by: Vec::new() })
}

/// SYSDATE is a function that is called without brackets.
fn is_sysdate(name: &Ident) -> bool {
    name.quote_style.is_none() && name.value.eq_ignore_ascii_case("sysdate")
}

fn fold(identifier: &mut Ident) -> Flow {
    // `#stage` is a name in Redshift and needs quotes in PostgreSQL. Redshift folds names in quotes
    // too, PostgreSQL does not.
    if identifier.quote_style.is_some() || identifier.value.starts_with('#') {
        identifier.quote_style = Some('"');
        identifier.value = identifier.value.to_ascii_lowercase();
    }
    match check_identifier(&identifier.value) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    }
}

/// A function's name in lower case; empty when the name has a schema of the user in front.
fn name_of(function: &Function) -> String {
    match function.name.0.as_slice() {
        [part] => part.as_ident().map(|name| name.value.to_ascii_lowercase()).unwrap_or_default(),
        [schema, part] if schema.to_string().eq_ignore_ascii_case("pg_catalog") => {
            part.to_string().to_ascii_lowercase()
        }
        _ => String::new(),
    }
}

/// Puts aliases in place of the long names in a string that the engine reads as a name
/// (`'s.long_name'::regclass`).
fn shorten_literal(expression: &mut Expr) {
    if let Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. }) = expression
        && let Ok(shortened) = shorten(text)
    {
        *text = shortened.text.into_owned();
    }
}

fn rewrite_call(function: &mut Function) {
    let name = name_of(function);
    if name == "to_regclass" || (name.starts_with("has_") && name.ends_with("_privilege")) {
        arguments(function).for_each(shorten_literal);
    }
    match name.as_str() {
        "nvl" => rename(function, &["coalesce"]),
        "date_add" => rename(function, &["dateadd"]),
        "date_diff" => rename(function, &["datediff"]),
        "pg_get_viewdef" | "pg_get_expr" | "format_type" => {
            rename(function, &[HELPER_SCHEMA, &name]);
        }
        _ => {}
    }
    if DATE_PART_FUNCTIONS.contains(&name.as_str()) {
        quote_date_part(function);
    }
}

/// `dateadd(day, …)` becomes `dateadd('day', …)`.
fn quote_date_part(function: &mut Function) {
    if let Some(part) = arguments(function).next()
        && let Expr::Identifier(bare) = part
    {
        *part = Expr::value(Value::SingleQuotedString(bare.value.to_ascii_lowercase()));
    }
}

fn rename(function: &mut Function, name: &[&str]) {
    function.name = ObjectName::from(name.iter().copied().map(Ident::new).collect::<Vec<_>>());
}

/// The arguments that are plain expressions, not `*` or named ones.
fn arguments(function: &mut Function) -> impl Iterator<Item = &mut Expr> {
    let arguments = match &mut function.args {
        FunctionArguments::List(list) => list.args.as_mut_slice(),
        _ => &mut [],
    };
    arguments.iter_mut().filter_map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => Some(expression),
        _ => None,
    })
}
