//! Files of JSON Lines and Parquet, from the bucket into the table. (What values and types become is
//! held by the cases `json-…` and `parquet-…`.)

use std::process::Command;

use loader_tests::{Place, program, root, run};

#[test]
fn rejected_lines_of_json_are_kept_as_they_stand_in_the_file() {
    let place = Place::new("json-rejected");
    let lines =
        b"{\"id\": 1, \"day\": \"2024-01-31\"}\r\n\n[2]\r\n{\"id\": 3, \"day\": \"\xff\"}\n\
        {\"day\": \"2024-02-01\", \"id\" : 4}";
    place.put("x.jsonl", lines);
    let column = ["--column", "day=date", "--column", "id=bigint", "--max-rejects", "3"];
    let report = place.load("x.jsonl", "t", &column).succeeded();
    assert_eq!([report.rows("read"), report.rows("staged"), report.rows("rejected")], [4, 2, 2]);
    let rejected = place.read_bytes("data/rejected/");
    let bad = b"3,4,38,loader,unreadable,,\"byte 18 of the line is not in the file's encoding; name that \
        with --encoding, or correct the byte\",\"{\"\"id\"\": 3, \"\"day\"\": \"\"\xff\"\"}\"\n";
    assert!(rejected.windows(bad.len()).any(|bytes| bytes == bad), "{}", rejected.escape_ascii());
    let second = "\n2,3,33,loader,unreadable,,\"the line is no JSON object: invalid type: sequence";
    let rejected = String::from_utf8_lossy(&rejected);
    assert!(rejected.contains(second) && rejected.contains(",[2]\n"), "{rejected}");
}

#[test]
fn a_row_of_parquet_has_no_line_and_is_rejected_as_an_object() {
    let place = Place::new("parquet-rejected");
    let file = root().join("tests/cases/parquet/input.parquet");
    place.put("x.parquet", std::fs::read(file).expect("the case"));
    let column = ["--column", "digits=smallint", "--column", "doc=super", "--max-rejects", "1"];
    let report = place.load("x.parquet", "t", &column).succeeded();
    assert_eq!([report.rows("read"), report.rows("staged"), report.rows("rejected")], [3, 2, 1]);
    let rejected = place.read("data/rejected/");
    let row = rejected.lines().nth(1).expect("a row");
    assert!(row.starts_with("2,,,loader,does-not-fit,digits,"), "{rejected}");
    assert!(row.contains(r#"{""id"":2,""small"":null,""big"":null,""unsigned"":0,"#), "{rejected}");
}

#[test]
fn one_table_in_three_formats_is_one_table() {
    let place = Place::new("three-formats");
    let dir = tempfile::tempdir().expect("a folder");
    let csv = "id,price,paid,day,at,note\n1,12.50,true,2024-01-31,2024-01-31 10:30:00.25,\"a \"\"b\"\"\"\n\
        2,,,,,\n3,-0.05,false,0001-01-01,1600-02-29 00:00:00,é😀\n";
    let json = "{\"id\":1,\"price\":12.50,\"paid\":true,\"day\":\"2024-01-31\",\
        \"at\":\"2024-01-31 10:30:00.25\",\"note\":\"a \\\"b\\\"\"}\n{\"id\":2}\n\
        {\"id\":3,\"price\":-0.05,\"paid\":false,\"day\":\"0001-01-01\",\
        \"at\":\"1600-02-29 00:00:00\",\"note\":\"\\u00e9\\ud83d\\ude00\"}\n";
    let (input, output) = (dir.path().join("x.csv"), dir.path().join("x.parquet"));
    std::fs::write(&input, csv).expect("writes");
    let mut transform = Command::new(program());
    let config = dir.path().join("config.json");
    let plain = r#"{"default": {"run_date": null, "file_name": null}}"#;
    std::fs::write(&config, plain).expect("writes");
    transform
        .arg("transform")
        .arg(&input)
        .arg("-o")
        .arg(&output)
        .arg("--plugin-config")
        .arg(&config);
    let ended = run(&mut transform);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    place.put("x.csv", csv);
    place.put("x.jsonl", json);
    place.put("x.parquet", std::fs::read(&output).expect("the output"));
    for (file, table) in [("x.csv", "c"), ("x.jsonl", "j"), ("x.parquet", "p")] {
        let report = place.load(file, table, &["--upsert-keys", "id"]).succeeded();
        assert_eq!(report.json["notices"].as_array().map_or(0, Vec::len), 0, "{}", report.json);
    }
    let columns = "id, price, paid, day, at, note";
    for other in ["j", "p"] {
        let differ = format!(
            "SELECT count(*) FROM (SELECT {columns} FROM {{s}}.c EXCEPT SELECT {columns} FROM {{s}}.{other}) d"
        );
        assert_eq!(place.value(&differ), "0", "{other}");
    }
    assert_eq!(place.value("SELECT count(*) FROM {s}.p"), "3");
    let again = place.load("x.jsonl", "j", &["--upsert-keys", "id"]);
    assert_eq!(again.ended.code, 2, "{}", again.ended.stderr);
}

#[test]
fn json_lines_are_read_in_other_encodings_and_compressed() {
    let dir = tempfile::tempdir().expect("a folder");
    let lines = "{\"id\":1,\"city\":\"Zürich\"}\n{\"id\":2,\"city\":\"😀\"}\n";
    let utf_16: Vec<u8> =
        format!("\u{feff}{lines}").encode_utf16().flat_map(u16::to_be_bytes).collect();
    let zstd = zstd_of(lines.as_bytes());
    for (name, content) in [("utf-16", utf_16), ("zstd", zstd), ("plain", lines.into())] {
        let (input, output) = (dir.path().join(name), dir.path().join(format!("{name}.csv")));
        std::fs::write(&input, content).expect("writes");
        let mut transform = Command::new(program());
        transform.arg("transform").arg(&input).arg("-o").arg(&output).args(["--plugins", "none"]);
        let ended = run(&mut transform);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let text = std::fs::read_to_string(&output).expect("the output");
        assert_eq!(text, "id,city\n1,Zürich\n2,😀\n", "{name}");
    }
}

fn zstd_of(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("encodes")
}

#[test]
fn sniffing_says_what_is_no_csv() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("x");
    std::fs::write(&path, "{\"id\":1}\n").expect("writes");
    let told = |arguments: &[&str]| {
        let mut sniff = Command::new(program());
        run(sniff.arg("sniff").arg(&path).args(arguments)).stdout
    };
    assert!(told(&[]).contains("The file is JSON Lines, which has no dialect"), "{}", told(&[]));
    let toml = told(&["--toml", "--target-table", "events"]);
    assert!(toml.ends_with("[tables.events.dialect]\nfile-format = \"json\"\n"), "{toml}");
}
