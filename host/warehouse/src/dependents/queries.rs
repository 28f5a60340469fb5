//! The catalog queries about dependents. All of them run on the leader node; none recurses, none
//! joins user tables.
//!
//! Sources: <https://github.com/awslabs/amazon-redshift-utils/tree/master/src/AdminViews>
//! (`v_view_dependency`, `v_view_table_column_dependency`, `v_generate_view_ddl`),
//! SVV_RELATION_PRIVILEGES and SVV_COLUMN_PRIVILEGES of
//! <https://docs.aws.amazon.com/redshift/latest/dg/svv_views.html>.

use crate::sql::text;
use loader_model::names::TableName;

/// The longest definition that is read: a row of a result holds 64 KB, and there are other things
/// in it.
/// Source:
/// <https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html#data-api-calling-considerations>
pub(crate) const MAX_DEFINITION_BYTES: usize = 60_000;
/// Bytes of one list in a statement, which may have 100 KB.
const MAX_LIST_BYTES: usize = 60_000;

/// Our user; the ids of the target and of `also`; who reads whom in the whole database; which of
/// the target's columns are read by whom; late-binding views that may mention it; its column
/// privileges; its column comments.
pub fn dependencies(target: &TableName, also: &[TableName]) -> Vec<String> {
    let names: Vec<String> = std::iter::once(target).chain(also).map(is_object).collect();
    let is_target = is_object(target);
    vec![
        who(),
        format!(
            "SELECT c.oid, n.nspname, c.relname, pg_get_userbyid(c.relowner) FROM pg_class c JOIN \
             pg_namespace n ON n.oid = c.relnamespace WHERE {}",
            names.join(" OR ")
        ),
        "SELECT DISTINCT r.ev_class, d.refobjid FROM pg_depend d JOIN pg_rewrite r ON r.oid = \
         d.objid JOIN pg_class c ON c.oid = r.ev_class WHERE d.refobjid <> r.ev_class AND \
         d.deptype = 'n' AND c.relkind IN ('v', 'm')"
            .to_string(),
        format!(
            "SELECT DISTINCT r.ev_class, a.attname FROM pg_depend d JOIN pg_rewrite r ON r.oid = \
             d.objid JOIN pg_class c ON c.oid = d.refobjid JOIN pg_namespace n ON n.oid = \
             c.relnamespace JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = \
             d.refobjsubid WHERE d.deptype = 'n' AND a.attnum > 0 AND {is_target}"
        ),
        late_binding(target),
        format!("{} WHERE {}", COLUMN_PRIVILEGES, is_relation(target)),
        format!(
            "SELECT a.attname, d.description FROM pg_description d \
             JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid \
             JOIN pg_class c ON c.oid = d.objoid JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE a.attnum > 0 AND {is_target} ORDER BY a.attnum"
        ),
    ]
}

/// Our user's name and whether it is a superuser.
pub fn who() -> String {
    "SELECT current_user, usesuper FROM pg_user WHERE usename = current_user".to_string()
}

/// Names, owners and grants as the catalog keeps them; definitions; comments on columns.
pub fn details(ids: &str) -> Vec<String> {
    vec![
        format!(
            "SELECT c.oid, n.nspname, c.relname, pg_get_userbyid(c.relowner), c.relkind = 'm', \
             array_to_string(c.relacl, ','), obj_description(c.oid, 'pg_class'), \
             has_schema_privilege(n.nspname, 'CREATE') FROM pg_class c JOIN pg_namespace n ON \
             n.oid = c.relnamespace WHERE c.oid IN ({ids})"
        ),
        format!(
            "SELECT c.oid, octet_length(pg_get_viewdef(c.oid, true)), \
             CASE WHEN octet_length(pg_get_viewdef(c.oid, true)) <= {MAX_DEFINITION_BYTES} \
             THEN pg_get_viewdef(c.oid, true) END FROM pg_class c WHERE c.oid IN ({ids})"
        ),
        format!(
            "SELECT d.objoid, a.attname, d.description FROM pg_description d \
             JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid \
             WHERE a.attnum > 0 AND d.objoid IN ({ids}) ORDER BY d.objoid, a.attnum"
        ),
    ]
}

const COLUMN_PRIVILEGES: &str = "SELECT namespace_name, relation_name, column_name, \
                                 privilege_type, identity_name, identity_type FROM \
                                 svv_column_privileges";

/// Privileges on whole relations, and on columns. `relations`: a condition made of `is_relation`.
pub fn privileges(relations: &str) -> Vec<String> {
    vec![
        format!(
            "SELECT namespace_name, relation_name, privilege_type, identity_name, identity_type, \
             admin_option FROM svv_relation_privileges WHERE {relations}"
        ),
        format!("{COLUMN_PRIVILEGES} WHERE {relations}"),
    ]
}

/// Views with row-level security. `relations`: a condition made of `is_protected`.
/// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_RLS_ATTACHED_POLICY.html>
pub fn policies(relations: &str) -> String {
    format!("SELECT DISTINCT relschema, relname FROM svv_rls_attached_policy WHERE {relations}")
}

/// The condition for a relation in the view about policies.
pub fn is_protected(name: &TableName) -> String {
    format!("(relschema = {} AND relname = {})", text(&name.schema), text(&name.table))
}

/// `%` and `_` match too much and a backslash too little, so that `_` stands for the two that are
/// special; the text that comes back is looked at again.
fn late_binding(target: &TableName) -> String {
    let name = target.table.replace(['%', '\\'], "_").replace('"', "\"\"");
    format!(
        "SELECT schemaname, viewname, CASE WHEN octet_length(definition) <= {MAX_DEFINITION_BYTES} \
         THEN definition END FROM pg_views WHERE (definition ILIKE '%no schema binding%' OR \
         definition ILIKE '%materialized view%') AND definition ILIKE {} ORDER BY schemaname, \
         viewname",
        text(&format!("%{name}%"))
    )
}

/// The condition for a relation in pg_class (`c`) and pg_namespace (`n`).
pub(crate) fn is_object(name: &TableName) -> String {
    format!("(n.nspname = {} AND c.relname = {})", text(&name.schema), text(&name.table))
}

/// The condition for a relation in the views about privileges.
pub fn is_relation(name: &TableName) -> String {
    format!("(namespace_name = {} AND relation_name = {})", text(&name.schema), text(&name.table))
}

/// Joins items into lists that are short enough for a statement.
pub fn lists(items: impl Iterator<Item = String>, separator: &str) -> Vec<String> {
    let mut lists: Vec<String> = Vec::new();
    for item in items {
        match lists.last_mut() {
            Some(list) if list.len() + separator.len() + item.len() <= MAX_LIST_BYTES => {
                list.push_str(separator);
                list.push_str(&item);
            }
            _ => lists.push(item),
        }
    }
    lists
}
