//! Runs that are killed or stopped, at every named point and in the middle, and run again: nothing
//! lost, nothing doubled.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command};

use loader_tests::{Place, Report, plugin, world};

const POINTS: [&str; 8] =
    ["catalog", "infer", "stage", "filled", "load", "staging-deleted", "copied", "archived"];

#[test]
fn a_run_killed_at_any_point_can_be_run_again() {
    let place = Place::new("killed");
    for point in POINTS {
        let (file, table) = (format!("{point}.csv"), point.replace('-', "_"));
        place.put(&file, "id,amount\n1,0.5\n2,1.5\n");
        let mut command = place.command("run", &file, &table);
        let ended = loader_tests::run(
            command
                .args(["--upsert-keys", "id", "--split-load-above", "0"])
                .arg("--plugins")
                .arg(plugin("default"))
                .env("LOADER_CRASH_AT", point),
        );
        assert_eq!(ended.code, 134, "{point}: the run did not die: {}", ended.stderr);
        // After the archive there is nothing left to run on; before it the file is still there.
        if point != "archived" {
            let again = place.load(&file, &table, &["--upsert-keys", "id"]);
            assert_eq!(again.ended.code, 0, "{point}: {}", again.error());
        }
        assert_eq!(place.value(&format!("SELECT COUNT(*) FROM {{s}}.{table}")), "2", "{point}");
        let loads = format!(
            "SELECT COUNT(*) FROM {{s}}.job_sts WHERE status = 'SUCCESS' AND source_filename = \
             '{file}'"
        );
        assert_eq!(place.value(&loads), "1", "{point}");
        let places = place.keys().into_iter().filter(|key| {
            key.contains(point) && !key.starts_with("logs/") && !key.starts_with("data/staging/")
        });
        let places = places.collect::<Vec<_>>();
        assert_eq!(places, [format!("data/archive/YYYY/MM/{point}_#.csv")], "{point}");
    }
}

/// Uploads a file in parts, by a program that is not ours. There is one, because all parts but the
/// last one have 5 MiB; S3 gives the object such an ETag all the same.
const UPLOAD_IN_PARTS: &str = r#"
import sys, boto3
at = {"Bucket": sys.argv[1], "Key": sys.argv[2]}
s3 = boto3.client("s3")
at["UploadId"] = s3.create_multipart_upload(**at)["UploadId"]
part = s3.upload_part(**at, PartNumber=1, Body=sys.argv[3].encode())
parts = [{"PartNumber": 1, "ETag": part["ETag"]}]
assert s3.complete_multipart_upload(**at, MultipartUpload={"Parts": parts})["ETag"].endswith('-1"')
"#;

#[test]
fn a_file_whose_copy_has_another_etag_is_archived_once() {
    let place = Place::new("parts-killed");
    let python = std::env::var_os("LOADER_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let mut upload = Command::new(python);
    let key = "data/in/t.csv";
    upload.args(["-c", UPLOAD_IN_PARTS, &place.name, key, "id,amount\n1,0.5\n"]);
    let uploaded = loader_tests::run(upload.envs(world().endpoints().variables()));
    assert_eq!(uploaded.code, 0, "{}", uploaded.stderr);
    let mut command = place.command("run", "t.csv", "t");
    let killed =
        loader_tests::run(command.args(["--strategy", "append"]).env("LOADER_CRASH_AT", "copied"));
    assert_eq!(killed.code, 134, "{}", killed.stderr);
    let again = place.load("t.csv", "t", &["--strategy", "append"]);
    assert_eq!(again.ended.code, 0, "{}", again.error());
    let files = place.keys().into_iter().filter(|key| key.ends_with(".csv"));
    assert_eq!(files.collect::<Vec<_>>(), ["data/archive/YYYY/MM/t_#.csv"]);
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "1");
}

/// A file of rows enough for something to happen while they are read.
fn put_long_file(place: &Place, amount: &str) {
    let rows: String =
        (0..400_000).map(|id| format!("{id},{amount},some text to read\n")).collect();
    place.put("x.csv", format!("id,amount,note\n{rows}"));
}

/// Starts a load of that file and waits until the catalog has been asked.
fn start_long_load(place: &Place) -> (Child, BufReader<ChildStderr>) {
    let mut child =
        loader_tests::start(place.command("run", "x.csv", "t").args(["--upsert-keys", "id"]));
    let mut log = BufReader::new(child.stderr.take().expect("its log"));
    let mut line = String::new();
    while !line.contains("\"step\":\"catalog\"") {
        line.clear();
        assert_ne!(log.read_line(&mut line).expect("a line"), 0, "the run ended early");
    }
    (child, log)
}

/// Waits for the end; gives exit code and report.
fn end(child: Child, log: BufReader<ChildStderr>) -> (i32, serde_json::Value) {
    std::thread::spawn(move || log.lines().for_each(drop));
    let output = child.wait_with_output().expect("it ends");
    (
        loader_tests::code(output.status),
        serde_json::from_slice(&output.stdout).expect("a report, whatever happened"),
    )
}

#[test]
fn a_table_that_changes_under_a_load_is_planned_anew() {
    let place = Place::new("changed-under");
    let table = |amount: &str| {
        format!("CREATE TABLE {{s}}.t (id INTEGER NOT NULL, amount {amount}, note VARCHAR(256))")
    };
    // The parts have decimals. As long as the new type takes the values, they are loaded.
    place.execute(&table("DECIMAL(12,2)"));
    put_long_file(&place, "0.6");
    let (child, log) = start_long_load(&place);
    place.execute("DROP TABLE {s}.t");
    place.execute(&table("DECIMAL(12,4)"));
    let (code, report) = end(child, log);
    assert_eq!((code, &report["status"]), (0, &"success".into()), "{report}");
    assert_eq!(place.value("SELECT SUM(amount) FROM {s}.t"), "240000.0000");

    // An INSERT of these parts would round 0.6 to 1.
    place.execute("DROP TABLE {s}.t");
    place.execute(&table("DECIMAL(12,2)"));
    put_long_file(&place, "0.61");
    let (child, log) = start_long_load(&place);
    place.execute("DROP TABLE {s}.t");
    place.execute(&table("INTEGER"));
    let (code, report) = end(child, log);
    assert_eq!(code, 5, "{report}");
    let error = report["error"].as_str().unwrap_or_default();
    assert!(error.contains("column `amount` is INTEGER, the number in line 2"), "{error}");
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "0");
}

#[test]
fn two_first_files_of_one_table_at_once_are_both_loaded() {
    let place = Place::new("first-at-once");
    // The second file has a longer note, and a column that the first one lacks.
    place.put("a.csv", "id,note\n1,a\n2,b\n");
    place.put("b.csv", format!("id,note,more\n2,{},x\n3,c,y\n", "n".repeat(300)));
    place.put("first.csv", "id\n1\n");
    // The bookkeeping tables are there already, and the fence of the table is not.
    let _ = place.load("first.csv", "other", &[]).succeeded();
    let runs = ["a.csv", "b.csv"].map(|file| {
        let mut command = place.command("run", file, "t");
        let mut child = loader_tests::start(command.args(["--upsert-keys", "id"]));
        let log = BufReader::new(child.stderr.take().expect("its log"));
        (child, log)
    });
    for (child, log) in runs {
        let (code, report) = end(child, log);
        assert_eq!((code, &report["status"]), (0, &"success".into()), "{report}");
    }
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "3");
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.loader_fence_t"), "2");
}

#[test]
fn one_file_loaded_by_two_runs_at_once_is_loaded_once() {
    let place = Place::new("twice-at-once");
    let arguments = &["--upsert-keys", "id"];
    place.put("first.csv", "id,amount,note\n1,0.5,x\n");
    let _ = Report::of(loader_tests::run(place.command("run", "first.csv", "t").args(arguments)))
        .succeeded();
    put_long_file(&place, "0.25");
    // Both have looked into the ledger before either can have loaded: only the guard in the
    // transaction is left.
    let runs =
        [start_long_load(&place), start_long_load(&place)].map(|(child, log)| end(child, log));
    let mut statuses = runs
        .each_ref()
        .map(|(code, report)| format!("{code} {}", report["status"].as_str().unwrap_or("")));
    statuses.sort();
    assert_eq!(statuses, ["0 already_loaded", "0 success"], "{runs:?}");
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "400000");
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.loader_loads"), "2");
}

#[test]
fn a_signal_stops_a_run_and_leaves_everything_as_it_was() {
    let place = Place::new("signal");
    put_long_file(&place, "0.25");
    let (child, log) = start_long_load(&place);
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it is there");
    let (code, report) = end(child, log);
    assert_eq!(code, 143);
    assert_eq!(report["error"], "stopped by signal 15; the target is unchanged, run again");
    assert!(place.keys().contains(&"data/in/x.csv".to_owned()));
    assert!(place.keys().iter().all(|key| !key.contains("staging")), "{:?}", place.keys());
    assert!(
        place
            .select("SELECT 1 FROM svv_columns WHERE table_schema = '{s}' AND table_name = 't'")
            .is_empty()
    );
    assert_eq!(place.value("SELECT status FROM {s}.job_sts"), "FAILED");
}
