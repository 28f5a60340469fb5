//! The commands of those who write plugins: what a file is, and whether a plugin does what its
//! author promised.

use std::fs;
use std::path::Path;
use std::process::Command;

use loader_tests::{Ended, plugin, program, root, run, without_times};

/// Runs `loader plugin …`; digests are replaced.
fn loader(arguments: &[&str]) -> Ended {
    let mut command = Command::new(program());
    command.arg("plugin").args(arguments).env_remove("UPDATE");
    let ended = run(&mut command);
    Ended { stdout: without_times(&ended.stdout), ..ended }
}

/// A case whose input is five numbers, in a folder of its own.
fn case(dir: &Path, name: &str, misdeed: &str, expected: Option<&str>) {
    let case = dir.join(name);
    fs::create_dir_all(&case).expect("a folder");
    fs::write(case.join("input.csv"), "n\n1\n2\n3\n4\n5\n").expect("writes");
    fs::write(case.join("config.toml"), format!("do = \"{misdeed}\"\n")).expect("writes");
    if let Some(expected) = expected {
        fs::write(case.join("expected.csv"), expected).expect("writes");
    }
}

const TOTALS: &str = "n,total\n1,1\n2,3\n3,6\n4,10\n5,15\n";

#[test]
fn the_cases_of_the_projects_plugins_pass() {
    let examples = fs::read_dir(root().join("plugins/examples")).expect("the examples");
    let examples =
        examples.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    for name in examples.chain(["default".to_owned()]) {
        let ended = loader(&["test", &plugin(&name).display().to_string()]);
        assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
        assert!(
            ended.stdout.contains("\nok: ") && ended.stdout.ends_with(" passed\n"),
            "{}",
            ended.stdout
        );
        assert_eq!(ended.stderr, "");
    }
}

#[test]
fn a_plugin_that_depends_on_batch_boundaries_is_told_so() {
    let dir = tempfile::tempdir().expect("a folder");
    case(dir.path(), "batch", "total-of-batch", Some(TOTALS));
    case(dir.path(), "session", "total-of-session", Some(TOTALS));
    let file = plugin("hostile").display().to_string();
    let ended = loader(&["test", &file, "--cases", &dir.path().display().to_string()]);
    let output = ended.stdout.replace(&dir.path().display().to_string(), "DIR");
    insta::assert_snapshot!(output, @r"
    hostile 0.1.0 (sha256 #), 2 cases of DIR
      FAILED batch    5 rows, 0 rejected
             rows depend on how the file is cut into batches: with batches of 1 row, row 2, column `total` is 2, with all rows in one batch it is 3; every load cuts its file elsewhere: a plugin must not keep state between batches, nor between the rows of one; each row is made from its own values alone
      FAILED session  5 rows, 0 rejected
             rows depend on what the session has seen before: dealt in turns to two sessions, last row first, row 1, column `total` is 9, in one session, in order, it is 1; a load spreads batches over sessions in no particular order: a plugin must not keep state between batches
    FAILED: 2 of 2 cases
    ");
    assert_eq!(ended.code, 2);
}

#[test]
fn rows_that_are_forgotten_are_found() {
    let dir = tempfile::tempdir().expect("a folder");
    case(dir.path(), "null", "panic-at-null", Some("n,total\n1,1\n2,2\n3,3\n4,4\n5,5\n"));
    case(dir.path(), "none", "panic-without-rows", Some("n,total\n1,1\n2,2\n3,3\n4,4\n5,5\n"));
    case(dir.path(), "odd", "reject-odd-rows", None);
    let file = plugin("hostile").display().to_string();
    let ended = loader(&["test", &file, "--cases", &dir.path().display().to_string()]);
    for words in [
        "rows in which every value is NULL are not taken: plugin hostile 0.1.0 (sha256 #): \
         process, rows 1-5: crashed",
        "a batch without rows is not taken: plugin hostile 0.1.0 (sha256 #): process: crashed",
        "row 2 is kept, with all rows in one batch it is rejected as odd (the row is not wanted)",
        "there is no rejects.csv, so no row should be rejected, but 2 are, the first in line 3: \
         the row is not wanted (odd)",
        "FAILED: 3 of 3 cases\n",
    ] {
        assert!(ended.stdout.contains(words), "{words} is not in\n{}", ended.stdout);
    }
    assert_eq!(ended.code, 2);
}

#[test]
fn expected_files_are_written_once_and_compared_ever_after() {
    let dir = tempfile::tempdir().expect("a folder");
    case(dir.path(), "plain", "none", None);
    let (file, case) = (plugin("hostile").display().to_string(), dir.path().join("plain"));
    let test = |update: Option<&str>| {
        let mut command = Command::new(program());
        command.args(["plugin", "test", &file, "--cases"]).arg(dir.path()).env_remove("UPDATE");
        if let Some(update) = update {
            command.env("UPDATE", update);
        }
        run(&mut command)
    };
    let ended = test(None);
    assert_eq!(ended.code, 2);
    assert!(
        ended.stdout.contains("there is no expected.csv; write it with --update"),
        "{}",
        ended.stdout
    );
    let ended = test(Some("1"));
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(
        fs::read_to_string(case.join("expected.csv")).expect("it was written"),
        "n\n1\n2\n3\n4\n5\n"
    );
    assert!(!case.join("rejects.csv").exists());
    assert_eq!(test(Some("0")).code, 0);
    fs::write(case.join("expected.csv"), "n\n1\n2\n3\n4\n6\n").expect("writes");
    let ended = test(None);
    assert_eq!(ended.code, 2);
    let words = "expected.csv: row 5 (row 5 of the input), column `n` is 5, expected was 6";
    assert!(ended.stdout.contains(words), "{}", ended.stdout);
}

#[test]
fn a_config_is_held_against_the_plugins_schema_before_a_row_is_read() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = dir.path().join("config.json");
    fs::write(&config, r#"{"default": {"decimal": {"precision": 18, "scales": 2}}}"#)
        .expect("writes");
    let mut command = Command::new(program());
    // There is no such input, so a program that opened it first would complain about it instead.
    command.args(["transform", "nowhere.csv", "-o", "out.csv", "--plugins"]).arg(plugin("default"));
    let ended = run(command.arg("--plugin-config").arg(config));
    assert_eq!(ended.code, 2);
    for words in [
        "default 0.1.0",
        "`default.decimal.scales` is not a setting, expected one of `precision`, `scale`",
        "`default.decimal.scale` is missing",
    ] {
        assert!(ended.stderr.contains(words), "{words} is not in {}", ended.stderr);
    }
}

#[test]
fn a_checkup_says_what_a_file_is() {
    let file = plugin("default").display().to_string();
    let ended = loader(&["check", &file, "--run"]);
    let output = ended.stdout.replace(&root().display().to_string(), "ROOT");
    let sizes =
        output.lines().filter(|line| !line.contains("bytes")).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(sizes, @r"
    ROOT/plugins/default.wasm, sha256 #
      ok     format         a WebAssembly component
      ok     contract       loader:plugin/transform@0.1.0
      ok     imports        loader:plugin/host@0.1.0
      ok     types          it compiles, and its functions have the contract's types
      ok     name           default
      ok     version        0.1.0
    ok: a plugin for this loader
    ");
    assert_eq!(ended.code, 0);

    let ended = loader(&["check", &file, "--report", "json"]);
    let json: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!((&json["good"], &json["name"]), (&true.into(), &"default".into()));
    assert_eq!(json["imports"], serde_json::json!(["loader:plugin/host@0.1.0"]));
}

#[test]
fn a_checkup_says_what_is_wrong_with_a_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("page.wasm");
    fs::write(&file, "<html>404</html>").expect("writes");
    let ended = loader(&["check", &file.display().to_string()]);
    insta::assert_snapshot!(ended.stdout.replace(&dir.path().display().to_string(), "DIR"), @r"
    DIR/page.wasm, sha256 #
      ok     size           16 bytes, of 32 MiB
      WRONG  format         not WebAssembly: this is HTML, perhaps an error page; --plugins takes .wasm files that `cargo xtask plugins` or an SDK has built
      -      config schema  not looked at: only the running plugin tells it (--run)
    FAILED: 1 thing is wrong
    ");
    assert_eq!(ended.code, 2);
    let ended = loader(&["check", &dir.path().join("none.wasm").display().to_string()]);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    assert!(ended.stderr.contains("none.wasm cannot be read"), "{}", ended.stderr);
}
