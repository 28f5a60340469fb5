//! Transform: decode, plugins, conform; chunk by chunk, on all workers at once.
//!
//! Comes in: the spooled file and its plan. Goes out: batches for a sink, in no order across
//! workers (a row's place in the file travels with it), and the totals. Memory is bounded by the
//! workers, not by the file.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use arrow::array::RecordBatch;
use loader_csv::Decoder;
use loader_sandbox::{ChainPlan, HostValues, PluginCounters, Reject};

use crate::capture::Capture;
use crate::error::{Error, Kind, Result};
use crate::job::TransformSettings;
use crate::plugins;
use crate::progress::Progress;
use crate::steps::conform::Conform;
use crate::steps::infer::{Spool, SpooledChunk, csv_failure};
use crate::steps::plan::LoadPlan;
use crate::stop::Stop;

/// Rejects that are kept with all they say; past it they are only counted, and the load is past its
/// limit anyway.
pub const MAX_KEPT_REJECTS: u64 = 100_000;

/// Where a worker's batches go.
pub trait Sink {
    /// What is left when all is written.
    type Done: Send;
    /// Takes the staged columns and, last, the row number.
    fn write(&mut self, batch: &RecordBatch) -> Result<()>;
    fn finish(self) -> Result<Self::Done>;
}

/// What is transformed, and how.
pub struct Transform<'a> {
    pub spool: &'a Spool,
    pub plan: &'a LoadPlan,
    pub values: Arc<HostValues>,
    pub settings: &'a TransformSettings,
    pub stop: &'a Stop,
    pub progress: &'a Progress,
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
) -> Result<(Totals, Vec<S::Done>)> {
    let shared = Shared {
        next: AtomicUsize::new(0),
        rejected: AtomicU64::new(0),
        failed: AtomicUsize::new(0),
    };
    let workers = transform.settings.workers.get().min(transform.spool.chunks.len());
    let capture = transform
        .settings
        .capture
        .as_ref()
        .map(|settings| Capture::start(settings, &transform.plan.chain));
    let chain = match &capture {
        Some(capture) => transform.plan.chain.clone().observed_by(capture.observer()),
        None => transform.plan.chain.clone(),
    };
    let ended: Vec<Result<(Totals, S::Done)>> = std::thread::scope(|scope| {
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
    // Also when a plugin failed: its rows are what somebody wants to see then.
    if let Some(capture) = capture {
        capture.write(&transform.values.source_file_name);
    }
    let mut totals =
        Totals { max_text_bytes: vec![0; transform.plan.columns.len()], ..Totals::default() };
    let mut done = Vec::new();
    for ended in ended {
        let (part, sink) = ended?;
        totals.add(part);
        done.push(sink);
    }
    totals.rejects.sort_by_key(|reject| reject.row);
    Ok((totals, done))
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
) -> Result<(Totals, S::Done)> {
    let mut chain = chain.open(Arc::clone(&transform.values)).map_err(plugins::failure)?;
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
            let mut transformed = chain.process(&batch, &rows).map_err(plugins::failure)?;
            let (staged, refused) = conform.batch(&transformed)?;
            transformed.rejects.extend(refused);
            totals.rows_read += batch.num_rows() as u64;
            totals.rows_staged += staged.num_rows() as u64;
            totals.reject(transformed.rejects, shared);
            sink.write(&staged)?;
        }
        transform.progress.advance(chunk.len);
        let hopeless = shared.rejected.load(Ordering::Relaxed) > transform.settings.max_rejects;
        if hopeless || shared.failed.load(Ordering::Relaxed) > 0 {
            break;
        }
    }
    totals.plugins = chain.finish().map_err(plugins::failure)?;
    totals.max_text_bytes = conform.max_text_bytes;
    totals.rounded = conform.rounded;
    sink.finish().map(|done| (totals, done))
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
