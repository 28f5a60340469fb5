//! What runs have left in the journal: who takes it up when, and what is only reported. The age of a
//! row is its own time, by the clock of the warehouse.

use std::future::ready;
use std::time::Duration;

use loader::redshift::catalog::{self, Bookkeeping};
use loader::redshift::journals::{self, RecoverScope, Recovered};
use loader_model::error::Kind;
use loader_model::names::TableName;
use loader_warehouse::evolution::journal::LeftViews;
use loader_warehouse::saved_view::{Grant, Grantee, SavedView};

use crate::support::{World, name, view};

const MINUTE: Duration = Duration::from_secs(60);

/// What a load of the target reads.
async fn left(world: &World, target: &TableName) -> LeftViews {
    let catalog = catalog::read(&world.api, target, "load", Bookkeeping::Make, ready(())).await;
    catalog.expect("the catalog can be read").left
}

async fn recover(world: &World, target: &TableName) -> Vec<Recovered> {
    let left = left(world, target).await;
    let scope = RecoverScope::Target(target);
    journals::recover(&world.api, &left, MINUTE, scope).await.expect("it is not stopped")
}

async fn recover_all(world: &World) -> Vec<Recovered> {
    let left = journals::read_all(&world.api, "public").await.expect("the journal can be read");
    let all = RecoverScope::All;
    journals::recover(&world.api, &left, MINUTE, all).await.expect("it is not stopped")
}

/// Run, number of views and failure of each.
fn told(recovered: &[Recovered]) -> Vec<(&str, usize, bool)> {
    recovered
        .iter()
        .map(|one| {
            let run = one.left_by.as_ref().map_or("", |left_by| left_by.run_id.as_str());
            (run, one.views.len(), one.failure.is_some())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn journals_of_killed_runs_are_worked_off() {
    let world = World::new().await;
    let user = world.user().await;
    let (ours, others) = (name("public", "ours"), name("public", "others"));
    world.execute(&["CREATE TABLE ours (a INTEGER)", "CREATE TABLE others (a INTEGER)"]).await;
    // A user may have another time zone than the rows.
    world.execute(&["ALTER USER loader SET timezone TO 'America/New_York'"]).await;
    let of_ours = |definition: &str| view(&user, name("public", "v_ours"), definition);
    let of_others = view(&user, name("public", "v_others"), "SELECT a FROM others");

    // The newer journal knows better what the view was like. Another target's run may be alive.
    world.leave_journal("run1", &ours, &[of_ours("SELECT 1 AS old")], 120 * MINUTE).await;
    world.leave_journal("run2", &ours, &[of_ours("SELECT a FROM ours")], Duration::ZERO).await;
    world.leave_journal("run3", &others, std::slice::from_ref(&of_others), 14 * MINUTE).await;
    let dropped = journals::left_dropped(&world.api, &left(&world, &ours).await, &ours).await;
    assert!(dropped.expect("it can be looked for").contains(&name("public", "v_ours")));
    assert_eq!(told(&recover(&world, &ours).await), [("run2", 1, false)]);
    assert_eq!(world.rows("SELECT COUNT(a) FROM v_ours").await, "0\n");
    assert_eq!(world.in_journal().await, "run3 v_others\n");

    // A young journal without anything missing may be of a run that is about to drop its views.
    world.leave_journal("run4", &ours, &[of_ours("SELECT a FROM ours")], 14 * MINUTE).await;
    assert!(recover(&world, &ours).await.is_empty());
    assert_eq!(world.in_journal().await, "run3 v_others\nrun4 v_ours\n");
    world
        .execute(&["UPDATE loader_dropped_views SET written_at = DATEADD(minute, -2, written_at)"])
        .await;
    assert_eq!(told(&recover(&world, &ours).await), [("run3", 1, false)]);
    assert_eq!(world.in_journal().await, "");
    assert_eq!(world.rows("SELECT COUNT(a) FROM v_others").await, "0\n");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_a_schema_is_settled_at_once() {
    let world = World::new().await;
    assert!(recover_all(&world).await.is_empty(), "the schema has no journal yet");
    let user = world.user().await;
    let target = name("public", "t");
    world.execute(&["CREATE TABLE t (a INTEGER)", "CREATE VIEW there AS SELECT 1 AS a"]).await;
    let of = |table: &str, definition: &str| view(&user, name("public", table), definition);
    let views = [of("there", "SELECT a FROM t"), of("missing", "SELECT a FROM t")];
    world.leave_journal("run1", &target, &views, Duration::ZERO).await;
    let gone = of("broken", "SELECT gone FROM t");
    world.leave_journal("run2", &target, &[gone], Duration::ZERO).await;
    assert_eq!(told(&recover_all(&world).await), [("run2", 0, true), ("run1", 1, false)]);
    assert_eq!(world.in_journal().await, "run2 broken\n");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_loader_would_not_write_is_reported_and_kept() {
    let world = World::new().await;
    let user = world.user().await;
    let target = name("public", "t");
    world.execute(&["CREATE TABLE t (a INTEGER)", "CREATE TABLE secret (s INTEGER)"]).await;
    let grant = || Grant {
        privilege: "SELECT ON secret TO PUBLIC; GRANT SELECT".into(),
        columns: Vec::new(),
        grantee: Grantee::Public,
        grantable: false,
    };
    let hostile = |change: &dyn Fn(&mut SavedView)| {
        let mut view = view(&user, name("public", "v"), "SELECT a FROM t");
        change(&mut view);
        view
    };
    let views = [
        hostile(&|view| view.create = "DROP TABLE secret".into()),
        hostile(&|view| view.create.push_str("; DROP TABLE secret")),
        hostile(&|view| view.create = "CREATE VIEW \"public\".\"w\" AS SELECT 1".into()),
        hostile(&|view| view.grants.push(grant())),
        hostile(&|_| {}),
    ];
    for (nth, view) in views.iter().enumerate() {
        let run = format!("h{nth}");
        world.leave_journal(&run, &target, std::slice::from_ref(view), Duration::ZERO).await;
    }
    // The last one's rows say that they are about another view than their content.
    world.execute(&["UPDATE loader_dropped_views SET view_name = 'w' WHERE run_id = 'h4'"]).await;
    let kept = world.in_journal().await;
    for recovered in [recover(&world, &target).await, recover_all(&world).await] {
        assert_eq!(told(&recovered), [("", 0, true); 5]);
        assert!(recovered.iter().all(|one| {
            one.failure.as_ref().is_some_and(|failure| failure.kind() == Kind::Config)
        }));
    }
    assert_eq!(world.in_journal().await, kept);
    assert_eq!(world.rows("SELECT COUNT(*) FROM secret").await, "0\n");
    let made = "SELECT COUNT(*) FROM pg_class WHERE relname IN ('v', 'w')";
    assert_eq!(world.rows(made).await, "0\n");
    let granted = "SELECT COUNT(*) FROM svv_relation_privileges WHERE relation_name = 'secret' AND \
                   identity_type = 'public'";
    assert_eq!(world.rows(granted).await, "0\n");
    world.stop().await;
}
