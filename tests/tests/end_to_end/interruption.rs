//! Runs that are killed or stopped, at every named point and in the middle, and run again: nothing lost, nothing doubled.

use std::io::{BufRead, BufReader};

use loader_tests::{Place, plugin};

const POINTS: [&str; 6] = ["catalog", "infer", "stage", "load", "staging-deleted", "archived"];

#[test]
fn a_run_killed_at_any_point_can_be_run_again() {
    let place = Place::new("killed");
    for point in POINTS {
        let (file, table) = (format!("{point}.csv"), point.replace('-', "_"));
        place.put(&file, "id,amount\n1,0.5\n2,1.5\n");
        let mut command = place.command("run", &file, &table);
        let ended = loader_tests::run(
            command.args(["--upsert-keys", "id"]).arg("--plugins").arg(plugin("default")).env("LOADER_CRASH_AT", point),
        );
        assert_eq!(ended.code, 134, "{point}: the run did not die: {}", ended.stderr);
        // After the archive there is nothing left to run on; before it the file is still there.
        if point != "archived" {
            let again = place.load(&file, &table, &["--upsert-keys", "id"]);
            assert_eq!(again.ended.code, 0, "{point}: {}", again.error());
        }
        assert_eq!(place.value(&format!("SELECT COUNT(*) FROM {{s}}.{table}")), "2", "{point}");
        let loads =
            format!("SELECT COUNT(*) FROM {{s}}.job_sts WHERE status = 'SUCCESS' AND source_filename = '{file}'");
        assert_eq!(place.value(&loads), "1", "{point}");
        assert!(place.keys().contains(&format!("data/archive/YYYY/MM/{point}_#.csv")), "{point}: {:?}", place.keys());
        assert!(!place.keys().contains(&format!("data/in/{file}")), "{point}");
    }
}

#[test]
fn a_signal_stops_a_run_and_leaves_everything_as_it_was() {
    let place = Place::new("signal");
    // Rows enough for the signal to arrive while they are read.
    let rows: String = (0..400_000).map(|id| format!("{id},{id}.25,some text to read\n")).collect();
    place.put("x.csv", format!("id,amount,note\n{rows}"));
    let mut child = loader_tests::start(place.command("run", "x.csv", "t").args(["--upsert-keys", "id"]));
    let mut log = BufReader::new(child.stderr.take().expect("its log"));
    let mut line = String::new();
    while !line.contains("\"step\":\"catalog\"") {
        line.clear();
        assert_ne!(log.read_line(&mut line).expect("a line"), 0, "the run ended before the signal");
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it is there");
    std::thread::spawn(move || log.lines().for_each(drop));
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(loader_tests::code(output.status), 143);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report all the same");
    assert_eq!(report["error"], "stopped by signal 15; the target is unchanged, run again");
    assert!(place.keys().contains(&"data/in/x.csv".to_string()));
    assert!(place.keys().iter().all(|key| !key.contains("staging")), "{:?}", place.keys());
    assert!(place.select("SELECT 1 FROM svv_columns WHERE table_schema = '{s}' AND table_name = 't'").is_empty());
}
