//! The report of many files: for people in 80 columns, the outcome first; for programs as JSON,
//! whose keys do not change.

use std::collections::{BTreeMap, BTreeSet};

use loader_model::choices::ReportFormat;
use serde_json::{Value, json};

use crate::backlog::held::Held;
use crate::backlog::outcome::{
    ALREADY_LOADED, End, FAILED, FileOutcome, GONE, HELD, LOADED, Outcomes, PREVIEWED, WAITS,
    address,
};
use crate::commands::plan;
use crate::report::paint::{Tone, paint};
use crate::report::{Report, RowCounts, indented_json};
use crate::words::{count, grouped, shortened, wrapped};

/// Columns of a terminal.
const WIDTH: usize = 80;
/// The longest name of a file that is shown whole.
const NAME: usize = 36;

/// The text for stdout, with its last line end.
pub(crate) fn text(outcomes: &Outcomes, format: ReportFormat) -> String {
    match format {
        ReportFormat::Json => indented_json(&as_json(outcomes)),
        ReportFormat::Human => human(outcomes),
    }
}

fn as_json(outcomes: &Outcomes) -> Value {
    let bucket = &outcomes.bucket;
    let counts: BTreeMap<&str, usize> =
        [LOADED, ALREADY_LOADED, PREVIEWED, FAILED, HELD, WAITS, GONE]
            .into_iter()
            .map(|word| (word, outcomes.count(word)))
            .collect();
    let file = |file: &FileOutcome| {
        let report = file.report();
        json!({
            "uri": address(bucket, &file.name).to_string(),
            "table": file.table,
            "outcome": file.word(),
            "exit_code": file.exit_code(),
            "error": file.error(),
            "run_id": report.map(|report| &report.run_id),
            "rows": report.map(|report| report.rows),
        })
    };
    let runs: Vec<Value> = outcomes.files.iter().filter_map(run).collect();
    let unclaimed = outcomes.unclaimed.iter().map(|name| address(bucket, name).to_string());
    json!({
        "exit_code": outcomes.exit_code(),
        "files": outcomes.files.iter().map(file).collect::<Vec<_>>(),
        "counts": counts,
        "unclaimed": unclaimed.collect::<Vec<_>>(),
        "seconds": outcomes.took.as_secs_f64(),
        "runs": runs,
    })
}

/// The report of a file's run, or what its load would do.
fn run(file: &FileOutcome) -> Option<Value> {
    match &file.end {
        End::Ran(report) => serde_json::to_value(report).ok(),
        End::Previewed(preview) => serde_json::to_value(preview).ok(),
        End::Held(_) | End::Waits { .. } | End::Gone | End::Refused(_) | End::Claimed(_) => None,
    }
}

fn human(outcomes: &Outcomes) -> String {
    let mut out = String::new();
    for file in &outcomes.files {
        if let End::Previewed(preview) = &file.end {
            out.push_str(&format!("{}\n", plan::human(preview)));
        }
    }
    let seconds = outcomes.took.as_secs_f64();
    let headline = match outcomes.files.is_empty() {
        true => headline(outcomes),
        false => format!("{}, in {seconds:.1} s", headline(outcomes)),
    };
    let lines = wrapped(&headline, WIDTH);
    lines.iter().for_each(|line| out.push_str(&format!("{}\n", paint(line, Tone::Strong))));
    for table in tables(outcomes) {
        out.push_str(&format!("\n{}\n", table.unwrap_or("several tables")));
        let of_table = outcomes.files.iter().filter(|file| file.table.as_deref() == table);
        out.push_str(&of_one_table(of_table));
    }
    if !outcomes.unclaimed.is_empty() {
        let names: Vec<String> =
            outcomes.unclaimed.iter().map(|name| shortened(name, NAME)).collect();
        let lines = wrapped(&names.join(", "), WIDTH - 2);
        let lines: String = lines.iter().map(|line| format!("  {line}\n")).collect();
        out.push_str(&format!("\nno table takes\n{lines}"));
    }
    out
}

/// The tables in the order of their files; `None` for files that several take.
fn tables(outcomes: &Outcomes) -> Vec<Option<&str>> {
    let mut tables: Vec<Option<&str>> = Vec::new();
    for file in &outcomes.files {
        if !tables.contains(&file.table.as_deref()) {
            tables.push(file.table.as_deref());
        }
    }
    tables
}

/// What became of the files, in one sentence.
fn headline(outcomes: &Outcomes) -> String {
    if outcomes.files.is_empty() {
        return match outcomes.of_held {
            true => "no file is held; `loader status` has what is pending and what was put aside",
            false => "nothing is pending",
        }
        .to_owned();
    }
    let files = count(outcomes.files.len(), "file");
    let loaded = match outcomes.count(PREVIEWED) {
        0 => format!("{} of {files} loaded{}", outcomes.count(LOADED), into_tables(outcomes)),
        would => format!("{would} of {files} would be loaded"),
    };
    let others = [
        (ALREADY_LOADED, "loaded before"),
        (FAILED, "failed"),
        (HELD, "failed before and not tried"),
        (WAITS, "not tried"),
        (GONE, "gone since it was listed"),
    ];
    let others = others.into_iter().filter_map(|(word, said)| match outcomes.count(word) {
        0 => None,
        n => Some(format!(", {n} {said}")),
    });
    others.fold(loaded, |sentence, other| sentence + &other)
}

fn into_tables(outcomes: &Outcomes) -> String {
    let loaded = outcomes.files.iter().filter(|file| file.word() == LOADED);
    let tables: BTreeSet<&str> = loaded.filter_map(|file| file.table.as_deref()).collect();
    match tables.len() {
        0 => String::new(),
        n => format!(" into {}", count(n, "table")),
    }
}

/// The lines of a table's files.
fn of_one_table<'a>(files: impl Iterator<Item = &'a FileOutcome> + Clone) -> String {
    let widest = files.clone().map(|file| shortened(&file.name, NAME).chars().count()).max();
    let width = widest.unwrap_or(0);
    let mut told: BTreeSet<&str> = BTreeSet::new();
    let mut lines = String::new();
    for file in files {
        lines.push_str(&line(file, width));
        // Files that were loaded as one have one account of their load.
        if let Some(report) = file.report()
            && told.insert(&report.run_id)
        {
            lines.push_str(&to_look_at(report));
        }
    }
    lines
}

/// What a person should look at in a load that may well have succeeded: a value that was changed, a
/// table that is no longer what it was.
fn to_look_at(report: &Report) -> String {
    let changes = report.changes().map(|change| beginning(change));
    let all = changes.chain(report.remarks());
    let wrapped = all.map(|text| wrapped(&text, WIDTH - REASON - 2).join("\n            "));
    wrapped.map(|text| format!("{:REASON$}{} {text}\n", "", paint("!", Tone::Waiting))).collect()
}

/// The beginning of a statement, on one line. All columns of a new table are in the report.
fn beginning(sql: &str) -> String {
    if sql.starts_with("CREATE TABLE") {
        return "the table is new".to_owned();
    }
    let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match sql.char_indices().nth(CHANGE) {
        Some((end, _)) => format!("{}…", &sql[..end]),
        None => sql,
    }
}

/// The line of a file: what became of it, its name, its rows. Where something went wrong, the
/// reason stands below it.
fn line(file: &FileOutcome, width: usize) -> String {
    let name = shortened(&file.name, NAME);
    let (word, tone, said) = match &file.end {
        End::Ran(report) if report.exit_code == 0 => match file.word() {
            ALREADY_LOADED => ("before", Tone::Good, "was loaded before".to_owned()),
            _ => ("loaded", Tone::Good, rows(&report.rows)),
        },
        End::Previewed(preview) if preview.exit_code == 0 => ("would", Tone::Good, String::new()),
        End::Waits { behind } => {
            let behind = behind.as_ref().map(|name| format!("behind {}", shortened(name, NAME)));
            ("waits", Tone::Waiting, behind.unwrap_or_default())
        }
        End::Gone => ("gone", Tone::Waiting, "since it was listed".to_owned()),
        End::Held(held) => {
            let when = held.failed_at.replace('T', " ");
            let said =
                format!("since {} (exit code {})", when.trim_end_matches('Z'), held.exit_code);
            ("held", Tone::Waiting, said)
        }
        End::Ran(_) | End::Previewed(_) | End::Refused(_) | End::Claimed(_) => {
            ("failed", Tone::Bad, format!("exit code {}", file.exit_code()))
        }
    };
    let fits = REASON + width + 2 + said.chars().count() <= WIDTH;
    let between = if fits { "  ".to_owned() } else { format!("\n{:REASON$}", "") };
    let width = if fits { width } else { 0 };
    let line = format!("  {}  {name:width$}{between}{said}", paint(&format!("{word:<6}"), tone));
    format!("{}\n{}", line.trim_end(), reason(file))
}

/// What went wrong, and what can be done, in lines of their own.
fn reason(file: &FileOutcome) -> String {
    let Some(error) = file.error() else { return String::new() };
    let advice = match &file.end {
        End::Held(_) => format!("; {}", Held::advice(&file.name)),
        _ => String::new(),
    };
    let lines = wrapped(&format!("{error}{advice}"), WIDTH - REASON);
    lines.iter().map(|line| format!("{:REASON$}{line}\n", "")).collect()
}

/// Columns before a reason.
const REASON: usize = 10;
/// The most that is shown of a statement.
const CHANGE: usize = 140;

fn rows(rows: &RowCounts) -> String {
    let RowCounts { read, inserted, updated, rejected, duplicates, .. } = *rows;
    let parts = [
        (inserted, "inserted"),
        (updated, "updated"),
        (duplicates, "of a key already in the file"),
        (rejected, "rejected"),
    ];
    let parts =
        parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", grouped(n)));
    let parts: Vec<String> = parts.collect();
    let what = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    format!("{}{what}", count(usize::try_from(read).unwrap_or(usize::MAX), "row"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use loader_model::error::{Error, Kind};

    use super::*;
    use crate::report::{Status, StepTime};

    fn ran(name: &str, outcome: Result<Status, Error>, rows: RowCounts) -> FileOutcome {
        let mut report = Report { run_id: "01a2".into(), rows, ..Report::default() };
        report.steps = vec![StepTime { name: "load".into(), seconds: 0.41 }];
        report.conclude(outcome.as_ref().copied());
        let table = Some("orders".to_owned());
        FileOutcome { name: name.to_owned(), table, end: End::Ran(Box::new(report)) }
    }

    fn altered(mut file: FileOutcome) -> FileOutcome {
        if let End::Ran(report) = &mut file.end {
            report.values_rounded = 1200;
            report.columns_discarded = vec!["note".into()];
            report.schema_changes = vec!["ALTER TABLE \"o\"\n  ADD COLUMN \"c\" DATE".into()];
            report.notices = vec!["all of the file is UTF-8, and was read as windows-1252".into()];
        }
        file
    }

    fn outcomes() -> Outcomes {
        let rows = |read, inserted, updated, rejected| RowCounts {
            read,
            staged: read - rejected,
            inserted,
            updated,
            rejected,
            duplicates: 0,
        };
        let long = "a_name_that_is_longer_than_its_column_is_wide.csv";
        let refused = "line 7, column `amount`: `12,5` is no number, which the column DECIMAL(18,2) \
                       takes (uri s3://b/data/in/orders_3.csv)";
        let claimed = vec!["orders".to_owned(), "lines".to_owned()];
        Outcomes {
            files: vec![
                altered(ran("orders_1.csv", Ok(Status::Success), rows(120, 110, 8, 2))),
                ran(long, Ok(Status::AlreadyLoaded), RowCounts::default()),
                ran("orders_3.csv", Err(Error::new(Kind::Data, refused)), rows(9, 0, 0, 0)),
                FileOutcome {
                    name: "orders_4.csv".into(),
                    table: Some("orders".into()),
                    end: End::Waits { behind: Some("orders_3.csv".into()) },
                },
                FileOutcome { name: "x.csv".into(), table: None, end: End::Claimed(claimed) },
            ],
            unclaimed: vec!["notes.txt".into()],
            of_held: false,
            stopped: None,
            took: Duration::from_millis(3210),
            bucket: "b".into(),
        }
    }

    #[test]
    fn the_outcome_comes_first_and_lines_fit_a_terminal() {
        let text = text(&outcomes(), ReportFormat::Human);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        insta::assert_snapshot!(text, @r##"
    1 of 5 files loaded into 1 table, 1 loaded before, 2 failed, 1 not tried, in 3.2
    s
    
    orders
      loaded  orders_1.csv
              120 rows: 110 inserted, 8 updated, 2 rejected
              ! ALTER TABLE "o" ADD COLUMN "c" DATE
              ! left out: note
              ! 1,200 values rounded to the digits of the columns
              ! all of the file is UTF-8, and was read as windows-1252
      before  a_name_that_is_lon…olumn_is_wide.csv  was loaded before
      failed  orders_3.csv                          exit code 3
              line 7, column `amount`: `12,5` is no number, which the column
              DECIMAL(18,2) takes (uri s3://b/data/in/orders_3.csv)
      waits   orders_4.csv                          behind orders_3.csv
    
    several tables
      failed  x.csv  exit code 2
              the patterns of orders and of lines take it; change all but one
    
    no table takes
      notes.txt
    "##);
        let nothing = super::text(&Outcomes::default(), ReportFormat::Human);
        insta::assert_snapshot!(nothing, @"nothing is pending");
    }

    #[test]
    fn the_json_has_exactly_the_promised_keys() {
        let text = text(&outcomes(), ReportFormat::Json);
        let value: Value = serde_json::from_str(&text).expect("is JSON");
        let keys = |value: &Value| {
            let keys = value.as_object().expect("an object").keys();
            keys.map(String::as_str).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(keys(&value), "exit_code files counts unclaimed seconds runs");
        let file = &value["files"][2];
        assert_eq!(keys(file), "uri table outcome exit_code error run_id rows");
        assert_eq!((&value["exit_code"], &file["exit_code"]), (&json!(2), &json!(3)));
        let counts = "already_loaded failed gone held loaded previewed waits";
        assert_eq!(keys(&value["counts"]), counts);
        assert_eq!(value["counts"]["failed"], 2);
    }
}
