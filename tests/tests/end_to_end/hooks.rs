//! `[hooks]`: who is told of loads, and that no load waits or fails for it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use loader_tests::{Place, program, run, world};
use serde_json::Value;

/// Answers requests with these statuses, one after the other, and gives their bodies.
fn server(statuses: &'static [&str]) -> (String, std::thread::JoinHandle<Vec<Value>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}/secret", listener.local_addr().expect("its address"));
    let answers = move || {
        let mut bodies = Vec::new();
        for status in statuses {
            let (stream, _) = listener.accept().expect("a request");
            let mut reader = BufReader::new(stream);
            let (mut line, mut length) = (String::new(), 0);
            while reader.read_line(&mut line).expect("a line") > 2 {
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().expect("a number");
                }
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("the body");
            bodies.push(serde_json::from_slice(&body).expect("JSON"));
            let answer =
                format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            reader.get_mut().write_all(answer.as_bytes()).expect("answers");
        }
        bodies
    };
    (address, std::thread::spawn(answers))
}

fn command(place: &Place, folder: &Path, settings: &str, arguments: &[&str]) -> Command {
    let (bucket, schema) = (&place.name, place.schema());
    let all = format!("src-bucket = {bucket:?}\nschema-name = {schema:?}\n{settings}");
    std::fs::write(folder.join("loader.toml"), all).expect("writes");
    let mut command = Command::new(program());
    command.current_dir(folder).args(arguments).env("LOADER_LOCAL", world().dir());
    command
}

#[test]
fn webhooks_get_the_report_and_are_tried_again() {
    let place = Place::new("hooks-web");
    let folder = tempfile::tempdir().expect("a folder");
    // The first one is not well at first; the third request is that of the failure.
    let (address, told) = server(&["503 Busy", "200 OK", "200 OK", "200 OK"]);
    let settings = format!(
        "[hooks]\non-success = {address:?}\non-failure = [{address:?}]\n[tables.t]\nfiles = \
         't*.csv'\n"
    );
    for (name, text, code) in
        [("t1.csv", "id\n1\n", 0), ("t2.csv", "id\n1,2\n", 3), ("t3.csv", "id\n3\n", 0)]
    {
        place.put(name, text);
        let ended = run(&mut command(&place, folder.path(), &settings, &["run"]));
        assert_eq!(ended.code, code, "{}", ended.stderr);
        assert!(!ended.stderr.contains("a hook failed"), "{}", ended.stderr);
    }
    let told = told.join().expect("the server ends");
    let events: Vec<&str> = told.iter().filter_map(|body| body["event"].as_str()).collect();
    assert_eq!(events, ["success", "success", "failure", "success"]);
    assert_eq!(told[0], told[1]);
    assert_eq!(told[1]["report"]["rows"]["inserted"], 1);
    assert_eq!(told[2]["report"]["exit_code"], 3);
    // What is behind the host is shown nowhere.
    let shown = run(&mut command(&place, folder.path(), &settings, &["config", "show"]));
    assert!(shown.stdout.contains("on-success") && !shown.stdout.contains("secret"), "{shown:?}");
}

#[test]
fn commands_are_taken_from_a_file_that_is_named_and_never_fail_a_load() {
    let place = Place::new("hooks-command");
    let folder = tempfile::tempdir().expect("a folder");
    let told = folder.path().join("told");
    let write = format!("echo $LOADER_EVENT >> {0}; cat > {0}.$LOADER_EVENT", told.display());
    let settings = format!(
        "[hooks]\non-success = [{{ command = ['sh', '-c', {write:?}] }}, {{ command = \
         ['/none/such'] }}]\non-schema-change = {{ command = ['sh', '-c', {write:?}] }}\n[tables.t]\n\
         files = 't*.csv'\n"
    );
    place.put("t1.csv", "id\n1\n");
    let refused = run(&mut command(&place, folder.path(), &settings, &["run"]));
    assert_eq!(refused.code, 2, "{}", refused.stdout);
    assert!(refused.stdout.contains("hooks.on-success has a command"), "{}", refused.stdout);
    let arguments = ["run", "--config", "loader.toml"];
    let ended = run(&mut command(&place, folder.path(), &settings, &arguments));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("a hook failed"), "{}", ended.stderr);
    let mut events: Vec<String> =
        std::fs::read_to_string(&told).expect("was told").lines().map(str::to_owned).collect();
    events.sort();
    assert_eq!(events, ["schema-change", "success"]);
    let body = std::fs::read_to_string(told.with_extension("success")).expect("was told");
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(body["report"]["rows"]["inserted"], 1);
}
