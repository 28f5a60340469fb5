//! What a run leaves behind has neither the secrets that it was given nor the values of cells, but for
//! the places that are for rows: the table, its parts, and the objects with files and rejected rows.

use std::path::Path;
use std::sync::{Arc, Mutex};

use loader_tests::proxy::Proxy;
use loader_tests::{Place, plugin, program, run, world};
use serde_json::Value;

/// Values that must be found nowhere.
const CELL: &str = "cell-7f3a9c41";
const CONFIG: &str = "config-d04e88b2-5b7a";
const HOOK: &str = "hook-5be19c77";

/// Everything below a folder, as text.
fn contents(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            contents(&path, found);
        } else {
            let content = std::fs::read(&path).unwrap_or_default();
            found
                .push((path.display().to_string(), String::from_utf8_lossy(&content).into_owned()));
        }
    }
}

/// A collector of traces and metrics: takes all that it is sent, and keeps it.
fn collector(got: &Arc<Mutex<Vec<(String, String)>>>) -> Proxy {
    let got = got.clone();
    Proxy::start("http://127.0.0.1:1", move |mut exchange| {
        if exchange.receive(None).is_none() {
            return;
        }
        let request = &exchange.request;
        let path = request.line().1.to_owned();
        // What stands in a message of protobuf as text, stands there as it is.
        let text = String::from_utf8_lossy(&request.body).into_owned();
        got.lock().expect("nobody panicked").push((path, text));
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    })
}

/// How loads end: each with the rows of its file, further arguments, and the exit code.
const ENDINGS: [(&str, &str, &[&str], i32); 5] = [
    ("loaded", "1,0.5,CELL\n", &[], 0),
    ("rejected", "1,0.5,CELL\n2,0.5,CELL,more CELL\n", &["--max-rejects", "1"], 0),
    ("refused", "1,CELL,CELL\n", &[], 3),
    ("unreadable", "1,0.5,\"CELL\n", &[], 3),
    ("killed", "1,0.5,CELL\n", &[], 134),
];

#[test]
fn no_secret_and_no_value_of_a_cell_is_left_behind() {
    let place = Place::new("secrets");
    place.execute("CREATE TABLE {s}.t (id INTEGER, amount DECIMAL(12,2), note VARCHAR(256))");
    let folder = tempfile::tempdir().expect("a folder");
    let (temporary, cache) = (folder.path().join("tmp"), folder.path().join("cache"));
    std::fs::create_dir_all(&temporary).expect("a folder");
    let config = folder.path().join("secret-config.json");
    let masked = r#""columns": ["note"], "method": "hash""#;
    let text = format!(r#"{{"mask_pii": {{{masked}, "key": "{CONFIG}"}}}}"#);
    std::fs::write(&config, text).expect("writes");
    let mut told: Vec<(String, String)> = Vec::new();
    let sent = Arc::default();
    let collector = collector(&sent);
    for (name, rows, arguments, code) in ENDINGS {
        place.put(&format!("{name}.csv"), format!("id,amount,note\n{rows}").replace("CELL", CELL));
        let mut command = place.command("run", &format!("{name}.csv"), "t");
        command.args(arguments).arg("-vv").env("TMPDIR", &temporary);
        command.env("XDG_CACHE_HOME", &cache).env("LOADER_PLUGIN_CACHE", &cache);
        command.arg("--plugins").arg(format!("default,{}", plugin("mask_pii").display()));
        command.arg("--plugin-config").arg(&config);
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url);
        command.env("OTEL_EXPORTER_OTLP_HEADERS", format!("authorization={HOOK}"));
        if code == 134 {
            command.env("LOADER_CRASH_AT", "stage");
        }
        let ended = run(&mut command);
        assert_eq!(ended.code, code, "{name}: {}", ended.stderr);
        told.push((format!("{name}: stdout"), ended.stdout));
        told.push((format!("{name}: stderr"), ended.stderr));
    }
    for words in [&["status"][..], &["history"], &["ls", "in"]] {
        let mut command = std::process::Command::new(program());
        command.args(words).arg("--local").arg(world().dir());
        command.args(["--src-bucket", &place.name, "--schema-name", &place.schema()]);
        let ended = run(&mut command);
        told.push((words.join(" "), ended.stdout + &ended.stderr));
    }
    for table in ["job_sts", "loader_loads", "loader_dropped_views"] {
        let rows: Vec<Value> = place.select(&format!("SELECT * FROM {{s}}.{table}"));
        told.push((table.to_owned(), serde_json::to_string(&rows).expect("JSON")));
    }
    let sent = std::mem::take(&mut *sent.lock().expect("nobody panicked"));
    for signal in ["/v1/traces", "/v1/metrics"] {
        assert!(sent.iter().any(|(path, _)| path == signal), "no {signal} came");
    }
    told.extend(sent);
    contents(&temporary, &mut told);
    contents(&cache, &mut told);
    let is_for_rows = ["data/in/", "data/archive/", "data/unprocessed/", "data/rejected/"];
    for object in place.objects() {
        let (path, content) = object.split_once(' ').expect("a path, and what is in it");
        if !is_for_rows.iter().any(|folder| path.contains(folder)) {
            told.push((path.to_owned(), content.to_owned()));
        }
    }
    let key = &world().endpoints().key.secret_access_key;
    for (place, content) in told {
        for secret in [CELL, CONFIG, HOOK, key] {
            assert!(!content.contains(secret), "{place} has {secret}: {content}");
        }
    }
}
