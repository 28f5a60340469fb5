//! What became of a file, as text for `expected.txt`.
//!
//! In: the reports of a plan and its load, which must be one, and the target. Out: lines.

use std::fmt::Write;

use crate::{Place, Report, without_times};

/// What the plan said and the load did.
pub fn outcome(name: &str, planned: &Report, report: &Report) -> String {
    let code = report.ended.code;
    assert_eq!(report.json["exit_code"], code, "{name}: the report and the process disagree");
    let mut found = format!("exit {code}\n");
    if is_refused_by_the_warehouse(report) {
        writeln!(found, "planned exit {}", planned.ended.code).expect("a string takes everything");
    } else {
        let error = planned.error();
        assert_eq!(planned.ended.code, code, "{name}: the plan ended otherwise: {error}");
        let (planned, happened) = (without_times(error), without_times(report.error()));
        assert_eq!(planned, happened, "{name}: the plan saw another error");
    }
    let made = &report.json["schema_changes"];
    if code == 0 {
        assert_eq!(planned.json["statements"], *made, "{name}: the plan is not what was done");
    }
    if !report.error().is_empty() {
        writeln!(found, "error {}", without_times(report.error()))
            .expect("a string takes everything");
    }
    for (word, list) in [("sql", "schema_changes"), ("notice", "notices")] {
        for item in strings(report, list) {
            writeln!(found, "{word} {}", without_times(&item)).expect("a string takes everything");
        }
    }
    for (word, list) in [("left out", "columns_discarded"), ("filled", "columns_filled")] {
        let columns = strings(report, list).join(", ");
        if !columns.is_empty() {
            writeln!(found, "{word} {columns}").expect("a string takes everything");
        }
    }
    found
}

/// Whether the load was refused when its rows met those of the table, which no plan sees. (For
/// example, only the warehouse knows which keys of the file are new.)
fn is_refused_by_the_warehouse(report: &Report) -> bool {
    let mut steps = report.json["steps"].as_array().into_iter().flatten();
    report.ended.code != 0 && steps.any(|step| step["name"] == "load")
}

/// All that a load says to its user.
pub fn said(report: &Report) -> Vec<String> {
    let mut said = strings(report, "notices");
    said.extend(Some(report.error().to_owned()).filter(|error| !error.is_empty()));
    said.iter().map(|text| without_times(text)).collect()
}

fn strings(report: &Report, list: &str) -> Vec<String> {
    let items = report.json[list].as_array().into_iter().flatten();
    items.filter_map(|item| item.as_str()).map(str::to_owned).collect()
}

/// What a table holds, without the columns that change from run to run.
pub fn table(place: &Place, name: &str) -> String {
    let columns = format!(
        "SELECT column_name, data_type, is_nullable FROM svv_columns WHERE table_schema = '{{s}}' \
         AND table_name = '{name}' ORDER BY ordinal_position"
    );
    let columns = place.select(&columns);
    if columns.is_empty() {
        return "no table\n".into();
    }
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut out = String::new();
    for column in &columns {
        let null = if column["is_nullable"] == "NO" { " not null" } else { "" };
        writeln!(
            out,
            "column {} {}{null}",
            text(&column["column_name"]),
            text(&column["data_type"])
        )
        .expect("writes");
    }
    let names =
        columns.iter().map(|column| text(&column["column_name"])).filter(|name| name != "run_date");
    let names: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
    let rows = format!("SELECT {0} FROM {{s}}.{name} ORDER BY {0}", names.join(", "));
    for row in place.select(&rows) {
        writeln!(out, "row {row}").expect("a string takes everything");
    }
    out
}
