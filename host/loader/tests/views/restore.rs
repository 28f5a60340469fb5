//! Dropped views that come back: asked for by name, and from the journals of killed runs. The age
//! of a journal is its file's own time.

use std::time::Duration;

use loader::redshift::journals::{self, RecoverScope};
use loader::redshift::restore;
use loader_model::names::TableName;
use loader_warehouse::saved_view::SavedView;

use crate::support::{BUCKET, HOUR, World, name, view};

#[tokio::test(flavor = "multi_thread")]
async fn missing_views_are_restored_and_others_left_alone() {
    let world = World::new().await;
    let user = world.user().await;
    world
        .execute(&["CREATE TABLE t (a INTEGER)", "CREATE VIEW v1 AS SELECT 7 AS somebody_elses"])
        .await;
    let mut views: Vec<SavedView> = (1..=30)
        .map(|n| {
            let reads = if n <= 2 { "t".to_owned() } else { format!("v{}", n - 1) };
            let mut view =
                view(&user, name("public", &format!("v{n}")), &format!("SELECT a FROM {reads};"));
            view.comment = Some(format!("number {n}: it's \\ here"));
            view
        })
        .collect();
    // More statements than one transaction takes.
    let columns: Vec<String> = (0..60).map(|n| format!("c{n}")).collect();
    let select = format!(
        "SELECT {} FROM t",
        columns.iter().map(|c| format!("a AS {c}")).collect::<Vec<_>>().join(", ")
    );
    let mut wide = view(&user, name("public", "wide"), &select);
    wide.column_comments =
        columns.iter().map(|column| (column.clone(), format!("about {column}"))).collect();
    views.push(wide);

    let restored =
        restore::restore_missing(&world.api, &user, &views).await.expect("all can be restored");
    let expected: Vec<TableName> = views[1..].iter().map(|view| view.name.clone()).collect();
    assert_eq!(restored, expected);
    assert_eq!(world.rows("SELECT somebody_elses FROM v1").await, "7\n");
    assert_eq!(world.rows("SELECT COUNT(*) FROM v30").await, "0\n");
    let comments = "SELECT obj_description(oid, 'pg_class') FROM pg_class WHERE relname = 'v30'";
    assert_eq!(world.rows(comments).await, "number 30: it's \\ here\n");
    let about = "SELECT COUNT(*) FROM pg_description d JOIN pg_class c ON c.oid = d.objoid \
                 WHERE c.relname = 'wide' AND d.objsubid > 0";
    assert_eq!(world.rows(about).await, "60\n");
    assert_eq!(
        restore::restore_missing(&world.api, &user, &views).await.expect("nothing to do"),
        []
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_broken_view_does_not_keep_the_others() {
    let world = World::new().await;
    let user = world.user().await;
    world.execute(&["CREATE TABLE t (a INTEGER)"]).await;
    let views = [
        view(&user, name("public", "first"), "SELECT a FROM t"),
        view(&user, name("public", "broken"), "SELECT gone FROM t"),
        view(&user, name("public", "on_broken"), "SELECT gone FROM broken"),
        view(&user, name("public", "last"), "SELECT a FROM first"),
    ];
    let error = restore::restore_missing(&world.api, &user, &views)
        .await
        .expect_err("one is broken")
        .to_string();
    assert!(
        error
            .starts_with("restoring the view public.broken failed: column \"gone\" does not exist"),
        "{error}"
    );
    assert!(error.contains("not_restored_either public.on_broken"), "{error}");
    assert_eq!(world.rows("SELECT COUNT(*) FROM last").await, "0\n");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_restore_the_same_views_at_once() {
    let world = World::new().await;
    let user = world.user().await;
    world.execute(&["CREATE TABLE t (a INTEGER)"]).await;
    let views: Vec<SavedView> =
        (0..20).map(|n| view(&user, name("public", &format!("v{n}")), "SELECT a FROM t")).collect();
    let run = || restore::restore_missing(&world.api, &user, &views);
    let (first, second, third) = tokio::join!(run(), run(), run());
    let restored: usize =
        [first, second, third].into_iter().map(|run| run.expect("none fails").len()).sum();
    assert_eq!(restored, 20);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn journals_of_killed_runs_are_worked_off() {
    let world = World::new().await;
    let user = world.user().await;
    let (ours, others) = (name("public", "ours"), name("public", "others"));
    world.execute(&["CREATE TABLE ours (a INTEGER)", "CREATE TABLE others (a INTEGER)"]).await;
    let of_ours = |definition: &str| view(&user, name("public", "v_ours"), definition);
    let of_others = view(&user, name("public", "v_others"), "SELECT a FROM others");
    let run = |scope| journals::recover(&world.store, &world.api, BUCKET, scope);

    // The newer journal knows better what the view was like. Another target's run may be alive.
    world.leave_journal("run1", &ours, &[of_ours("SELECT 1 AS old")], 2 * HOUR).await;
    world.leave_journal("run2", &ours, &[of_ours("SELECT a FROM ours")], Duration::ZERO).await;
    world.leave_journal("run3", &others, std::slice::from_ref(&of_others), HOUR / 6).await;
    let left = journals::left_dropped(&world.store, &world.api, BUCKET, &ours)
        .await
        .expect("journals can be read");
    assert!(left.contains(&name("public", "v_ours")), "{left:?}");
    let recovered = run(RecoverScope::Target(&ours)).await.expect("it can be recovered");
    assert_eq!(recovered.len(), 1);
    assert_eq!((recovered[0].run_id.as_str(), recovered[0].views.len()), ("run2", 1));
    assert_eq!(world.rows("SELECT COUNT(a) FROM v_ours").await, "0\n");
    // Ours is young too, and stays: its run may be about to drop more.
    assert_eq!(world.journals().await, ["data/journal/run2.json", "data/journal/run3.json"]);
    let run2 = world.leave_journal("run2", &ours, &[of_ours("SELECT a FROM ours")], HOUR).await;
    assert!(run(RecoverScope::Target(&ours)).await.expect("nothing is missing").is_empty());
    assert!(world.store.head(&run2).await.expect("it can be looked for").is_none());
    assert_eq!(world.journals().await, ["data/journal/run3.json"]);

    // A young journal without anything missing may be of a run that is about to drop its views.
    world.leave_journal("run4", &ours, &[of_ours("SELECT a FROM ours")], Duration::ZERO).await;
    assert!(run(RecoverScope::Target(&ours)).await.expect("nothing is missing").is_empty());
    assert_eq!(world.journals().await, ["data/journal/run3.json", "data/journal/run4.json"]);
    let run4 = world.leave_journal("run4", &ours, &[of_ours("SELECT a FROM ours")], HOUR).await;
    assert!(run(RecoverScope::Target(&ours)).await.expect("nothing is missing").is_empty());
    assert_eq!(world.journals().await, ["data/journal/run3.json"]);

    // Journals that cannot be used are kept and reported, and do not stop the others.
    world.store.write(&run4, b"{\"version\": 1".to_vec()).await.expect("it can be written");
    let gone = view(&user, name("public", "v_gone"), "SELECT gone FROM ours");
    world.leave_journal("run5", &ours, &[gone], HOUR).await;
    let mut recovered = run(RecoverScope::All).await.expect("the others can be recovered");
    recovered.sort_by(|a, b| a.run_id.cmp(&b.run_id));
    let told: Vec<(&str, usize, bool)> =
        recovered.iter().map(|r| (r.run_id.as_str(), r.views.len(), r.failure.is_some())).collect();
    assert_eq!(told, [("run3", 1, false), ("run4", 0, true), ("run5", 0, true)]);
    assert_eq!(world.rows("SELECT COUNT(a) FROM v_others").await, "0\n");
    assert_eq!(world.journals().await, ["data/journal/run4.json", "data/journal/run5.json"]);
    let left = journals::left_dropped(&world.store, &world.api, BUCKET, &ours)
        .await
        .expect("one can be read");
    assert_eq!(left, [name("public", "v_gone")]);
    world.stop().await;
}
