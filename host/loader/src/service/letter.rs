//! A message of the queue that was opened: which files it tells of, and what became of them so far.

use std::time::Instant;

use jiff::Timestamp;
use loader_aws::sqs::Message;
use loader_model::error::Kind;
use loader_model::names::S3Uri;

use crate::backlog::pending::is_file;
use crate::feeds::{Feeds, Owner};
use crate::layout::IN;
use crate::service::events::{Told, told};
use crate::service::verdict::Verdict;

/// A message with the files that are still to be judged.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) message: Message,
    pub(super) received_at: Instant,
    files: Vec<Named>,
    pub(super) judged: Judged,
}

/// A file that a message tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    table: String,
    /// Behind `data/in/`.
    name: String,
    written_at: Option<Timestamp>,
}

/// What was judged, with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    pub(super) reason: Option<Reason>,
}

/// Why a file was not loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reason {
    pub(super) error: String,
    pub(super) table: String,
    pub(super) run_id: String,
    pub(super) exit_code: Option<u8>,
}

impl Reason {
    /// A file was refused for what is in it, and lies at this address now.
    pub(super) fn put_aside(table: &str, uri: &S3Uri) -> Reason {
        Reason {
            error: format!("the file was refused for what is in it, and is {uri} now"),
            table: table.to_owned(),
            run_id: String::new(),
            exit_code: Some(Kind::Data.exit_code()),
        }
    }
}

impl Judged {
    /// Nothing is in the way of forgetting the message.
    pub(super) fn fine() -> Judged {
        Judged { verdict: Verdict::Acknowledge, reason: None }
    }

    fn dead(error: String) -> Judged {
        let reason = Reason { error, ..Reason::default() };
        Judged { verdict: Verdict::DeadLetter, reason: Some(reason) }
    }
}

impl Letter {
    /// Opens a message. `bucket`: the one whose files are loaded.
    pub(super) fn open(message: Message, bucket: &str, feeds: &Feeds) -> Letter {
        let mut letter = Letter {
            message,
            received_at: Instant::now(),
            files: Vec::new(),
            judged: Judged::fine(),
        };
        let written = match told(&letter.message.body) {
            Told::Written(written) => written,
            Told::Unknown(why) => {
                letter.judged = Judged::dead(why);
                return letter;
            }
        };
        for object in written {
            if object.bucket != bucket {
                let other = format!("it tells of the bucket {}, not of {bucket}", object.bucket);
                letter.judge(Judged::dead(other));
                continue;
            }
            let Some(name) = object.key.strip_prefix(IN).filter(|name| is_file(name)) else {
                continue;
            };
            // Files of nobody and of several tables are reported where the bucket is listed.
            if let Owner::Table(table) = feeds.owner(name) {
                letter.files.push(Named {
                    table: table.to_owned(),
                    name: name.to_owned(),
                    written_at: object.at,
                });
            }
        }
        letter
    }

    /// The table whose files are judged next; none when all are.
    pub(super) fn next_table(&self) -> Option<&str> {
        self.files.first().map(|file| &*file.table)
    }

    /// The table's files, each with when it was written.
    pub(super) fn files_of<'a>(
        &'a self,
        table: &'a str,
    ) -> impl Iterator<Item = (&'a str, Option<Timestamp>)> {
        let of_table = self.files.iter().filter(move |file| file.table == table);
        of_table.map(|file| (&*file.name, file.written_at))
    }

    /// Whether it tells of a file that is still to be judged.
    pub(super) fn tells_of(&self, name: &str) -> bool {
        self.files.iter().any(|file| file.name == name)
    }

    /// Judges a table's files. `how`: what became of a file; `None` keeps it for a later turn.
    pub(super) fn judge_files(&mut self, table: &str, how: impl Fn(&str) -> Option<Judged>) {
        for file in std::mem::take(&mut self.files) {
            let judged = if file.table == table { how(&file.name) } else { None };
            match judged {
                Some(judged) => self.judge(judged),
                None => self.files.push(file),
            }
        }
    }

    /// Its files had no turn in the time that there was.
    pub(super) fn had_no_turn(&mut self) {
        let error = "its files had no turn in the time of an invocation".to_owned();
        let reason = Some(Reason { error, ..Reason::default() });
        self.judge(Judged { verdict: Verdict::Return, reason });
    }

    /// The worst of all counts.
    fn judge(&mut self, judged: Judged) {
        if judged.verdict > self.judged.verdict {
            self.judged = judged;
        }
    }
}
