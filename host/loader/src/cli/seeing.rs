//! What can be typed to see what is there and what was: `status`, `history`, `show`, `report`,
//! `ls`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::run_args::RunArgs;

/// Arguments of `status`.
#[derive(Args, Debug)]
pub struct StatusArgs {
    /// Table of the settings file [default: all].
    #[arg(value_name = "TABLE")]
    pub of_table: Option<String>,
    #[command(flatten)]
    pub run: RunArgs,
}

/// Arguments of `history`.
#[derive(Args, Debug)]
pub struct HistoryArgs {
    /// Table of the settings file [default: all of the schema].
    #[arg(value_name = "TABLE")]
    pub of_table: Option<String>,
    /// Runs that are shown, the last ones.
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub last: u32,
    #[command(flatten)]
    pub run: RunArgs,
}

/// Arguments of `show`.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// A run: its id, or its number in job_sts.
    #[arg(value_name = "RUN")]
    pub of_run: String,
    #[command(flatten)]
    pub run: RunArgs,
}

/// Arguments of `report`.
#[derive(Args, Debug)]
pub struct ReportArgs {
    /// Table of the settings file [default: all].
    #[arg(value_name = "TABLE")]
    pub of_table: Option<String>,
    /// File to write.
    #[arg(short, long, value_name = "FILE", default_value = "loader-report.html")]
    pub output: PathBuf,
    /// Days that the page is about, up to now.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=366))]
    pub days: u32,
    #[command(flatten)]
    pub run: RunArgs,
}

/// Arguments of `ls`.
#[derive(Args, Debug)]
pub struct LsArgs {
    /// What is listed.
    #[arg(value_enum, default_value_t = Folder::In)]
    pub folder: Folder,
    #[command(flatten)]
    pub run: RunArgs,
}

/// A folder of the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Folder {
    /// Files to load.
    In,
    /// Files that were loaded.
    Archive,
    /// Files that were refused for what is in them.
    Unprocessed,
    /// Rejected rows.
    Rejected,
    /// What is remembered of files that failed.
    Held,
    /// Staged parts of runs that are at work, or were killed.
    Staging,
    Logs,
}

impl Folder {
    /// The prefix of its keys.
    pub fn prefix(self) -> &'static str {
        match self {
            Folder::In => "data/in/",
            Folder::Archive => "data/archive/",
            Folder::Unprocessed => "data/unprocessed/",
            Folder::Rejected => "data/rejected/",
            Folder::Held => "data/held/",
            Folder::Staging => "data/staging/",
            Folder::Logs => "logs/",
        }
    }
}
