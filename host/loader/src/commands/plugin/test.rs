//! `loader plugin test`: runs a plugin's golden cases, and on each of them checks the properties
//! that every plugin must have.

use std::fmt::Write as _;

use loader_harness::{CaseReport, Expected, Harness, LogLine};
use loader_model::error::Result;
use loader_sandbox::Metering;

use super::cases::{self, counted, failure, name};
use super::given::GivenPlugin;
use super::verdict::Verdict;
use crate::cli::plugin::TestArgs;
use crate::commands::print;

/// How many log lines of a failed case are shown.
const LOG_LINES_SHOWN: usize = 10;

pub(super) fn run(args: &TestArgs) -> Result<Verdict> {
    let given = GivenPlugin::read(&args.file, &args.sandbox)?;
    given.check_pins()?;
    let plugin = given.load(Metering::Off)?;
    let (dir, folders) = cases::find(&given.path, args.cases.as_ref())?;
    print(&cases::headline(&plugin, folders.len(), &dir));
    let expected = if args.update { Expected::Write } else { Expected::Compare };
    let width = folders.iter().map(|folder| name(folder).chars().count()).max().unwrap_or(0);
    let harness = Harness::of(plugin);
    let mut failed = 0;
    for folder in &folders {
        let report = harness.test_case(folder, expected).map_err(failure)?;
        failed += usize::from(!report.failures.is_empty());
        print(&line(&name(folder), width, &report));
    }
    print(&match failed {
        0 => format!("ok: {} passed\n", counted(folders.len(), "case")),
        _ => format!("FAILED: {failed} of {}\n", counted(folders.len(), "case")),
    });
    Ok(Verdict::of(failed == 0))
}

fn line(name: &str, width: usize, report: &CaseReport) -> String {
    let mark = if report.failures.is_empty() { "ok" } else { "FAILED" };
    let mut out = format!(
        "  {mark:<6} {name:<width$}  {}, {} rejected\n",
        counted(report.rows, "row"),
        report.rejected
    );
    let mut below = |text: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "         {text}");
    };
    for written in &report.written {
        below(&format!("written: {}", written.display()));
    }
    for failure in &report.failures {
        below(failure);
    }
    if !report.failures.is_empty() {
        for LogLine { text, .. } in report.log.iter().take(LOG_LINES_SHOWN) {
            below(&format!("the plugin said: {text}"));
        }
    }
    out
}
