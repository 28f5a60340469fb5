//! What a simulated day came to, as numbers.

/// What a day came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Day {
    pub(super) files: u64,
    pub(super) loads: u64,
    pub(super) turns: u64,
    /// Files that were pending at most, and those that wait still when the day ends.
    pub(super) most_pending: u64,
    pub(super) left: u64,
    /// Seconds from the arrival of a file to the commit of its rows, or to the end of the day: of the
    /// middle one, of all but one in a hundred, and of the last.
    pub(super) median: f64,
    pub(super) late: f64,
    pub(super) latest: f64,
    /// How much of what there is was used, in the busiest hour: lanes, the commit queue, the right to
    /// write to the ledger of the busiest schema, batches and results of the Data API, writes and
    /// reads of S3.
    pub(super) lanes: f64,
    pub(super) commits: f64,
    pub(super) ledger: f64,
    pub(super) batches: f64,
    pub(super) results: f64,
    pub(super) s3_writes: f64,
    pub(super) s3_reads: f64,
    /// Requests of the day.
    pub(super) all_writes: f64,
    pub(super) all_reads: f64,
    pub(super) all_listings: f64,
    pub(super) all_messages: f64,
}
