//! What is simulated: the plan of a team, and what each request takes.

use crate::failure::{Failure, failure};

/// What a team plans.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) tables: usize,
    /// Schemas that the tables are divided among, evenly. Each has a ledger of its own.
    pub(super) schemas: usize,
    pub(super) files_a_day: f64,
    /// Bytes of a file.
    pub(super) file_bytes: f64,
    /// Programs that watch the bucket, and tables that each loads at once.
    pub(super) watchers: usize,
    pub(super) parallel: usize,
    /// Days for which the ledger keeps its rows; 0: for ever, which is three years here.
    pub(super) ledger_days: f64,
    /// Seconds of a commit.
    pub(super) commit: f64,
    /// Whether a listing serves several turns.
    pub(super) shares_listings: bool,
}

impl Default for Plan {
    fn default() -> Plan {
        Plan {
            tables: 2000,
            schemas: 1,
            files_a_day: 1e6,
            file_bytes: 200e3,
            watchers: 4,
            parallel: 4,
            ledger_days: 90.0,
            commit: takes::COMMIT,
            shares_listings: true,
        }
    }
}

/// A flag: its name, what it says, and the least and the most that it takes.
struct Flag {
    name: &'static str,
    says: &'static str,
    least: f64,
    most: f64,
}

const fn flag(name: &'static str, says: &'static str, least: f64, most: f64) -> Flag {
    Flag { name, says, least, most }
}

const FLAGS: [Flag; 9] = [
    flag("--tables", "tables [default: 2000]", 1.0, 1e5),
    flag("--schemas", "schemas, each with its own ledger [default: 1]", 1.0, 1e4),
    flag("--files", "files a day [default: 1000000]", 1.0, 5e7),
    flag("--file-bytes", "bytes of a file [default: 200000]", 1.0, 1e11),
    flag("--watchers", "programs that watch the bucket [default: 4]", 1.0, 1e3),
    flag("--parallel", "tables that each of them loads at once [default: 4]", 1.0, 1e3),
    flag(
        "--ledger-days",
        "days that the ledger remembers; 0: three years [default: 90]",
        0.0,
        3650.0,
    ),
    flag("--commit", "seconds of a commit [default: 0.25]", 0.001, 60.0),
    flag(
        "--shares-listings",
        "whether a listing serves several turns, 0 or 1 [default: 1]",
        0.0,
        1.0,
    ),
];

/// What `--help` prints.
pub(super) fn help() -> String {
    let lines = FLAGS.map(|Flag { name, says, .. }| format!("  {name:18} {says}\n"));
    format!(
        "usage: cargo xtask simulate [FLAG NUMBER]…; without flags, all tables\n{}",
        lines.concat()
    )
}

impl Plan {
    /// Takes a setting. Errors: its name is unknown, or its value makes no sense.
    pub(super) fn set(&mut self, name: &str, value: f64) -> Result<(), Failure> {
        let Some(Flag { least, most, .. }) = FLAGS.iter().find(|flag| flag.name == name) else {
            return failure(format!("{name} is no flag\n{}", help()));
        };
        if !(*least..=*most).contains(&value) {
            return failure(format!("{name} takes {least} to {most}, and not {value}"));
        }
        match name {
            "--tables" => self.tables = value as usize,
            "--schemas" => self.schemas = value as usize,
            "--files" => self.files_a_day = value,
            "--file-bytes" => self.file_bytes = value,
            "--watchers" => self.watchers = value as usize,
            "--parallel" => self.parallel = value as usize,
            "--ledger-days" => self.ledger_days = value,
            "--commit" => self.commit = value,
            _ => self.shares_listings = value > 0.0,
        }
        Ok(())
    }

    /// Rows of the ledger of one schema.
    pub(super) fn ledger_rows(&self) -> f64 {
        let days = if self.ledger_days > 0.0 { self.ledger_days } else { 3.0 * 365.0 };
        self.files_a_day * days / self.schemas as f64
    }

    /// Tables that are loaded at once.
    pub(super) fn lanes(&self) -> usize {
        self.watchers * self.parallel
    }
}

/// Times in seconds, rates in a second, money in dollars. Each is an assumption unless it has a
/// source; they are those of a workgroup of 32 RPU in one Region.
pub(super) mod takes {
    /// Files of one load, and of one turn of a table: as the program has them.
    pub(crate) const FILES_OF_A_LOAD: u64 = 1000;
    pub(crate) const FILES_OF_A_TURN: u64 = 20_000;
    pub(crate) const BYTES_OF_A_LOAD: f64 = 256e6;
    /// Requests of a load that are not for each file: as the program reports them.
    pub(crate) const S3_READS_OF_A_LOAD: f64 = 5.0;
    pub(crate) const S3_WRITES_OF_A_LOAD: f64 = 9.0;
    pub(crate) const BATCHES_OF_A_LOAD: f64 = 3.0;
    pub(crate) const RESULTS_OF_A_LOAD: f64 = 4.0;
    /// A page of a listing, of a thousand keys.
    pub(crate) const LISTING: f64 = 0.15;
    /// How many times longer than it took a listing is used.
    pub(crate) const FRESH: f64 = 10.0;
    /// A GET or a COPY of a small object, and how many are sent at once.
    pub(crate) const OBJECT: f64 = 0.06;
    pub(crate) const READ_AT_ONCE: f64 = 8.0;
    pub(crate) const COPIED_AT_ONCE: f64 = 16.0;
    /// Bytes that one table's files are read, typed and staged at.
    pub(crate) const STAGED: f64 = 60e6;
    /// A batch of statements without what Redshift does in it: sent, queued, polled, answered.
    pub(crate) const BATCH: f64 = 0.4;
    pub(crate) const RESULT: f64 = 0.1;
    /// COPY and merge of a load: what the smallest takes, and bytes beyond.
    pub(crate) const MERGE: f64 = 2.0;
    pub(crate) const MERGED: f64 = 40e6;
    /// A commit, of which a cluster makes one after another; that none are made together is assumed,
    /// too. SYS_TRANSACTION_HISTORY has yours, on a provisioned cluster also STL_COMMIT_STATS.
    /// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_STL_COMMIT_STATS.html>
    pub(crate) const COMMIT: f64 = 0.25;
    /// From a load's INSERT into the ledger to its commit. One transaction at a time writes to a
    /// table, so loads of a schema do this one after another.
    /// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_Serializable_isolation_example.html>
    pub(crate) const INSERTS: f64 = 0.1;
    /// Tables whose old loads one statement forgets.
    pub(crate) const FORGOTTEN_AT_ONCE: usize = 250;
    /// Transactions that work at once; more are queued.
    pub(crate) const SLOTS: usize = 40;
    /// Rows of the ledger in which a second finds an id: a column of hashes, which no zone map helps.
    pub(crate) const LEDGER_ROWS: f64 = 400e6;
    pub(crate) const LEDGER_ROW_BYTES: f64 = 150.0;
    /// Quotas of the Data API, of an account and a Region. They are not published any more.
    pub(crate) const BATCHES: f64 = 20.0;
    pub(crate) const RESULTS: f64 = 20.0;
    /// Requests of S3 in a second for a prefix.
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html>
    pub(crate) const S3_WRITES: f64 = 3500.0;
    pub(crate) const S3_READS: f64 = 5500.0;
    /// Messages that a standard queue has in flight at most.
    /// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>
    pub(crate) const IN_FLIGHT: f64 = 120e3;
    /// Prices in us-east-1, of thousand requests. Listings cost what writes do.
    pub(crate) const DOLLARS_OF_WRITES: f64 = 0.005;
    pub(crate) const DOLLARS_OF_READS: f64 = 0.0004;
    pub(crate) const DOLLARS_OF_MESSAGES: f64 = 0.0004;
}
