//! Many files by one command: `loader run` without a file's name, from a settings file that says
//! which files are whose.

mod order;

mod retention;

mod together;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use loader_tests::{Ended, Place, program, run, world};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A settings file in a folder of its own, from which commands are run.
struct Project<'a> {
    place: &'a Place,
    folder: TempDir,
}

impl Project<'_> {
    fn new<'a>(place: &'a Place, tables: &str) -> Project<'a> {
        let project = Project { place, folder: tempfile::tempdir().expect("a folder") };
        project.say(tables);
        project
    }

    /// Writes the settings file.
    fn say(&self, tables: &str) {
        let (bucket, schema) = (&self.place.name, self.place.schema());
        let all = format!("src-bucket = {bucket:?}\nschema-name = {schema:?}\n{tables}");
        std::fs::write(self.path().join("loader.toml"), all).expect("writes");
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.current_dir(self.path()).args(arguments).env("LOADER_LOCAL", world().dir());
        command
    }

    /// Runs a command and gives its report.
    fn report(&self, arguments: &[&str]) -> Value {
        let ended = run(self.command(arguments).args(["--report", "json"]));
        let report = serde_json::from_str::<Value>(&ended.stdout);
        let report = report.unwrap_or_else(|_| panic!("{}\n{}", ended.stdout, ended.stderr));
        assert_eq!(report["exit_code"], ended.code, "{}", ended.stderr);
        report
    }

    fn text(&self, arguments: &[&str]) -> Ended {
        run(&mut self.command(arguments))
    }
}

/// The files of a report with what became of them, in a line each.
fn files(report: &Value) -> Vec<String> {
    let files = report["files"].as_array().unwrap_or_else(|| panic!("no files in {report}"));
    let line = |file: &Value| {
        let name = file["uri"].as_str().and_then(|uri| uri.split("/in/").nth(1));
        let table = file["table"].as_str().unwrap_or("-");
        let (outcome, code) = (file["outcome"].as_str(), &file["exit_code"]);
        format!("{} {table} {} {code}", name.unwrap_or_default(), outcome.unwrap_or_default())
    };
    files.iter().map(line).collect()
}

/// Says when a file has come.
fn arrived(place: &Place, name: &str, minutes_ago: u64) {
    let path = world().dir().join(&place.name).join("data/in").join(name);
    let file = std::fs::File::options().write(true).open(path).expect("the file is there");
    let at = SystemTime::now() - Duration::from_secs(60 * minutes_ago);
    file.set_modified(at).expect("the time can be set");
}

const TABLES: &str = "
[tables.orders]
files = 'orders_*.csv'
upsert-keys = ['order_id']

[tables.invoices]
files = ['inv/', 'both.csv']
dialect.delimiter = ';'

[tables.lines]
files = 'both.*'
";

#[test]
fn everything_that_is_pending_is_loaded_in_one_command() {
    let place = Place::new("backlog-all");
    let project = Project::new(&place, TABLES);
    place.put("orders_1.csv", "order_id,amount\n1,2\n2,3\n");
    place.put("orders_2.csv", "order_id,amount\n2,4\n3,3\n");
    place.put("orders_3.csv", "order_id,amount\n2,4,5\n");
    place.put("orders_4.csv", "order_id,amount\n4,1\n");
    place.put("inv/a.csv", "id;text\n1;x\n");
    place.put("both.csv", "id\n1\n");
    place.put("notes.txt", "none of them\n");
    for (minutes, n) in [(9, 1), (8, 2), (7, 3), (6, 4)] {
        arrived(&place, &format!("orders_{n}.csv"), minutes);
    }

    let would = project.report(&["run", "--dry-run"]);
    assert_eq!(would["counts"]["previewed"], 4, "{would}");
    assert_eq!(place.keys().len(), 7, "nothing moved: {:?}", place.keys());

    let report = project.report(&["run"]);
    let expected = [
        "inv/a.csv invoices loaded 0",
        "orders_1.csv orders loaded 0",
        "orders_2.csv orders loaded 0",
        "orders_3.csv orders failed 3",
        "orders_4.csv orders loaded 0",
        "both.csv - failed 2",
    ];
    assert_eq!(files(&report), expected, "{report}");
    assert_eq!(report["exit_code"], 2);
    let left = format!("s3://{}/data/in/notes.txt", place.name);
    assert_eq!(report["unclaimed"], json!([left]));
    assert_eq!(report["runs"].as_array().map(Vec::len), Some(5));
    let amounts = place.select("SELECT amount FROM {s}.orders ORDER BY order_id");
    let amounts: Vec<i64> = amounts.iter().filter_map(|row| row["amount"].as_i64()).collect();
    assert_eq!(amounts, [2, 4, 3, 1], "the later file's row of key 2 is there");
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.loader_loads"), "4");

    let again = project.report(&["run"]);
    assert_eq!(files(&again), ["both.csv - failed 2"]);
    let text = project.text(&["run"]).stdout;
    assert!(text.starts_with("0 of 1 file loaded, 1 failed"), "{text}");
    assert!(text.contains("no table takes\n  notes.txt\n"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn a_file_that_failed_is_tried_again_when_something_has_changed() {
    let place = Place::new("backlog-held");
    let frozen = "[tables.t]\nfiles = '*.csv'\nschema-policy = 'freeze'\n";
    let project = Project::new(&place, frozen);
    place.execute("CREATE TABLE {s}.t (a INTEGER)");
    place.put("x.csv", "a,b\n1,2\n");
    let only = |arguments: &[&str]| files(&project.report(arguments)).join(", ");
    assert_eq!(only(&["run"]), "x.csv t failed 5");
    assert_eq!(only(&["run"]), "x.csv t held 5");
    assert_eq!(only(&["run", "--dry-run"]), "x.csv t held 5");
    assert!(project.text(&["run"]).stdout.contains("`loader retry x.csv`"));
    // Each kind of change counts once.
    place.put("x.csv", "a,b\n1,3\n");
    assert_eq!(only(&["run"]), "x.csv t failed 5");
    assert_eq!(only(&["run"]), "x.csv t held 5");
    project.say(&format!("{frozen}max-rejects = 0\n"));
    assert_eq!(only(&["run"]), "x.csv t failed 5");
    assert_eq!(only(&["run"]), "x.csv t held 5");
    place.execute("ALTER TABLE {s}.t ADD COLUMN c INTEGER");
    assert_eq!(only(&["run"]), "x.csv t failed 5");
    assert_eq!(only(&["run"]), "x.csv t held 5");
    assert_eq!(only(&["retry"]), "x.csv t failed 5");
    // A new file is no matter of `retry`, and what was held is forgotten once it is loaded.
    place.put("y.csv", "a\n7\n");
    project.say(&frozen.replace("freeze", "evolve"));
    assert_eq!(only(&["retry"]), "x.csv t loaded 0");
    assert!(!place.keys().iter().any(|key| key.starts_with("data/held/")), "{:?}", place.keys());
    assert_eq!(only(&["run"]), "y.csv t loaded 0");
}

#[test]
fn files_are_loaded_in_the_order_that_is_wanted() {
    let place = Place::new("backlog-order");
    let table = "[tables.t]\nfiles = '*.csv'\nstrategy = 'replace'\n";
    let project = Project::new(&place, table);
    let last = |order: &str| {
        project.say(&format!("{table}{order}"));
        for (name, minutes) in [("a.csv", 1), ("b.csv", 5), ("c.csv", 3)] {
            place.put(name, format!("file\n{name} of {order}\n"));
            arrived(&place, name, minutes);
        }
        let report = project.report(&["run"]);
        assert_eq!(report["exit_code"], 0, "{report}");
        place.value("SELECT LEFT(file, 1) FROM {s}.t")
    };
    assert_eq!(last(""), "a");
    assert_eq!(last("file-order = 'name'\n"), "c");
}

#[test]
fn a_refused_file_stops_its_table_where_that_is_wanted() {
    let place = Place::new("backlog-stop");
    let tables = "[tables.t]\nfiles = 't_*'\non-refusal = 'stop'\n[tables.u]\nfiles = 'u_*'\n";
    let project = Project::new(&place, tables);
    for (name, text) in [("t_1", "a\n1\n"), ("t_2", "a\n1,2\n"), ("t_3", "a\n3\n")] {
        place.put(name, text);
        place.put(&name.replace('t', "u"), text);
    }
    let report = project.report(&["run", "--file-order", "name", "--parallel", "1"]);
    let expected = [
        "t_1 t loaded 0",
        "t_2 t failed 3",
        "t_3 t waits 0",
        "u_1 u loaded 0",
        "u_2 u failed 3",
        "u_3 u loaded 0",
    ];
    assert_eq!(files(&report), expected);
    // The refused file is out of the way now.
    assert_eq!(files(&project.report(&["run"])), ["t_3 t loaded 0"]);
}

#[test]
fn a_table_and_files_can_be_named() {
    let place = Place::new("backlog-named");
    let project = Project::new(&place, TABLES);
    place.put("orders_1.csv", "order_id,amount\n1,2\n");
    place.put("inv/a.csv", "id;text\n1;x\n");
    assert_eq!(files(&project.report(&["run", "Orders"])), ["orders_1.csv orders loaded 0"]);

    // A file of this machine, by the table that takes it; the same once more; an object of
    // elsewhere.
    let ours = project.path().join("orders_2.csv");
    std::fs::write(&ours, "order_id,amount\n2,2\n").expect("writes");
    let report = project.report(&["run", "orders_2.csv"]);
    assert_eq!((&report["status"], &report["rows"]["inserted"]), (&json!("success"), &json!(1)));
    let again = project.report(&["run", "orders_2.csv"]);
    assert_eq!(again["status"], "already_loaded");
    place.write("elsewhere/deep/x.csv", "order_id,amount\n3,2\n");
    let uri = format!("s3://{}/elsewhere/deep/x.csv", place.name);
    let report = project.report(&["run", "orders", &uri]);
    assert_eq!(report["rows"]["inserted"], 1, "{report}");
    assert!(place.keys().contains(&"elsewhere/deep/x.csv".to_owned()));
    assert!(place.keys().contains(&"data/archive/YYYY/MM/x_#.csv".to_owned()));
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.orders"), "3");

    // What cannot be meant is named with a remedy.
    let refused = |arguments: &[&str], says: &str| {
        let ended = project.text(arguments);
        assert_eq!(ended.code, 2, "{arguments:?}: {}", ended.stdout);
        let said: Vec<&str> = ended.stdout.split_whitespace().collect();
        let said = said.join(" ").replace(&place.name, "BUCKET");
        assert!(said.contains(says), "{arguments:?}: {said}");
    };
    refused(&["run", "ordres"], "did you mean `orders`?");
    refused(&["run", "orders", "inv/b.csv"], "did you mean `inv/a.csv`?");
    refused(&["run", "zzz.csv"], "there are inv/a.csv");
    std::fs::write(project.path().join("z.csv"), "a\n").expect("writes");
    refused(&["run", "z.csv"], "no table of the settings file takes z.csv");
    place.put("orders_2.csv", "order_id,amount\n2,9\n");
    refused(&["run", "orders_2.csv"], "is another file of that name, which is not loaded yet");
    refused(&["run", "orders", "--source-file-name", "x"], "keep one");
}

#[test]
fn a_file_of_this_machine_needs_no_bucket_and_no_settings_file() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("data.csv"), "n\n1\n2\n").expect("writes");
    let mut command = Command::new(program());
    command.current_dir(folder.path()).arg("run").arg("data.csv").args(["--table", "no_bucket"]);
    let ended = run(command.arg("--local").arg(world().dir()).args(["--report", "json"]));
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
    let report: Value = serde_json::from_str(&ended.stdout).expect("a report");
    assert_eq!(report["source"]["uri"], "s3://local/data/in/data.csv");
    assert_eq!(report["rows"]["inserted"], 2);
}

#[test]
fn a_command_that_is_killed_is_run_again() {
    let place = Place::new("backlog-killed");
    let project = Project::new(&place, "[tables.t]\nfiles = '*.csv'\n");
    for point in ["catalog", "stage", "load", "archived"] {
        for n in 0..3 {
            place.put(&format!("{point}_{n}.csv"), format!("a\n{point} {n}\n"));
        }
        let killed = run(project.command(&["run"]).env("LOADER_CRASH_AT", point));
        assert_eq!(killed.code, 134, "{point}: {}", killed.stderr);
        let again = project.report(&["run"]);
        assert_eq!(again["exit_code"], 0, "{point}: {again}");
    }
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "12");
    assert_eq!(place.value("SELECT COUNT(DISTINCT a) FROM {s}.t"), "12");
    let loads = "SELECT COUNT(*) FROM {s}.job_sts WHERE status = 'SUCCESS'";
    assert_eq!(place.value(loads), "12");
    assert!(!place.keys().iter().any(|key| key.starts_with("data/in/")), "{:?}", place.keys());
}

#[test]
fn what_is_there_and_what_was_can_be_seen() {
    let place = Place::new("backlog-seen");
    let tables = "[tables.orders]\nfiles = 'orders_*.csv'\n[tables.lines]\nfiles = 'orders_x*'\n\
                  [tables.frozen]\nfiles = 'f*'\nschema-policy = 'freeze'\n";
    let project = Project::new(&place, tables);
    for (name, text) in [("orders_1.csv", "1"), ("orders_2.csv", "1,2"), ("orders_x.csv", "1")] {
        place.put(name, format!("id\n{text}\n"));
    }
    place.put("f.csv", "id\n1\n");
    place.put("notes.txt", "x\n");
    assert_eq!(project.report(&["run", "--file-order", "name"])["exit_code"], 2);
    place.put("orders_3.csv", "id\n3\n");
    let json = |arguments: &[&str]| -> Value {
        let ended = run(project.command(arguments).args(["--report", "json"]));
        serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{}", ended.stderr))
    };

    let status = json(&["status"]);
    let state = |file: &Value| {
        let name = file["uri"].as_str().and_then(|uri| uri.rsplit('/').next());
        format!("{} {} {}", file["table"], file["state"], name.unwrap_or_default())
    };
    let states: Vec<String> =
        status["files"].as_array().expect("files").iter().map(state).collect();
    let expected = [
        r#""frozen" "held" f.csv"#,
        r#""orders" "pending" orders_3.csv"#,
        r#""orders" "aside" orders_2.csv"#,
        r#""several tables" "several" orders_x.csv"#,
    ];
    assert_eq!(states, expected);
    let said = |key: &str| status["files"][2][key].as_str().unwrap_or_default();
    let (reason, to_do) = (said("reason"), said("to_do"));
    assert!(reason.starts_with("record 1, line 2, byte 3: the row has 2 fields"), "{reason}");
    assert!(to_do.contains("`loader retry orders_2.csv`"), "{to_do}");
    let text = project.text(&["status", "orders"]).stdout;
    assert!(
        text.starts_with("3 files: 1 pending, 1 taken by several tables, 1 put aside\n"),
        "{text}"
    );

    for command in ["status", "history", "report"] {
        let unknown = project.text(&[command, "ordres"]);
        assert_eq!(unknown.code, 2, "{}", unknown.stdout);
        assert!(unknown.stderr.contains("did you mean `orders`?"), "{}", unknown.stderr);
    }

    let history = json(&["history"]);
    let runs = history.as_array().expect("runs");
    let loaded: Vec<&Value> = runs.iter().filter(|run| run["status"] == "SUCCESS").collect();
    assert_eq!((loaded.len(), runs.len()), (1, 3), "{history}");
    let id = loaded[0]["run_id"].as_str().unwrap_or_default();
    assert_eq!(id.len(), 32, "the number has led to the id: {history}");
    let of_table = json(&["history", "orders", "--last", "1"]);
    assert_eq!(of_table.as_array().map(Vec::len), Some(1));

    // A run is found by its id and by its number.
    let number = loaded[0]["run_number"].as_str().unwrap_or_default();
    for run in [id, number] {
        let shown = json(&["show", run]);
        assert_eq!((&shown["run_id"], &shown["run_number"]), (&json!(id), &json!(number)));
        assert_eq!(shown["rows"]["inserted"], 1);
    }
    let unknown = project.text(&["show", "0"]);
    assert_eq!(unknown.code, 2, "{}", unknown.stdout);

    let listed = project.text(&["ls", "unprocessed"]).stdout;
    let end = "orders_2.csv\n1 object in s3://backlog-seen/data/unprocessed/\n";
    assert!(listed.ends_with(end), "{listed}");
}

#[test]
fn what_init_has_made_loads_what_is_there() {
    let place = Place::new("backlog-init");
    place.put("orders_1.csv", "order_id;amount\n1;2,5\n2;3,0\n3;1,0\n");
    place.put("orders_2.csv", "order_id;amount\n3;9,25\n4;3,0\n5;1,0\n");
    let project = Project::new(&place, "");
    std::fs::remove_file(project.path().join("loader.toml")).expect("is gone");
    let schema = place.schema();
    let arguments = ["init", "--src-bucket", &place.name, "--schema-name", &schema];
    let made = project.text(&arguments);
    assert_eq!(made.code, 0, "{}", made.stderr);
    assert!(made.stdout.contains("loader.toml has 1 table, found out of 2 files in"), "{made:?}");
    let report = project.report(&["run"]);
    assert_eq!(report["counts"]["loaded"], 2, "{report}");
    assert_eq!(place.value("SELECT SUM(amount)::DECIMAL(9,2) FROM {s}.orders"), "18.75");
    let again = project.text(&arguments);
    assert!(again.stderr.contains("is there already"), "{}", again.stderr);
}
