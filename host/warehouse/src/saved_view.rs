//! A view as it is before a schema change, and the statements that drop it and bring it back with
//! comments, grants and owner.
//!
//! Grants are only ever given, never revoked. What the catalog says comes in through `dependents`;
//! the same values are written to the journal.

use std::collections::{BTreeMap, BTreeSet};

use loader_model::names::TableName;
use serde::{Deserialize, Serialize};

use crate::sql::{self, ident, idents};
use crate::sql_text;

/// A view with everything that DROP VIEW takes with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedView {
    /// As the catalog spells it.
    pub name: TableName,
    pub kind: ViewKind,
    /// The whole CREATE VIEW statement, without `;`.
    pub create: String,
    /// The user that owns it.
    pub owner: String,
    /// Without the owner's own, which come with owning.
    pub grants: Vec<Grant>,
    pub comment: Option<String>,
    /// Columns that have a comment, with it.
    pub column_comments: Vec<(String, String)>,
}

/// How a view holds on to what it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewKind {
    /// By object: it blocks changes of what it reads.
    Bound,
    /// By name (`WITH NO SCHEMA BINDING`): it blocks nothing and may break when it is read.
    LateBinding,
    /// With rows of its own; never dropped by this program.
    Materialized,
}

/// One privilege of one grantee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Such as `SELECT`.
    pub privilege: String,
    /// Empty: the whole relation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    pub grantee: Grantee,
    /// WITH GRANT OPTION, which only users can have, and not on columns.
    #[serde(default)]
    pub grantable: bool,
}

/// Who has a privilege.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grantee {
    User(String),
    Group(String),
    Role(String),
    Public,
}

impl Grantee {
    /// As GRANT wants it.
    fn sql(&self) -> String {
        match self {
            Grantee::User(name) => ident(name),
            Grantee::Group(name) => format!("GROUP {}", ident(name)),
            Grantee::Role(name) => format!("ROLE {}", ident(name)),
            Grantee::Public => "PUBLIC".to_owned(),
        }
    }
}

impl SavedView {
    /// What `pg_get_viewdef` answers is a bare SELECT for a bound view and a whole statement for
    /// the other kinds. Returns the kind and the whole CREATE statement under the view's full name.
    /// Source:
    /// <https://github.com/awslabs/amazon-redshift-utils/blob/master/src/AdminViews/v_generate_view_ddl.sql>
    pub fn read_definition(name: &TableName, definition: &str) -> (ViewKind, String) {
        let definition = definition.trim().trim_end_matches(';').trim_end();
        match sql_text::create_view(definition) {
            None => (ViewKind::Bound, format!("CREATE VIEW {} AS {definition}", sql::table(name))),
            Some(create) if create.materialized => (ViewKind::Materialized, definition.to_owned()),
            Some(create) => {
                let late =
                    sql_text::ends_with_words(definition, &["with", "no", "schema", "binding"]);
                let kind = if late { ViewKind::LateBinding } else { ViewKind::Bound };
                (
                    kind,
                    format!(
                        "CREATE VIEW {}{}",
                        sql::table(name),
                        &definition[create.name_at.end..]
                    ),
                )
            }
        }
    }

    /// Fails in the warehouse as long as something reads the view.
    pub fn drop_sql(&self) -> String {
        match self.kind {
            ViewKind::Bound | ViewKind::LateBinding => {
                format!("DROP VIEW {}", sql::table(&self.name))
            }
            ViewKind::Materialized => format!("DROP MATERIALIZED VIEW {}", sql::table(&self.name)),
        }
    }

    /// The statements that bring it back, to be run by `current_user` in this order: view,
    /// comments, grants, and the owner last, when that is another. What `current_user` itself was
    /// granted on a view of another owner follows: given before, it would turn into the new owner's
    /// with all else that `current_user` had as the owner.
    pub fn restore_sql(&self, current_user: &str) -> Vec<String> {
        let name = sql::table(&self.name);
        let mut statements = vec![self.create.clone()];
        statements.extend(self.comments_sql());
        if self.owner == current_user {
            statements.extend(grant_sql(&self.name, &self.grants));
            return statements;
        }
        let us = Grantee::User(current_user.to_owned());
        let (ours, others): (Vec<Grant>, Vec<Grant>) =
            self.grants.iter().cloned().partition(|g| g.grantee == us);
        statements.extend(grant_sql(&self.name, &others));
        statements.push(format!("ALTER TABLE {name} OWNER TO {}", ident(&self.owner)));
        statements.extend(grant_sql(&self.name, &ours));
        statements
    }

    fn comments_sql(&self) -> Vec<String> {
        let name = sql::table(&self.name);
        let mut statements = Vec::new();
        if let Some(comment) = &self.comment {
            statements.push(format!("COMMENT ON VIEW {name} IS {}", sql::text(comment)));
        }
        for (column, comment) in &self.column_comments {
            let (column, comment) = (ident(column), sql::text(comment));
            statements.push(format!("COMMENT ON COLUMN {name}.{column} IS {comment}"));
        }
        statements
    }
}

/// The fewest GRANT statements that give all of `grants` on `object`: one for each set of
/// privileges, columns and grantees. WITH GRANT OPTION takes a statement for each user, since it
/// belongs to one name of the list.
/// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html>
pub(crate) fn grant_sql(object: &TableName, grants: &[Grant]) -> Vec<String> {
    let object = sql::table(object);
    let mut statements = Vec::new();
    for ((grantable, columns, privileges), grantees) in grouped(grants) {
        let grant = format!("GRANT {} ON {object} TO", on_columns(&privileges, columns));
        let grantees: Vec<String> = grantees.into_iter().map(Grantee::sql).collect();
        match grantable {
            false => statements.push(format!("{grant} {}", grantees.join(", "))),
            true => statements
                .extend(grantees.iter().map(|user| format!("{grant} {user} WITH GRANT OPTION"))),
        }
    }
    statements
}

/// The privileges, each with the columns that it is for; no columns: the whole relation.
fn on_columns(privileges: &[&str], columns: &[String]) -> String {
    let columns =
        if columns.is_empty() { String::new() } else { format!(" ({})", idents(columns)) };
    let privileges = privileges.iter().map(|privilege| format!("{privilege}{columns}"));
    privileges.collect::<Vec<_>>().join(", ")
}

/// Whether it may be passed on, which columns, which privileges.
type GrantSet<'a> = (bool, &'a [String], Vec<&'a str>);

/// The grantees of each set.
fn grouped(grants: &[Grant]) -> BTreeMap<GrantSet<'_>, BTreeSet<&Grantee>> {
    let mut by_grantee: BTreeMap<(&Grantee, bool, &[String]), Vec<&str>> = BTreeMap::new();
    for ((grantee, columns, privilege), grantable) in strongest(grants) {
        by_grantee.entry((grantee, grantable, columns)).or_default().push(privilege);
    }
    let mut sets: BTreeMap<GrantSet<'_>, BTreeSet<&Grantee>> = BTreeMap::new();
    for ((grantee, grantable, columns), privileges) in by_grantee {
        sets.entry((grantable, columns, privileges)).or_default().insert(grantee);
    }
    sets
}

/// Whether a grantee may pass a privilege on columns on. A privilege may have come from several
/// grantors; the grant that may be passed on includes the other.
fn strongest(grants: &[Grant]) -> BTreeMap<(&Grantee, &[String], &str), bool> {
    let mut strongest: BTreeMap<(&Grantee, &[String], &str), bool> = BTreeMap::new();
    for Grant { privilege, columns, grantee, grantable } in grants {
        let grantable = *grantable && columns.is_empty() && matches!(grantee, Grantee::User(_));
        *strongest.entry((grantee, columns, privilege)).or_default() |= grantable;
    }
    strongest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(privilege: &str, columns: &[&str], grantee: Grantee, grantable: bool) -> Grant {
        let columns = columns.iter().map(|column| column.to_string()).collect();
        Grant { privilege: privilege.into(), columns, grantee, grantable }
    }

    fn user(name: &str) -> Grantee {
        Grantee::User(name.into())
    }

    fn view(owner: &str, grants: Vec<Grant>) -> SavedView {
        let name = TableName { schema: "s".into(), table: "v".into() };
        let (kind, create) = SavedView::read_definition(&name, " SELECT t.a\n   FROM t;");
        SavedView {
            name,
            kind,
            create,
            owner: owner.into(),
            grants,
            comment: None,
            column_comments: Vec::new(),
        }
    }

    #[test]
    fn all_that_belonged_to_a_view_comes_back() {
        let grants = vec![
            grant("SELECT", &[], user("ann"), false),
            grant("SELECT", &[], Grantee::Group("analysts".into()), false),
            grant("SELECT", &[], Grantee::Role("reader\"s".into()), false),
            grant("SELECT", &[], Grantee::Public, false),
            grant("INSERT", &[], user("bob"), false),
            grant("SELECT", &[], user("bob"), false),
            grant("SELECT", &[], user("cy"), true),
            grant("SELECT", &[], user("cy"), false),
            grant("SELECT", &[], user("di"), true),
            grant("SELECT", &["a", "b"], user("eve"), false),
            grant("UPDATE", &["a", "b"], user("eve"), false),
            grant("SELECT", &[], user("loader"), false),
        ];
        let mut view = view("owner", grants);
        view.comment = Some("what's new".into());
        view.column_comments = vec![("a".into(), "first".into())];
        insta::assert_snapshot!(view.drop_sql(), @r#"DROP VIEW "s"."v""#);
        insta::assert_snapshot!(view.restore_sql("loader").join("\n"), @r#"
        CREATE VIEW "s"."v" AS SELECT t.a
           FROM t
        COMMENT ON VIEW "s"."v" IS 'what''s new'
        COMMENT ON COLUMN "s"."v"."a" IS 'first'
        GRANT INSERT, SELECT ON "s"."v" TO "bob"
        GRANT SELECT ON "s"."v" TO "ann", GROUP "analysts", ROLE "reader""s", PUBLIC
        GRANT SELECT ("a", "b"), UPDATE ("a", "b") ON "s"."v" TO "eve"
        GRANT SELECT ON "s"."v" TO "cy" WITH GRANT OPTION
        GRANT SELECT ON "s"."v" TO "di" WITH GRANT OPTION
        ALTER TABLE "s"."v" OWNER TO "owner"
        GRANT SELECT ON "s"."v" TO "loader"
        "#);
    }

    #[test]
    fn our_own_view_keeps_its_owner() {
        let view = view("loader", vec![grant("SELECT", &[], user("ann"), false)]);
        insta::assert_snapshot!(view.restore_sql("loader").join("\n"), @r#"
        CREATE VIEW "s"."v" AS SELECT t.a
           FROM t
        GRANT SELECT ON "s"."v" TO "ann"
        "#);
    }

    #[test]
    fn the_definition_tells_the_kind() {
        let name = TableName { schema: "s".into(), table: "my view".into() };
        let read = |definition: &str| {
            let (kind, create) = SavedView::read_definition(&name, definition);
            format!("{kind:?}: {create}")
        };
        insta::assert_snapshot!(read("select 1 AS \
                                      \"create\";"), @r#"Bound: CREATE VIEW "s"."my view" AS select 1 AS "create""#);
        insta::assert_snapshot!(read("create or replace view \"my view\" as select * from \
                                      s.t\nwith no schema  binding;"), @r#"
        LateBinding: CREATE VIEW "s"."my view" as select * from s.t
        with no schema  binding
        "#);
        insta::assert_snapshot!(read("CREATE VIEW s.\"my view\" (a) AS SELECT \
                                      1"), @r#"Bound: CREATE VIEW "s"."my view" (a) AS SELECT 1"#);
        insta::assert_snapshot!(read("CREATE MATERIALIZED VIEW s.m AUTO REFRESH NO AS SELECT \
                                      1"), @"Materialized: CREATE MATERIALIZED VIEW s.m AUTO REFRESH NO AS SELECT 1");
    }

    #[test]
    fn no_grants_no_statement() {
        assert_eq!(
            grant_sql(&TableName { schema: "s".into(), table: "v".into() }, &[]),
            Vec::<String>::new()
        );
    }
}
