//! Privileges on relations and on single columns, as Redshift's views about them show them. A user
//! that is no superuser does not see all of them.
//!
//! Source: SVV_RELATION_PRIVILEGES and SVV_COLUMN_PRIVILEGES of
//! <https://docs.aws.amazon.com/redshift/latest/dg/svv_views.html>.

use std::collections::{BTreeMap, BTreeSet};

use loader_model::error::Result;
use loader_model::names::TableName;

use crate::dependents::conditions::is;
use crate::rows::{FromRow, ResultRows, Row};
use crate::saved_view::{Grant, Grantee};

/// The condition for a relation in both of these views.
pub fn is_relation(name: &TableName) -> String {
    is("namespace_name", "relation_name", name)
}

/// The queries for privileges on whole relations and on columns. `relations`: conditions by
/// [`is_relation`], joined by OR.
pub fn queries(relations: &str) -> Vec<String> {
    let on_relations = format!(
        "SELECT namespace_name, relation_name, privilege_type, identity_name, identity_type, \
         admin_option FROM svv_relation_privileges WHERE {relations}"
    );
    vec![on_relations, columns_query(relations)]
}

struct RelationPrivilege {
    relation: TableName,
    grant: Grant,
}

impl FromRow for RelationPrivilege {
    fn from_row(row: Row<'_>) -> Result<RelationPrivilege> {
        let grant = Grant {
            privilege: row.text("privilege_type")?.to_uppercase(),
            columns: Vec::new(),
            grantee: grantee(row)?,
            grantable: row.boolean("admin_option")?,
        };
        Ok(RelationPrivilege { relation: row.relation("namespace_name", "relation_name")?, grant })
    }
}

/// The query for privileges on columns. `relations`: conditions by [`is_relation`], joined by OR.
pub(super) fn columns_query(relations: &str) -> String {
    format!(
        "SELECT namespace_name, relation_name, column_name, privilege_type, identity_name, \
         identity_type FROM svv_column_privileges WHERE {relations}"
    )
}

struct ColumnPrivilege {
    relation: TableName,
    column: String,
    privilege: String,
    grantee: Grantee,
}

impl FromRow for ColumnPrivilege {
    fn from_row(row: Row<'_>) -> Result<ColumnPrivilege> {
        Ok(ColumnPrivilege {
            relation: row.relation("namespace_name", "relation_name")?,
            column: row.text("column_name")?,
            privilege: row.text("privilege_type")?.to_uppercase(),
            grantee: grantee(row)?,
        })
    }
}

fn grantee(row: Row<'_>) -> Result<Grantee> {
    let name = row.text("identity_name")?;
    Ok(match row.text("identity_type")?.as_str() {
        "public" => Grantee::Public,
        "group" => Grantee::Group(name),
        "role" => Grantee::Role(name),
        _ => Grantee::User(name),
    })
}

/// Grants by relation.
pub(super) type Grants = BTreeMap<TableName, Vec<Grant>>;

/// Reads the answers to [`queries`].
pub(super) fn read(relations: &ResultRows, columns: &ResultRows) -> Result<Grants> {
    let mut grants = Grants::new();
    for RelationPrivilege { relation, grant } in relations.decode()? {
        grants.entry(relation).or_default().push(grant);
    }
    for (relation, on_columns) in on_columns(columns)? {
        grants.entry(relation).or_default().extend(on_columns);
    }
    Ok(grants)
}

/// Privileges on columns of one relation, without those of the service's own identities.
pub(super) fn on_columns_of(relation: &TableName, columns: &ResultRows) -> Result<Vec<Grant>> {
    let mut grants = on_columns(columns)?.remove(relation).unwrap_or_default();
    grants.retain(|grant| !is_internal(&grant.grantee));
    Ok(grants)
}

/// One grant for each relation, grantee and privilege, with all of its columns.
fn on_columns(columns: &ResultRows) -> Result<Grants> {
    let mut gathered: BTreeMap<(TableName, Grantee, String), BTreeSet<String>> = BTreeMap::new();
    for ColumnPrivilege { relation, column, privilege, grantee } in columns.decode()? {
        gathered.entry((relation, grantee, privilege)).or_default().insert(column);
    }
    let mut grants = Grants::new();
    for ((relation, grantee, privilege), columns) in gathered {
        // GRANT knows no WITH GRANT OPTION on columns.
        let columns = columns.into_iter().collect();
        let grant = Grant { privilege, columns, grantee, grantable: false };
        grants.entry(relation).or_default().push(grant);
    }
    Ok(grants)
}

/// Whether a grantee is a datashare or one of the service's own identities. The service gives those
/// their privileges itself, so the loader does not restore them.
pub(super) fn is_internal(grantee: &Grantee) -> bool {
    match grantee {
        Grantee::User(name) | Grantee::Group(name) | Grantee::Role(name) => is_internal_name(name),
        Grantee::Public => false,
    }
}

pub(super) fn is_internal_name(name: &str) -> bool {
    // `ds:` marks a datashare; `sys:` and `rdsdb` are the service itself.
    name.starts_with("ds:") || name.starts_with("sys:") || name == "rdsdb"
}
