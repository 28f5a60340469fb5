//! Loads beside each other, beside readers and beside other programs: who waits for whom, who is
//! aborted, and which rows are there in the end.

use std::process::Child;

use loader_model::names::utc;
use loader_tests::{Ended, Place, Report};

use crate::database_session::Session;

/// A load that has been started. `more`: further arguments.
pub(crate) fn start(place: &Place, file: &str, table: &str, more: &[&str]) -> Child {
    let mut command = place.command("run", file, table);
    loader_tests::start(command.args(["--upsert-keys", "id"]).args(more))
}

pub(crate) fn end(child: Child) -> Report {
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let code = loader_tests::code(output.status);
    Report::of(Ended { code, stdout: text(output.stdout), stderr: text(output.stderr) })
}

/// A table of its own with one row: id 1, note `old`.
fn place_with_row(name: &str) -> Place {
    let place = Place::new(name);
    place.put("first.csv", "id,note\n1,old\n");
    let _ = end(start(&place, "first.csv", "t", &[])).succeeded();
    place
}

#[test]
fn loads_of_two_tables_never_abort_each_other_on_a_serializable_database() {
    const LOADS: u32 = 100;
    let place = Place::new("serializable");
    let admin = Session::in_database("dev", "");
    admin.execute("CREATE DATABASE serializable_loads ISOLATION LEVEL SERIALIZABLE");
    let session = Session::in_database("serializable_loads", "serializable");
    session.execute("CREATE SCHEMA serializable");
    // The tables that both share are made before.
    place.put("first.csv", "id\n1\n");
    let database = ["--database", "serializable_loads"];
    let _ = end(start(&place, "first.csv", "first", &database)).succeeded();
    let load_all = |table: &str| {
        for number in 0..LOADS {
            let file = format!("{table}{number}.csv");
            place.put(&file, format!("id,note\n{number},new\n0,{number}\n"));
            let load = end(start(&place, &file, table, &database)).succeeded();
            assert!(!load.ended.stderr.contains("trying again"), "{}", load.ended.stderr);
        }
    };
    std::thread::scope(|threads| {
        threads.spawn(|| load_all("a"));
        threads.spawn(|| load_all("b"));
    });
    for table in ["a", "b"] {
        let guard = |condition: &str, from: &str| {
            let sql = format!(
                "SELECT 1 / (CASE WHEN {condition} THEN 1 ELSE 0 END) FROM serializable.{from}"
            );
            session.execute(&sql);
        };
        guard(&format!("COUNT(*) = {LOADS}"), table);
        guard(&format!("COUNT(*) = {LOADS}"), &format!("loader_fence_{table}"));
        let of_table =
            format!("job_sts WHERE target_table_name = '{table}' AND status = 'SUCCESS'");
        guard(&format!("COUNT(*) = {LOADS}"), &of_table);
    }
}

#[test]
fn a_reader_never_waits_for_a_load() {
    let place = place_with_row("reader");
    // The load is held where its rows are in the table and not committed.
    let holder = Session::in_database("dev", "");
    holder.execute("BEGIN");
    holder.execute("LOCK reader.job_sts");
    place.put("x.csv", "id,note\n1,new\n2,new\n");
    let load = start(&place, "x.csv", "t", &[]);
    holder.running("INSERT INTO \"reader\".\"job_sts\"");
    assert_eq!(place.value("SELECT note FROM {s}.t"), "old");
    holder.execute("COMMIT");
    let _ = end(load).succeeded();
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t WHERE note = 'new'"), "2");
}

#[test]
fn a_load_waits_for_no_reader_and_with_lock_target_they_wait_for_each_other() {
    let place = place_with_row("open-reader");
    let dashboard = Session::in_database("dev", "");
    dashboard.execute("BEGIN");
    dashboard.execute("SELECT * FROM open_reader.t");
    place.put("x.csv", "id,note\n2,new\n");
    let _ = end(start(&place, "x.csv", "t", &[])).succeeded();

    // The dashboard still has its transaction open. This load waits for it.
    place.put("y.csv", "id,note\n3,new\n");
    let load = start(&place, "y.csv", "t", &["--lock-target"]);
    dashboard.running("LOCK \"open_reader\".\"t\"");
    // And a reader that comes later waits behind the load.
    let later = Session::in_database("dev", "");
    let reading = later.start("SELECT * FROM open_reader.t");
    assert!(later.is_running(&reading));
    dashboard.execute("COMMIT");
    later.wait(&reading).expect("reads");
    let _ = end(load).succeeded();
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "3");
}

/// Another program merges the key 7 into the table, and commits while the load is in its own merge.
fn load_beside_another_program(place: &Place, more: &[&str], waits_at: &str) -> Report {
    let schema = place.schema();
    let other = Session::in_database("dev", "");
    other.execute("BEGIN");
    other.execute(&format!("DELETE FROM {schema}.t WHERE id = 7"));
    other.execute(&format!("INSERT INTO {schema}.t (id, note) VALUES (7, 'theirs')"));
    place.put("x.csv", "id,note\n7,ours\n");
    let load = start(place, "x.csv", "t", more);
    other.running(waits_at);
    other.execute("COMMIT");
    end(load).succeeded()
}

#[test]
fn another_programs_merge_doubles_a_key_unless_the_target_is_locked() {
    let unlocked = place_with_row("foreign-merge");
    load_beside_another_program(&unlocked, &[], "DELETE FROM \"foreign_merge\".\"t\"");
    assert_eq!(unlocked.value("SELECT COUNT(*) FROM {s}.t WHERE id = 7"), "2");

    let locked = place_with_row("foreign-merge-locked");
    let load = load_beside_another_program(
        &locked,
        &["--lock-target"],
        "LOCK \"foreign_merge_locked\".\"t\"",
    );
    assert_eq!((load.rows("inserted"), load.rows("updated")), (0, 1));
    assert_eq!(locked.value("SELECT note FROM {s}.t WHERE id = 7"), "ours");
    assert_eq!(locked.value("SELECT COUNT(*) FROM {s}.t WHERE id = 7"), "1");
}

#[test]
fn what_another_program_commits_between_copy_and_merge_is_seen() {
    let place = place_with_row("copy-then-merge");
    let other = Session::in_database("dev", "");
    other.execute("BEGIN");
    other.execute("LOCK copy_then_merge.loader_fence_t");
    place.put("x.csv", "id,note\n7,ours\n");
    let load = start(&place, "x.csv", "t", &["--split-load-above", "0"]);
    other.running("LOCK \"copy_then_merge\".\"loader_fence_t\"");
    other.execute("INSERT INTO copy_then_merge.t (id, note) VALUES (7, 'theirs')");
    other.execute("COMMIT");
    let load = end(load).succeeded();
    assert_eq!((load.rows("inserted"), load.rows("updated")), (0, 1));
    assert_eq!(place.value("SELECT note FROM {s}.t WHERE id = 7"), "ours");
}

#[test]
fn a_column_that_two_loads_add_with_other_types_is_planned_anew() {
    let place = place_with_row("added-by-two");
    let other = Session::in_database("dev", "");
    other.execute("BEGIN");
    other.execute("LOCK added_by_two.loader_fence_t");
    place.put("texts.csv", "id,note,more\n2,a,text\n");
    place.put("numbers.csv", "id,note,more\n3,b,7\n");
    let fence = "LOCK \"added_by_two\".\"loader_fence_t\"";
    let texts = start(&place, "texts.csv", "t", &[]);
    other.all_running(fence, 1);
    let numbers = start(&place, "numbers.csv", "t", &[]);
    other.all_running(fence, 2);
    other.execute("COMMIT");
    // Whoever waits longest is first, and makes the column a VARCHAR.
    let _ = (end(texts).succeeded(), end(numbers).succeeded());
    assert_eq!(place.value("SELECT more FROM {s}.t WHERE id = 3"), "7");
}

#[test]
fn a_load_does_not_wait_for_ever_and_says_for_what_it_waited() {
    let place = place_with_row("patience");
    let other = Session::in_database("dev", "");
    other.execute("BEGIN");
    other.execute("LOCK patience.loader_fence_t");
    place.put("x.csv", "id,note\n7,ours\n");
    let load = end(start(&place, "x.csv", "t", &["--lock-timeout", "1"]));
    assert_eq!(load.ended.code, 4, "{}", load.ended.stderr);
    assert!(
        load.error().starts_with(
            "another transaction holds patience.loader_fence_t for longer than --lock-timeout 1, so \
             patience.t is being loaded or altered; run again"
        ),
        "{}",
        load.error()
    );
    other.execute("COMMIT");
    let _ = end(start(&place, "x.csv", "t", &["--lock-timeout", "1"])).succeeded();
    let refused = end(start(&place, "x.csv", "t", &["--lock-timeout", "0"]));
    assert_eq!(refused.error(), "--lock-timeout 0 is not between 1 and 86400 seconds");
}

#[test]
fn only_the_merge_is_repeated_when_another_transaction_was_in_its_way() {
    let place = Place::new("repeated");
    let admin = Session::in_database("dev", "");
    admin.execute("CREATE DATABASE repeated_merge ISOLATION LEVEL SERIALIZABLE");
    let other = Session::in_database("repeated_merge", "repeated");
    other.execute("CREATE SCHEMA repeated");
    let arguments = ["--database", "repeated_merge", "--split-load-above", "0"];
    place.put("first.csv", "id,note\n1,old\n");
    let _ = end(start(&place, "first.csv", "t", &arguments)).succeeded();
    // The other program reads what the load writes, and writes what the load reads.
    for statement in [
        "BEGIN",
        "DELETE FROM repeated.t WHERE id = 7",
        "INSERT INTO repeated.t (id, note) VALUES (7, 'theirs')",
    ] {
        other.execute(statement);
    }
    place.put("x.csv", "id,note\n7,ours\n");
    let load = start(&place, "x.csv", "t", &arguments);
    other.running("DELETE FROM \"repeated\".\"t\"");
    other.execute("COMMIT");
    let load = end(load).succeeded();
    assert!(load.ended.stderr.contains("trying again"), "{}", load.ended.stderr);
    // Catalog, COPY, the merge that was aborted, and the merge.
    assert_eq!(load.data_api_calls("BatchExecuteStatement"), 4);
    assert_eq!((load.rows("inserted"), load.rows("updated")), (0, 1));
}

#[test]
fn a_ledger_of_an_earlier_version_is_taken_over() {
    let place = place_with_row("taken-over");
    // As an earlier version left it: loads in the ledger, and no fence.
    place.execute("DROP TABLE {s}.loader_fence_t");
    place.put("first.csv", "id,note\n1,old\n");
    let again = end(start(&place, "first.csv", "t", &[]));
    assert_eq!(again.status(), "already_loaded", "{}", again.ended.stderr);
    place.put("x.csv", "id,note\n2,new\n");
    let _ = end(start(&place, "x.csv", "t", &[])).succeeded();
    assert_eq!(
        place.value(
            "SELECT COUNT(*) FROM {s}.loader_fence_t f JOIN {s}.loader_loads l ON f.load_id = \
             l.load_id AND f.run_id = l.run_id"
        ),
        "2"
    );
}

#[test]
fn the_log_of_another_run_is_not_overwritten() {
    let place = Place::new("log-taken");
    place.put("x.csv", "id\n1\n");
    // Whenever the run begins, its log has the name of another one.
    let now = jiff::Timestamp::now();
    let seconds = (0..120).map(|second| now + jiff::SignedDuration::from_secs(second));
    let names = seconds.map(|at| utc(at, "logs/%Y/%m/%d/x_log_%Y%m%d%H%M%S.txt"));
    names.for_each(|name| place.write(&name, "of another run"));
    let _ = place.load("x.csv", "t", &[]).succeeded();
    let logs: Vec<String> =
        place.objects().into_iter().filter(|object| object.contains("/logs/")).collect();
    let others = logs.iter().filter(|log| log.ends_with(".txt of another run")).count();
    assert_eq!((others, logs.len()), (120, 121), "{logs:?}");
    assert!(logs.iter().any(|log| log.contains("run started")), "{logs:?}");
}
