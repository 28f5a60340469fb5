//! Chains of plugins as settings files give them, for single tables and pinned to digests.

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

/// Settings with the chain of table `t`: the default plugin, then one that masks. `more`: keys of the second one.
fn settings(dir: &TempDir, more: &str) -> PathBuf {
    let (default, mask) = (plugin("default").display().to_string(), plugin("mask_pii").display().to_string());
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
    json["sha256"].as_str().expect("a digest").to_string()
}

fn loader_plugin(arguments: &[&str]) -> Ended {
    run(Command::new(program()).arg("plugin").args(arguments).env_remove("UPDATE"))
}

#[test]
fn a_table_has_a_chain_of_its_own() {
    let place = Place::new("table-chain");
    place.put("people.csv", PEOPLE);
    let dir = folder();
    let report = with_settings(&place, "run", &settings(&dir, EMAIL), &["--upsert-keys", "id"]).succeeded();
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
    for words in
        ["\"msg\":\"plugin ready\",\"plugin\":\"mask_pii\"", "\"msg\":\"plugin finished\",\"plugin\":\"mask_pii\""]
    {
        assert!(report.ended.stderr.contains(words), "{words} is not in {}", report.ended.stderr);
    }
    let ledger: Value = serde_json::from_str(&place.value("SELECT plugins FROM {s}.loader_loads")).expect("JSON");
    assert_eq!(ledger, report.json["plugins"]);
}

#[test]
fn a_plugin_may_be_in_a_chain_twice() {
    let place = Place::new("twice");
    place.put("people.csv", PEOPLE);
    let dir = folder();
    let (default, mask) = (plugin("default").display().to_string(), plugin("mask_pii").display().to_string());
    let mask =
        |columns: &str| format!("{{ path = '{mask}', config = {{ columns = [{columns}], replacement = 'x' }} }}");
    let chain = format!("plugins = ['{default}', {}, {}]\n", mask("'email'"), mask("'amount'"));
    let report = with_settings(&place, "run", &write(&dir, "loader.toml", &chain), &[]).succeeded();
    assert_eq!(place.value("SELECT DISTINCT email || amount FROM {s}.t WHERE email IS NOT NULL"), "xx");
    assert_eq!(report.json["plugins"].as_array().map(Vec::len), Some(3));
}

#[test]
fn plugins_that_are_typed_come_first_and_the_report_says_so() {
    let place = Place::new("typed-plugins");
    place.put("people.csv", PEOPLE);
    let dir = folder();
    let typed = plugin("default").display().to_string();
    let settings = settings(&dir, EMAIL);
    let notice = format!("the plugins are those of --plugins, not those of tables.t in {}", settings.display());
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
        "plugin {file} is not the one that tables.t.plugins[1] pins: sha256 {pinned} is pinned, {found} is found; bring \
         the pinned file back, or pin this one (`loader plugin check {file}` prints its digest) (file {}, line 4)",
        wrong.display()
    );
    for verb in ["run", "plan", "stage"] {
        let report = with_settings(&place, verb, &wrong, &[]);
        assert_eq!((report.ended.code, report.error()), (2, expected.as_str()), "{verb}");
    }
    let mut transform = Command::new(program());
    transform.args(["transform", "nowhere.csv", "-o", "out.csv", "--target-table", "T", "--config"]).arg(&wrong);
    let wrong = wrong.display().to_string();
    let check = loader_plugin(&["check", &file, "--config", &wrong]);
    assert!(check.stdout.contains(&format!("  WRONG  pin            {expected}\n")), "{}", check.stdout);
    let ends = [run(&mut transform), check, loader_plugin(&["test", &file, "--config", &wrong])];
    for ended in ends {
        assert_eq!(ended.code, 2);
        assert!((ended.stdout + &ended.stderr).contains("is not the one that tables.t.plugins[1] pins"));
    }
}

#[test]
fn a_ledger_of_an_earlier_version_gets_the_column() {
    let place = Place::new("old-ledger");
    place.execute(
        "CREATE TABLE {s}.loader_loads (load_id VARCHAR(64) NOT NULL, source_uri VARCHAR(2048) NOT NULL, etag VARCHAR(256), \
         version_id VARCHAR(1024), size_bytes BIGINT, target_table VARCHAR(256) NOT NULL, run_id VARCHAR(64) NOT NULL, \
         rows BIGINT NOT NULL, loaded_at TIMESTAMP NOT NULL)",
    );
    place.put("people.csv", PEOPLE);
    let report = place.load("people.csv", "t", &[]).succeeded();
    let ledger: Value = serde_json::from_str(&place.value("SELECT plugins FROM {s}.loader_loads")).expect("JSON");
    assert_eq!(ledger, report.json["plugins"]);
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
    ] {
        place.execute(&statement);
    }
    place.put("people.csv", PEOPLE);
    let report = place.load("people.csv", "t", &["--cluster-identifier", "local", "--db-user", &user]).succeeded();
    assert_eq!(report.rows("inserted"), 3);
    let words = "the ledger cannot say which plugins made the rows";
    assert!(report.ended.stderr.contains(words), "{}", report.ended.stderr);
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.loader_loads"), "2");
}
