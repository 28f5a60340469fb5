//! What the program is doing while a request fails: kinds of commands, each with what is there before.

/// A kind of command. Each of its cases has a table and a bucket of its own; all of a trial share
/// the schema.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) verb: Verb,
    /// A file that was loaded into the table before.
    pub(crate) before: Option<&'static str>,
    /// The files to load: their endings (`a.csv` becomes `t7-a.csv`) and their contents.
    pub(crate) files: &'static [(&'static str, &'static str)],
    pub(crate) arguments: &'static [&'static str],
    /// Whether views hang on the table.
    pub(crate) has_views: bool,
    /// The operations that fail; without any, all do.
    pub(crate) fails: &'static [&'static str],
    /// Of so many requests, one is in the sample of a trial.
    pub(crate) sampled: usize,
    /// The exit code without a fault.
    pub(crate) code: i32,
}

/// The command that is disturbed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Run,
    /// After the files were refused, and put aside.
    Retry,
    /// Until the files are loaded.
    Watch,
    /// The same with a queue, until it is empty.
    WatchQueue,
    Doctor,
}

pub(crate) const FIRST: &str = "id,amount,note\n1,0.5,one\n2,1.5,two\n";
const SECOND: &str = "id,amount,note\n2,2.5,second\n3,3.5,third\n";
const BY_KEY: &[&str] = &["--upsert-keys", "id"];

pub(crate) const ALL: [Scenario; 12] = [
    Scenario {
        name: "merge",
        verb: Verb::Run,
        before: Some(FIRST),
        files: &[("a.csv", SECOND)],
        arguments: BY_KEY,
        has_views: false,
        fails: &[],
        sampled: 8,
        code: 0,
    },
    Scenario {
        name: "append",
        verb: Verb::Run,
        before: Some(FIRST),
        files: &[("a.csv", SECOND)],
        arguments: &["--strategy", "append"],
        has_views: false,
        fails: &[],
        sampled: 8,
        code: 0,
    },
    Scenario {
        name: "replace",
        verb: Verb::Run,
        before: Some(FIRST),
        files: &[("a.csv", SECOND)],
        arguments: &["--strategy", "replace"],
        has_views: false,
        fails: &[],
        sampled: 8,
        code: 0,
    },
    Scenario {
        name: "new-table",
        verb: Verb::Run,
        before: None,
        files: &[("a.csv", FIRST)],
        arguments: &["--strategy", "append"],
        has_views: false,
        fails: &[],
        sampled: 8,
        code: 0,
    },
    Scenario {
        name: "two-transactions",
        verb: Verb::Run,
        before: Some(FIRST),
        files: &[("a.csv", SECOND)],
        arguments: &["--strategy", "append", "--split-load-above", "0"],
        has_views: false,
        fails: &[],
        sampled: 8,
        code: 0,
    },
    Scenario {
        name: "several-files",
        verb: Verb::Run,
        before: Some(FIRST),
        files: &[("a.csv", SECOND), ("b.csv", FIRST), ("c.csv", "id,amount,note\n4,9.5,c\n")],
        arguments: &["--strategy", "append"],
        has_views: false,
        fails: &[],
        sampled: 8,
        code: 0,
    },
    Scenario {
        name: "evolution",
        verb: Verb::Run,
        before: Some("id,amount,note\n1,0.5,one\n"),
        files: &[("a.csv", "id,amount,note,more\n3000000000,0.5,LONG,new\n")],
        arguments: BY_KEY,
        has_views: true,
        fails: &[],
        sampled: 8,
        code: 0,
    },
    Scenario {
        name: "refused",
        verb: Verb::Run,
        before: Some(FIRST),
        files: &[("a.csv", "id,amount,note\n4,none,x\n")],
        arguments: BY_KEY,
        has_views: false,
        fails: &[],
        sampled: 8,
        code: 3,
    },
    Scenario {
        name: "retry",
        verb: Verb::Retry,
        before: Some(FIRST),
        files: &[("a.csv", "id,amount,note\n4,4.5,x,more\n5,5.5,y\n")],
        arguments: &["--strategy", "append", "--max-rejects", "1"],
        has_views: false,
        fails: &[],
        sampled: 8,
        code: 0,
    },
    Scenario {
        name: "watch",
        verb: Verb::Watch,
        before: Some(FIRST),
        files: &[("a.csv", SECOND), ("b.csv", FIRST)],
        arguments: &["--strategy", "append"],
        has_views: false,
        fails: &[],
        sampled: 8,
        code: 0,
    },
    Scenario {
        name: "queue",
        verb: Verb::WatchQueue,
        before: Some(FIRST),
        files: &[("a.csv", SECOND), ("b.csv", FIRST)],
        arguments: &["--strategy", "append"],
        has_views: false,
        fails: &["GetQueueAttributes", "GetQueueUrl", "ReceiveMessage", "DeleteMessageBatch"],
        sampled: 2,
        code: 0,
    },
    Scenario {
        name: "doctor",
        verb: Verb::Doctor,
        before: Some(FIRST),
        files: &[],
        arguments: &[],
        has_views: false,
        fails: &[],
        sampled: 14,
        code: 0,
    },
];
