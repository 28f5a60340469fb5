//! `loader init`: a settings file made from what lies in a bucket or a folder.
//!
//! In: names of files, and samples of some. Out: a table for each feed, with the patterns of its
//! files, what was found out about how they are written, and a guess of its keys. It loads nothing.

mod group;
mod samples;
mod written;

use std::path::Path;

use loader_aws::stop::Stop;
use loader_model::error::{Context, Error, Kind, Result};

use crate::cli::InitArgs;
use crate::commands::{conclude, print};
use crate::job::{FILE, Project};
use crate::words::count;

/// The settings go to stdout.
const STDOUT: &str = "-";

/// Writes the settings file and says what to do next. Errors: `Config` when the file is there
/// already, or when there are no files to look at.
pub async fn run(args: InitArgs, stop: Stop) -> u8 {
    conclude(init(args, &stop).await)
}

async fn init(args: InitArgs, stop: &Stop) -> Result<()> {
    let InitArgs { folder, output, run } = args;
    let output = output.unwrap_or_else(|| FILE.into());
    let is_printed = output == Path::new(STDOUT);
    if !is_printed && output.exists() {
        let fact = format!(
            "{} is there already; `loader init -o -` prints what it would write",
            output.display()
        );
        return Err(Error::new(Kind::Config, fact));
    }
    let project = Project::read(run)?;
    let mut settings = project.settings()?;
    // Paths of the file are seen from its folder, those of flags from the working folder.
    if output.parent().is_some_and(|folder| folder != Path::new("")) {
        settings.local = settings.local.and_then(|local| std::path::absolute(local).ok());
    }
    let source = samples::Source::of(folder, &project, stop).await?;
    let names = source.names().await?;
    if names.is_empty() {
        let fact = format!("there are no files in {}; put some there first", source.shown());
        return Err(Error::new(Kind::Config, fact));
    }
    let mut feeds = Vec::new();
    for group in group::groups(&names) {
        feeds.push(samples::look(&source, group).await?);
    }
    let text = written::settings_file(&settings, &source.shown(), names.len(), &feeds);
    if is_printed {
        print(&text);
        return Ok(());
    }
    std::fs::write(&output, text)
        .context(Kind::Config, format!("{} cannot be written", output.display()))?;
    print(&format!(
        "{} has {}, found out of {} in {}.\n\
         Read it through; then `loader config check` names mistakes, `loader run --dry-run` says \
         what would be loaded, `loader run` loads it.\n",
        output.display(),
        count(feeds.len(), "table"),
        count(names.len(), "file"),
        source.shown(),
    ));
    Ok(())
}
