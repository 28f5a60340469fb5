//! What a user says of single columns, from each place where it can be said. (What each key does is
//! held by the cases `columns-…`.)

use std::process::Command;

use loader_tests::{Place, Report, program, run};

#[test]
fn the_plan_says_that_the_settings_gave_the_type() {
    let place = Place::new("columns-planned");
    place.put("a.csv", "id,paid,phone\n1,31.01.2024,+4912345\n");
    let columns = ["--column", "paid=date:%d.%m.%Y", "--column", "phone=bigint"];
    let plan = place.plan("a.csv", "t", &columns);
    let planned = plan.json["columns"].as_array().into_iter().flatten().take(3);
    let told: Vec<String> = planned
        .map(|column| format!("{} {} {}", column["name"], column["after"], column["because"]))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    "id" "INTEGER" "whole numbers from 1 to 1"
    "paid" "DATE" "the settings say so"
    "phone" "BIGINT" "the settings say so"
    "#);
}

#[test]
fn a_variable_says_it_of_several_columns() {
    let place = Place::new("columns-variable");
    place.put("a.csv", "id,paid,phone\n1,31.01.2024,+4912345\n");
    let mut command = place.command("run", "a.csv", "t");
    command.env("LOADER_COLUMN", "paid=date:%d.%m.%Y;phone=bigint");
    let _ = Report::of(run(&mut command)).succeeded();
    let rows = "SELECT id, paid, phone FROM {s}.t";
    let row = r#"{"id":1,"paid":"2024-01-31","phone":4912345}"#;
    assert_eq!(place.select(rows).iter().map(ToString::to_string).collect::<Vec<_>>(), [row]);
}

#[test]
fn rejected_rows_are_written_as_they_stand_in_the_file() {
    let place = Place::new("columns-rejected");
    place.put("a.csv", "id,paid\n1,31.01.2024\n2,\"2024-01-31\"\n3,\n");
    let settings = tempfile::NamedTempFile::new().expect("a file");
    let toml =
        "[tables.t.columns]\npaid = { type = 'date', format = '%d.%m.%Y', required = true }\n";
    std::fs::write(settings.path(), toml).expect("writes");
    let more = ["--max-rejects", "2", "--config", &settings.path().display().to_string()];
    let report = place.load("a.csv", "t", &more).succeeded();
    assert_eq!([report.rows("read"), report.rows("staged"), report.rows("rejected")], [3, 1, 2]);
    insta::assert_snapshot!(place.read("data/rejected/"), @r#"
    record,line,byte,plugin,code,column,message,row
    2,3,21,loader,does-not-fit,paid,"the value is not a date such as 31.01.2024, as tables.t.columns.paid asks","2,""2024-01-31"""
    3,4,36,loader,null,paid,"NULL, but tables.t.columns.paid requires a value","3,"
    "#);
}

#[test]
fn a_file_of_this_machine_is_read_as_the_settings_say() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = |name: &str| dir.path().join(name);
    std::fs::write(path("a.csv"), "Amount;n\n\"1.234,5\";1\n").expect("writes");
    let toml = "delimiter = ';'\n[columns.amount]\ntype = 'decimal(9,2)'\ndecimal-mark = ','\n\
                thousands = '.'\n";
    std::fs::write(path("loader.toml"), toml).expect("writes");
    let mut command = Command::new(program());
    command.args(["transform", "--plugins", "none", "--config"]).arg(path("loader.toml"));
    let ended = run(command.arg(path("a.csv")).arg("-o").arg(path("b.csv")));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let made = std::fs::read_to_string(path("b.csv")).expect("it is there");
    assert_eq!(made, "amount,n\n1234.50,1\n");
}

/// A table keeps its types: what is said of a column tells how its values are read.
#[test]
fn a_column_of_the_table_keeps_its_type() {
    let place = Place::new("columns-known");
    place.execute("CREATE TABLE {s}.t (id INTEGER, amount DECIMAL(12,4), paid TIMESTAMP)");
    place.put("a.csv", "id,amount,paid\n1,\"1.234,5\",31.01.2024\n");
    let settings = tempfile::NamedTempFile::new().expect("a file");
    let toml = "[tables.t.columns]\npaid = { type = 'date', format = '%d.%m.%Y' }\n\
                amount = { type = 'decimal(9,2)', decimal-mark = ',', thousands = '.' }\n";
    std::fs::write(settings.path(), toml).expect("writes");
    let config = settings.path().display().to_string();
    let report = place.load("a.csv", "t", &["--config", &config]).succeeded();
    let changes = report.json["schema_changes"].to_string();
    assert!(!changes.contains("amount") && !changes.contains("paid"), "{changes}");
    let rows = place.select("SELECT id, amount, paid FROM {s}.t");
    insta::assert_snapshot!(rows[0], @r#"{"id":1,"amount":"1234.5000","paid":"2024-01-31 00:00:00"}"#);
}
