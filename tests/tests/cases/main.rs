//! Files as people really deliver them, and what becomes of each: `tests/cases/<name>/`. Every
//! folder is a test of its own: `cargo test --test cases gzip` runs those with "gzip" in their name.
//!
//! A case is a folder: the input (none: no such object) or several that come one after the other
//! (`1-….csv`, `2-….csv`), `arguments` and `setup.sql` line by line (`2-….csv.arguments` for that file
//! alone), `loader.toml` with other plugins than the default one, and `expected.txt`. Each file is planned before it is loaded, and
//! the plan must be what the load then does. `BLESS=1` writes the expectations anew; a person reads
//! the difference.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use loader_tests::{Place, Report, plugin, root, run as run_command, without_times};

fn main() -> ExitCode {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(root().join("tests/cases"))
        .expect("the cases")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    cases.sort();
    assert!(cases.len() > 30, "the cases are gone");
    let trials = cases.into_iter().map(|case| Trial::test(name(&case), move || check(&case)));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

/// The case's folder, which names its test, bucket and schema.
fn name(case: &Path) -> String {
    case.file_name().expect("a name").to_string_lossy().into_owned()
}

fn check(case: &Path) -> Result<(), Failed> {
    let found = run(case);
    let path = case.join("expected.txt");
    if std::env::var_os("BLESS").is_some() {
        return Ok(std::fs::write(&path, &found)?);
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    if found == expected { Ok(()) } else { Err(difference(&expected, &found).into()) }
}

/// The lines that only one of them has.
fn difference(expected: &str, found: &str) -> String {
    let only = |sign: &str, one: &str, other: &str| -> String {
        one.lines()
            .filter(|line| !other.lines().any(|o| o == *line))
            .map(|line| format!("{sign} {line}\n"))
            .collect()
    };
    only("-", expected, found) + &only("+", found, expected)
}

fn run(case: &Path) -> String {
    let name = name(case);
    let place = Place::new(&format!("case-{name}"));
    for statement in lines(&case.join("setup.sql")) {
        place.execute(&statement);
    }
    let inputs = inputs(case);
    let mut found = String::new();
    for input in &inputs {
        if inputs.len() > 1 {
            writeln!(found, "\nfile {input}").expect("a string takes everything");
        }
        if case.join(input).exists() {
            place.put(input, std::fs::read(case.join(input)).expect("reads"));
        }
        let arguments = arguments(case, input);
        let planned = load(&place, case, "plan", input, &arguments);
        let report = load(&place, case, "run", input, &arguments);
        found += &outcome(&name, &planned, &report);
        if inputs.len() > 1 {
            found += &table(&place);
        }
    }
    for key in place.keys().iter().filter(|key| !key.starts_with("logs/") && inputs.len() == 1) {
        writeln!(found, "object {key}").expect("a string takes everything");
    }
    if inputs.len() == 1 { found + &table(&place) } else { found.trim_start().to_owned() }
}

/// Through the default plugin, unless the case has settings. Tests run in `tests/`, so their
/// messages have short names.
fn load(place: &Place, case: &Path, verb: &str, input: &str, arguments: &[String]) -> Report {
    let mut command = place.command(verb, input, "t");
    let settings = case.join("loader.toml");
    if settings.exists() {
        // A settings file that names no plugins leaves the load to the program's own.
        command
            .env_remove("LOADER_PLUGINS")
            .arg("--config")
            .arg(settings.strip_prefix(root().join("tests")).expect("it is below"));
    } else {
        command.arg("--plugins").arg(plugin("default"));
    }
    Report::of(run_command(command.args(arguments)))
}

/// The arguments for a file: its own, or those for all files.
fn arguments(case: &Path, input: &str) -> Vec<String> {
    let own = case.join(format!("{input}.arguments"));
    lines(&if own.exists() { own } else { case.join("arguments") })
}

/// The case's files, in the order in which they come.
fn inputs(case: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(case).expect("the case").flatten();
    let mut inputs: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".csv") || name.ends_with(".csv.gz"))
        .collect();
    inputs.sort();
    if inputs.is_empty() { vec!["input.csv".to_owned()] } else { inputs }
}

/// What the plan said and the load did, which must be one.
fn outcome(name: &str, planned: &Report, report: &Report) -> String {
    assert_eq!(
        report.json["exit_code"], report.ended.code,
        "{name}: the report and the process disagree"
    );
    assert_eq!(
        planned.ended.code,
        report.ended.code,
        "{name}: the plan ended otherwise: {}",
        planned.error()
    );
    assert_eq!(
        without_times(planned.error()),
        without_times(report.error()),
        "{name}: the plan saw another error"
    );
    let made = &report.json["schema_changes"];
    if report.ended.code == 0 {
        assert_eq!(planned.json["statements"], *made, "{name}: the plan is not what was done");
    }
    let mut found = format!("exit {}\n", report.ended.code);
    if !report.error().is_empty() {
        writeln!(found, "error {}", without_times(report.error()))
            .expect("a string takes everything");
    }
    let strings = |list: &serde_json::Value| -> Vec<String> {
        list.as_array()
            .into_iter()
            .flatten()
            .filter_map(|item| item.as_str())
            .map(str::to_owned)
            .collect()
    };
    for (word, list) in [("sql", made), ("notice", &report.json["notices"])] {
        for item in strings(list) {
            writeln!(found, "{word} {}", without_times(&item)).expect("a string takes everything");
        }
    }
    for (word, list) in [("left out", "columns_discarded"), ("filled", "columns_filled")] {
        let columns = strings(&report.json[list]).join(", ");
        if !columns.is_empty() {
            writeln!(found, "{word} {columns}").expect("a string takes everything");
        }
    }
    found
}

/// What the target holds, without the columns that change from run to run.
fn table(place: &Place) -> String {
    let columns = "SELECT column_name, data_type, is_nullable FROM svv_columns WHERE table_schema \
                   = '{s}' AND table_name = 't' ORDER BY ordinal_position";
    let columns = place.select(columns);
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
    for row in place.select(&format!("SELECT {0} FROM {{s}}.t ORDER BY {0}", names.join(", "))) {
        writeln!(out, "row {row}").expect("a string takes everything");
    }
    out
}

fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}
