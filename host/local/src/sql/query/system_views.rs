//! Redshift's system views, which PostgreSQL lacks or has with other columns. In: a relation's
//! name. Out: the name of the helper view that stands for it (`data_api/helpers`): `pg_class`
//! becomes `loader_local.pg_class`.

use sqlparser::ast::{Ident, ObjectName};

use crate::sql::helper::HELPER_SCHEMA;

/// Redshift's system views that the stand-in makes.
const SYSTEM_VIEWS: &[&str] = &[
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
    "pg_attrdef",
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
    "stv_db_isolation_level",
    "svv_transactions",
];

/// The name, quoted, of the helper view that stands for the system view `name`.
pub(in crate::sql) fn system_view(name: &str) -> Option<String> {
    SYSTEM_VIEWS.contains(&name).then(|| format!("{HELPER_SCHEMA}.{name}"))
}

/// The helper view that stands for `relation`: a system view with `pg_catalog` or nothing in front.
pub(super) fn in_place_of(relation: &ObjectName) -> Option<ObjectName> {
    let parts: Option<Vec<String>> = relation
        .0
        .iter()
        .map(|part| part.as_ident().map(|name| name.value.to_ascii_lowercase()))
        .collect();
    let name = match parts?.as_slice() {
        [name] => name.clone(),
        [schema, name] if schema == "pg_catalog" => name.clone(),
        _ => return None,
    };
    SYSTEM_VIEWS
        .contains(&name.as_str())
        .then(|| ObjectName::from([HELPER_SCHEMA, &name].map(Ident::new).to_vec()))
}
