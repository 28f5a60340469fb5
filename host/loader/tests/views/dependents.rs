//! What reads a table, as the catalog has it, and that nothing of it is lost when it is dropped and
//! restored. Before and after are compared by catalog queries.

use std::time::Duration;

use loader::redshift::dependents;
use loader_model::column_type::ColumnType;
use loader_warehouse::bookkeeping;
use loader_warehouse::dependents::{Dependent, Dependents};
use loader_warehouse::evolution::change::SchemaChange;
use loader_warehouse::evolution::journal::JournalKey;
use loader_warehouse::evolution::script::{self, Execution, Situation};
use loader_warehouse::refusal::Refusal;
use loader_warehouse::saved_view::{Grantee, ViewKind};

use crate::support::{World, name};

/// A table with views on it and on each other, in two schemas, with owners, comments and grants of
/// every kind.
const SETTING: &[&str] = &[
    "CREATE USER ann PASSWORD DISABLE",
    "CREATE USER \"bob-1\" PASSWORD DISABLE",
    "CREATE USER cy PASSWORD DISABLE",
    "CREATE GROUP analysts",
    "CREATE GROUP \"the other, team\"",
    "CREATE ROLE reader",
    "CREATE SCHEMA other",
    "CREATE TABLE t (a INTEGER, b VARCHAR(20), c BIGINT)",
    "CREATE TABLE u (k INTEGER)",
    "CREATE VIEW unrelated AS SELECT k FROM u",
    "CREATE VIEW base AS SELECT a, b AS \"B's\" FROM t WHERE b <> 'it''s \\\\ so'",
    "CREATE VIEW other.\"on both\" AS SELECT x.a, y.c, u.k FROM base x JOIN t y ON x.a = y.a JOIN \
     u ON u.k = x.a",
    "CREATE VIEW top AS SELECT z.c FROM other.\"on both\" z UNION ALL SELECT a FROM base",
    "CREATE VIEW counted AS SELECT COUNT(*) AS n FROM t",
    "COMMENT ON VIEW base IS 'what''s in t'",
    "COMMENT ON COLUMN base.a IS 'the key'",
    "COMMENT ON COLUMN t.b IS 'a name'",
    "GRANT SELECT ON base TO \"bob-1\" WITH GRANT OPTION",
    "GRANT SELECT, INSERT ON base TO GROUP analysts",
    "GRANT SELECT ON base TO ROLE reader",
    "GRANT SELECT ON other.\"on both\" TO GROUP \"the other, team\"",
    "GRANT SELECT (a) ON base TO cy",
    "GRANT SELECT (a, b), UPDATE (b) ON t TO cy",
    "GRANT SELECT ON top TO PUBLIC",
    "GRANT SELECT ON top TO loader",
    "ALTER TABLE base OWNER TO ann",
    "ALTER TABLE top OWNER TO ann",
    "GRANT SELECT ON top TO loader",
];

/// Everything about all views that must be the same before and after.
async fn state(world: &World) -> String {
    let queries = [
        "SELECT n.nspname, c.relname, pg_get_userbyid(c.relowner), pg_get_viewdef(c.oid, true), \
         obj_description(c.oid, 'pg_class') FROM pg_class c JOIN pg_namespace n ON n.oid = \
         c.relnamespace WHERE c.relkind = 'v' AND n.nspname IN ('public', 'other') ORDER BY 1, 2",
        "SELECT c.relname, d.objsubid, d.description FROM pg_description d JOIN pg_class c ON \
         c.oid = d.objoid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN \
         ('public', 'other') ORDER BY 1, 2",
        "SELECT namespace_name, relation_name, privilege_type, identity_name, identity_type, \
         admin_option FROM svv_relation_privileges WHERE namespace_name IN ('public', 'other') \
         ORDER BY 1, 2, 3, 4, 5",
        "SELECT namespace_name, relation_name, column_name, privilege_type, identity_name, \
         identity_type FROM svv_column_privileges WHERE namespace_name IN ('public', 'other') \
         ORDER BY 1, 2, 3, 4, 5",
    ];
    let mut state = String::new();
    for query in queries {
        state.push_str(&world.rows(query).await);
        state.push('\n');
    }
    state
}

fn found<'a>(dependents: &'a Dependents, table: &str) -> &'a Dependent {
    let is_it = |view: &&Dependent| view.view.name.table == table;
    dependents.views.iter().find(is_it).unwrap_or_else(|| panic!("{table} depends on the table"))
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_reads_a_table_survives_being_dropped() {
    let world = World::new().await;
    world.execute(SETTING).await;
    let before = state(&world).await;
    let target = name("public", "t");
    let dependents = dependents::read(&world.api, &target, &[]).await.expect("the catalog answers");

    assert!(dependents.superuser);
    let names: Vec<String> =
        dependents.views.iter().map(|view| view.view.name.to_string()).collect();
    assert_eq!(names, ["public.base", "public.counted", "other.on both", "public.top"]);
    let reads: Vec<&[usize]> = dependents.views.iter().map(|view| view.reads.as_slice()).collect();
    assert_eq!(reads, [&[][..], &[], &[0], &[0, 2]]);
    assert_eq!(found(&dependents, "base").columns, ["a", "b"]);
    assert_eq!(found(&dependents, "on both").columns, ["a", "c"]);
    assert!(
        found(&dependents, "counted").columns.is_empty()
            && found(&dependents, "top").columns.is_empty()
    );
    assert!(found(&dependents, "counted").reads_target && !found(&dependents, "top").reads_target);
    assert!(dependents.views.iter().all(|view| view.obstacle.is_none()), "{:?}", dependents.views);
    assert_eq!(dependents.target_column_comments, [("b".to_owned(), "a name".to_owned())]);
    let grants: Vec<String> = dependents
        .target_column_grants
        .iter()
        .map(|grant| {
            format!("{} ({}) {:?}", grant.privilege, grant.columns.join(", "), grant.grantee)
        })
        .collect();
    assert_eq!(grants, ["SELECT (a, b) User(\"cy\")", "UPDATE (b) User(\"cy\")"]);

    for view in dependents.views.iter().rev() {
        world.execute(&[&view.view.drop_sql()]).await;
    }
    assert_ne!(state(&world).await, before);
    let saved: Vec<_> = dependents.views.iter().map(|view| view.view.clone()).collect();
    let journal = world.leave_journal("run1", &target, &saved, Duration::ZERO).await;
    assert_eq!(world.settle(&journal).await.expect("all can be restored").len(), 4);
    assert_eq!(world.in_journal().await, "");
    assert_eq!(state(&world).await, before);
    world.stop().await;
}

/// The transaction that makes the integer `a` of the table wider, and its views again.
fn widening(dependents: &Dependents) -> Vec<String> {
    let (name, target) = ("a".to_owned(), name("public", "t"));
    let (from, to) = (ColumnType::Integer, ColumnType::BigInt);
    let change = SchemaChange::ReplaceColumn { name, from, to, not_null: false, default: None };
    let situation = Situation { target: &target, attributes: &[], dependents, configured: &[] };
    let plan = script::plan(vec![change], &situation).expect("nothing is in the way");
    let key = JournalKey { target: target.clone(), run_id: "run1".into() };
    match plan.executions.as_slice() {
        [Execution::Transaction(transaction)] => transaction.to_send(&key),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_was_made_again_since_it_was_read_keeps_its_grants() {
    let world = World::new().await;
    let target = name("public", "t");
    world.execute(&["CREATE TABLE t (a INTEGER)", "CREATE VIEW v AS SELECT a FROM t"]).await;
    world.batch(&bookkeeping::make_fence(&target, false, true)).await.expect("it is made");
    let early = dependents::read(&world.api, &target, &[]).await.expect("the catalog answers");
    // Another run drops the view and makes it again, with a grant that was not read.
    world.execute(&["DROP VIEW v", "CREATE VIEW v AS SELECT a FROM t"]).await;
    world.execute(&["GRANT SELECT ON v TO PUBLIC"]).await;

    let late = world.batch(&widening(&early)).await.expect_err("it was made for another view");
    assert_eq!(late.refusal, Refusal::Guard, "{}", late.message);
    let anew = dependents::read(&world.api, &target, &[]).await.expect("the catalog answers");
    world.batch(&widening(&anew)).await.expect("the table is changed");
    let after = dependents::read(&world.api, &target, &[]).await.expect("the catalog answers");
    assert_eq!(found(&after, "v").view.grants, found(&anew, "v").view.grants);
    assert_eq!(found(&after, "v").view.grants.len(), 1);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn views_of_the_configuration_come_with_their_readers() {
    let world = World::new().await;
    world.execute(SETTING).await;
    world.execute(&["CREATE VIEW on_unrelated AS SELECT k FROM unrelated"]).await;
    let also = [name("public", "unrelated"), name("public", "there_is_no_such_view")];
    let read = dependents::read(&world.api, &name("public", "no_table"), &also)
        .await
        .expect("the catalog answers");
    let names: Vec<String> = read.views.iter().map(|view| view.view.name.to_string()).collect();
    assert_eq!(names, ["public.unrelated", "public.on_unrelated"]);
    let none = dependents::read(&world.api, &name("public", "no_table"), &[])
        .await
        .expect("the catalog answers");
    assert!(none.views.is_empty() && none.target_column_grants.is_empty());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_superuser_is_told_what_could_not_come_back() {
    let world = World::new().await;
    world.execute(SETTING).await;
    world
        .execute(&[
            "GRANT USAGE ON SCHEMA other TO ann",
            "ALTER TABLE other.\"on both\" OWNER TO ann",
        ])
        .await;
    let api = world.api_of("ann").await;
    let dependents =
        dependents::read(&api, &name("public", "t"), &[]).await.expect("the catalog answers");
    assert_eq!((dependents.user.as_str(), dependents.superuser), ("ann", false));
    let obstacle = |table: &str| found(&dependents, table).obstacle.as_deref().unwrap_or("none");
    assert!(
        obstacle("counted").contains("public.counted belongs to loader, and ann is no superuser")
    );
    assert!(obstacle("on both").contains("ann may not make view other.on both again"));
    world.execute(&["GRANT CREATE ON SCHEMA other TO ann"]).await;
    let dependents =
        dependents::read(&api, &name("public", "t"), &[]).await.expect("the catalog answers");
    assert_eq!(found(&dependents, "on both").obstacle, None);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn late_binding_and_materialized_views_are_told_apart() {
    let world = World::new().await;
    world.execute(&["CREATE TABLE t (a INTEGER)"]).await;
    world.execute(&["CREATE VIEW late AS SELECT * FROM public.t WITH NO SCHEMA BINDING"]).await;
    world.execute(&["CREATE VIEW late_on_another AS SELECT 1 AS t_a WITH NO SCHEMA BINDING"]).await;
    world.execute(&["CREATE MATERIALIZED VIEW m AS SELECT a FROM t"]).await;
    let target = name("public", "t");
    let read = dependents::read(&world.api, &target, &[name("public", "late")])
        .await
        .expect("the catalog answers");
    assert_eq!(read.late_binding, [name("public", "late")]);
    assert_eq!(found(&read, "late").view.kind, ViewKind::LateBinding);
    assert_eq!(found(&read, "late").obstacle, None);
    assert_eq!(found(&read, "m").view.kind, ViewKind::Materialized);
    assert!(
        found(&read, "m")
            .obstacle
            .as_deref()
            .is_some_and(|text| text.contains("public.m is a materialized view"))
    );

    let late = found(&read, "late").view.clone();
    assert!(late.grants.iter().all(|grant| grant.grantee != Grantee::Public));
    world.execute(&[&late.drop_sql()]).await;
    let journal = world.leave_journal("run1", &target, &[late], Duration::ZERO).await;
    world.settle(&journal).await.expect("it can be restored");
    assert_eq!(world.rows("SELECT COUNT(a) FROM late").await, "0\n");
    world.stop().await;
}
