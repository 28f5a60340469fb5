//! What is written differently for PostgreSQL: names in lower case, literals that hold escapes,
//! TOP, date functions with a bare date part, NVL, SYSDATE, types in casts, and the names of
//! Redshift's system views.

use std::ops::ControlFlow;

use sqlparser::ast::{
    DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, LimitClause,
    ObjectName, ObjectNamePart, Query, SetExpr, TopQuantity, Value, ValueWithSpan, VisitorMut,
};

use super::super::names::shorten;
use super::super::types::rewrite_cast;
use super::super::{HELPER_SCHEMA, SqlError, check_identifier};

/// Redshift's system views that `data_api/helpers` makes.
const SYSTEM_VIEWS: [&str; 25] = [
    "pg_views",
    "svv_columns",
    "svv_tables",
    "svv_redshift_columns",
    "sys_load_error_detail",
    "stl_load_errors",
    "sys_load_history",
    "sys_query_history",
    "pg_table_def",
    "pg_class",
    "pg_namespace",
    "pg_attribute",
    "pg_constraint",
    "pg_group",
    "pg_user",
    "svv_column_privileges",
    "svv_default_privileges",
    "svv_relation_privileges",
    "svv_role_grants",
    "svv_rls_attached_policy",
    "svv_roles",
    "svv_schema_privileges",
    "svv_table_info",
    "svv_user_grants",
    "svv_user_info",
];

/// The helper view, quoted, that is meant by the name of a system view.
pub(in crate::sql) fn system_view(name: &str) -> Option<String> {
    SYSTEM_VIEWS.contains(&name).then(|| format!("{HELPER_SCHEMA}.{name}"))
}

/// Functions whose first argument is a bare date part.
const DATE_PART_FUNCTIONS: [&str; 5] =
    ["dateadd", "date_add", "datediff", "date_diff", "date_part"];

/// Rewrites a parsed statement in place; breaks with the error when something cannot be had.
#[derive(Debug, Default)]
pub(super) struct Rewriter {}

type Flow = ControlFlow<SqlError>;

impl VisitorMut for Rewriter {
    type Break = SqlError;

    fn pre_visit_ident(&mut self, identifier: &mut Ident) -> Flow {
        fold(identifier)
    }

    fn pre_visit_relation(&mut self, relation: &mut ObjectName) -> Flow {
        let names: Vec<String> = relation
            .0
            .iter()
            .filter_map(|part| part.as_ident())
            .map(|name| name.value.to_lowercase())
            .collect();
        let is_system = match names.as_slice() {
            [name] => SYSTEM_VIEWS.contains(&name.as_str()),
            [schema, name] => schema == "pg_catalog" && SYSTEM_VIEWS.contains(&name.as_str()),
            // The database in front is the one that the statement runs in.
            [_, _, _] => {
                relation.0.remove(0);
                false
            }
            _ => false,
        };
        if is_system {
            let name = names.last().cloned().unwrap_or_default();
            relation.0 = [HELPER_SCHEMA, &name]
                .map(|part| ObjectNamePart::Identifier(Ident::new(part)))
                .to_vec();
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_value(&mut self, value: &mut ValueWithSpan) -> Flow {
        // An escape literal prints the same whatever it holds; a plain one does not (`a''b`).
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
            let limit = match top.quantity {
                Some(TopQuantity::Constant(rows)) => {
                    Expr::value(Value::Number(rows.to_string(), false))
                }
                Some(TopQuantity::Expr(rows)) => rows,
                None => {
                    return ControlFlow::Break(SqlError::new("syntax error at or near \"top\""));
                }
            };
            if query.limit_clause.is_some() {
                return ControlFlow::Break(SqlError::new("syntax error at or near \"limit\""));
            }
            query.limit_clause = Some(LimitClause::LimitOffset {
                limit: Some(limit),
                offset: None,
                limit_by: Vec::new(),
            });
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
            _ if super::is_bare_call(expression, "sysdate") => *expression = call("sysdate"),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn fold(identifier: &mut Ident) -> Flow {
    // `#t` is a name in Redshift and needs quotes in PostgreSQL.
    if identifier.quote_style.is_some() || identifier.value.starts_with('#') {
        identifier.quote_style = Some('"');
        identifier.value = identifier.value.to_lowercase();
    }
    match check_identifier(&identifier.value) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    }
}

fn name_of(function: &Function) -> String {
    match function.name.0.as_slice() {
        [part] => part.as_ident().map(|name| name.value.to_lowercase()).unwrap_or_default(),
        [schema, part] if schema.to_string().eq_ignore_ascii_case("pg_catalog") => {
            part.to_string().to_lowercase()
        }
        _ => String::new(),
    }
}

fn rename(function: &mut Function, name: &str) {
    function.name = ObjectName::from(vec![Ident::new(name)]);
}

/// A string that holds a name, in a place where the engine looks for what has the name.
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
        "nvl" => rename(function, "coalesce"),
        "date_add" => rename(function, "dateadd"),
        "date_diff" => rename(function, "datediff"),
        "pg_get_viewdef" => {
            function.name =
                ObjectName::from([HELPER_SCHEMA, "pg_get_viewdef"].map(Ident::new).to_vec());
        }
        _ => {}
    }
    if !DATE_PART_FUNCTIONS.contains(&name.as_str()) {
        return;
    }
    if let Some(part) = arguments(function).next()
        && let Expr::Identifier(bare) = part
    {
        *part = Expr::value(Value::SingleQuotedString(bare.value.to_lowercase()));
    }
}

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

fn call(name: &str) -> Expr {
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(sqlparser::ast::FunctionArgumentList {
            duplicate_treatment: None,
            args: Vec::new(),
            clauses: Vec::new(),
        }),
        within_group: Vec::new(),
        filter: None,
        null_treatment: None,
        over: None,
    })
}
