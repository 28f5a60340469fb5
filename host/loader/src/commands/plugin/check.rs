//! `loader plugin check`: is this file a plugin that a load can use?

use std::fmt::Write as _;

use loader_model::choices::ReportFormat;
use loader_model::error::Error;
use loader_sandbox::Checkup;
use serde_json::json;

use super::given::GivenPlugin;
use super::verdict::Verdict;
use crate::cli::plugin::CheckArgs;
use crate::commands::print;

const NOT_ASKED: &str = "not looked at: only the running plugin tells it (--run)";

pub(super) fn run(args: &CheckArgs) -> Result<Verdict, Error> {
    let given = GivenPlugin::read(&args.file, &args.sandbox)?;
    let mut checkup = given.check_up()?;
    if args.run {
        checkup.ask_for_config_schema();
    }
    let mut findings: Vec<FindingText<'_>> = checkup.findings.iter().map(finding).collect();
    if given.is_pinned() {
        findings.push(("pin", pin(&given)));
    }
    let file = given.path.display().to_string();
    print(&match args.report {
        ReportFormat::Human => human(&file, &checkup.sha256, &findings, args.run),
        ReportFormat::Json => format!("{:#}\n", as_json(&file, &checkup, &findings)),
    });
    Ok(Verdict::of(is_good(&findings)))
}

/// What was looked at, with what was found (`Ok`) or what is wrong (`Err`).
type FindingText<'a> = (&'a str, Result<String, String>);

fn finding(finding: &loader_sandbox::Finding) -> FindingText<'_> {
    (finding.about, finding.found.as_ref().cloned().map_err(ToString::to_string))
}

fn pin(given: &GivenPlugin) -> Result<String, String> {
    let found = given.check_pins().map(|()| "the digest is the one that the settings pin");
    found.map(str::to_owned).map_err(|error| error.to_string())
}

fn is_good(findings: &[FindingText<'_>]) -> bool {
    findings.iter().all(|(_, found)| found.is_ok())
}

fn human(file: &str, sha256: &str, findings: &[FindingText<'_>], ran: bool) -> String {
    let mut out = format!("{file}, sha256 {sha256}\n");
    // Writing to a String cannot fail.
    let mut line = |mark: &str, about: &str, found: &str| {
        let _ = writeln!(out, "  {mark:<6} {about:<14} {found}");
    };
    for (about, found) in findings {
        match found {
            Ok(found) => line("ok", about, found),
            Err(wrong) => line("WRONG", about, wrong),
        }
    }
    if !ran {
        line("-", "config schema", NOT_ASKED);
    }
    out + &conclusion(findings.iter().filter(|(_, found)| found.is_err()).count())
}

fn conclusion(wrong: usize) -> String {
    match wrong {
        0 => "ok: a plugin for this loader\n".to_owned(),
        1 => "FAILED: 1 thing is wrong\n".to_owned(),
        n => format!("FAILED: {n} things are wrong\n"),
    }
}

fn as_json(file: &str, checkup: &Checkup, findings: &[FindingText<'_>]) -> serde_json::Value {
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
