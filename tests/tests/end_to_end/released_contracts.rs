//! Plugins that were built for released contracts, kept as files: they load, and do what they did
//! then.

use std::fs;
use std::process::Command;

use loader_tests::{program, root, run};

#[test]
fn plugins_of_every_released_contract_still_work() {
    let published =
        fs::read_to_string(root().join("wit/published.toml")).expect("the published contracts");
    let published: toml::Table = toml::from_str(&published).expect("TOML");
    assert!(!published.is_empty());
    for version in published.keys() {
        let dir = root().join("tests/fixtures/plugins").join(version);
        let file = dir.join("default.wasm");
        let loader = |verb: &str, more: &[&str]| {
            let mut command = Command::new(program());
            command.args(["plugin", verb]).arg(&file).args(more).env_remove("UPDATE");
            let ended = run(&mut command);
            assert_eq!(
                ended.code, 0,
                "{verb}, contract {version}:\n{}\n{}",
                ended.stdout, ended.stderr
            );
            ended.stdout
        };
        let checked = loader("check", &["--run"]);
        assert!(checked.contains(&format!("loader:plugin/transform@{version}.0")), "{checked}");
        loader("test", &["--cases", &dir.join("cases").display().to_string()]);
    }
}
