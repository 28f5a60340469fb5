//! `loader plugin new`: what it makes builds, and its tests pass.

use std::fs;
use std::path::Path;
use std::process::Command;

use loader_tests::{Ended, new_plugins_target, program, root, run, without_times};

fn loader(folder: &Path, arguments: &[&str]) -> Ended {
    let mut command = Command::new(program());
    command.arg("plugin").args(arguments).current_dir(folder).env_remove("UPDATE");
    command.env("CARGO_TARGET_DIR", new_plugins_target());
    let ended = run(&mut command);
    Ended { stdout: without_times(&ended.stdout), ..ended }
}

fn sdk() -> String {
    root().join("sdk/guest").display().to_string()
}

/// Makes a plugin from a template, and does what its README says.
fn follow(template: &str) {
    let dir = tempfile::tempdir().expect("a folder");
    let name = format!("new_{template}");
    let made = loader(dir.path(), &["new", &name, "--template", template, "--sdk", &sdk()]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    let folder = dir.path().join(&name);
    // The lock file of the project, so that no other version of a crate is looked for.
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).expect("copies");
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--quiet", "--offline"]).current_dir(&folder);
    let tested = run(cargo.env("CARGO_TARGET_DIR", new_plugins_target()).env_remove("UPDATE"));
    assert_eq!(tested.code, 0, "{}\n{}", tested.stdout, tested.stderr);
    let tested = loader(&folder, &["test"]);
    assert_eq!(tested.code, 0, "{}\n{}", tested.stdout, tested.stderr);
    assert!(
        tested.stdout.starts_with(&name) && tested.stdout.ends_with("ok: 1 case passed\n"),
        "{}",
        tested.stdout
    );
    let checked = loader(&folder, &["check", "--run", &format!("{name}.wasm")]);
    assert_eq!(checked.code, 0, "{}", checked.stdout);
    assert!(
        checked.stdout.contains(&format!("ok     name           {name}\n")),
        "{}",
        checked.stdout
    );
    let as_json = loader(&folder, &["check", "--report", "json"]);
    assert!(
        serde_json::from_str::<serde_json::Value>(&as_json.stdout).is_ok(),
        "no JSON: {}",
        as_json.stdout
    );
    let component = fs::read(folder.join(format!("{name}.wasm"))).expect("the component");
    let here = root().display().to_string();
    let tells = component.windows(here.len()).any(|bytes| bytes == here.as_bytes());
    assert!(!tells, "the component tells where it was built: {here}");
}

#[test]
fn a_plugin_of_steps_over_columns_is_good_from_the_start() {
    follow("columns");
}

#[test]
fn a_plugin_in_terms_of_arrow_is_good_from_the_start() {
    follow("arrow");
}

#[test]
fn nothing_is_overwritten() {
    let dir = tempfile::tempdir().expect("a folder");
    assert_eq!(loader(dir.path(), &["new", "mine", "--sdk", &sdk()]).code, 0);
    let again = loader(dir.path(), &["new", "mine", "--sdk", &sdk()]);
    assert_eq!(
        again.stderr,
        "loader: mine is there already; nothing is overwritten: choose another name\n"
    );
    assert_eq!(again.code, 2);
}

#[test]
fn a_folder_that_is_no_plugin_says_so() {
    let dir = tempfile::tempdir().expect("a folder");
    let ended = loader(dir.path(), &["build"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("could not find `Cargo.toml`"), "{}", ended.stderr);
}
