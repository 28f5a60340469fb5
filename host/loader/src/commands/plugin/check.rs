//! `loader plugin check`: is this file a plugin that a load can use?

use std::fmt::Write as _;

use loader_sandbox::{Checkup, Metering};
use serde_json::json;

use super::{Verdict, build, check_pins, runtime, settings};
use crate::cli::plugin::CheckArgs;
use crate::commands::print;
use loader_model::choices::ReportFormat;
use loader_model::error::{Context, Error, Kind};

const NOT_ASKED: &str = "not looked at: only the running plugin tells it (--run)";

pub(super) fn run(args: &CheckArgs) -> Result<Verdict, Error> {
    let path = &build::file(&args.file)?;
    let bytes =
        std::fs::read(path).context(Kind::Config, format!("{} cannot be read", path.display()))?;
    let settings = settings(&args.sandbox)?;
    let pins = check_pins(&settings, path, &bytes);
    let mut checkup = runtime(&settings, Metering::Off)?.check_up(path, bytes);
    if args.run {
        checkup.ask_for_config_schema();
    }
    let mut findings: Vec<(&str, Result<String, String>)> = Vec::new();
    for finding in &checkup.findings {
        findings
            .push((finding.about, finding.found.as_ref().cloned().map_err(ToString::to_string)));
    }
    if settings.pins_of(path).next().is_some() {
        let found = pins.map(|()| "the digest is the one that the settings pin".to_string());
        findings.push(("pin", found.map_err(|error| error.to_string())));
    }
    let file = path.display().to_string();
    print(&match args.report {
        ReportFormat::Human => human(&file, &checkup.sha256, &findings, args.run),
        ReportFormat::Json => format!("{:#}\n", as_json(&file, &checkup, &findings)),
    });
    Ok(if is_good(&findings) { Verdict::Good } else { Verdict::Bad })
}

/// What was looked at, with what was found or what is wrong.
type Findings<'a> = [(&'a str, Result<String, String>)];

fn is_good(findings: &Findings<'_>) -> bool {
    findings.iter().all(|(_, found)| found.is_ok())
}

fn human(file: &str, sha256: &str, findings: &Findings<'_>, ran: bool) -> String {
    let mut out = format!("{file}, sha256 {sha256}\n");
    // Writing to a String cannot fail.
    let mut line = |mark: &str, about: &str, found: &dyn std::fmt::Display| {
        let _ = writeln!(out, "  {mark:<6} {about:<14} {found}");
    };
    for (about, found) in findings {
        match found {
            Ok(found) => line("ok", about, found),
            Err(wrong) => line("WRONG", about, wrong),
        }
    }
    if !ran {
        line("-", "config schema", &NOT_ASKED);
    }
    let wrong = findings.iter().filter(|(_, found)| found.is_err()).count();
    let _ = match wrong {
        0 => writeln!(out, "ok: a plugin for this loader"),
        1 => writeln!(out, "FAILED: 1 thing is wrong"),
        n => writeln!(out, "FAILED: {n} things are wrong"),
    };
    out
}

fn as_json(file: &str, checkup: &Checkup, findings: &Findings<'_>) -> serde_json::Value {
    let checks = findings.iter().map(|(about, found)| {
        let (Ok(text) | Err(text)) = found;
        json!({"about": about, "good": found.is_ok(), "found": text})
    });
    json!({
        "file": file,
        "good": is_good(findings),
        "name": checkup.name,
        "version": checkup.version,
        "sha256": checkup.sha256,
        "size_bytes": checkup.size_bytes,
        "imports": checkup.imports,
        "checks": checks.collect::<Vec<_>>(),
    })
}
