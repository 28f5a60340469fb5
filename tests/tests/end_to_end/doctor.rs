//! `loader doctor`: everything passes on the stand-in, nothing is left behind, and each probe is
//! seen failing with the remedy that it gives.

mod altered;

mod answers;

mod failing;

mod saved;

pub(crate) mod site;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;

use loader_tests::{Place, run, start};

use site::{Findings, doctor, here};

/// Everything that an examination could leave in the bucket, the schema and the temporary folder.
fn traces(place: &Place, temporary: &Path) -> BTreeSet<String> {
    let files = std::fs::read_dir(temporary).expect("the folder");
    let files = files.map(|entry| entry.expect("an entry").path().display().to_string());
    let tables = format!(
        "SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = '{}'",
        place.schema()
    );
    place.keys().into_iter().chain(files).chain(names(place, &tables)).collect()
}

/// What the warehouse has that is named as the examination is. Others run at the same time.
fn named_alike(place: &Place, output: &str) -> Vec<String> {
    let name = output.split_once("loader_doctor_").and_then(|(_, rest)| rest.get(..12));
    let name = format!("loader_doctor_{}", name.expect("its name"));
    let kinds = [
        ("nspname", "pg_namespace"),
        ("datname", "pg_database"),
        ("usename", "pg_user"),
        ("groname", "pg_group"),
        ("role_name", "svv_roles"),
    ];
    let of_kind = |(column, table)| {
        let sql = format!("SELECT {column} AS name FROM {table} WHERE {column} LIKE '{name}%'");
        names(place, &sql)
    };
    kinds.into_iter().flat_map(of_kind).collect()
}

fn names(place: &Place, sql: &str) -> Vec<String> {
    let rows = place.select(sql);
    rows.iter().map(|row| row["name"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn everything_passes_on_the_stand_in_and_nothing_is_left() {
    let place = Place::new("doctor");
    place.put("orders.csv", "id,note\n1,a\n");
    let _ = place.load("orders.csv", "orders", &["--upsert-keys", "id"]).succeeded();
    let temporary = tempfile::tempdir().expect("a folder");
    let before = traces(&place, temporary.path());
    let mut command = doctor(&place, &["--target-table", "orders", "--upsert-keys", "id"]);
    let saved = tempfile::NamedTempFile::new().expect("a file");
    command.arg("--save").arg(saved.path());
    let ended = run(command.args(["--report", "human"]).env("TMPDIR", temporary.path()));
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
    assert_eq!(traces(&place, temporary.path()), before);
    assert_eq!(named_alike(&place, &ended.stdout), Vec::<String>::new());
    assert_eq!(ended.stderr, "");
    assert!(!ended.stdout.contains('\u{1b}'), "colours are for terminals");
    let wide = ended.stdout.lines().find(|line| line.chars().count() > 80);
    assert_eq!(wide, None, "a line is wider than 80 columns");
    for line in [
        "  passed   target: select: the user may",
        "  passed   copy of parquet, snappy: 20 types arrive as they were staged",
        "  passed   copy of csv: 20 types arrive as they were staged",
        "  passed   target: update: the user may",
        "  passed   missing column: a missing column: column \"missing\" does not exist",
        "  told     foreign writer: a key that both write has 2 rows afterwards",
    ] {
        assert!(ended.stdout.lines().any(|printed| printed == line), "{line}\n{}", ended.stdout);
    }
    let saved = std::fs::read_to_string(saved.path()).expect("it was saved");
    names_every_probe(&serde_json::from_str(&saved).expect("JSON"));
}

/// The page lists the probes, and no others.
fn names_every_probe(saved: &serde_json::Value) {
    let page = std::fs::read_to_string(loader_tests::root().join("docs/doctor.md"));
    let page = page.expect("the page");
    let (_, table) = page.split_once("| part | probe | question |").expect("the table");
    let rows = table.lines().take_while(|line| !line.starts_with('#'));
    let cells = rows.filter_map(|row| row.split(" | ").nth(1));
    let listed: BTreeSet<&str> =
        cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    let findings = saved["findings"].as_array().expect("findings").iter();
    let asked = findings.filter(|finding| finding["part"] != "answers");
    let asked: BTreeSet<&str> = asked.filter_map(|finding| finding["probe"].as_str()).collect();
    // The fence is named after the table.
    let asked: BTreeSet<&str> =
        asked.into_iter().filter(|probe| !probe.contains("<fence>")).collect();
    assert_eq!(asked, listed);
}

#[test]
fn ctrl_c_leaves_nothing() {
    let place = Place::new("doctor-stopped");
    let temporary = tempfile::tempdir().expect("a folder");
    let before = traces(&place, temporary.path());
    let mut command = doctor(&place, &["--only", "loads"]);
    let mut child = start(command.args(["--report", "human"]).env("TMPDIR", temporary.path()));
    let mut lines = BufReader::new(child.stdout.take().expect("its output"));
    let mut output = String::new();
    while !output.contains("first load") {
        assert!(lines.read_line(&mut output).expect("a line") > 0, "it ended before");
    }
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).expect("it is there");
    let rest: Vec<String> = lines.lines().map_while(Result::ok).collect();
    assert_eq!(loader_tests::code(child.wait().expect("it ends")), 130);
    assert!(rest.iter().any(|line| line.contains("nothing is left behind")), "{rest:?}");
    assert!(!rest.iter().any(|line| line.contains("evolution under a view")), "{rest:?}");
    assert_eq!(traces(&place, temporary.path()), before);
    assert_eq!(named_alike(&place, &output), Vec::<String>::new());
}

#[test]
fn a_schema_that_is_named_is_worked_in_and_emptied() {
    let place = Place::new("doctor-in-a-schema");
    place.execute("CREATE SCHEMA {s}_empty");
    let schema = format!("{}_empty", place.schema());
    let mut command = doctor(&place, &["--only", "loads,answers", "--scratch-schema", &schema]);
    let findings = Findings::of(run(&mut command));
    insta::assert_snapshot!(findings.failed(), @"");
    let left = format!(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE \
         n.nspname = '{schema}'"
    );
    assert!(place.select(&left).is_empty());
    assert_eq!(
        here(&findings, "schema to work in"),
        format!("{schema} is empty, and is again at the end")
    );
}

#[test]
fn the_json_form_has_exactly_the_promised_keys() {
    let place = Place::new("doctor-json");
    let findings = Findings::of(run(&mut doctor(&place, &["--only", "warehouse"])));
    let keys = |value: &serde_json::Value| {
        value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(keys(&findings.json), "loader warehouse exit_code error seconds findings");
    let finding = &findings.json["findings"][0];
    assert_eq!(keys(finding), "part probe outcome seen expected remedy source seconds");
    let nothing =
        run(std::process::Command::new(loader_tests::program())
            .args(["doctor", "--report", "json"]));
    assert_eq!(nothing.code, 2);
    let nothing: serde_json::Value = serde_json::from_str(&nothing.stdout).expect("JSON");
    insta::assert_snapshot!(nothing["error"], @r#""--src-bucket is missing (or LOADER_SRC_BUCKET, or `src-bucket` in the settings file)""#);
}
