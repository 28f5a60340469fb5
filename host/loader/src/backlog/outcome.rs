//! What became of each file.

use std::time::Duration;

use loader_model::error::{Error, Kind};
use loader_model::names::S3Uri;

use crate::backlog::held::Held;
use crate::preview::Preview;
use crate::report::{Report, Status};

/// What became of all files.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    /// In the order of the tables, and of each table's files.
    pub(crate) files: Vec<FileOutcome>,
    /// Files in `data/in/` that no table takes.
    pub(crate) unclaimed: Vec<String>,
    pub(crate) took: Duration,
    pub(crate) bucket: String,
}

/// What became of a file.
#[derive(Debug)]
pub(crate) struct FileOutcome {
    /// Behind `data/in/`.
    pub(crate) name: String,
    /// The table, as the settings file or the command line names it; none where several take it.
    pub(crate) table: Option<String>,
    pub(crate) end: End,
}

/// How it ended for a file.
#[derive(Debug)]
pub(crate) enum End {
    /// A run has taken it up.
    Ran(Box<Report>),
    /// Its load was looked at, and not done.
    Previewed(Box<Preview>),
    /// It failed before, and nothing has changed since then.
    Held(Held),
    /// Not tried: a file of the table before it failed, or the command was stopped.
    Waits,
    /// Not tried: its settings are wrong.
    Refused(Error),
    /// Not tried: these tables take it.
    Claimed(Vec<String>),
}

/// A word for what became of a file, as the report in JSON has it.
pub(crate) const LOADED: &str = "loaded";
pub(crate) const ALREADY_LOADED: &str = "already_loaded";
pub(crate) const FAILED: &str = "failed";
pub(crate) const HELD: &str = "held";
pub(crate) const WAITS: &str = "waits";
pub(crate) const PREVIEWED: &str = "previewed";

impl FileOutcome {
    /// The outcome in a word.
    pub(crate) fn word(&self) -> &'static str {
        match &self.end {
            End::Ran(report) => match report.status {
                Status::Success => LOADED,
                Status::AlreadyLoaded => ALREADY_LOADED,
                Status::Failed => FAILED,
            },
            End::Previewed(preview) if preview.exit_code == 0 => PREVIEWED,
            End::Previewed(_) | End::Refused(_) | End::Claimed(_) => FAILED,
            End::Held(_) => HELD,
            End::Waits => WAITS,
        }
    }

    /// The exit code that the file stands for. A file that waits has none of its own.
    pub(crate) fn exit_code(&self) -> u8 {
        match &self.end {
            End::Ran(report) => report.exit_code,
            End::Previewed(preview) => preview.exit_code,
            End::Held(held) => held.exit_code,
            End::Waits => 0,
            End::Refused(error) => error.kind().exit_code(),
            End::Claimed(_) => Kind::Config.exit_code(),
        }
    }

    /// What went wrong, if anything did.
    pub(crate) fn error(&self) -> Option<String> {
        match &self.end {
            End::Ran(report) => report.error.clone(),
            End::Previewed(preview) => preview.error.clone(),
            End::Held(held) => Some(held.error.clone()),
            End::Waits => None,
            End::Refused(error) => Some(error.to_string()),
            End::Claimed(tables) => Some(claimed_by(tables)),
        }
    }

    /// The run, if one has taken it up.
    pub(crate) fn report(&self) -> Option<&Report> {
        match &self.end {
            End::Ran(report) => Some(report),
            End::Previewed(_) | End::Held(_) | End::Waits | End::Refused(_) | End::Claimed(_) => {
                None
            }
        }
    }
}

impl Outcomes {
    /// The worst exit code of all files.
    pub(crate) fn exit_code(&self) -> u8 {
        let codes = self.files.iter().map(FileOutcome::exit_code);
        codes.max_by_key(|code| weight(*code)).unwrap_or(0)
    }

    /// How many files have this outcome.
    pub(crate) fn count(&self, word: &str) -> usize {
        self.files.iter().filter(|file| file.word() == word).count()
    }
}

/// How bad an exit code is: a signal, which ends everything; then what has to be found out by people,
/// those of the program first and those of the files last; then what passes by itself.
fn weight(code: u8) -> u8 {
    match code {
        0 => 0,
        4 => 1,
        3 => 2,
        5 => 3,
        2 => 4,
        6 => 5,
        1 => 6,
        _ => 7,
    }
}

/// What is wrong with a file that several tables take.
pub(crate) fn claimed_by(tables: &[String]) -> String {
    format!("the patterns of {} take it; change all but one", tables.join(" and of "))
}

/// The address of a file.
pub(crate) fn address(bucket: &str, name: &str) -> S3Uri {
    S3Uri::new(bucket, format!("{}{name}", crate::layout::IN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_exit_code_is_the_one_that_needs_people_most() {
        let codes = [0, 4, 3, 5, 2, 6, 1, 130];
        assert!(codes.windows(2).all(|pair| weight(pair[0]) < weight(pair[1])));
    }
}
