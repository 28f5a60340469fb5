//! The lists of the page.

use jiff::Timestamp;
use loader_model::names::utc;

use super::figures::Figures;
use super::html::escaped;
use crate::past::PastReport;
use crate::report::Status;
use crate::words::grouped;

/// Entries of a list.
const FAILURES: usize = 30;
const CHANGES: usize = 50;
const RUNS: usize = 100;

/// The tables, with what was loaded into them.
pub(super) fn of_tables(figures: &Figures) -> String {
    let rows = figures.tables.iter().map(|(name, table)| {
        vec![
            ("", escaped(name)),
            ("n", grouped(table.runs)),
            ("n bad", if table.failed == 0 { String::new() } else { grouped(table.failed) }),
            ("n", grouped(table.inserted)),
            ("n", grouped(table.updated)),
            ("n", grouped(table.rejected)),
            ("", table.last_load.map(moment).unwrap_or_default()),
            ("", table.last_failure.map(moment).unwrap_or_default()),
        ]
    });
    let header =
        ["table", "runs", "failed", "inserted", "updated", "rejected", "last load", "last failure"];
    section("Tables", &header, rows.collect())
}

/// The last failures, each with its reason.
pub(super) fn of_failures(runs: &[PastReport]) -> String {
    let failed = runs.iter().filter(|past| past.report.status == Status::Failed);
    let rows = failed.take(FAILURES).map(|past| {
        vec![
            ("", moment(past.started_at)),
            ("", escaped(&past.report.target)),
            ("wrap", escaped(file_of(past))),
            ("n", past.report.exit_code.to_string()),
            ("wide", escaped(past.report.error.as_deref().unwrap_or_default())),
        ]
    });
    section("Failures", &["when", "table", "file", "exit code", "reason"], rows.collect())
}

/// What was changed about tables.
pub(super) fn of_schema_changes(runs: &[PastReport]) -> String {
    let changes = runs
        .iter()
        .flat_map(|past| past.report.schema_changes.iter().map(move |change| (past, change)));
    let rows = changes.take(CHANGES).map(|(past, change)| {
        vec![
            ("", moment(past.started_at)),
            ("", escaped(&past.report.target)),
            ("wide", format!("<code>{}</code>", escaped(change))),
        ]
    });
    section("Schema changes", &["when", "table", "statement"], rows.collect())
}

/// The plugins, by version and digest.
pub(super) fn of_plugins(figures: &Figures) -> String {
    let rows = figures.plugins.iter().map(|((name, version, sha256), seen)| {
        vec![
            ("", escaped(name)),
            ("", escaped(version)),
            ("", format!("<code>{}</code>", escaped(sha256.get(..12).unwrap_or(sha256)))),
            ("n", grouped(seen.runs)),
            ("", moment(seen.first)),
            ("", moment(seen.last)),
        ]
    });
    let header = ["plugin", "version", "sha256", "runs", "first", "last"];
    section("Plugins", &header, rows.collect())
}

/// The last runs.
pub(super) fn of_runs(runs: &[PastReport]) -> String {
    let rows = runs.iter().take(RUNS).map(|past| {
        let report = &past.report;
        let (word, tone) = match report.status {
            Status::Success => ("loaded", "good"),
            Status::AlreadyLoaded => ("loaded before", ""),
            Status::Failed => ("failed", "bad"),
        };
        let seconds: f64 = report.steps.iter().map(|step| step.seconds).sum();
        vec![
            ("", moment(past.started_at)),
            ("", escaped(&report.target)),
            ("wrap", escaped(file_of(past))),
            (tone, word.to_owned()),
            ("n", grouped(report.rows.read)),
            ("n", grouped(report.rows.inserted)),
            ("n", grouped(report.rows.updated)),
            ("n", format!("{seconds:.1}")),
            ("", format!("<code>{}</code>", escaped(&report.run_id))),
        ]
    });
    let header =
        ["when", "table", "file", "outcome", "read", "inserted", "updated", "seconds", "run"];
    section("Last runs", &header, rows.collect())
}

/// A list with its title; nothing where it has no entries. It scrolls sideways where it is wider
/// than the page.
fn section(title: &str, header: &[&str], rows: Vec<Vec<Cell>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let rows: String = rows.iter().map(|cells| row(header, cells)).collect();
    let header: String = header.iter().map(|name| format!("<th>{name}</th>")).collect();
    format!(
        "<section>\n<h2>{title}</h2>\n<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>\
         {header}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n</section>\n"
    )
}

/// A cell: its class and its text.
type Cell = (&'static str, String);

/// A row of cells. Each has its name, which a narrow page shows beside it.
fn row(header: &[&str], cells: &[Cell]) -> String {
    let cell = |(name, (class, text)): (&&str, &Cell)| {
        format!("<td class=\"{class}\" data-label=\"{name}\">{text}</td>")
    };
    format!("<tr>{}</tr>\n", header.iter().zip(cells).map(cell).collect::<String>())
}

fn moment(at: Timestamp) -> String {
    utc(at, "%Y-%m-%d %H:%M:%S")
}

/// The file's name behind `data/in/`.
fn file_of(past: &PastReport) -> &str {
    let uri = &past.report.source.uri;
    uri.split_once("/data/in/").map_or(uri.as_str(), |(_, name)| name)
}
