//! Chains of plugins as settings files give them: for single tables, pinned to digests, and
//! captured as test cases.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use loader_tests::{Ended, Place, Report, plugin, program, run};
use serde_json::{Value, json};
use tempfile::TempDir;

const PEOPLE: &str = "ID,Email,Amount\n1,ada@example.com,0.5\n2,,1.25\n3,bob@example.com,2\n";

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn write(dir: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = dir.path().join(name);
    fs::write(&path, text).expect("writes");
    path
}

/// Settings with the chain of table `t`: the default plugin, then a masking plugin. `more`: keys of
/// the masking plugin.
fn settings(dir: &TempDir, more: &str) -> PathBuf {
    let (default, mask) =
        (plugin("default").display().to_string(), plugin("mask_pii").display().to_string());
    write(
        dir,
        "loader.toml",
        &format!("[tables.t]\nplugins = [\n  '{default}',\n  {{ path = '{mask}', {more} }},\n]\n"),
    )
}

const EMAIL: &str = "config = { columns = ['email'] }";

fn with_settings(place: &Place, verb: &str, settings: &Path, more: &[&str]) -> Report {
    let mut command = place.command(verb, "people.csv", "t");
    Report::of(run(command.arg("--config").arg(settings).args(more)))
}

/// The digest as `loader plugin check` prints it.
fn digest(file: &Path) -> String {
    let ended = loader_plugin(&["check", &file.display().to_string(), "--report", "json"]);
    let json: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    json["sha256"].as_str().expect("a digest").to_owned()
}

fn loader_plugin(arguments: &[&str]) -> Ended {
    run(Command::new(program()).arg("plugin").args(arguments).env_remove("UPDATE"))
}

#[test]
fn a_table_has_a_chain_of_its_own() {
    let place = Place::new("table-chain");
    place.put("people.csv", PEOPLE);
    let dir = folder();
    let report =
        with_settings(&place, "run", &settings(&dir, EMAIL), &["--upsert-keys", "id"]).succeeded();
    let rows = place.select("SELECT id, email, amount FROM {s}.t ORDER BY id");
    assert_eq!(rows[0], json!({"id": 1, "email": "***", "amount": "0.500000000000000000"}));
    assert_eq!(rows[1]["email"], Value::Null);
    let names: Vec<&str> = report.json["plugins"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|plugin| plugin["name"].as_str())
        .collect();
    assert_eq!(names, ["default", "mask_pii"]);
    for words in [
        "\"msg\":\"plugin ready\",\"plugin\":\"mask_pii\"",
        "\"msg\":\"plugin finished\",\"plugin\":\"mask_pii\"",
    ] {
        assert!(report.ended.stderr.contains(words), "{words} is not in {}", report.ended.stderr);
    }
    let ledger: Value =
        serde_json::from_str(&place.value("SELECT plugins FROM {s}.loader_loads")).expect("JSON");
    assert_eq!(ledger, report.json["plugins"]);
}

#[test]
fn a_plugin_may_be_in_a_chain_twice() {
    let place = Place::new("twice");
    place.put("people.csv", PEOPLE);
    let dir = folder();
    let (default, mask) =
        (plugin("default").display().to_string(), plugin("mask_pii").display().to_string());
    let mask = |columns: &str| {
        format!("{{ path = '{mask}', config = {{ columns = [{columns}], replacement = 'x' }} }}")
    };
    let chain = format!("plugins = ['{default}', {}, {}]\n", mask("'email'"), mask("'amount'"));
    let report = with_settings(&place, "run", &write(&dir, "loader.toml", &chain), &[]).succeeded();
    assert_eq!(
        place.value("SELECT DISTINCT email || amount FROM {s}.t WHERE email IS NOT NULL"),
        "xx"
    );
    assert_eq!(report.json["plugins"].as_array().map(Vec::len), Some(3));
}

#[test]
fn plugins_that_are_typed_come_first_and_the_report_says_so() {
    let place = Place::new("typed-plugins");
    place.put("people.csv", PEOPLE);
    let dir = folder();
    let typed = plugin("default").display().to_string();
    let settings = settings(&dir, EMAIL);
    let notice = format!(
        "the plugins are those of --plugins, not those of tables.t in {}",
        settings.display()
    );
    for verb in ["plan", "run"] {
        let report = with_settings(&place, verb, &settings, &["--plugins", &typed]);
        assert_eq!(report.ended.code, 0, "{}", report.error());
        assert_eq!(report.json["notices"], json!([notice]), "{verb}");
        assert!(report.ended.stderr.contains("not those of tables.t"), "{}", report.ended.stderr);
    }
    assert_eq!(place.value("SELECT email FROM {s}.t WHERE id = 1"), "ada@example.com");
}

#[test]
fn only_the_pinned_plugin_is_run() {
    let place = Place::new("pins");
    place.put("people.csv", PEOPLE);
    let dir = folder();
    let mask = plugin("mask_pii");
    let found = digest(&mask);
    let right = settings(&dir, &format!("sha256 = '{}', {EMAIL}", found.to_uppercase()));
    let (file, right) = (mask.display().to_string(), right.display().to_string());
    assert_eq!(loader_plugin(&["check", &file, "--config", &right]).code, 0);
    let cases = plugin("default").with_file_name("examples/mask_pii/tests").display().to_string();
    assert_eq!(loader_plugin(&["test", &file, "--cases", &cases, "--config", &right]).code, 0);
    let _ = with_settings(&place, "run", Path::new(&right), &[]).succeeded();

    let pinned = "0".repeat(64);
    let wrong = settings(&dir, &format!("sha256 = '{pinned}', {EMAIL}"));
    let expected = format!(
        "plugin {file} is not the one that tables.t.plugins[1] pins: sha256 {pinned} is pinned, \
         {found} is found; bring the pinned one back, or pin this one (file {}, line 4)",
        wrong.display()
    );
    for verb in ["run", "plan", "stage"] {
        let report = with_settings(&place, verb, &wrong, &[]);
        assert_eq!((report.ended.code, report.error()), (2, expected.as_str()), "{verb}");
    }
    let mut transform = Command::new(program());
    transform
        .args(["transform", "nowhere.csv", "-o", "out.csv", "--target-table", "T", "--config"])
        .arg(&wrong);
    let wrong = wrong.display().to_string();
    let check = loader_plugin(&["check", &file, "--config", &wrong]);
    assert!(
        check.stdout.contains(&format!("  WRONG  pin            {expected}\n")),
        "{}",
        check.stdout
    );
    let ends = [run(&mut transform), check, loader_plugin(&["test", &file, "--config", &wrong])];
    for ended in ends {
        assert_eq!(ended.code, 2);
        assert!(
            (ended.stdout + &ended.stderr).contains("is not the one that tables.t.plugins[1] pins")
        );
    }
}

/// The one case of a plugin.
fn case(dir: &Path, plugin: &str, name: &str) -> [String; 3] {
    let read =
        |file: &str| fs::read_to_string(dir.join(plugin).join(name).join(file)).unwrap_or_default();
    [read("input.csv"), read("config.toml"), read("case.toml")]
}

#[test]
fn captured_rows_are_what_each_plugin_got_and_become_its_cases() {
    let place = Place::new("capture");
    place.put("people.csv", PEOPLE);
    let dir = folder();
    let (settings, cases) = (settings(&dir, EMAIL), dir.path().join("cases"));
    let cases_dir = cases.display().to_string();
    let capture = ["--upsert-keys", "id", "--capture", "2", "--capture-dir", &cases_dir];
    let report = with_settings(&place, "plan", &settings, &capture);
    assert_eq!(report.ended.code, 0, "{}", report.error());
    assert!(
        report.ended.stderr.contains("take personal data and secrets out"),
        "{}",
        report.ended.stderr
    );
    let report = with_settings(&place, "run", &settings, &capture).succeeded();
    assert_eq!(report.rows("inserted"), 3);

    let [input, config, given] = case(&cases, "default", "people");
    assert_eq!(
        (input.as_str(), config.as_str()),
        ("ID,Email,Amount\n1,ada@example.com,0.5\n2,,1.25\n", "")
    );
    insta::assert_snapshot!(given, @r#"
    table = "t"
    keys = ["id"]

    [[columns]]
    name = "ID"
    type = "Int32"

    [[columns]]
    name = "Email"
    type = "Utf8"

    [[columns]]
    name = "Amount"
    type = "Utf8"
    logical = "decimal"
    "#);
    let [input, config, given] = case(&cases, "mask_pii", "people");
    let started =
        input.lines().nth(1).and_then(|row| row.split(',').nth(3)).expect("a time").to_owned();
    insta::assert_snapshot!(input.replace(&started, "NOW"), @"
    id,email,amount,run_date,file_name
    1,ada@example.com,0.500000000000000000,NOW,people.csv
    2,,1.250000000000000000,NOW,people.csv
    ");
    assert_eq!(config, "columns = [\"email\"]\n");
    insta::assert_snapshot!(given, @r#"
    table = "t"
    keys = ["id"]

    [[columns]]
    name = "id"
    type = "Int32"

    [[columns]]
    name = "email"
    type = "Utf8"

    [[columns]]
    name = "amount"
    type = "Decimal128(38, 18)"

    [[columns]]
    name = "run_date"
    type = "Timestamp(µs)"

    [[columns]]
    name = "file_name"
    type = "Utf8"
    "#);
    assert!(
        cases.join("mask_pii/people-2/input.csv").is_file(),
        "the run has overwritten the plan's case"
    );

    for name in ["default", "mask_pii"] {
        let (file, dir) =
            (plugin(name).display().to_string(), cases.join(name).display().to_string());
        let ended = loader_plugin(&["test", &file, "--cases", &dir]);
        assert!(
            ended.code == 2 && ended.stdout.contains("there is no expected.csv"),
            "{}",
            ended.stdout
        );
        let written = loader_plugin(&["test", &file, "--cases", &dir, "--update"]);
        assert_eq!(written.code, 0, "{}{}", written.stdout, written.stderr);
        let ended = loader_plugin(&["test", &file, "--cases", &dir]);
        assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.ends_with("ok: 2 cases passed\n"), "{}", ended.stdout);
    }
    let expected =
        fs::read_to_string(cases.join("mask_pii/people/expected.csv")).expect("it was written");
    assert!(expected.contains("\n1,***,0.500000000000000000,"), "{expected}");
}

#[test]
fn the_first_rows_are_captured_whichever_thread_gets_them() {
    let place = Place::new("capture-threads");
    // Some chunks of 4 MiB; what the second plugin gets first comes from the last of them.
    let rows: String = (1..=50_000).map(|n| format!("{n},{}\n", "x".repeat(300))).collect();
    place.put("people.csv", format!("id,note\n{rows}"));
    let dir = folder();
    let filter = plugin("filter_rows").display().to_string();
    let mask = plugin("mask_pii").display().to_string();
    let settings = write(
        &dir,
        "loader.toml",
        &format!(
            "[tables.t]\nplugins = [{{ path = '{filter}', config = {{ keep = 'id > 45000' }} }}, \
             {{ path = '{mask}', config = {{ columns = ['note'] }} }}]\n"
        ),
    );
    let capture = |verb: &str, workers: &str| {
        let cases = dir.path().join(format!("{verb}-{workers}"));
        let more =
            ["--max-rejects", "50000", "--capture", "3", "--workers", workers, "--capture-dir"];
        let mut command = place.command(verb, "people.csv", "t");
        let ended = run(command.arg("--config").arg(&settings).args(more).arg(&cases));
        assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
        [case(&cases, "filter_rows", "people"), case(&cases, "mask_pii", "people")]
    };
    let [first, second] = capture("plan", "4");
    let ids = |input: &str| -> Vec<String> {
        input
            .lines()
            .skip(1)
            .map(|row| row.split(',').next().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(ids(&first[0]), ["1", "2", "3"]);
    assert_eq!(ids(&second[0]), ["45001", "45002", "45003"]);
    assert_eq!(capture("plan", "1"), [first.clone(), second.clone()]);
    assert_eq!(capture("stage", "3"), [first, second]);
}

#[test]
fn rows_on_which_a_plugin_fails_are_captured_too() {
    let dir = folder();
    let input = write(&dir, "bad.csv", "n\n1\n2\n");
    let hostile = plugin("hostile").display().to_string();
    let config =
        format!("plugins = [{{ path = '{hostile}', config = {{ do = 'panic-in-process' }} }}]\n");
    let mut command = Command::new(program());
    command.arg("transform").arg(&input).arg("-o").arg(dir.path().join("out.csv"));
    command.arg("--config").arg(write(&dir, "loader.toml", &config)).args([
        "--capture",
        "9",
        "--capture-dir",
    ]);
    let ended = run(command.arg(dir.path()));
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert_eq!(case(dir.path(), "hostile", "bad")[0], "n\n1\n2\n");
    let cases = dir.path().join("hostile").display().to_string();
    let again = loader_plugin(&["test", &hostile, "--cases", &cases]);
    assert!(again.stdout.contains("panicked"), "{}", again.stdout);
}

#[test]
fn a_ledger_of_an_earlier_version_gets_later_columns() {
    let place = Place::new("old-ledger");
    place.execute(
        "CREATE TABLE {s}.loader_loads (load_id VARCHAR(64) NOT NULL, source_uri VARCHAR(2048) NOT \
         NULL, etag VARCHAR(256), version_id VARCHAR(1024), size_bytes BIGINT, target_table \
         VARCHAR(256) NOT NULL, run_id VARCHAR(64) NOT NULL, rows BIGINT NOT NULL, loaded_at \
         TIMESTAMP NOT NULL)",
    );
    place.put("people.csv", PEOPLE);
    let report = place.load("people.csv", "t", &[]).succeeded();
    let ledger: Value =
        serde_json::from_str(&place.value("SELECT plugins FROM {s}.loader_loads")).expect("JSON");
    assert_eq!(ledger, report.json["plugins"]);
    assert_eq!(place.value("SELECT upsert_keys FROM {s}.loader_loads"), "[]");
}

#[test]
fn a_ledger_that_we_may_not_alter_is_written_without_it() {
    let place = Place::new("foreign-ledger");
    place.put("people.csv", PEOPLE);
    let _ = place.load("people.csv", "first", &[]).succeeded();
    let (user, schema) = (format!("{}_eve", place.schema()), place.schema());
    for statement in [
        format!("ALTER TABLE {schema}.loader_loads DROP COLUMN plugins"),
        format!("CREATE USER {user} PASSWORD DISABLE"),
        format!("GRANT USAGE, CREATE ON SCHEMA {schema} TO {user}"),
        format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.loader_loads TO {user}"),
        format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.job_sts TO {user}"),
        format!("GRANT SELECT ON {schema}.loader_dropped_views TO {user}"),
    ] {
        place.execute(&statement);
    }
    place.put("people.csv", PEOPLE);
    let report = place
        .load("people.csv", "t", &["--cluster-identifier", "local", "--db-user", &user])
        .succeeded();
    assert_eq!(report.rows("inserted"), 3);
    let words = "the ledger cannot say how the rows were made";
    assert!(report.ended.stderr.contains(words), "{}", report.ended.stderr);
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.loader_loads"), "2");
}
