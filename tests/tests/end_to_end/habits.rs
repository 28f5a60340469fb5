//! How a table is loaded from file to file: a file that lacks columns leaves known rows what they
//! have, the ledger remembers the keys, and a load that names no plugins has the program's own.

use loader_tests::{Ended, Place, Report, run};

const KEYS: [&str; 2] = ["--upsert-keys", "id"];

/// What the statements of a planned load begin with.
fn verbs(plan: &Report) -> Vec<&str> {
    let statements = plan.json["load_statements"].as_array().into_iter().flatten();
    let verbs = statements.filter_map(|sql| sql.as_str()?.split(' ').next());
    verbs.filter(|verb| ["DELETE", "UPDATE", "INSERT"].contains(verb)).collect()
}

#[test]
fn only_a_file_that_lacks_columns_updates_rows_in_place() {
    let place = Place::new("habits-in-place");
    place.put("a.csv", "id,stock\n1,5\n");
    let _ = place.load("a.csv", "t", &KEYS).succeeded();
    place.put("whole.csv", "id,stock\n1,6\n");
    place.put("part.csv", "id\n1\n");
    // Each ends with the rows of fence, ledger and audit table.
    let whole = place.plan("whole.csv", "t", &KEYS);
    assert_eq!(verbs(&whole), ["DELETE", "INSERT", "INSERT", "INSERT", "INSERT"]);
    let part = place.plan("part.csv", "t", &KEYS);
    assert_eq!(verbs(&part), ["UPDATE", "INSERT", "INSERT", "INSERT", "INSERT"]);
}

#[test]
fn a_new_row_is_refused_where_nothing_fills_its_columns() {
    let place = Place::new("habits-new-row");
    place.execute("CREATE TABLE {s}.t (id INTEGER, price INTEGER, day DATE NOT NULL)");
    place.execute("INSERT INTO {s}.t VALUES (1, 10, '2025-01-31')");
    let discard = ["--upsert-keys", "id", "--schema-policy", "discard-columns"];
    place.put("new.csv", "id,price\n1,11\n2,20\n");
    let refused = place.load("new.csv", "t", &discard);
    assert_eq!(refused.ended.code, 5);
    insta::assert_snapshot!(refused.error(), @"the file has rows whose keys are new to habits_new_row.t (id: `2`), and it lacks columns of theirs that are NOT NULL and have no DEFAULT: day; deliver new rows with all of these columns, and without them only rows whose keys the table has (uri s3://habits-new-row/data/in/new.csv)");
    let rows = "SELECT id, price, day FROM {s}.t ORDER BY 1";
    let kept = |price| format!(r#"{{"id":1,"price":{price},"day":"2025-01-31"}}"#);
    assert_eq!(place.select(rows)[0].to_string(), kept(10));

    place.put("new.csv", "id,price,day\n1,11,2025-02-01\n2,20,2025-02-01\n");
    assert_eq!(place.load("new.csv", "t", &discard).succeeded().rows("inserted"), 1);
    place.put("known.csv", "id,price\n1,12\n");
    assert_eq!(place.load("known.csv", "t", &discard).succeeded().rows("updated"), 1);
    assert_eq!(place.select(rows)[0].to_string(), kept(12).replace("01-31", "02-01"));
}

/// Loads four orders, as they are delivered again and again.
fn orders(place: &Place, file: &str, more: &[&str]) -> Report {
    place.put(file, "id,line,n\n1,1,10\n2,1,20\n3,1,30\n4,1,40\n");
    place.load(file, "t", more)
}

#[test]
fn a_forgotten_key_costs_no_execution_and_changes_nothing() {
    let place = Place::new("habits-keys");
    let _ = orders(&place, "a.csv", &KEYS).succeeded();
    let forgotten = orders(&place, "b.csv", &[]);
    assert_eq!(forgotten.ended.code, 2);
    // The catalog, and the audit row of the failure.
    assert_eq!(forgotten.data_api_calls("BatchExecuteStatement"), 2);
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "4");
    assert!(place.keys().contains(&"data/in/b.csv".to_owned()), "{:?}", place.keys());
    let same = place.load("b.csv", "t", &KEYS).succeeded();
    assert_eq!(same.data_api_calls("BatchExecuteStatement"), 2);
    // The order of keys says nothing.
    let both = ["--upsert-keys", "id,line"];
    let _ = orders(&place, "c.csv", &[&both[..], &["--change-keys"]].concat()).succeeded();
    let _ = orders(&place, "d.csv", &["--upsert-keys", "line,ID"]).succeeded();
    let listed = place.value("SELECT upsert_keys FROM {s}.loader_loads ORDER BY run_id DESC");
    assert_eq!(listed, r#"["line","id"]"#);
}

#[test]
fn keys_that_mean_the_same_columns_are_the_same_keys() {
    let place = Place::new("habit-spelling");
    for (file, keys) in [("a.csv", "order_id"), ("b.csv", "Order ID")] {
        place.put(file, "Order ID,amount\n1,5\n");
        let _ = place.load(file, "t", &["--upsert-keys", keys]).succeeded();
    }
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "1");
}

#[test]
fn a_table_that_is_made_anew_has_no_habits() {
    let place = Place::new("habits-anew");
    let _ = orders(&place, "a.csv", &KEYS).succeeded();
    place.execute("DROP TABLE {s}.t");
    let _ = orders(&place, "b.csv", &[]).succeeded();
    // Rows may be merged from any day on.
    let _ = orders(&place, "c.csv", &["--upsert-keys", "id,line"]).succeeded();
}

#[test]
fn a_ledger_of_an_earlier_version_forbids_nothing_and_remembers_from_now_on() {
    let place = Place::new("habits-old-ledger");
    let _ = orders(&place, "a.csv", &KEYS).succeeded();
    place.execute("ALTER TABLE {s}.loader_loads DROP COLUMN upsert_keys");
    place.put("b.csv", "id,line,n\n1,1,11\n");
    let planned = place.plan("b.csv", "t", &["--upsert-keys", "line"]);
    assert_eq!(planned.ended.code, 0, "{}", planned.error());
    let completed = orders(&place, "b.csv", &KEYS).succeeded();
    assert_eq!(completed.data_api_calls("BatchExecuteStatement"), 3);
    assert_eq!(orders(&place, "c.csv", &[]).ended.code, 2);
    // What an earlier version loads meanwhile says nothing.
    place.execute("UPDATE {s}.loader_loads SET upsert_keys = NULL");
    let _ = orders(&place, "c.csv", &["--upsert-keys", "id,line"]).succeeded();
}

/// A command on a file, without a word about plugins but these.
fn unnamed(place: &Place, verb: &str, file: &str, plugins: &[&str]) -> Ended {
    place.put(file, "Order ID,Amount ($)\n1,0.1\n");
    run(place.command(verb, file, "t").env_remove("LOADER_PLUGINS").args(plugins))
}

#[test]
fn where_no_plugins_are_named_the_programs_own_runs_as_any_other() {
    let place = Place::new("habits-built-in");
    let report = |verb: &str, plugins: &[&str]| {
        let report = Report::of(unnamed(&place, verb, &format!("{verb}.csv"), plugins));
        assert_eq!(report.ended.code, 0, "{verb}: {}", report.error());
        report
    };
    let columns = |plan: &Report| {
        let columns = plan.json["columns"].as_array().into_iter().flatten();
        let named = columns.filter_map(|column| column["name"].as_str().map(str::to_owned));
        named.collect::<Vec<_>>().join(",")
    };
    let cleaned = "order_id,amount,run_date,file_name";
    assert_eq!(columns(&report("plan", &[])), cleaned);
    assert_eq!(columns(&report("plan", &["--plugins", "default"])), cleaned);
    assert_eq!(columns(&report("plan", &["--plugins", "none"])), "order id,amount ($)");
    let loaded = report("run", &[]);
    let plugin = &loaded.json["plugins"][0];
    let named = report("stage", &["--plugins", "default"]);
    assert_eq!(
        (plugin["name"].as_str(), plugin["version"].as_str()),
        (Some("default"), Some("0.1.0"))
    );
    assert_eq!(plugin["sha256"], named.json["plugins"][0]["sha256"]);
    let ledger = place.value("SELECT plugins FROM {s}.loader_loads");
    assert_eq!(ledger, loaded.json["plugins"].to_string());

    let dir = tempfile::tempdir().expect("a folder");
    let config = dir.path().join("config.json").display().to_string();
    std::fs::write(&config, r#"{"default": {"metadata": false}}"#).expect("writes");
    assert_eq!(columns(&report("plan", &["--plugin-config", &config])).split(',').count(), 4);
    let pinned = dir.path().join("loader.toml");
    let pin = "0".repeat(64);
    std::fs::write(&pinned, format!("plugins = [{{ path = 'default', sha256 = '{pin}' }}]\n"))
        .expect("writes");
    let ended = unnamed(&place, "run", "x.csv", &["--config", &pinned.display().to_string()]);
    assert_eq!(ended.code, 2, "{}", ended.stdout);
    assert!(ended.stdout.contains("plugin default is not the one that plugins[0] pins"));
}
