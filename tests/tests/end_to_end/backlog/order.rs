//! Which file goes before which, and which table a file goes to, where names and settings would
//! allow more than one answer.

use std::process::Stdio;

use loader_tests::{Place, program, run};
use serde_json::Value;

use super::{Project, arrived, files};

/// Three files of a table, of which the first does not fit it.
fn put_three(place: &Place) {
    place.execute("DROP TABLE IF EXISTS {s}.t");
    place.execute("CREATE TABLE {s}.t (id INTEGER, n INTEGER)");
    let texts = [("a", "id,n,new\n1,1,1\n"), ("b", "id,n\n1,2\n"), ("c", "id,n\n1,3\n")];
    for ((name, text), minutes) in texts.into_iter().zip([9, 8, 7]) {
        place.put(name, text);
        arrived(place, name, minutes);
    }
}

#[test]
fn rows_of_a_file_that_stays_never_replace_newer_ones() {
    let place = Place::new("order-waits");
    let table = |more: &str| {
        format!(
            "[tables.t]\nfiles = '?'\nschema-policy = 'freeze'\nplugins = []\nupsert-keys = ['id']\n{more}"
        )
    };
    let project = Project::new(&place, &table(""));
    put_three(&place);
    let waiting = ["a t failed 5", "b t waits 0", "c t waits 0"];
    assert_eq!(files(&project.report(&["run"])), waiting);
    let held = ["a t held 5", "b t waits 0", "c t waits 0"];
    assert_eq!(files(&project.report(&["run"])), held);
    assert!(project.text(&["run"]).stdout.contains("b  behind a"));
    // What loads would do is said of all.
    let would = ["a t held 5", "b t previewed 0", "c t previewed 0"];
    assert_eq!(files(&project.report(&["run", "--dry-run"])), would);
    project.say(&table("").replace("freeze", "evolve"));
    let loaded = ["a t loaded 0", "b t loaded 0", "c t loaded 0"];
    assert_eq!(files(&project.report(&["run"])), loaded);
    assert_eq!(place.value("SELECT n FROM {s}.t"), "3");

    // Where somebody has said that they go on, they do; and rows that are appended replace none.
    let goes_on = ["a t failed 5", "b t loaded 0", "c t loaded 0"];
    let append = table("").replace("upsert-keys = ['id']", "strategy = 'append'");
    for table in [table("on-refusal = 'continue'\n"), append] {
        project.say(&table);
        put_three(&place);
        assert_eq!(files(&project.report(&["run", "--force"])), goes_on, "{table}");
    }
}

#[test]
fn two_commands_at_once_load_each_file_once() {
    let place = Place::new("order-twice");
    let project = Project::new(&place, "[tables.t]\nfiles = '*'\n");
    for n in 0..8 {
        place.put(&format!("f{n}"), format!("n\n{n}\n"));
    }
    let start = |_| {
        let mut command = project.command(&["run", "--report", "json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts")
    };
    let ended = [0, 1].map(start).map(|child| child.wait_with_output().expect("it ends"));
    for ended in &ended {
        let report = String::from_utf8_lossy(&ended.stdout);
        let log = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{report}\n{log}");
    }
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "8");
    assert_eq!(place.value("SELECT COUNT(DISTINCT n) FROM {s}.t"), "8");
}

#[test]
fn a_name_is_the_whole_key_whatever_it_begins_with() {
    let place = Place::new("order-names");
    let project = Project::new(&place, "[tables.t]\nfiles = '**'\n");
    let names = ["x.csv", "data/in/x.csv", "a b+c%20d.csv", "tab\there.csv"];
    for (n, name) in names.iter().enumerate() {
        place.put(name, format!("n\n{n}\n"));
    }
    let report = project.report(&["run"]);
    assert_eq!(report["counts"]["loaded"], 4, "{report}");
    let n = place.select("SELECT n FROM {s}.t ORDER BY n");
    assert_eq!(n.len(), 4, "{n:?}");
    assert!(!place.keys().iter().any(|key| key.starts_with("data/in/")), "{:?}", place.keys());
}

#[test]
fn nothing_is_brought_that_another_table_would_get() {
    let place = Place::new("order-named");
    let project = Project::new(&place, "[tables.t]\nfiles = 't_*'\n[tables.u]\nfiles = 'u_*'\n");
    for name in ["t_1.csv", "x.csv"] {
        std::fs::write(project.path().join(name), "n\n1\n").expect("writes");
    }
    let refused = |arguments: &[&str], says: &str| {
        let ended = project.text(arguments);
        let said: Vec<&str> = ended.stdout.split_whitespace().collect();
        assert!(said.join(" ").contains(says), "{arguments:?}: {}", ended.stdout);
        assert_eq!((ended.code, place.keys().len()), (2, 0), "{arguments:?}: {:?}", place.keys());
    };
    refused(&["run", "u", "t_1.csv"], "by its name t_1.csv is a file of t");
    refused(&["run", "t_1.csv", "x.csv"], "no table of the settings file takes x.csv");
    refused(&["run", "t_1.csv", "t_2.csv"], "t_2.csv is neither a file of this machine nor in");
    // A table of another schema is not the one that is meant.
    project.say("[tables.'elsewhere.t']\nfiles = 't_*'\n");
    refused(&["run", "t", "--schema-name", &place.schema()], "t is neither a table");
    // What is named twice is loaded once.
    project.say("[tables.t]\nfiles = 't_*'\n");
    let twice = project.report(&["run", "t", "t_1.csv", "./t_1.csv", "x.csv"]);
    assert_eq!(files(&twice), ["t_1.csv t loaded 0", "x.csv t loaded 0"]);
}

#[test]
fn what_retry_is_told_may_be_written_in_any_way() {
    let place = Place::new("order-retry");
    let project = Project::new(&place, "[tables.t]\nfiles = 't*'\n");
    let address = format!("s3://{}/data/in/t", place.name);
    let words = ["t.csv", "data/in/t.csv", "/data/in/t.csv", &format!("{address}.csv")];
    for (n, word) in words.into_iter().enumerate() {
        place.put("t.csv", format!("n\n{n},2\n"));
        assert_eq!(project.report(&["run", "t"])["exit_code"], 3);
        let again = project.report(&["retry", word, "--max-rejects", "1"]);
        assert_eq!((&again["exit_code"], &again["rows"]["rejected"]), (&0.into(), &1.into()));
    }
    // A name needs no dot.
    place.put("t_9", "n\n1,2\n");
    assert_eq!(project.report(&["run"])["exit_code"], 3);
    assert_eq!(project.report(&["retry", "t_9", "--max-rejects", "1"])["exit_code"], 0);
    // A corrected file of this machine counts, and not the one that was put aside.
    place.put("t_7.csv", "n\n1,2\n");
    assert_eq!(project.report(&["run"])["exit_code"], 3);
    std::fs::write(project.path().join("t_7.csv"), "n\n7\n").expect("writes");
    assert_eq!(project.report(&["retry", "t_7.csv"])["rows"]["inserted"], 1);
    let nothing = project.report(&["retry"]);
    assert_eq!(nothing["files"], Value::Array(Vec::new()));
}

#[test]
fn a_file_that_was_put_aside_never_replaces_its_successor() {
    let place = Place::new("order-successor");
    let table = "[tables.t]\nfiles = 't*'\nupsert-keys = ['id']\n";
    let project = Project::new(&place, table);
    let states = || -> Vec<(Value, Value)> {
        let status = project.text(&["status", "--report", "json"]).stdout;
        let status: Value = serde_json::from_str(&status).expect("JSON");
        let files = status["files"].as_array().cloned().unwrap_or_default();
        files.into_iter().map(|file| (file["state"].clone(), file["uri"].clone())).collect()
    };
    for name in ["t_1.csv", "t_2.csv"] {
        place.put(name, "id,n\n1,1\n2,2,2\n");
    }
    assert_eq!(project.report(&["run"])["exit_code"], 3);
    assert!(states().iter().all(|(state, _)| state == "aside"), "{:?}", states());
    place.put("t_1.csv", "id,n\n1,10\n2,20\n");
    assert_eq!(project.report(&["run"])["exit_code"], 0);
    let found = states();
    let words: Vec<&str> = found.iter().filter_map(|(state, _)| state.as_str()).collect();
    assert_eq!(words, ["aside", "replaced"], "{found:?}");
    let text = project.text(&["status"]).stdout;
    assert!(text.starts_with("1 file: 1 put aside\n"), "{text}");
    assert!(text.contains("a later file of the name was loaded since"), "{text}");

    let refused = project.text(&["retry", "t_1.csv", "--max-rejects", "1"]);
    assert_eq!(refused.code, 2, "{}", refused.stdout);
    assert!(refused.stderr.contains("a later file of the name t_1.csv was loaded"), "{refused:?}");
    assert_eq!(place.value("SELECT SUM(n) FROM {s}.t"), "30");
    // The other one has none, and a pattern takes it back with what it fits.
    let again = project.report(&["retry", "t_2*", "--max-rejects", "1"]);
    assert_eq!((&again["exit_code"], &again["rows"]["updated"]), (&0.into(), &1.into()), "{again}");
    let nothing = project.text(&["retry", "x_*"]);
    assert!(nothing.stderr.contains("`x_*` fits no file in data/in/"), "{}", nothing.stderr);
    let forced = project.report(&["retry", "t_1.csv", "--max-rejects", "1", "--force"]);
    assert_eq!(forced["exit_code"], 0, "{forced}");
    assert_eq!(place.value("SELECT SUM(n) FROM {s}.t"), "21");
}

#[test]
fn a_settings_file_above_that_another_user_has_made_is_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, below) = (folder.path().join("loader.toml"), folder.path().join("below"));
    std::fs::write(&file, "database = 'theirs'\n").expect("writes");
    std::fs::create_dir(&below).expect("a folder");
    let show = |arguments: &[&str]| {
        let mut command = std::process::Command::new(program());
        run(command.current_dir(&below).args(["config", "show"]).args(arguments))
    };
    assert!(show(&[]).stdout.contains("database = \"theirs\""));
    if std::os::unix::fs::chown(&file, Some(12_345), None).is_err() {
        // Only root may give files away.
        return;
    }
    let refused = show(&[]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("is of another user; name it by --config"), "{refused:?}");
    assert_eq!(show(&["--config", "../loader.toml"]).code, 0);
    assert_eq!(show(&["--config", "none"]).code, 0);
}
