//! A view as it is before a schema change, and the statements that drop it and bring it back with
//! comments, grants and owner.
//!
//! The loader gives grants and never revokes any. `dependents` reads a view from the catalog, and
//! the journal keeps the same values.

mod untrusted;

use std::collections::{BTreeMap, BTreeSet};

use loader_model::names::TableName;
use serde::{Deserialize, Serialize};

use crate::sql::{self, MAX_BATCH_STATEMENTS, MAX_STATEMENT_BYTES, ident, idents};
use crate::sql_text;

/// The most statements of a view, which stay in one transaction: beside them there is room for what
/// the transaction itself takes. These are the LOCKs of the fence and of the target, the guard that
/// the journal has the view with its setting, and the DELETE from the journal.
pub(crate) const VIEW_STATEMENTS: usize = MAX_BATCH_STATEMENTS - 5;

/// Whether statements of several views fit into one transaction. A single view may be longer: no
/// source says whether 100 KB is the limit of a statement or of a transaction.
pub(crate) fn fit_together<'a>(statements: impl Iterator<Item = &'a String>) -> bool {
    let sizes = statements.map(String::len);
    let (count, bytes) = sizes.fold((0, 0), |(count, bytes), size| (count + 1, bytes + size));
    count <= VIEW_STATEMENTS && bytes <= MAX_STATEMENT_BYTES
}

/// A view with everything that is lost when the view is dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedView {
    /// The name as the catalog spells it.
    pub name: TableName,
    pub kind: ViewKind,
    /// The whole CREATE VIEW statement, without `;`.
    pub create: String,
    /// The user that owns it.
    pub owner: String,
    /// All grants but the owner's own, which come with owning the view.
    pub grants: Vec<Grant>,
    pub comment: Option<String>,
    /// Columns that have a comment, each with its comment.
    pub column_comments: Vec<(String, String)>,
}

/// How a view is tied to the relations that it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewKind {
    /// By object: the view blocks changes of what it reads.
    Bound,
    /// By name (`WITH NO SCHEMA BINDING`): the view blocks nothing and may fail when it is read.
    LateBinding,
    /// The view has rows of its own. The loader never drops it.
    Materialized,
}

/// One privilege of one grantee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Such as `SELECT`.
    pub privilege: String,
    /// The columns that the privilege is for; empty for the whole relation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    pub grantee: Grantee,
    /// Whether the grant is WITH GRANT OPTION. Only users can have that, and not on columns.
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
    /// The grantee as GRANT spells it, such as `GROUP "analysts"`.
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
    /// Reads what `pg_get_viewdef` answers: a bare SELECT for a bound view, a whole statement for
    /// the other kinds. Returns the kind and the whole CREATE statement under the view's full name.
    /// Source:
    /// <https://github.com/awslabs/amazon-redshift-utils/blob/master/src/AdminViews/v_generate_view_ddl.sql>
    // A whole statement may say OR REPLACE and leave out the schema. So the text up to the end of
    // the name is written anew, and the rest stays, a list of columns included.
    // (`create or replace view v (a) as select 1` becomes `CREATE VIEW "public"."v" (a) as …`.)
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

    /// The statement that drops the view. It fails in the warehouse while another view reads this
    /// one, because it has no CASCADE.
    pub fn drop_sql(&self) -> String {
        match self.kind {
            ViewKind::Bound | ViewKind::LateBinding => {
                format!("DROP VIEW {}", sql::table(&self.name))
            }
            ViewKind::Materialized => format!("DROP MATERIALIZED VIEW {}", sql::table(&self.name)),
        }
    }

    /// The statements that bring the view back, to be run by `current_user` in this order: view,
    /// comments, grants, and then the owner, when that is another user.
    // `current_user` creates the view and owns it at first. ALTER … OWNER then turns all that the
    // first owner had into the new owner's, a grant to the first owner included. So what
    // `current_user` was granted comes after the change of owner. (For example, `etl` restores a
    // view of `ann` on which it had SELECT: given any earlier, that SELECT would end up with
    // `ann`.)
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

/// The fewest GRANT statements that give all of `grants` on `object`: one for all grantees that
/// have the same privileges on the same columns. (For example, SELECT for `ann` and for `bob` is
/// one statement.) WITH GRANT OPTION takes a statement for each user, since it belongs to one name
/// of the list.
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

/// The list of privileges, each with its columns: `SELECT ("a", "b"), UPDATE ("a", "b")`. Without
/// columns a privilege is for the whole relation.
fn on_columns(privileges: &[&str], columns: &[String]) -> String {
    let columns =
        if columns.is_empty() { String::new() } else { format!(" ({})", idents(columns)) };
    let privileges = privileges.iter().map(|privilege| format!("{privilege}{columns}"));
    privileges.collect::<Vec<_>>().join(", ")
}

/// Whether the grantee may pass the privileges on, the columns, and the privileges.
type GrantSet<'a> = (bool, &'a [String], Vec<&'a str>);

/// The grantees of each set of privileges.
// Two steps: first all that one grantee has, then all grantees that have the same. The maps are
// ordered, so the same grants always give the same statements.
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

/// Each privilege of each grantee once, with whether the grantee may pass it on. Several grantors
/// may have given the same privilege; if one of them gave it WITH GRANT OPTION, that grant includes
/// the others.
fn strongest(grants: &[Grant]) -> BTreeMap<(&Grantee, &[String], &str), bool> {
    let mut strongest: BTreeMap<(&Grantee, &[String], &str), bool> = BTreeMap::new();
    for Grant { privilege, columns, grantee, grantable } in grants {
        // Only users can hold a privilege WITH GRANT OPTION, and not on columns.
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
