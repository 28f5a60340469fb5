//! The journal of dropped views: a DROP that goes on without its run, readers that hold what a run
//! changes, and journals that the loader has not written.

use std::sync::{Mutex, MutexGuard, PoisonError};

use loader_tests::{Ended, Place, Report, run};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{KEYS, files, load_without_plugins, set_up, state, types};
use crate::database_session::Session;

const IN_JOURNAL: &str = "SELECT view_name FROM {s}.loader_dropped_views ORDER BY place";
const VIEWS: &str = "SELECT viewname FROM pg_views WHERE schemaname = '{s}' ORDER BY 1";

/// A DROP that waits for a reader keeps every program waiting that asks the catalog for views. So the
/// tests with readers, whose programs are impatient, run one after the other.
fn alone_with_readers() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A place with views, and a file for which a VARCHAR must grow, which takes several transactions.
fn place_with_longer_text(name: &str) -> Place {
    let place = Place::new(name);
    set_up(&place);
    let (_, csv, _) = files().into_iter().next().expect("the first");
    place.put("x.csv", csv);
    place
}

fn load_impatiently(place: &Place, file: &str) -> Ended {
    run(place.command("run", file, "t").args(KEYS).args(["--lock-timeout", "1"]))
}

fn names(rows: &[Value], column: &str) -> String {
    let names = rows.iter().map(|row| row[column].as_str().unwrap_or_default());
    names.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_drop_that_outlives_its_run_loses_no_view() {
    let _alone = alone_with_readers();
    let place = place_with_longer_text("outlived");
    let before = state(&place);
    let (reader, other) = (Session::open(&place), Session::open(&place));
    reader.execute("BEGIN");
    reader.execute("SELECT * FROM {s}.v");
    let mut killed = loader_tests::start(place.command("run", "x.csv", "t").args(KEYS));
    let drops = other.running("DROP VIEW \"{s}\".\"v\"");
    kill_process(Pid::from_child(&killed), Signal::KILL).expect("it runs");
    killed.wait().expect("it is dead");

    // The DROP goes on without its run, and holds the fence of the table. No other run gets in
    // between, or takes what it sees for what will be.
    assert_eq!(names(&place.select(VIEWS), "viewname"), "aside late on_v v v_all");
    place.put("fits.csv", "id,note,kept\n5,n,c\n");
    let second = Report::of(load_impatiently(&place, "fits.csv"));
    assert_eq!(second.ended.code, 4, "{}", second.error());
    assert!(
        second.error().starts_with(
            "another transaction holds outlived.loader_fence_t for longer than --lock-timeout 1"
        ),
        "{}",
        second.error()
    );
    // The views cannot be read while they are being dropped.
    let changing = Report::of(load_impatiently(&place, "x.csv"));
    assert_eq!(changing.ended.code, 4, "{}", changing.error());
    assert!(
        changing
            .error()
            .starts_with("reading what depends on the table took longer than --lock-timeout 1"),
        "{}",
        changing.error()
    );
    assert_eq!(names(&place.select(IN_JOURNAL), "view_name"), "v aside v_all on_v");

    // The reader lets go, the views are dropped, and the next run brings them back.
    reader.execute("COMMIT");
    while names(&place.select(VIEWS), "viewname") != "late" {}
    let third = Report::of(load_without_plugins(&place, None)).succeeded();
    let recovered = third.json["views_recovered"].as_array().expect("a list");
    assert_eq!(recovered.len(), 4, "{recovered:?}");
    assert_eq!(state(&place), before);
    assert_eq!(types(&place), "id integer, kept 9, note 256");
    assert_eq!(names(&place.select(IN_JOURNAL), "view_name"), "");

    // The same statements once more, as if they had been on their way all the time.
    let late = other.transaction(&drops).expect_err("nothing is dropped");
    assert!(late.contains("division by zero"), "{late}");
    assert_eq!(names(&place.select(VIEWS), "viewname"), "aside late on_v v v_all");
}

#[test]
fn a_change_waits_for_readers_no_longer_than_it_may() {
    let _alone = alone_with_readers();
    for (held, name) in [("v", "held-view"), ("t", "held-table")] {
        let place = place_with_longer_text(name);
        let before = state(&place);
        let reader = Session::open(&place);
        reader.execute("BEGIN");
        reader.execute(&format!("SELECT * FROM {{s}}.{held}"));
        let report = Report::of(load_impatiently(&place, "x.csv"));
        assert_eq!(report.ended.code, 4, "{held}: {}", report.error());
        let (schema, error) = (place.schema(), report.error());
        let expected = format!(
            "{schema}.t or a view of it was in use for longer than --lock-timeout 1, or the change \
             was cancelled in the database; Redshift changes nothing that others are reading: run \
             again, or see in STV_LOCKS who reads it"
        );
        assert!(error.starts_with(&expected), "{held}: {error}");
        assert_eq!(names(&place.select(IN_JOURNAL), "view_name"), "", "{held}");
        reader.execute("COMMIT");
        assert_eq!(state(&place), before, "{held}");
        let _ = Report::of(load_without_plugins(&place, None)).succeeded();
        assert_eq!(types(&place), "id integer, kept 9, note 256", "{held}");
    }
}

/// What somebody would have to write to get SQL run: a view that is missing, and a text that does
/// something else.
fn hostile_view(schema: &str, create: &str, privilege: &str) -> Value {
    json!({
        "version": 1,
        "name": { "schema": schema, "table": "gone" },
        "kind": "bound",
        "create": create,
        "owner": "loader",
        "grants": [{ "privilege": privilege, "grantee": "public" }],
        "comment": null,
        "column_comments": []
    })
}

/// A place with a table that somebody is after, and a file that fits its target.
fn place_with_a_secret(name: &str) -> Place {
    let place = Place::new(name);
    place.execute("CREATE TABLE {s}.secret (n INTEGER)");
    place.execute("CREATE TABLE {s}.t (id INTEGER)");
    place.put("x.csv", "id\n1\n");
    place
}

fn nothing_was_run(place: &Place) {
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.secret"), "0");
    assert_eq!(place.select(VIEWS), Vec::<Value>::new());
    let granted = "SELECT COUNT(*) FROM svv_relation_privileges WHERE namespace_name = '{s}' AND \
                   identity_type = 'public'";
    assert_eq!(place.value(granted), "0");
}

#[test]
fn a_journal_in_the_bucket_is_reported_and_never_run() {
    let place = place_with_a_secret("foreign-journal");
    let schema = place.schema();
    let view = hostile_view(
        &schema,
        &format!("DROP TABLE {schema}.secret"),
        &format!("SELECT ON {schema}.secret TO PUBLIC; GRANT SELECT"),
    );
    let target = json!({ "schema": schema, "table": "t" });
    let journal = json!({
        "version": 1, "run_id": "r", "target": target, "written_at": "", "views": [view]
    });
    place.write("data/journal/zz.json", journal.to_string());
    let report = Report::of(run(&mut place.command("run", "x.csv", "t"))).succeeded();
    insta::assert_snapshot!(report.json["notices"][0].as_str().unwrap_or_default(), @"s3://foreign-journal/data/journal/zz.json is a journal of an earlier version, which may have dropped foreign_journal.gone; this version runs nothing of it: read the statements under `restore` in it, run those of views that are missing, then delete it");
    nothing_was_run(&place);
    let retried = run(place.bare_command("retry").args(["--report", "json"]));
    assert_eq!(retried.code, 2, "{}", retried.stderr);
    let told: Value = serde_json::from_str(&retried.stdout).expect("JSON");
    assert_eq!(told["notices"], report.json["notices"]);
    nothing_was_run(&place);
    assert!(place.keys().contains(&"data/journal/zz.json".to_owned()), "{:?}", place.keys());
    place.write("data/journal/zz.json", vec![b' '; 2 << 20]);
    place.put("y.csv", "id\n2\n");
    let report = Report::of(run(&mut place.command("run", "y.csv", "t"))).succeeded();
    let notice = report.json["notices"][0].as_str().unwrap_or_default();
    assert!(notice.contains("which may have dropped views;"), "{notice}");
}

#[test]
fn rows_that_the_loader_would_not_write_are_reported_and_never_run() {
    let place = place_with_a_secret("foreign-rows");
    let _ = Report::of(run(&mut place.command("run", "x.csv", "t"))).succeeded();
    let s = place.schema();
    let create = format!("CREATE VIEW \"{s}\".\"gone\" AS SELECT 1 AS one");
    let views = [
        hostile_view(&s, &format!("DROP TABLE {s}.secret"), "SELECT"),
        hostile_view(&s, &format!("{create}; DROP TABLE {s}.secret"), "SELECT"),
        hostile_view(&s, &create, &format!("SELECT ON {s}.secret TO PUBLIC; GRANT SELECT")),
        hostile_view(&s, &create.replace("gone", "another"), "SELECT"),
    ];
    for (run, view) in views.iter().enumerate() {
        let content = view.to_string().replace('\\', "\\\\").replace('\'', "''");
        place.execute(&format!(
            "INSERT INTO {s}.loader_dropped_views VALUES ('{s}.t', 'h{run}', '{s}', 'gone', 0, 1, 1, \
             '{content}', GETDATE())"
        ));
    }
    place.put("y.csv", "id\n2\n");
    let report = Report::of(run(&mut place.command("run", "y.csv", "t"))).succeeded();
    let notices = report.json["notices"].as_array().expect("a list");
    assert_eq!(notices.len(), 4, "{notices:?}");
    insta::assert_snapshot!(notices[0].as_str().unwrap_or_default(), @"a row of foreign_rows.loader_dropped_views (view foreign_rows.gone, run h3) is not as the loader writes it: its definition is not just the CREATE VIEW of that name, or has a comment with a quote or a semicolon; when the view is missing, make it by hand, then delete the row");
    nothing_was_run(&place);
    let retried = run(place.bare_command("retry").args(["--report", "json"]));
    assert_eq!(retried.code, 2, "{}", retried.stderr);
    nothing_was_run(&place);
    assert_eq!(place.select(IN_JOURNAL).len(), 4);
}
