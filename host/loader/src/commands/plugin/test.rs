//! `loader plugin test`: a plugin's golden cases, each with the properties that every plugin must
//! have.

use std::fmt::Write as _;

use loader_harness::{CaseReport, Expected, Harness, LogLine};
use loader_sandbox::Metering;

use super::cases::{self, counted, failure, name};
use super::{Verdict, build, check_pins, runtime, settings};
use crate::cli::plugin::TestArgs;
use crate::commands::print;
use loader_data::failures::plugin_failure;
use loader_model::error::{Context, Kind, Result};

/// Log lines of a failed case that are shown.
const LOG_LINES_SHOWN: usize = 10;

pub(super) fn run(args: &TestArgs) -> Result<Verdict> {
    let path = &build::file(&args.file)?;
    let bytes =
        std::fs::read(path).context(Kind::Config, format!("{} cannot be read", path.display()))?;
    let settings = settings(&args.sandbox)?;
    check_pins(&settings, path, &bytes)?;
    let plugin = runtime(&settings, Metering::Off)?.load(path, bytes).map_err(plugin_failure)?;
    let (dir, folders) = cases::find(path, args.cases.as_ref())?;
    print(&format!(
        "{} {} (sha256 {}), {} of {}\n",
        plugin.name(),
        plugin.version(),
        plugin.sha256().get(..8).unwrap_or_default(),
        counted(folders.len(), "case"),
        dir.display()
    ));
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
    Ok(if failed == 0 { Verdict::Good } else { Verdict::Bad })
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
