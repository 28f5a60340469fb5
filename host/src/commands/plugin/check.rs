//! `loader plugin check`: is this file a plugin that a load can use?

use std::fmt::Write as _;

use loader_plugins::{Checkup, Metering};
use serde_json::json;

use super::{Verdict, build, runtime};
use crate::cli::plugin::CheckArgs;
use crate::commands::print;
use crate::error::{Context, Kind, Result};
use crate::settings::ReportFormat;

const NOT_ASKED: &str = "not looked at: only the running plugin tells it (--run)";

pub(super) fn run(args: &CheckArgs) -> Result<Verdict> {
    let path = &build::file(&args.file)?;
    let bytes = std::fs::read(path).context(Kind::Config, format!("{} cannot be read", path.display()))?;
    let mut checkup = runtime(&args.sandbox, Metering::Off)?.check_up(path, bytes);
    if args.run {
        checkup.ask_for_config_schema();
    }
    let file = path.display().to_string();
    print(&match args.report {
        ReportFormat::Human => human(&file, &checkup, args.run),
        ReportFormat::Json => format!("{:#}\n", as_json(&file, &checkup)),
    });
    Ok(if checkup.is_good() { Verdict::Good } else { Verdict::Bad })
}

fn human(file: &str, checkup: &Checkup, ran: bool) -> String {
    let mut out = format!("{file}, sha256 {}\n", checkup.sha256);
    // Writing to a String cannot fail.
    let mut line = |mark: &str, about: &str, found: &dyn std::fmt::Display| {
        let _ = writeln!(out, "  {mark:<6} {about:<14} {found}");
    };
    for finding in &checkup.findings {
        match &finding.found {
            Ok(found) => line("ok", finding.about, found),
            Err(wrong) => line("WRONG", finding.about, wrong),
        }
    }
    if !ran {
        line("-", "config schema", &NOT_ASKED);
    }
    let wrong = checkup.findings.iter().filter(|finding| finding.found.is_err()).count();
    let _ = match wrong {
        0 => writeln!(out, "ok: a plugin for this loader"),
        1 => writeln!(out, "FAILED: 1 thing is wrong"),
        n => writeln!(out, "FAILED: {n} things are wrong"),
    };
    out
}

fn as_json(file: &str, checkup: &Checkup) -> serde_json::Value {
    let checks = checkup.findings.iter().map(|finding| {
        let found = match &finding.found {
            Ok(found) => found.clone(),
            Err(wrong) => wrong.to_string(),
        };
        json!({"about": finding.about, "good": finding.found.is_ok(), "found": found})
    });
    json!({
        "file": file,
        "good": checkup.is_good(),
        "name": checkup.name,
        "version": checkup.version,
        "sha256": checkup.sha256,
        "size_bytes": checkup.size_bytes,
        "imports": checkup.imports,
        "checks": checks.collect::<Vec<_>>(),
    })
}
