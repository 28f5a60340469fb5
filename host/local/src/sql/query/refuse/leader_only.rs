//! What Redshift has on its leader node only: some functions, and most of the catalog. A statement
//! that uses them may not touch the tables of users, which are on the other nodes. In: a statement
//! as the user wrote it. Out: the refusal of a mixture, for example
//! `SELECT current_schema() FROM t`. What reads the catalog alone passes.
//!
//! Some tables of the catalog can be joined with tables of users, without the columns whose types
//! those cannot have. That what they hold can be written to a table, no source says: it is refused.
//! Names alone decide, so a view counts as a table of the user, also one that reads the catalog.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, ObjectName, Query, Select, SelectItem, SetExpr, Statement, TableFactor, Visit, Visitor,
};

use crate::sql::error::SqlError;

/// Functions of the leader node: the Developer Guide's list, and those that read the catalog.
// (CURRENT_DATE, SYSDATE and GETDATE() are not among them.)
const FUNCTIONS: &str = "current_schema current_schemas has_column_privilege has_database_privilege \
     has_schema_privilege has_table_privilege substr factorial log age current_time \
     current_timestamp localtime localtimestamp isfinite now getbit get_bit get_byte set_bit \
     set_byte to_ascii generate_series format_type format_encoding obj_description \
     col_description pg_get_constraintdef pg_get_expr pg_get_indexdef \
     pg_get_late_binding_view_cols pg_get_ruledef pg_get_userbyid pg_get_viewdef \
     pg_table_is_visible pg_type_is_visible pg_timezone_abbrevs pg_timezone_names";

/// Tables of the catalog that can be joined with tables of users.
const JOINABLE: &str = "pg_attribute pg_cast pg_depend pg_description pg_locks pg_opclass pg_class \
                        pg_constraint pg_database pg_group pg_language pg_namespace pg_operator \
                        pg_proc pg_settings pg_statistic pg_tables pg_type pg_user pg_views";

/// Their columns that cannot: lists, and lists of privileges.
const LISTS: &str = "conkey confkey datacl datconfig grolist lanacl nspacl proacl proargtypes \
                     proargnames relacl useconfig";

/// The beginnings of the names of system tables and views, which are neither the catalog's nor a
/// user's.
const SYSTEM_TABLES: [&str; 6] = ["stl_", "stv_", "svl_", "svv_", "svcs_", "sys_"];

fn has(list: &str, name: &str) -> bool {
    list.split(' ').any(|item| item == name)
}

/// Refuses a statement that mixes the leader node with tables of users. The VALUES of an INSERT may
/// call any function.
pub(in crate::sql) fn check_mixture(statement: &Statement) -> Result<(), SqlError> {
    if has_values(statement) {
        return Ok(());
    }
    let mut found = Found::default();
    let _ = statement.visit(&mut found);
    let is_read = matches!(statement, Statement::Query(_));
    let list = found.list.filter(|_| found.catalog.is_some());
    let refused = found.on_leader.or(list).or(found.catalog.filter(|_| !is_read));
    refused.filter(|_| found.has_user_table).map_or(Ok(()), |name| Err(refusal(&name)))
}

/// Refuses rows of the leader node for a table that a statement makes (CREATE TABLE AS).
pub(in crate::sql) fn check_source(source: &Statement) -> Result<(), SqlError> {
    let mut found = Found::default();
    let _ = source.visit(&mut found);
    found.on_leader.or(found.catalog).map_or(Ok(()), |name| Err(refusal(&name)))
}

fn has_values(statement: &Statement) -> bool {
    let Statement::Insert(insert) = statement else { return false };
    insert.source.as_ref().is_some_and(|source| matches!(*source.body, SetExpr::Values(_)))
}

fn refusal(name: &str) -> SqlError {
    SqlError::new(
        "Specified types or functions (one per INFO message) not supported on Redshift tables.",
    )
    .with_hint(format!("{name} is on the leader node only"))
}

/// Whether the last part of a function's name is `expected`.
pub(super) fn is_named(name: &ObjectName, expected: &str) -> bool {
    parts(name).last().is_some_and(|last| last == expected)
}

/// The parts of a name in lower case, without a database: at most schema and table.
fn parts(name: &ObjectName) -> Vec<String> {
    let parts = name.0.iter().filter_map(|part| part.as_ident());
    let mut parts: Vec<String> = parts.map(|part| part.value.to_ascii_lowercase()).collect();
    parts.split_off(parts.len().saturating_sub(2))
}

/// Where a relation is.
enum Place {
    /// In the catalog, and not to be joined.
    Leader,
    Catalog,
    System,
    User,
}

fn place(parts: &[String]) -> Place {
    let table = match parts {
        [schema, _] if schema == "information_schema" => return Place::Leader,
        [schema, table] if schema == "pg_catalog" => table,
        [table] => table,
        _ => return Place::User,
    };
    if has(JOINABLE, table) {
        Place::Catalog
    } else if table.starts_with("pg_") {
        Place::Leader
    } else if SYSTEM_TABLES.iter().any(|prefix| table.starts_with(prefix)) {
        Place::System
    } else {
        Place::User
    }
}

/// What a statement uses.
#[derive(Default)]
struct Found {
    /// The first function or table that is on the leader node only.
    on_leader: Option<String>,
    /// The first table of the catalog that can be joined.
    catalog: Option<String>,
    /// The first column of such tables that cannot.
    list: Option<String>,
    has_user_table: bool,
    /// Names that the statement itself gives to queries, by WITH.
    named_queries: Vec<String>,
}

impl Found {
    fn function(&mut self, name: &ObjectName) {
        if let Some(name) = parts(name).pop().filter(|name| has(FUNCTIONS, name)) {
            self.on_leader.get_or_insert(name);
        }
    }

    fn column(&mut self, name: &str) {
        let name = name.to_ascii_lowercase();
        if has(LISTS, &name) {
            self.list.get_or_insert(name);
        }
    }
}

impl Visitor for Found {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let tables = query.with.iter().flat_map(|with| &with.cte_tables);
        self.named_queries.extend(tables.map(|cte| cte.alias.name.value.to_ascii_lowercase()));
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        // `*` names the columns with lists too.
        let is_catalog = |factor: &TableFactor| {
            matches!(factor, TableFactor::Table { name, .. }
                if matches!(place(&parts(name)), Place::Catalog))
        };
        let has_star = select.projection.iter().any(|item| matches!(item, SelectItem::Wildcard(_)));
        let reads_catalog = select.from.iter().any(|table| {
            is_catalog(&table.relation) || table.joins.iter().any(|join| is_catalog(&join.relation))
        });
        if has_star && reads_catalog {
            self.list.get_or_insert_with(|| "*".to_owned());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        let parts = parts(relation);
        // A function in FROM comes here too.
        let is_none = parts.last().is_none_or(|name| has(FUNCTIONS, name));
        if is_none || matches!(&parts[..], [name] if self.named_queries.contains(name)) {
            return ControlFlow::Continue(());
        }
        match place(&parts) {
            Place::Leader => {
                self.on_leader.get_or_insert_with(|| parts.join("."));
            }
            Place::Catalog => {
                self.catalog.get_or_insert_with(|| parts.join("."));
            }
            Place::System => {}
            Place::User => self.has_user_table = true,
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        match expression {
            Expr::Function(function) => self.function(&function.name),
            // It is called without brackets too.
            Expr::Identifier(name) if name.value.eq_ignore_ascii_case("current_schema") => {
                self.on_leader.get_or_insert_with(|| name.value.clone());
            }
            Expr::Identifier(name) => self.column(&name.value),
            Expr::CompoundIdentifier(names) => {
                names.iter().last().into_iter().for_each(|name| self.column(&name.value));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        // A name with arguments is a function, in either shape that sqlparser gives it.
        if let TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } =
            factor
        {
            self.function(name);
        }
        ControlFlow::Continue(())
    }
}
