//! The lists of the page.

use std::sync::Arc;

use jiff::Timestamp;
use loader_model::names::utc;

use super::figures::Figures;
use super::files::{FileOfRun, last_loads};
use super::html::escaped;
use crate::backlog::status::NotLoaded;
use crate::past::PastReport;
use crate::report::Status;
use crate::words::grouped;

/// Entries of a list.
const NOT_LOADED: usize = 50;
const FAILURES: usize = 30;
const NOTICES: usize = 50;
const CHANGES: usize = 50;
const FILES: usize = 200;

/// What is not loaded now, and what can be done about it.
pub(super) fn of_not_loaded(files: &[NotLoaded]) -> String {
    let rows = files.iter().take(NOT_LOADED).map(|file| {
        let tone = match file.state {
            "pending" => "good",
            "waits" => "",
            _ => "bad",
        };
        vec![
            (tone, file.state.to_owned()),
            ("", escaped(&file.table)),
            ("wrap", name(&file.name)),
            ("", file.since.map(moment).unwrap_or_default()),
            ("wide", escaped(&file.reason)),
            ("wide", escaped(&file.to_do)),
        ]
    });
    let header = ["state", "table", "file", "since", "reason", "what to do"];
    section("Not loaded now", files.len(), &header, rows.collect())
}

/// The tables, with what was loaded into them.
pub(super) fn of_tables(figures: &Figures) -> String {
    let rows = figures.tables.iter().map(|(name, table)| {
        vec![
            ("", escaped(name)),
            ("n", grouped(table.files)),
            ("n bad", if table.failed == 0 { String::new() } else { grouped(table.failed) }),
            ("n", grouped(table.inserted)),
            ("n", grouped(table.updated)),
            ("n", grouped(table.rejected)),
            ("", table.last_load.map(moment).unwrap_or_default()),
            ("", table.last_failure.map(moment).unwrap_or_default()),
        ]
    });
    let header = [
        "table",
        "files",
        "failed",
        "inserted",
        "updated",
        "rejected",
        "last load",
        "last failure",
    ];
    section("Tables", figures.tables.len(), &header, rows.collect())
}

/// The last failures, each with its reason, and whether the file is loaded by now.
pub(super) fn of_failures(files: &[FileOfRun]) -> String {
    let last = last_loads(files);
    let failed = files.iter().filter(|file| file.report.status == Status::Failed);
    let rows = failed.clone().take(FAILURES).map(|file| {
        let report = &file.report;
        let since = last.get(&*report.source.uri).filter(|at| **at > file.started_at);
        let since = since.map(|at| format!("loaded {}", moment(*at)));
        vec![
            ("", moment(file.started_at)),
            ("", escaped(&report.target)),
            ("wrap", name(file.name())),
            ("n", report.exit_code.to_string()),
            ("wide", escaped(report.error.as_deref().unwrap_or_default())),
            (if since.is_some() { "good" } else { "bad" }, since.unwrap_or("not loaded".into())),
        ]
    });
    let header = ["when", "table", "file", "exit code", "reason", "since then"];
    section("Failures", failed.clone().count(), &header, rows.collect())
}

/// What a person should look at in loads that have succeeded.
pub(super) fn of_notices(runs: &[Arc<PastReport>]) -> String {
    let of_run = |past: &Arc<PastReport>| {
        let report = &past.report;
        let first = report.source.uri.split_once("/data/in/").map_or("", |(_, name)| name);
        let file = match report.files.len() {
            0 | 1 => name(first),
            files => format!("{} and {} more", name(first), files - 1),
        };
        let (at, target) = (moment(past.started_at), escaped(&report.target));
        let row = |notice: String| {
            let (at, target, file) = (at.clone(), target.clone(), file.clone());
            vec![("", at), ("", target), ("wrap", file), ("wide", escaped(&notice))]
        };
        report.remarks().into_iter().map(row).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<Cell>> = runs.iter().flat_map(of_run).collect();
    let all = rows.len();
    let shown = rows.into_iter().take(NOTICES).collect();
    section("Notices", all, &["when", "table", "file", "notice"], shown)
}

/// What was changed about tables.
pub(super) fn of_schema_changes(runs: &[Arc<PastReport>]) -> String {
    let changes =
        runs.iter().flat_map(|past| past.report.changes().map(move |change| (past, change)));
    let rows = changes.clone().take(CHANGES).map(|(past, change)| {
        vec![
            ("", moment(past.started_at)),
            ("", escaped(&past.report.target)),
            ("wide", format!("<code>{}</code>", escaped(change))),
        ]
    });
    let header = ["when", "table", "statement"];
    section("Schema changes", changes.clone().count(), &header, rows.collect())
}

/// The plugins, by version and digest.
pub(super) fn of_plugins(figures: &Figures) -> String {
    let rows = figures.plugins.iter().map(|((name, version, sha256), seen)| {
        vec![
            ("", escaped(name)),
            ("", escaped(version)),
            ("", format!("<code>{}</code>", escaped(sha256.get(..12).unwrap_or(sha256)))),
            ("n", grouped(seen.loads)),
            ("", moment(seen.first)),
            ("", moment(seen.last)),
        ]
    });
    let header = ["plugin", "version", "sha256", "loads", "first", "last"];
    section("Plugins", figures.plugins.len(), &header, rows.collect())
}

/// The last files.
pub(super) fn of_files(files: &[FileOfRun]) -> String {
    let rows = files.iter().take(FILES).map(|file| {
        let report = &file.report;
        let (word, tone) = match report.status {
            Status::Success => ("loaded", "good"),
            Status::AlreadyLoaded => ("loaded before", "calm"),
            Status::Failed => ("failed", "bad"),
        };
        let seconds: f64 = report.steps.iter().map(|step| step.seconds).sum();
        let together = match file.together {
            1 => String::new(),
            n => format!(" <small>of {n} as one</small>"),
        };
        vec![
            ("", moment(file.started_at)),
            ("", escaped(&report.target)),
            ("wrap", name(file.name())),
            (tone, word.to_owned()),
            ("n", grouped(report.rows.read)),
            ("n", grouped(report.rows.inserted)),
            ("n", grouped(report.rows.updated)),
            ("n", grouped(report.rows.rejected)),
            ("n", format!("{seconds:.1}{together}")),
            ("id", format!("<code>{}</code>", escaped(&report.run_id))),
        ]
    });
    let header = [
        "when", "table", "file", "outcome", "read", "inserted", "updated", "rejected", "seconds",
        "run",
    ];
    section("Last files", files.len(), &header, rows.collect())
}

/// A list with its title; nothing where it has no entries. It scrolls sideways where it is wider
/// than the page. `all`: how many entries there are, of which `rows` are the first.
pub(super) fn section(title: &str, all: usize, header: &[&str], rows: Vec<Vec<Cell>>) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let head = |(name, (class, _)): (&&str, &Cell)| {
        let class = if class.starts_with('n') { " class=\"n\"" } else { "" };
        format!("<th{class}>{name}</th>")
    };
    let head: String = header.iter().zip(first).map(head).collect();
    let shown = match rows.len() {
        n if n < all => format!(" <small>the last {} of {}</small>", n, grouped(all as u64)),
        _ => String::new(),
    };
    let rows: String = rows.iter().map(|cells| row(header, cells)).collect();
    format!(
        "<section>\n<h2>{title}{shown}</h2>\n<div class=\"scroll\" tabindex=\"0\"><table>\n<thead>\
         <tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n</section>\n"
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

pub(super) fn moment(at: Timestamp) -> String {
    utc(at, "%Y-%m-%d %H:%M:%S")
}

/// The name of a file, which may break behind its signs.
pub(super) fn name(file: &str) -> String {
    escaped(file).replace('_', "_<wbr>").replace('/', "/<wbr>").replace('.', "<wbr>.")
}
