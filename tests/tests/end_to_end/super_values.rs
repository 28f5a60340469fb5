//! JSON for SUPER columns, up to what Redshift takes.

use loader_tests::{Place, Report, run};

/// A table with a SUPER column, and a file with one value for it.
fn place_with(name: &str, json: &str) -> (Place, String) {
    let place = Place::new(name);
    place.execute("CREATE TABLE {s}.t (id INTEGER, doc SUPER)");
    (place, format!("id,doc\n7,\"{}\"\n", json.replace('"', "\"\"")))
}

fn load(place: &Place, file: &str, more: &[&str]) -> Report {
    place.put("x.csv", file);
    Report::of(run(place.command("run", "x.csv", "t").args(more)))
}

#[test]
fn json_longer_than_a_varchar_is_loaded_from_csv_parts() {
    let json = format!("[{}]", vec!["\"a, \\\"b\\\"\""; 10_000].join(","));
    let (place, file) = place_with("long-super", &json);

    let refused = load(&place, &file, &[]);
    assert_eq!(refused.ended.code, 3, "{}", refused.ended.stderr);
    insta::assert_snapshot!(refused.error(), @"1 row was rejected, and none may be: line 2, column `doc`: the text has 110001 bytes, the column holds 65535; with --staging-format csv a SUPER takes JSON as long as a row (loader too-long); correct the file, or allow rejects with --max-rejects (uri s3://long-super/data/in/x.csv)");

    let _ = load(&place, &file, &["--staging-format", "csv"]).succeeded();
    assert_eq!(place.value("SELECT id FROM {s}.t"), "7");
    assert_eq!(place.value("SELECT jsonb_array_length(doc) FROM {s}.t"), "10000");
    assert_eq!(place.value("SELECT doc->>9999 FROM {s}.t"), "a, \"b\"");
}

#[test]
fn json_that_is_too_deep_for_a_super_is_a_rejected_row() {
    let json = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let (place, file) = place_with("deep-super", &json);
    assert_eq!(load(&place, &file, &[]).ended.code, 3);
    let report = load(&place, &(file + "8,\"[[1]]\"\n"), &["--max-rejects", "1"]).succeeded();
    assert_eq!((report.rows("inserted"), report.rows("rejected")), (1, 1));
}

#[test]
fn a_string_in_json_that_a_super_does_not_take_is_a_rejected_row() {
    let json = format!("{{\"a\": [\"{}\"]}}", "x".repeat(65_536));
    let (place, file) = place_with("long-string", &json);
    let refused = load(&place, &file, &["--staging-format", "csv"]);
    assert_eq!(refused.ended.code, 3, "{}", refused.ended.stderr);
    insta::assert_snapshot!(refused.error(), @"1 row was rejected, and none may be: line 2, column `doc`: the value is not JSON with strings of 65535 bytes and 1000 levels at most (loader does-not-fit); correct the file, or allow rejects with --max-rejects (uri s3://long-string/data/in/x.csv)");
}
