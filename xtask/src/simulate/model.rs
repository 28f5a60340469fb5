//! What is simulated: the plan of a team, and what each request takes.

use crate::failure::{Failure, failure};

/// What a team plans.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) tables: usize,
    pub(super) files_a_day: f64,
    /// Bytes of a file.
    pub(super) file_bytes: f64,
    /// Programs that watch the bucket, and tables that each loads at once.
    pub(super) watchers: usize,
    pub(super) parallel: usize,
    /// Days for which the ledger keeps its rows; 0: for ever.
    pub(super) ledger_days: f64,
    /// Whether a listing serves several turns.
    pub(super) shares_listings: bool,
}

impl Default for Plan {
    fn default() -> Plan {
        Plan {
            tables: 2000,
            files_a_day: 1e6,
            file_bytes: 200e3,
            watchers: 4,
            parallel: 4,
            ledger_days: 0.0,
            shares_listings: true,
        }
    }
}

impl Plan {
    /// Takes a setting. Errors: its name is unknown.
    pub(super) fn set(&mut self, name: &str, value: f64) -> Result<(), Failure> {
        match name {
            "--tables" => self.tables = value.max(1.0) as usize,
            "--files" => self.files_a_day = value,
            "--file-bytes" => self.file_bytes = value,
            "--watchers" => self.watchers = value.max(1.0) as usize,
            "--parallel" => self.parallel = value.max(1.0) as usize,
            "--ledger-days" => self.ledger_days = value,
            "--shares-listings" => self.shares_listings = value > 0.0,
            _ => {
                return failure(format!(
                    "{name} is none of --tables, --files, --file-bytes, --watchers, --parallel, \
                     --ledger-days, --shares-listings"
                ));
            }
        }
        Ok(())
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
    pub(crate) const S3_READS_OF_A_LOAD: f64 = 7.0;
    pub(crate) const S3_WRITES_OF_A_LOAD: f64 = 9.0;
    pub(crate) const BATCHES_OF_A_LOAD: f64 = 3.0;
    pub(crate) const RESULTS_OF_A_LOAD: f64 = 5.0;
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
    /// A commit. A cluster has one queue for all of them.
    /// Source: <https://docs.aws.amazon.com/redshift/latest/dg/c_best-practices-single-copy-command.html>
    /// says why few are better; the time is an assumption.
    pub(crate) const COMMIT: f64 = 0.25;
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
    /// Prices in us-east-1, of thousand requests.
    pub(crate) const DOLLARS_OF_WRITES: f64 = 0.005;
    pub(crate) const DOLLARS_OF_READS: f64 = 0.0004;
    pub(crate) const DOLLARS_OF_MESSAGES: f64 = 0.0004;
}
