//! Transform: decode, plugins, conform; chunk by chunk, on all workers at once.
//!
//! Comes in: the spooled file and its plan. Goes out: batches for a sink, in no order across
//! workers (a row's place in the file travels with it), and the totals. Memory is bounded by the
//! workers, not by the file.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use arrow::array::RecordBatch;
use loader_csv::Decoder;
use loader_sandbox::{ChainPlan, HostValues, Observer, PluginCounters, Reject};

use crate::conform::Conform;
use crate::infer::{Spool, SpooledChunk, csv_failure};
use crate::plan::LoadPlan;
use crate::plugin_failure::plugin_failure;
use loader_model::error::{Error, Kind, Result};
use loader_model::stop::StopFlag;

/// Rejects that are kept with all they say; past it they are only counted, and the load is past its
/// limit anyway.
pub const MAX_KEPT_REJECTS: u64 = 100_000;

/// Where a worker's batches go.
pub trait Sink {
    /// Takes the staged columns and, last, the row number.
    fn write(&mut self, batch: &RecordBatch) -> Result<()>;
    /// Completes what was written.
    fn finish(self) -> Result<()>;
}

/// What is transformed, and how.
pub struct Transform<'a> {
    pub spool: &'a Spool,
    pub plan: &'a LoadPlan,
    pub values: Arc<HostValues>,
    pub workers: NonZeroUsize,
    /// Rows that may be rejected before the transformation ends early.
    pub max_rejects: u64,
    /// Sees what each plugin gets.
    pub observer: Option<Observer>,
    pub stop: &'a StopFlag,
    /// Told the bytes of the file that are done with, a chunk at a time.
    pub advance: &'a (dyn Fn(u64) + Sync),
}

/// What became of the rows.
#[derive(Debug, Default)]
pub struct Totals {
    pub rows_read: u64,
    pub rows_staged: u64,
    pub rows_rejected: u64,
    /// By planned column, in bytes.
    pub max_text_bytes: Vec<u32>,
    /// Decimals that the host rounded half up to the scale of their columns; plugins count their
    /// own.
    pub rounded: u64,
    /// In the order of the file.
    pub rejects: Vec<Reject>,
    pub plugins: Vec<PluginCounters>,
}

/// Transforms the whole file. Errors: `Plugin`, `Data`, `Internal`; the first one stops all
/// workers.
pub fn run<S: Sink>(
    transform: &Transform<'_>,
    new_sink: impl Fn() -> Result<S> + Sync,
) -> Result<Totals> {
    let shared = Shared {
        next: AtomicUsize::new(0),
        rejected: AtomicU64::new(0),
        failed: AtomicUsize::new(0),
    };
    let workers = transform.workers.get().min(transform.spool.chunks.len());
    let chain = transform.plan.chain.clone();
    let chain = match &transform.observer {
        Some(observer) => chain.observed_by(Arc::clone(observer)),
        None => chain,
    };
    let ended: Vec<Result<Totals>> = std::thread::scope(|scope| {
        let work = || {
            let ended = new_sink().and_then(|sink| worker(transform, &chain, &shared, sink));
            if ended.is_err() {
                shared.failed.store(1, Ordering::Relaxed);
            }
            ended
        };
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let ended = threads.into_iter().map(|thread| thread.join());
        ended
            .map(|ended| {
                ended.unwrap_or_else(|_| Err(Error::new(Kind::Internal, "a worker ended abruptly")))
            })
            .collect()
    });
    let mut totals =
        Totals { max_text_bytes: vec![0; transform.plan.columns.len()], ..Totals::default() };
    for ended in ended {
        totals.add(ended?);
    }
    totals.rejects.sort_by_key(|reject| reject.row);
    Ok(totals)
}

/// What the workers know of each other.
struct Shared {
    next: AtomicUsize,
    rejected: AtomicU64,
    failed: AtomicUsize,
}

fn worker<S: Sink>(
    transform: &Transform<'_>,
    chain: &ChainPlan,
    shared: &Shared,
    mut sink: S,
) -> Result<Totals> {
    let mut chain = chain.open(Arc::clone(&transform.values)).map_err(plugin_failure)?;
    let mut conform = Conform::new(&transform.plan.columns);
    let spool = transform.spool;
    let mut decoder =
        Decoder::new(&spool.dialect, &spool.header, &transform.plan.decode_as, Decoder::BATCH_ROWS);
    let (mut totals, mut buffer) = (Totals::default(), Vec::new());
    while let Some(SpooledChunk { chunk, first_record }) =
        spool.chunks.get(shared.next.fetch_add(1, Ordering::Relaxed))
    {
        spool.read(chunk, &mut buffer)?;
        for decoded in decoder.decode_chunk(&buffer, chunk, *first_record) {
            transform.stop.check()?;
            let (batch, rows) = decoded.map_err(csv_failure)?;
            let mut transformed = chain.process(&batch, &rows).map_err(plugin_failure)?;
            let (staged, refused) = conform.batch(&transformed)?;
            transformed.rejects.extend(refused);
            totals.rows_read += batch.num_rows() as u64;
            totals.rows_staged += staged.num_rows() as u64;
            totals.reject(transformed.rejects, shared);
            sink.write(&staged)?;
        }
        (transform.advance)(chunk.len);
        let hopeless = shared.rejected.load(Ordering::Relaxed) > transform.max_rejects;
        if hopeless || shared.failed.load(Ordering::Relaxed) > 0 {
            break;
        }
    }
    totals.plugins = chain.finish().map_err(plugin_failure)?;
    totals.max_text_bytes = conform.max_text_bytes;
    totals.rounded = conform.rounded;
    sink.finish().map(|()| totals)
}

impl Totals {
    fn reject(&mut self, rejects: Vec<Reject>, shared: &Shared) {
        self.rows_rejected += rejects.len() as u64;
        shared.rejected.fetch_add(rejects.len() as u64, Ordering::Relaxed);
        let room = MAX_KEPT_REJECTS.saturating_sub(self.rejects.len() as u64);
        self.rejects.extend(rejects.into_iter().take(usize::try_from(room).unwrap_or(usize::MAX)));
    }

    fn add(&mut self, other: Totals) {
        self.rows_read += other.rows_read;
        self.rows_staged += other.rows_staged;
        self.rows_rejected += other.rows_rejected;
        self.rounded += other.rounded;
        for (mine, theirs) in self.max_text_bytes.iter_mut().zip(other.max_text_bytes) {
            *mine = (*mine).max(theirs);
        }
        self.rejects.extend(other.rejects);
        // In the chain's order: a plugin may be in it twice.
        for (place, counters) in other.plugins.into_iter().enumerate() {
            match self.plugins.get_mut(place) {
                Some(mine) => mine.add(counters),
                None => self.plugins.push(counters),
            }
        }
    }
}
