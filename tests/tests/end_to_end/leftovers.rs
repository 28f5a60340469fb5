//! `loader gc`: what killed runs left is removed, and nothing else.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use loader_tests::{Place, run, world};
use serde_json::Value;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What `gc` says, as kinds and names.
fn gc(place: &Place, arguments: &[&str]) -> Vec<String> {
    let mut command = place.bare_command("gc");
    let ended = run(command.args(["--report", "json"]).args(arguments));
    assert_eq!(ended.code, 0, "{ended:?}");
    let report: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let removed = report["removed"].as_array().expect("a list");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let removed = removed.iter().map(|of| {
        loader_tests::without_times(&format!("{} {}", text(&of["kind"]), text(&of["what"])))
    });
    removed.collect()
}

/// Makes everything below a folder this old.
fn age(folder: &Path, days: u32) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            age(&path, days);
        } else {
            let file = File::options().write(true).open(&path).expect("it is there");
            file.set_modified(SystemTime::now() - DAY * days).expect("the time can be set");
        }
    }
}

/// A run that dies once its parts are staged, before its table is made.
fn killed(place: &Place, table: &str) {
    place.put("x.csv", "id\n1\n");
    let mut command = place.command("run", "x.csv", table);
    let ended = run(command.env("LOADER_CRASH_AT", "stage"));
    assert_eq!(ended.code, 134, "{ended:?}");
}

#[test]
fn what_killed_runs_left_is_removed_once_it_is_old() {
    let place = Place::new("leftovers");
    let bucket = world().dir().join(&place.name);
    assert_eq!(gc(&place, &[]), [""; 0], "a schema without anything has nothing left");
    place.put("first.csv", "id\n1\n");
    let _ = place.load("first.csv", "loaded", &[]).succeeded();
    // A table that was dropped, of which loads are known.
    place.put("second.csv", "id\n1\n");
    let _ = place.load("second.csv", "dropped", &[]).succeeded();
    place.execute("DROP TABLE {s}.dropped");
    killed(&place, "never");
    age(&bucket.join("data/staging"), 9);
    killed(&place, "young");
    // What people put there is not the loader's.
    place.write("data/staging/notes/today/read.me", "mine");
    age(&bucket.join("data/staging/notes"), 99);

    let old = [
        "staged_parts s3://leftovers/data/staging/never_x/#/",
        "empty_fence leftovers.loader_fence_never",
        "empty_fence leftovers.loader_fence_young",
    ];
    assert_eq!(gc(&place, &["--older-than", "30"]), old[1..]);
    // The fences that it has dropped are made again by the next run.
    killed(&place, "never");
    assert_eq!(gc(&place, &["--dry-run"]), [old[0], old[1]]);
    assert_eq!(gc(&place, &[]), [old[0], old[1]]);
    assert_eq!(gc(&place, &[]), [""; 0]);
    let keys = place.keys();
    assert!(keys.contains(&"data/staging/notes/today/read.me".to_owned()), "{keys:?}");
    assert!(keys.iter().any(|key| key.starts_with("data/staging/young_x/")), "{keys:?}");
    let fences = place.select(
        "SELECT table_name FROM svv_tables WHERE table_schema = '{s}' AND table_name LIKE \
         'loader_fence%' ORDER BY 1",
    );
    assert_eq!(fences.len(), 2, "{fences:?}");
    let _ = place.load("x.csv", "never", &[]).succeeded();
}
