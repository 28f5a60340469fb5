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
    /// Whether only files that had failed before were to be loaded.
    pub(crate) of_held: bool,
    /// The exit code of the signal that stopped the command, if one did.
    pub(crate) stopped: Option<u8>,
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
    /// Not tried: this file of the table must go first, or the command was stopped.
    Waits { behind: Option<String> },
    /// Not loaded: it was there when files were listed, and is no more.
    Gone,
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
pub(crate) const GONE: &str = "gone";
pub(crate) const PREVIEWED: &str = "previewed";

/// The outcome of a run in a word.
pub(crate) fn word_of(status: Status) -> &'static str {
    match status {
        Status::Success => LOADED,
        Status::AlreadyLoaded => ALREADY_LOADED,
        Status::Failed => FAILED,
    }
}

impl FileOutcome {
    /// The outcome in a word.
    pub(crate) fn word(&self) -> &'static str {
        match &self.end {
            End::Ran(report) => word_of(report.status),
            End::Previewed(preview) if preview.exit_code == 0 => PREVIEWED,
            End::Previewed(_) | End::Refused(_) | End::Claimed(_) => FAILED,
            End::Held(_) => HELD,
            End::Waits { .. } => WAITS,
            End::Gone => GONE,
        }
    }

    /// The exit code that the file stands for.
    pub(crate) fn exit_code(&self) -> u8 {
        self.end.exit_code()
    }

    /// What went wrong, if anything did.
    pub(crate) fn error(&self) -> Option<String> {
        match &self.end {
            End::Ran(report) => report.error.clone(),
            End::Previewed(preview) => preview.error.clone(),
            End::Held(held) => Some(held.error.clone()),
            End::Waits { .. } | End::Gone => None,
            End::Refused(error) => Some(error.to_string()),
            End::Claimed(tables) => Some(claimed_by(tables)),
        }
    }

    /// The run, if one has taken it up.
    pub(crate) fn report(&self) -> Option<&Report> {
        match &self.end {
            End::Ran(report) => Some(report),
            End::Previewed(_)
            | End::Held(_)
            | End::Waits { .. }
            | End::Gone
            | End::Refused(_)
            | End::Claimed(_) => None,
        }
    }
}

impl End {
    /// The exit code that the file stands for. A file that waits or is gone has none of its own.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            End::Ran(report) => report.exit_code,
            End::Previewed(preview) => preview.exit_code,
            End::Held(held) => held.exit_code,
            End::Waits { .. } | End::Gone => 0,
            End::Refused(error) => error.kind().exit_code(),
            End::Claimed(_) => Kind::Config.exit_code(),
        }
    }
}

impl Outcomes {
    /// The worst exit code of all files; that of the signal where files wait because of it.
    pub(crate) fn exit_code(&self) -> u8 {
        let stopped = self.stopped.filter(|_| self.count(WAITS) > 0);
        let codes = self.files.iter().map(FileOutcome::exit_code).chain(stopped);
        codes.max_by_key(|code| weight(*code)).unwrap_or(0)
    }

    /// How many files have this outcome.
    pub(crate) fn count(&self, word: &str) -> usize {
        self.files.iter().filter(|file| file.word() == word).count()
    }
}

/// How bad an exit code is: a signal, which ends everything; then what has to be found out by
/// people, those of the program first and those of the files last; then what passes by itself.
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

    #[test]
    fn a_signal_counts_where_files_wait_because_of_it() {
        let file = |end| FileOutcome { name: "x".into(), table: None, end };
        let code = |end| {
            let files = vec![file(end)];
            Outcomes { files, stopped: Some(143), ..Outcomes::default() }.exit_code()
        };
        assert_eq!(code(End::Waits { behind: None }), 143);
        assert_eq!(code(End::Gone), 0);
    }
}
