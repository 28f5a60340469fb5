//! From the catalog's rows to dependents, their grants and obstacles; and the text of the queries.
//! What the queries answer is tested in `tests/views`, on the stand-in.

use std::collections::{BTreeMap, BTreeSet};

use loader_model::names::TableName;

use super::by_text::ByText;
use super::details::Details;
use super::members::Members;
use super::user::CurrentUser;
use super::*;
use crate::dependents::order::{self, Edge};
use crate::rows::{Cell, ResultRows};
use crate::saved_view::{Grantee, ViewKind};

fn name(table: &str) -> TableName {
    TableName { schema: "s".into(), table: table.into() }
}

/// `columns`: their names, with blanks between.
fn rows(columns: &str, rows: Vec<Vec<Cell>>) -> ResultRows {
    ResultRows { columns: columns.split(' ').map(String::from).collect(), rows }
}

const COLUMN_PRIVILEGES: &str =
    "namespace_name relation_name column_name privilege_type identity_name identity_type";

fn t(text: &str) -> Cell {
    Cell::Text(text.into())
}

/// What the catalog says about one view of the schema `s`.
struct Fixture {
    view: &'static str,
    owner: &'static str,
    definition: Option<String>,
    bytes: i64,
    relacl: Cell,
    /// Privilege, identity, its type, admin option.
    grants: Vec<(&'static str, &'static str, &'static str, bool)>,
}

impl Fixture {
    fn new(view: &'static str) -> Fixture {
        let definition = Some("SELECT 1;".to_owned());
        Fixture { view, owner: "us", definition, bytes: 9, relacl: Cell::Null, grants: Vec::new() }
    }

    /// Its obstacle when we are `us`, as a superuser or not.
    fn obstacle(self, superuser: bool) -> String {
        let who = Dependents { user: "us".into(), superuser, ..Dependents::default() };
        assemble(&[self], &[], &who).remove(0).obstacle.unwrap_or_default()
    }
}

/// Views with the object ids 10, 11, … in this order; 1 is the target.
fn assemble(fixtures: &[Fixture], edges: &[(i64, i64)], who: &Dependents) -> Vec<Dependent> {
    let (mut views, mut definitions, mut grants) = (Vec::new(), Vec::new(), Vec::new());
    for (id, view) in (10..).map(Cell::Long).zip(fixtures) {
        let named = [t("s"), t(view.view)];
        let may_create = Cell::Boolean(true);
        let owner =
            [t(view.owner), Cell::Boolean(false), view.relacl.clone(), Cell::Null, may_create];
        views.push([vec![id.clone()], named.to_vec(), owner.to_vec()].concat());
        definitions.push(vec![
            id,
            Cell::Long(view.bytes),
            view.definition.as_deref().map_or(Cell::Null, t),
        ]);
        for (privilege, identity, kind, admin) in &view.grants {
            grants.push(
                [named.to_vec(), vec![t(privilege), t(identity), t(kind), Cell::Boolean(*admin)]]
                    .concat(),
            );
        }
    }
    let column = |column: &str| vec![t("s"), t("a"), t(column), t("select"), t("eve"), t("user")];
    let mut details = Details::default();
    let views = rows("oid nspname relname owner is_materialized acl comment may_create", views);
    let definitions = rows("oid definition_bytes definition", definitions);
    details.add_views(&views, &definitions, &ResultRows::default()).expect("rows as asked for");
    let privileges =
        "namespace_name relation_name privilege_type identity_name identity_type admin_option";
    let columns = rows(COLUMN_PRIVILEGES, vec![column("x"), column("b"), column("x")]);
    details.add_privileges(&rows(privileges, grants), &columns).expect("rows as asked for");
    let edges: Vec<Edge> =
        edges.iter().map(|(reader, read)| Edge { reader: *reader, read: *read }).collect();
    let ids: Vec<i64> = (10..).take(fixtures.len()).collect();
    let ids = order::in_order(&edges, &ids);
    let members = Members { ids, edges, target: Some(1) };
    let columns = BTreeMap::from([(10, BTreeSet::from(["amount".to_owned()]))]);
    let user = CurrentUser { name: who.user.clone(), superuser: who.superuser };
    super::assemble::views(&members, &details, &columns, &user)
}

#[test]
fn views_come_with_grants_columns_and_whom_they_read() {
    let who = Dependents { user: "us".into(), superuser: true, ..Dependents::default() };
    let mut first = Fixture::new("a");
    first.owner = "ann";
    first.grants = vec![
        ("select", "ann", "user", true),
        ("select", "bob", "user", true),
        ("select", "ann", "group", false),
        ("insert", "r", "role", false),
        ("select", "public", "public", false),
        ("select", "ds:share", "user", false),
        ("select", "sys:monitor", "role", false),
    ];
    // The view of id 11 reads the one of id 12.
    let views = assemble(
        &[first, Fixture::new("c"), Fixture::new("b")],
        &[(10, 1), (11, 12), (12, 10), (11, 10)],
        &who,
    );
    let order: Vec<(&str, &[usize])> =
        views.iter().map(|v| (v.view.name.table.as_str(), v.reads.as_slice())).collect();
    assert_eq!(order, [("a", [].as_slice()), ("b", &[0]), ("c", &[0, 1])]);
    assert_eq!(views[0].columns, ["amount"]);
    assert_eq!(
        views.iter().map(|view| view.reads_target).collect::<Vec<_>>(),
        [true, false, false]
    );
    assert_eq!(views[0].obstacle, None);
    assert_eq!(views[0].view.kind, ViewKind::Bound);
    let grants: Vec<String> =
        views[0].view.grants.iter().map(|grant| format!("{grant:?}")).collect();
    insta::assert_snapshot!(grants.join("\n"), @r#"
    Grant { privilege: "SELECT", columns: [], grantee: User("bob"), grantable: true }
    Grant { privilege: "SELECT", columns: [], grantee: Group("ann"), grantable: false }
    Grant { privilege: "INSERT", columns: [], grantee: Role("r"), grantable: false }
    Grant { privilege: "SELECT", columns: [], grantee: Public, grantable: false }
    Grant { privilege: "SELECT", columns: ["b", "x"], grantee: User("eve"), grantable: false }
    "#);

    let dependents = Dependents { views, ..who };
    let affected = dependents.affected(|view| view.view.name == name("b"));
    assert_eq!(
        affected.iter().map(|view| view.view.name.table.as_str()).collect::<Vec<_>>(),
        ["b", "c"]
    );
    assert!(dependents.affected(|_| false).is_empty());
}

#[test]
fn what_could_not_come_back_is_told_before() {
    let with = |change: fn(&mut Fixture)| {
        let mut fixture = Fixture::new("v");
        change(&mut fixture);
        fixture
    };
    let materialized =
        with(|view| view.definition = Some("CREATE MATERIALIZED VIEW v AS SELECT 1;".into()));
    insta::assert_snapshot!(materialized.obstacle(true), @"s.v is a materialized view, and its rows are not the loader's to drop; drop it before the load and create it again afterwards");
    let long = with(|view| (view.definition, view.bytes) = (None, 60_001));
    insta::assert_snapshot!(long.obstacle(true), @"the definition of view s.v has 60001 bytes, and no more than 60000 can be read through the Data API; drop it before the load and create it again afterwards");
    let unread = with(|view| (view.definition, view.bytes) = (None, 0));
    insta::assert_snapshot!(unread.obstacle(true), @"the definition of view s.v cannot be read by us; drop it before the load and create it again afterwards");
    let foreign = || with(|view| view.owner = "ann");
    insta::assert_snapshot!(foreign().obstacle(false), @"view s.v belongs to ann, and us is no superuser who could give it back; run the load as a superuser or as the owner, or drop it before the load and create it again afterwards");
    assert_eq!(foreign().obstacle(true), "");
    let hidden = || {
        with(|view| {
            view.relacl = t("us=arwdRxtD/us,ann=r/us,group team=r/us,=r/us");
            view.grants = vec![("SELECT", "ann", "user", false)];
        })
    };
    insta::assert_snapshot!(hidden().obstacle(false), @"view s.v has grants to team, PUBLIC that svv_relation_privileges does not show to us; run the load as a superuser, or grant us a role with ACCESS SYSTEM TABLE");
    assert_eq!(hidden().obstacle(true), "");
    let shared = with(|view| view.relacl = t("us=arwdRxtD/us,\"ds:x\"=r/us"));
    insta::assert_snapshot!(shared.obstacle(true), @"view s.v is in the datashare x, which DROP takes it out of; drop it before the load and create it again afterwards");
    let granted = |users: usize| {
        let mut fixture = Fixture::new("v");
        let user = |n: usize| -> &'static str { Box::leak(format!("user_{n}").into_boxed_str()) };
        fixture.grants = (0..users).map(|n| ("SELECT", user(n), "user", true)).collect();
        fixture
    };
    // With the CREATE VIEW and the owner, 33 of these are 35 statements.
    assert_eq!(granted(33).obstacle(true), "");
    insta::assert_snapshot!(granted(34).obstacle(true), @"bringing back view s.v with its comments and grants takes 36 statements, and a transaction has room for 35; drop it before the load and create it again afterwards");
    let commented = with(|view| {
        view.definition = Some("create view v as select 1 -- it's\n with no schema binding".into())
    });
    insta::assert_snapshot!(commented.obstacle(true), @"view s.v could not be brought back after a failure: its definition is not just the CREATE VIEW of that name, or has a comment with a quote or a semicolon; drop it before the load and create it again afterwards");
    let wide = with(|view| {
        let user = |n: usize| -> &'static str {
            Box::leak(format!("user_{n}_{}", "x".repeat(100)).into_boxed_str())
        };
        view.grants = (0..900).map(|n| ("SELECT", user(n), "user", false)).collect();
    });
    insta::assert_snapshot!(wide.obstacle(true), @"bringing back view s.v takes a statement of 101615 bytes, and the Data API takes 100000; drop it before the load and create it again afterwards");
}

#[test]
fn column_privileges_are_gathered_by_grantee() {
    let row = |table: &str, column: &str, kind: &str, who: &str, privilege: &str| {
        vec![t("s"), t(table), t(column), t(privilege), t(who), t(kind)]
    };
    let rows_of_all = vec![
        row("t", "b", "group", "g", "SELECT"),
        row("t", "a", "group", "g", "SELECT"),
        row("t", "a", "group", "g", "UPDATE"),
        row("t", "a", "role", "sys:dba", "UPDATE"),
        row("other", "a", "user", "u", "SELECT"),
    ];
    let all = rows(COLUMN_PRIVILEGES, rows_of_all);
    let grants = privileges::on_columns_of(&name("t"), &all).expect("rows as asked for");
    assert_eq!(grants.len(), 2);
    assert_eq!(
        (grants[0].columns.join(","), &grants[0].grantee),
        ("a,b".into(), &Grantee::Group("g".into()))
    );
}

#[test]
fn views_without_edges_are_found_by_their_text() {
    let row = |view: &str, definition: Option<&str>| {
        vec![t("s"), t(view), definition.map_or(Cell::Null, t)]
    };
    let views = vec![
        row("reads", Some("create view s.reads as select * from S.T with no schema binding")),
        row(
            "reads_another",
            Some("create view s.x as select t_id from s.t2 with no schema binding"),
        ),
        row("stored", Some("CREATE MATERIALIZED VIEW stored AS SELECT * FROM t")),
        row("stored_another", Some("CREATE MATERIALIZED VIEW stored AS SELECT * FROM t2")),
        row("too_long", None),
    ];
    let rows = rows("schemaname viewname definition", views);
    let ByText { late_binding, materialized } =
        ByText::read(&rows, &name("t")).expect("rows as asked for");
    assert_eq!((late_binding, materialized), (vec![name("reads")], vec![name("stored")]));
}

#[test]
fn names_stay_inside_their_quotes_in_every_query() {
    let target = TableName { schema: "o'b".into(), table: "t\\_\"%".into() };
    let statements = [
        overview::queries(&target, &[name("v")]),
        details::queries("10, 11"),
        privileges::queries(&privileges::is_relation(&target)),
    ];
    insta::assert_snapshot!(statements.concat().join("\n"), @r#"
    SELECT current_user AS user_name, usesuper FROM pg_user WHERE usename = current_user
    SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE (n.nspname = 'o''b' AND c.relname = 't\\_"%') OR (n.nspname = 's' AND c.relname = 'v')
    SELECT DISTINCT r.ev_class, d.refobjid FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class c ON c.oid = r.ev_class WHERE d.refobjid <> r.ev_class AND d.deptype = 'n' AND c.relkind IN ('v', 'm')
    SELECT DISTINCT r.ev_class, a.attname FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class c ON c.oid = d.refobjid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid WHERE d.deptype = 'n' AND a.attnum > 0 AND (n.nspname = 'o''b' AND c.relname = 't\\_"%')
    SELECT schemaname, viewname, CASE WHEN octet_length(definition) <= 60000 THEN definition END AS definition FROM pg_views WHERE (definition ILIKE '%no schema binding%' OR definition ILIKE '%materialized view%') AND definition ILIKE '%t__""_%' ORDER BY schemaname, viewname
    SELECT namespace_name, relation_name, column_name, privilege_type, identity_name, identity_type FROM svv_column_privileges WHERE (namespace_name = 'o''b' AND relation_name = 't\\_"%')
    SELECT a.attname, d.description FROM pg_description d JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid JOIN pg_class c ON c.oid = d.objoid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE a.attnum > 0 AND (n.nspname = 'o''b' AND c.relname = 't\\_"%') ORDER BY a.attnum
    SELECT c.oid, n.nspname, c.relname, pg_get_userbyid(c.relowner) AS owner, c.relkind = 'm' AS is_materialized, array_to_string(c.relacl, ',') AS acl, d.description AS comment, has_schema_privilege(n.nspname, 'CREATE') AS may_create FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_description d ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass WHERE c.oid IN (10, 11)
    SELECT c.oid, octet_length(pg_get_viewdef(c.oid, true)) AS definition_bytes, CASE WHEN octet_length(pg_get_viewdef(c.oid, true)) <= 60000 THEN pg_get_viewdef(c.oid, true) END AS definition FROM pg_class c WHERE c.oid IN (10, 11)
    SELECT d.objoid, a.attname, d.description FROM pg_description d JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid WHERE a.attnum > 0 AND d.objoid IN (10, 11) ORDER BY d.objoid, a.attnum
    SELECT namespace_name, relation_name, privilege_type, identity_name, identity_type, admin_option FROM svv_relation_privileges WHERE (namespace_name = 'o''b' AND relation_name = 't\\_"%')
    SELECT namespace_name, relation_name, column_name, privilege_type, identity_name, identity_type FROM svv_column_privileges WHERE (namespace_name = 'o''b' AND relation_name = 't\\_"%')
    "#);
}

#[test]
fn what_the_catalog_denies_is_corrected_by_trying() {
    let view = |id: i64, schema: &str, may_create: bool| {
        let named = [Cell::Long(id), t(schema), t("v"), t("us"), Cell::Boolean(false)];
        [named.to_vec(), vec![Cell::Null, Cell::Null, Cell::Boolean(may_create)]].concat()
    };
    let columns = "oid nspname relname owner is_materialized acl comment may_create";
    let views = rows(columns, vec![view(1, "a", false), view(2, "b", true), view(3, "c", false)]);
    let mut details = Details::default();
    let none = ResultRows::default();
    details.add_views(&views, &none, &none).expect("rows as asked for");
    assert_eq!(details.closed_schemas().into_iter().collect::<Vec<_>>(), ["a", "c"]);
    details.open_schema("a");
    assert_eq!(details.closed_schemas().into_iter().collect::<Vec<_>>(), ["c"]);
    insta::assert_snapshot!(create_probe("o\"b").join("\n"), @r#"
    CREATE VIEW "o""b"."_loader_probe" AS SELECT 1 AS one
    SELECT 1 / 0 AS taken_back
    "#);
}

#[test]
fn lists_fit_into_statements() {
    let lists = conditions::lists((0..10_000).map(|n| format!("{n:010}")), ", ");
    assert_eq!(lists.len(), 2);
    assert!(lists.iter().all(|list| list.len() <= 60_000 && !list.ends_with(", ")));
    assert!(conditions::lists(std::iter::empty(), ", ").is_empty());
}
