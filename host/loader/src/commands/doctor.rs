//! `loader doctor`: what to examine goes in, findings come out as they are made, and an exit code.

use std::path::Path;

use loader_aws::stop::Stop;
use loader_model::choices::ReportFormat;
use loader_model::error::{Context, Kind, Result};

use crate::cli::{DoctorArgs, Part};
use crate::commands::{fail, print};
use crate::doctor::finding::Finding;
use crate::doctor::saved::{self, Masks};
use crate::doctor::{self, Examination, Wishes, paper};
use crate::job;
use crate::job::checkup::Checkup;
use crate::report::indented_json;

/// Examines, and returns 0 when nothing failed, else the exit code of the first failure.
pub async fn run(args: DoctorArgs, stop: Stop) -> u8 {
    let flag = args.run.settings.report;
    let settings = job::settings(args.run);
    let format = settings.as_ref().map_or(flag.unwrap_or_default(), job::report_format);
    let checkup = match settings.and_then(Checkup::decide) {
        Ok(checkup) => checkup,
        Err(error) => return conclude(&Examination::refused(&error), format),
    };
    let masks = Masks::of(&checkup);
    let wishes = Wishes { only: &args.only, scratch_schema: args.scratch_schema.as_deref() };
    let mut page = Page { format, part: None };
    let show = &mut |finding: &Finding| page.show(finding);
    let examination = Box::pin(doctor::examine(checkup, &wishes, stop, show)).await;
    let code = conclude(&examination, format);
    match args.save.map(|file| save(&file, &examination, masks)) {
        Some(Err(error)) => fail(&error),
        Some(Ok(())) | None => code,
    }
}

/// The findings for people, as they come.
struct Page {
    format: ReportFormat,
    /// The part of the last finding.
    part: Option<Part>,
}

impl Page {
    fn show(&mut self, finding: &Finding) {
        if self.format == ReportFormat::Json {
            return;
        }
        if self.part.replace(finding.part) != Some(finding.part) {
            print(&paper::heading(finding.part));
        }
        print(&paper::finding(finding, console::colors_enabled()));
    }
}

fn conclude(examination: &Examination, format: ReportFormat) -> u8 {
    print(&match format {
        ReportFormat::Json => indented_json(examination),
        ReportFormat::Human => paper::summary(examination),
    });
    examination.exit_code
}

fn save(file: &Path, examination: &Examination, mut masks: Masks) -> Result<()> {
    examination.user.iter().for_each(|user| masks.add(user, "<user>"));
    let text = saved::render(examination, &masks);
    std::fs::write(file, text)
        .context(Kind::Config, format!("{} cannot be written", file.display()))
}
