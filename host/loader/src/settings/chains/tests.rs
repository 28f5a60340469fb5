//! Chains as they are written in a settings file, which one holds for a table, and what is wrong
//! with others.

use std::path::PathBuf;

use loader_model::error::{Error, Kind};

use super::*;

const DIGEST: &str = "ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef0123456789";

fn settings(text: &str) -> Settings {
    Settings::from_toml(text, "loader.toml").expect("valid")
}

fn refusal(text: &str) -> String {
    Settings::from_toml(text, "loader.toml").expect_err("is refused").to_string()
}

/// The chain of a table: paths, and where they are written.
fn chain(settings: &Settings, schema: &str, table: &str) -> Vec<String> {
    let target = TableName::new(schema, table).expect("a name");
    let plugins = settings.chain(Some(&target)).plugins.unwrap_or_default();
    plugins.iter().map(|plugin| format!("{} {}", plugin.path.display(), plugin.origin)).collect()
}

#[test]
fn a_plugin_is_a_path_or_a_table() {
    let settings = settings(&format!(
        "plugins = ['a.wasm', {{ path = 'b.wasm', sha256 = '{DIGEST}', config = {{ since = \
         2024-01-31, n = [1] }} }}]"
    ));
    let plugins = settings.plugins.expect("given");
    assert_eq!(plugins[0].path, Path::new("a.wasm"));
    assert!(plugins[0].sha256.is_none() && plugins[0].config.is_none());
    assert_eq!(plugins[1].sha256.as_ref().expect("given").to_string(), DIGEST.to_lowercase());
    assert_eq!(plugins[1].config, Some(serde_json::json!({"since": "2024-01-31", "n": [1]})));
}

#[test]
fn a_tables_chain_comes_before_the_one_for_all() {
    let settings = settings(
        "plugins = ['all.wasm']\n[tables.Orders]\nplugins = \
         ['o.wasm']\n[tables.\"sales.orders\"]\nplugins = ['s.wasm']\n[tables.raw]\nplugins = \
         []\n[tables.bare]\n[tables.\"hr.orders\"]\n",
    );
    assert_eq!(chain(&settings, "hr", "orders"), ["o.wasm tables.Orders.plugins[0]"]);
    assert_eq!(chain(&settings, "public", "ORDERS"), ["o.wasm tables.Orders.plugins[0]"]);
    assert_eq!(chain(&settings, "Sales", "orders"), ["s.wasm tables.\"sales.orders\".plugins[0]"]);
    assert_eq!(chain(&settings, "public", "raw"), [""; 0]);
    assert_eq!(chain(&settings, "public", "bare"), ["all.wasm plugins[0]"]);
    assert_eq!(chain(&settings, "public", "other"), ["all.wasm plugins[0]"]);
    assert_eq!(settings.chain(None).plugins.map(<[_]>::len), Some(1));
}

#[test]
fn what_was_typed_comes_before_a_tables_chain_and_a_variable_after_it() {
    let file = || settings("[tables.t]\nplugins = ['file.wasm']\n");
    let variables =
        Settings::from_variables(|name| (name == "LOADER_PLUGINS").then(|| "a.wasm,b.wasm".into()));
    let merged = file().or(variables.expect("valid"));
    assert_eq!(chain(&merged, "public", "t"), ["file.wasm tables.t.plugins[0]"]);
    assert_eq!(chain(&merged, "public", "u"), ["a.wasm LOADER_PLUGINS", "b.wasm LOADER_PLUGINS"]);

    let typed =
        Settings { plugins: Some(vec![PathBuf::from("typed.wasm").into()]), ..Settings::default() };
    let merged = typed.or(file());
    assert_eq!(chain(&merged, "public", "t"), ["typed.wasm --plugins"]);
    let target = |table: &str| TableName::new("public", table).expect("a name");
    let overruled =
        |table: &str| merged.chain(Some(&target(table))).overruled.map(ToString::to_string);
    assert_eq!((overruled("t").as_deref(), overruled("u")), (Some("tables.t"), None));
}

#[test]
fn what_was_typed_does_not_unpin_a_file() {
    let file =
        settings(&format!("plugins = ['b.wasm', {{ path = 'a.wasm', sha256 = '{DIGEST}' }}]\n"));
    let typed =
        Settings { plugins: Some(vec![PathBuf::from("a.wasm").into()]), ..Settings::default() };
    let merged = typed.or(file).or(Settings::default());
    assert_eq!(chain(&merged, "public", "t"), ["a.wasm --plugins"]);
    assert_eq!(
        merged.chain(None).overruled.map(ToString::to_string).as_deref(),
        Some("plugins[1]")
    );
    let pins: Vec<String> =
        merged.pins_of(Path::new("a.wasm")).map(|(_, origin)| origin.to_string()).collect();
    assert_eq!(pins, ["plugins[1]"]);
}

#[test]
fn two_entries_are_not_one_table() {
    insta::assert_snapshot!(refusal("[tables.t]\n[tables.T]\n"), @"tables.T and tables.t are one table to Redshift; keep one of them (file loader.toml, line 1)");
}

#[test]
fn a_wrong_key_is_named_with_its_path_and_line() {
    insta::assert_snapshot!(refusal("[tables.t]\nplugins = [\n  'a.wasm',\n  { path = 'b.wasm', \
                                     sha265 = '' },\n]\n"), @"loader.toml is no valid settings file: line 4, column 22: tables.t.plugins[1].sha265: unknown key `sha265`; did you mean `sha256`?");
    insta::assert_snapshot!(refusal("[tables.t]\nplugins = [{ path = 'b.wasm', sha256 = 'abc' \
                                     }]\n"), @"loader.toml is no valid settings file: line 2, column 40: tables.t.plugins[0].sha256: this is no SHA-256 digest, which has 64 hexadecimal digits; `loader plugin check FILE` prints a file's");
    insta::assert_snapshot!(refusal("plugins = ['a.wasm', { sha256 = 'abc' \
                                     }]\n"), @"loader.toml is no valid settings file: line 1, column 33: plugins[1].sha256: this is no SHA-256 digest, which has 64 hexadecimal digits; `loader plugin check FILE` prints a file's");
    insta::assert_snapshot!(refusal("plugins = ['a.wasm', { config = {} \
                                     }]\n"), @"loader.toml is no valid settings file: line 1, column 22: plugins[1]: missing field `path`");
    insta::assert_snapshot!(refusal("plugins = ['a.wasm', \
                                     7]\n"), @"loader.toml is no valid settings file: line 1, column 22: plugins[1]: invalid type: integer `7`, expected the path of a plugin, or a table with `path`, `sha256` and `config`");
    insta::assert_snapshot!(refusal("plugins = 'a.wasm'\n"), @r#"loader.toml is no valid settings file: line 1, column 11: plugins: invalid type: string "a.wasm", expected a sequence"#);
    insta::assert_snapshot!(refusal("plugins = [{ path = 'a.wasm', config = 's3cret' \
                                     }]\n"), @"loader.toml is no valid settings file: line 1, column 40: plugins[0].config: a table of settings is expected, not a string");
    insta::assert_snapshot!(refusal("plugins = [{ path = 'a.wasm', config = { x = nan } \
                                     }]\n"), @"loader.toml is no valid settings file: line 1, column 40: plugins[0].config: NaN is no number of JSON");
    insta::assert_snapshot!(refusal("[tables.sales.orders]\nplugins = \
                                     []\n"), @r#"loader.toml is no valid settings file: line 1, column 15: tables.sales.orders: unknown key; a table with its schema is [tables."sales.orders"]"#);
    insta::assert_snapshot!(refusal("[tables.\"sales.orders\"]\nplugin = \
                                     []\n"), @r#"loader.toml is no valid settings file: line 2, column 1: tables."sales.orders".plugin: unknown key `plugin`; did you mean `plugins`?"#);
    insta::assert_snapshot!(refusal("[limits]\nprocess_secs = \
                                     1\n"), @"loader.toml is no valid settings file: line 2, column 1: limits.process_secs: unknown key `process_secs`; did you mean `process_seconds`?");
    insta::assert_snapshot!(refusal("\nworkers = 'many'\n"), @r#"loader.toml is no valid settings file: line 2, column 11: workers: invalid type: string "many", expected usize"#);
    insta::assert_snapshot!(refusal("a = 1\nb = = 2\n"), @"loader.toml is no valid settings file: line 2, column 5: extra `=`, expected nothing");
}

#[test]
fn a_place_knows_its_line() {
    let settings = settings(
        "[tables.t]\nplugins = [\n  'a.wasm',\n  { path = 'b.wasm', config = { columns = \
         [\n    'x',\n    7] } },\n]\n",
    );
    let target = TableName::new("public", "t").expect("a name");
    let plugin = &settings.chain(Some(&target)).plugins.expect("a chain")[1];
    let config = plugin.origin.place().expect("in a file").key("config");
    let blamed =
        |place: &Place| place.blame(Error::new(Kind::Config, place.to_string())).to_string();
    let seven = config.pointer("/columns/1");
    assert_eq!(blamed(&seven), "tables.t.plugins[1].config.columns[1] (file loader.toml, line 6)");
    assert_eq!(
        blamed(&config.pointer("")),
        "tables.t.plugins[1].config (file loader.toml, line 4)"
    );
    // What is missing is looked for where it should be.
    assert_eq!(
        blamed(&config.key("mode")),
        "tables.t.plugins[1].config.mode (file loader.toml, line 4)"
    );
}

#[test]
fn pins_are_found_wherever_the_file_is_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("p.wasm");
    std::fs::write(&file, "x").expect("writes");
    let path = file.display();
    let other = dir.path().join("../").join(dir.path().file_name().expect("a name")).join("p.wasm");
    let settings = settings(&format!(
        "plugins = ['{path}']\n[tables.t]\nplugins = [{{ path = '{}', sha256 = '{DIGEST}' }}]\n",
        other.display()
    ));
    let pins: Vec<String> = settings.pins_of(&file).map(|(_, origin)| origin.to_string()).collect();
    assert_eq!(pins, ["tables.t.plugins[0]"]);
    assert_eq!(settings.pins_of(Path::new("q.wasm")).count(), 0);
}
