//! Files that are no plugins, components that are made for another program, and plugins that
//! misbehave: each is refused by name, the table is untouched, and the file stays where it was.

use loader_tests::{Place, Report, plugin};

/// Loads a good file through a plugin; gives the report.
fn load_with(place: &Place, path: &std::path::Path, config: Option<&str>) -> Report {
    place.put("x.csv", "id,name\n1,a\n2,b\n");
    let dir = tempfile::tempdir().expect("a folder");
    let mut command = place.command("run", "x.csv", "t");
    command.arg("--plugins").arg(path);
    if let Some(config) = config {
        let file = dir.path().join("config.json");
        std::fs::write(&file, format!("{{\"hostile\": {config}}}")).expect("writes");
        command.arg("--plugin-config").arg(file);
    }
    Report::of(loader_tests::run(&mut command))
}

/// Insists that nothing happened but a message with these words.
fn refused(place: &Place, report: &Report, words: &[&str]) {
    assert_eq!(report.ended.code, 2, "{}", report.error());
    for word in words {
        assert!(report.error().contains(word), "`{word}` is not in: {}", report.error());
    }
    assert!(place.keys().contains(&"data/in/x.csv".to_owned()), "{:?}", place.keys());
    assert!(
        place
            .select("SELECT 1 FROM svv_columns WHERE table_schema = '{s}' AND table_name = 't'")
            .is_empty()
    );
}

#[test]
fn files_that_are_no_plugins_are_told_apart() {
    let place = Place::new("no-plugins");
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).expect("writes");
        path
    };
    refused(
        &place,
        &load_with(&place, &dir.path().join("nowhere.wasm"), None),
        &["nowhere.wasm", "cannot be read"],
    );
    refused(
        &place,
        &load_with(&place, &write("page.wasm", b"<html><body>404</body></html>"), None),
        &["page.wasm", "WebAssembly"],
    );
    let module = b"\0asm\x01\0\0\0";
    refused(
        &place,
        &load_with(&place, &write("module.wasm", module), None),
        &["module.wasm", "component"],
    );
    let mut other = std::fs::read(plugin("default")).expect("reads");
    let (ours, theirs) = (b"loader:plugin/transform@0.1.0", b"loader:plugin/transform@0.3.0");
    for i in 0..other.len() - ours.len() {
        if other[i..].starts_with(ours) {
            other[i..i + theirs.len()].copy_from_slice(theirs);
        }
    }
    refused(
        &place,
        &load_with(&place, &write("newer.wasm", &other), None),
        &["newer.wasm", "0.3", "0.1"],
    );
}

#[test]
fn a_plugin_that_cannot_be_used_is_told_before_all_else_and_makes_no_fence() {
    let place = Place::new("plugin-first");
    let dir = tempfile::tempdir().expect("a folder");
    let config = dir.path().join("config.json");
    std::fs::write(&config, "{\"hostile\": {\"undo\": 1}}").expect("writes");
    place.put("x.csv", "id\n1\n");
    // The plugin is compiled before its config is checked, so that all else has its answer by then.
    for (number, file) in ["x.csv", "none.csv"].into_iter().enumerate() {
        let mut command = place.command("run", file, "t");
        command.env("XDG_CACHE_HOME", dir.path().join(number.to_string()));
        command.arg("--plugins").arg(plugin("hostile")).arg("--plugin-config").arg(&config);
        let report = Report::of(loader_tests::run(&mut command));
        refused(&place, &report, &["hostile", "undo"]);
    }
    // (The row of the failed run makes the other tables.)
    let fence = "SELECT table_name FROM svv_columns WHERE table_schema = '{s}' AND table_name = \
                 'loader_fence_t'";
    assert!(place.select(fence).is_empty(), "a fence was made");
    let without_object = place.load("none.csv", "t", &[]);
    assert!(without_object.error().contains("there is no object"), "{}", without_object.error());
}

#[test]
fn misbehaviour_is_named_and_harmless() {
    let place = Place::new("hostile");
    for (misdeed, words) in [
        ("panic-in-process", &["hostile", "process", "panicked"][..]),
        ("few-rows", &["hostile", "rows"]),
        ("many-rows", &["hostile", "rows"]),
        ("loop-in-plan", &["hostile", "plan", "longer than"]),
    ] {
        let report =
            load_with(&place, &plugin("hostile"), Some(&format!("{{\"do\": \"{misdeed}\"}}")));
        refused(&place, &report, words);
    }
}

#[test]
fn a_config_that_a_plugin_does_not_take_is_the_users_to_mend() {
    let place = Place::new("bad-config");
    let report = load_with(&place, &plugin("hostile"), Some("{\"undo\": 1}"));
    refused(&place, &report, &["hostile", "undo"]);
}

#[test]
fn a_chain_hands_its_columns_on() {
    let place = Place::new("chain");
    place.put("x.csv", "ID,Amount\n1,0.5\n");
    let dir = tempfile::tempdir().expect("a folder");
    let config = dir.path().join("config.json");
    std::fs::write(&config, "{\"hostile\": {\"do\": \"none\"}}").expect("writes");
    let mut command = place.command("run", "x.csv", "t");
    let chain = format!("{},{}", plugin("default").display(), plugin("hostile").display());
    command.args(["--upsert-keys", "id", "--plugins", &chain]).arg("--plugin-config").arg(config);
    let report = Report::of(loader_tests::run(&mut command)).succeeded();
    assert_eq!(report.json["plugins"][1]["name"], "hostile");
    assert_eq!(place.value("SELECT amount FROM {s}.t"), "0.500000000000000000");
}

#[test]
fn limits_come_from_the_settings_file() {
    let place = Place::new("limits");
    place.put("x.csv", "id\n1\n");
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).expect("writes");
        path
    };
    let load = |word: &str, settings: &std::path::Path| {
        let config = write("config.json", &format!(r#"{{"hostile": {{"do": "{word}"}}}}"#));
        let mut command = place.command("run", "x.csv", "t");
        command
            .arg("--config")
            .arg(settings)
            .arg("--plugin-config")
            .arg(&config)
            .arg("--plugins")
            .arg(plugin("hostile"));
        Report::of(loader_tests::run(&mut command))
    };
    let report = load("loop-in-process", &write("short.toml", "[limits]\nprocess_seconds = 1\n"));
    assert_eq!(report.ended.code, 2);
    assert!(report.error().contains("process_seconds = 1"), "{}", report.error());
    let report = load("literal", &write("small.toml", "[limits]\noutput_bytes = 4\n"));
    assert_eq!(report.ended.code, 2);
    let expected = "process, row 1: the literals and host values of its plan take 8 bytes, more than \
                    output_bytes = 4 bytes";
    assert!(report.error().contains(expected), "{}", report.error());
    let report = load("literal", &write("wrong.toml", "[limits]\nprocess_secs = 1\n"));
    assert_eq!(report.ended.code, 2);
    assert!(report.error().contains("process_secs"), "{}", report.error());
}
