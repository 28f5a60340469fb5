//! Dropped views that come back, by their journal.

use std::time::Duration;

use loader_model::error::Kind;
use loader_model::names::TableName;
use loader_warehouse::saved_view::SavedView;

use crate::support::{World, name, view};

#[tokio::test(flavor = "multi_thread")]
async fn missing_views_are_restored_and_others_left_alone() {
    let world = World::new().await;
    let user = world.user().await;
    world
        .execute(&["CREATE TABLE t (a INTEGER)", "CREATE VIEW v1 AS SELECT 7 AS somebody_elses"])
        .await;
    let views: Vec<SavedView> = (1..=30)
        .map(|n| {
            let reads = if n <= 2 { "t".to_owned() } else { format!("v{}", n - 1) };
            let mut view =
                view(&user, name("public", &format!("v{n}")), &format!("SELECT a FROM {reads};"));
            view.comment = Some(format!("number {n}: it's \\ here"));
            view
        })
        .collect();
    let journal = world.leave_journal("run1", &name("public", "t"), &views, Duration::ZERO).await;
    let restored = world.settle(&journal).await.expect("all can be restored");
    let expected: Vec<TableName> = views[1..].iter().map(|view| view.name.clone()).collect();
    assert_eq!(restored, expected);
    assert_eq!(world.rows("SELECT somebody_elses FROM v1").await, "7\n");
    assert_eq!(world.rows("SELECT COUNT(*) FROM v30").await, "0\n");
    let comments = "SELECT obj_description(oid, 'pg_class') FROM pg_class WHERE relname = 'v30'";
    assert_eq!(world.rows(comments).await, "number 30: it's \\ here\n");
    assert_eq!(world.in_journal().await, "");
    assert_eq!(world.settle(&journal).await.expect("nothing to do"), []);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_come_back_keeps_its_rows_and_not_the_others() {
    let world = World::new().await;
    let user = world.user().await;
    world.execute(&["CREATE TABLE t (a INTEGER)"]).await;
    let columns: Vec<String> = (0..36).map(|n| format!("c{n}")).collect();
    let select = columns.iter().map(|c| format!("a AS {c}")).collect::<Vec<_>>().join(", ");
    let mut wide = view(&user, name("public", "wide"), &format!("SELECT {select} FROM t"));
    wide.column_comments =
        columns.iter().map(|column| (column.clone(), format!("about {column}"))).collect();
    let views = [
        view(&user, name("public", "first"), "SELECT a FROM t"),
        view(&user, name("public", "broken"), "SELECT gone FROM t"),
        view(&user, name("public", "on_broken"), "SELECT gone FROM broken"),
        view(&user, name("public", "last"), "SELECT a FROM first"),
        // More statements than one transaction has room for.
        wide,
    ];
    let journal = world.leave_journal("run1", &name("public", "t"), &views, Duration::ZERO).await;
    let error = world.settle(&journal).await.expect_err("one is broken");
    assert_eq!(error.kind(), Kind::Config);
    let error = error.to_string();
    assert!(
        error
            .starts_with("restoring the view public.broken failed: column \"gone\" does not exist"),
        "{error}"
    );
    assert!(error.contains("not_restored_either public.on_broken, public.wide"), "{error}");
    assert_eq!(world.rows("SELECT COUNT(*) FROM last").await, "0\n");
    assert_eq!(world.in_journal().await, "run1 broken\nrun1 on_broken\nrun1 wide\n");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_restore_the_same_views_at_once() {
    let world = World::new().await;
    let user = world.user().await;
    world.execute(&["CREATE TABLE t (a INTEGER)"]).await;
    let views: Vec<SavedView> =
        (0..20).map(|n| view(&user, name("public", &format!("v{n}")), "SELECT a FROM t")).collect();
    let journal = world.leave_journal("run1", &name("public", "t"), &views, Duration::ZERO).await;
    let run = || world.settle(&journal);
    let (first, second, third) = tokio::join!(run(), run(), run());
    let restored: usize =
        [first, second, third].into_iter().map(|run| run.expect("none fails").len()).sum();
    assert_eq!(restored, 20);
    assert_eq!(world.in_journal().await, "");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_arrives_late_does_nothing() {
    let world = World::new().await;
    let user = world.user().await;
    world.execute(&["CREATE TABLE t (a INTEGER)", "CREATE VIEW v AS SELECT a FROM t"]).await;
    let v = name("public", "v");
    let was = view(&user, v.clone(), "SELECT a FROM t");
    let journal = world
        .leave_journal("run1", &name("public", "t"), std::slice::from_ref(&was), Duration::ZERO)
        .await;
    let views = std::slice::from_ref(&v);
    let lock = vec!["LOCK public.loader_fence_t".to_owned()];
    let guarded = [lock, journal.key.guard(views)].concat();
    let drops = [guarded.clone(), vec![was.drop_sql()]].concat();
    let makes = [guarded, vec![was.create.clone(), journal.key.delete(views)]].concat();
    let forgets = journal.key.forget_sql(views).concat();
    let fails = async |late: &[String]| {
        let failure = world.batch(late).await.expect_err("a guard fires");
        assert_eq!(failure.refusal, loader_warehouse::refusal::Refusal::Guard, "{late:?}");
    };

    world.batch(&drops).await.expect("the journal has the view");
    // What a look has shown before the DROP is not true any more.
    fails(&forgets).await;
    assert_eq!(world.settle(&journal).await.expect("it can be restored"), views);
    for late in [drops.as_slice(), makes.as_slice(), forgets.as_slice()] {
        fails(late).await;
    }
    assert_eq!(world.rows("SELECT COUNT(*) FROM v").await, "0\n");
    // When a person has dropped the view since then, it stays away.
    world.execute(&["DROP VIEW v"]).await;
    fails(&makes).await;
    assert_eq!(world.settle(&journal).await.expect("nothing to do"), []);
    world.stop().await;
}
