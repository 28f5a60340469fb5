//! What reaches the warehouse: names and texts that mean something to SQL or to a terminal.

use loader_tests::{Place, Report, plugin, run};
use serde_json::json;

use crate::outcome::without_digest;

pub(crate) fn names_of_a_plugin_are_names_in_the_warehouse_too() {
    let place = Place::new("misdeeds");
    let dir = tempfile::tempdir().expect("a folder");
    let load = |word: &str, table: &str| {
        place.put("x.csv", "id,name\n1,A\n2,B\n");
        let config = dir.path().join("config.json");
        std::fs::write(&config, json!({"hostile": {"do": word}}).to_string()).expect("writes");
        let mut command = place.command("run", "x.csv", table);
        Report::of(run(command
            .arg("--plugins")
            .arg(plugin("hostile"))
            .arg("--plugin-config")
            .arg(config)))
    };
    place.execute("CREATE TABLE {s}.t (kept integer)");
    let report = load("quote-in-name", "quoted").succeeded();
    assert_eq!(report.rows("inserted"), 2);
    let columns = place.select(
        "SELECT column_name FROM svv_columns WHERE table_schema = '{s}' AND table_name = \
                 'quoted' ORDER BY 1",
    );
    let names: Vec<&str> = columns.iter().filter_map(|row| row["column_name"].as_str()).collect();
    assert_eq!(names, [r#"id"; drop table t; --"#, r#"name"; drop table t; --"#]);
    assert_eq!(place.value("SELECT count(*) FROM {s}.t"), "0");

    let report = load("counters-with-silly-names", "counted").succeeded();
    insta::assert_snapshot!(report.json["plugins"][0]["counters"].to_string(), @r#"{"":7,"'; DROP TABLE t; --":7,"cast.rounded":7,"longlonglonglonglonglonglonglonglonglonglonglonglonglonglonglong…":7,"�[2J":7}"#);
    let report = load("counters-past-counting", "most").succeeded();
    assert_eq!(report.json["plugins"][0]["counters"], json!({"most": u64::MAX}));
    let refused = |word| {
        let report = load(word, "other");
        format!("{}: {}", report.ended.code, without_digest(report.error()))
    };
    insta::assert_snapshot!(refused("name-of-the-host"), @r#"3: header "id" (column 1) has the name _loader_row, which is one that the loader keeps for itself; name the columns with --column-names or, where a plugin has named them, in its config, or correct the header in the file (uri s3://misdeeds/data/in/x.csv)"#);
    insta::assert_snapshot!(refused("direction-mark-in-name"), @r#"2: plugin hostile 0.1.0 (sha256 …): make-plan: the plan's schema: column 1 has a control character in its name, "id\u{202e}gpj.exe"; this is a mistake in the plugin: report it to its author"#);
    insta::assert_snapshot!(refused("reject-with-control-characters"), @"3: 1 row was rejected, and none may be: line 2: line one  line two��[2J�� (hostile re�[31mfused); correct the file, or allow rejects with --max-rejects (uri s3://misdeeds/data/in/x.csv)");
    assert!(
        place
            .select("SELECT 1 FROM svv_columns WHERE table_schema = '{s}' AND table_name = 'other'")
            .is_empty()
    );
}
