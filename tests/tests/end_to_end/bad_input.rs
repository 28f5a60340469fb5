//! Files as people really deliver them, and what becomes of each: `tests/cases/<name>/`.
//!
//! A case is a folder: the input (none: no such object), `arguments` and `setup.sql` line by line, and `expected.txt`.
//! `BLESS=1` writes the expectations anew; a person reads the difference.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use loader_tests::{Place, root, without_times};

#[test]
fn every_case_ends_as_expected() {
    let mut cases: Vec<PathBuf> =
        std::fs::read_dir(root().join("tests/cases")).expect("the cases").flatten().map(|entry| entry.path()).collect();
    cases.sort();
    assert!(cases.len() > 30, "the cases are gone");
    let mut wrong = Vec::new();
    for case in &cases {
        let found = run(case);
        let path = case.join("expected.txt");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &found).expect("writes");
            continue;
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        if found != expected {
            wrong.push(format!("{}\n--- expected\n{expected}--- found\n{found}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

fn run(case: &Path) -> String {
    let name = case.file_name().expect("a name").to_string_lossy().into_owned();
    let place = Place::new(&format!("case-{name}"));
    for statement in lines(&case.join("setup.sql")) {
        place.execute(&statement);
    }
    let input = ["input.csv", "input.csv.gz"].into_iter().find(|input| case.join(input).exists());
    if let Some(input) = input {
        place.put(input, std::fs::read(case.join(input)).expect("reads"));
    }
    let arguments = lines(&case.join("arguments"));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let report = place.load(input.unwrap_or("input.csv"), "t", &arguments);
    assert_eq!(report.json["exit_code"], report.ended.code, "{name}: the report and the process disagree");
    let mut found = format!("exit {}\n", report.ended.code);
    if !report.error().is_empty() {
        writeln!(found, "error {}", without_times(report.error())).expect("a string takes everything");
    }
    for key in place.keys().iter().filter(|key| !key.starts_with("logs/")) {
        writeln!(found, "object {key}").expect("a string takes everything");
    }
    found + &table(&place)
}

/// What the target holds, without the columns that change from run to run.
fn table(place: &Place) -> String {
    let columns = "SELECT column_name, data_type, is_nullable FROM svv_columns WHERE table_schema = '{s}' AND \
                   table_name = 't' ORDER BY ordinal_position";
    let columns = place.select(columns);
    if columns.is_empty() {
        return "no table\n".into();
    }
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_string();
    let mut out = String::new();
    for column in &columns {
        let null = if column["is_nullable"] == "NO" { " not null" } else { "" };
        writeln!(out, "column {} {}{null}", text(&column["column_name"]), text(&column["data_type"])).expect("writes");
    }
    let names = columns.iter().map(|column| text(&column["column_name"])).filter(|name| name != "run_date");
    let names: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
    for row in place.select(&format!("SELECT {0} FROM {{s}}.t ORDER BY {0}", names.join(", "))) {
        writeln!(out, "row {row}").expect("a string takes everything");
    }
    out
}

fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_string).collect()
}
