//! Transform: decode, plugins, conform; chunk by chunk, on all workers at once.
//!
//! In: the spooled file and its plan. Out: batches for a sink, and the totals. Batches of different
//! workers come in any order, so a row's place in the file travels with it. Memory grows with the
//! number of workers, not with the file.

mod readable;
mod totals;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use arrow::array::RecordBatch;
use loader_csv::{Broken, Decoded, Decoder, EndsBecause};
use loader_model::error::{Error, Kind, Result};
use loader_model::max_rejects::MaxRejects;
use loader_model::stop::StopFlag;
use loader_sandbox::{ChainPlan, ChainSession, HostValues, Observer, Reject};
use tracing::Span;

use crate::conform::Conformer;
use crate::content::Source;
use crate::failures::{csv_failure, in_words, plugin_failure};
use crate::infer::{Spool, SpooledChunk};
use crate::plan::LoadPlan;
use crate::refusals::HOST;

pub use totals::{MAX_KEPT_REJECTS, Totals};

/// Takes a worker's batches.
pub trait Sink {
    /// Takes the staged columns and, last, the row number.
    fn write(&mut self, batch: &RecordBatch) -> Result<()>;
    /// Completes the output after the last batch.
    fn finish(self) -> Result<()>;
}

/// The input of a transformation.
pub struct Transform<'a> {
    pub spool: &'a Spool,
    pub plan: &'a LoadPlan,
    pub values: Arc<HostValues>,
    pub workers: NonZeroUsize,
    /// Rows that may be rejected before the transformation ends early.
    pub max_rejects: MaxRejects,
    /// Sees the rows that each plugin gets.
    pub observer: Option<Observer>,
    pub stop: &'a StopFlag,
    /// Gets the number of bytes of each chunk that is done, for the progress bar.
    pub advance: &'a (dyn Fn(u64) + Sync),
}

impl Transform<'_> {
    /// The plan's chain, with the observer if there is one.
    fn chain(&self) -> ChainPlan {
        let chain = self.plan.chain.clone();
        match &self.observer {
            Some(observer) => chain.observed_by(Arc::clone(observer)),
            None => chain,
        }
    }
}

/// Transforms the whole file.
///
/// Errors: `Plugin`, `Data`, `Internal`; also those of the sinks and of the stop flag. The first
/// error of a worker stops all workers.
// A file without rows has no chunks and thus no workers. The totals start with a 0 for each column,
// so that they have the right shape then too.
pub fn run<S: Sink>(
    transform: &Transform<'_>,
    new_sink: impl Fn() -> Result<S> + Sync,
) -> Result<Totals> {
    let chain = transform.chain();
    let shared = Shared::default();
    let work = || {
        let ended = new_sink().and_then(|sink| work(transform, &chain, &shared, sink));
        if ended.is_err() {
            shared.failed.store(true, Ordering::Relaxed);
        }
        ended
    };
    let workers = transform.workers.get().min(transform.spool.chunks.len());
    let mut totals = Totals::of_columns(transform.plan.columns.len());
    for ended in on_threads(workers, work) {
        totals.add(ended?);
    }
    totals.rejects.sort_by_key(|reject| reject.row);
    Ok(totals)
}

/// Does the same work on so many threads at once, and waits for all of them.
// The threads are collected before the first is joined. Iterators are lazy: without that `Vec`,
// each thread would be started and joined before the next one starts.
fn on_threads<T: Send>(
    threads: usize,
    work: impl Fn() -> Result<T> + Copy + Send,
) -> Vec<Result<T>> {
    let span = Span::current();
    // What a thread logs belongs to the run that it works for.
    let span = &span;
    let work = move || span.in_scope(work);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let ended = threads.into_iter().map(|thread| {
            let abrupt = |_| Err(Error::new(Kind::Internal, "a worker ended abruptly"));
            thread.join().unwrap_or_else(abrupt)
        });
        ended.collect()
    })
}

/// The state that the workers share.
// `Relaxed` is enough. `fetch_add` gives every chunk to one worker, the flags only make a worker
// stop sooner, and all results pass through the join of the threads.
#[derive(Default)]
struct Shared {
    /// The chunk that is taken next, by its place in the file.
    next_chunk: AtomicUsize,
    rejected: AtomicU64,
    failed: AtomicBool,
}

impl Shared {
    /// Takes the next chunk, which no other worker has taken.
    fn take<'a>(&self, spool: &'a Spool) -> Option<&'a SpooledChunk> {
        spool.chunks.get(self.next_chunk.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether the load is bound to fail, so that the remaining rows do not matter.
    fn is_hopeless(&self, max_rejects: u64) -> bool {
        self.rejected.load(Ordering::Relaxed) > max_rejects || self.failed.load(Ordering::Relaxed)
    }
}

/// One worker's share: chunk after chunk, until there are no more or the load is bound to fail.
// A signal is checked for after every batch, and hopelessness after every chunk. So with
// `--max-rejects 0` a worker may count more rejects than one, all from the same chunk.
fn work<S: Sink>(
    transform: &Transform<'_>,
    chain: &ChainPlan,
    shared: &Shared,
    sink: S,
) -> Result<Totals> {
    let (spool, plan) = (transform.spool, transform.plan);
    let mut worker = Worker {
        spool,
        shared,
        chain: chain.open(Arc::clone(&transform.values)).map_err(plugin_failure)?,
        conformer: Conformer::new(&plan.columns),
        sink,
        totals: Totals::default(),
    };
    let mut decoder =
        Decoder::new(&spool.dialect, &plan.header, &plan.decode_as, Decoder::BATCH_ROWS);
    let mut buffer = Vec::new();
    let most_rejects = transform.max_rejects.of(spool.profile.records);
    while let Some(spooled) = shared.take(spool) {
        let SpooledChunk { chunk, first_record } = spooled;
        spool.read(chunk, &mut buffer)?;
        worker.set_aside(spooled.broken(&buffer, &plan.header));
        for decoded in decoder.decode_chunk(&buffer, chunk, *first_record) {
            transform.stop.check()?;
            worker.batch(decoded.map_err(|error| csv_failure(error, &spool.source))?)?;
        }
        (transform.advance)(chunk.len);
        if shared.is_hopeless(most_rejects) {
            break;
        }
    }
    worker.finish()
}

/// The stations of a worker's batches: plugins, conformer, sink.
struct Worker<'a, S> {
    spool: &'a Spool,
    shared: &'a Shared,
    chain: ChainSession,
    conformer: Conformer,
    sink: S,
    totals: Totals,
}

impl<S: Sink> Worker<'_, S> {
    /// Takes a decoded batch through the plugins into the sink.
    fn batch(&mut self, decoded: Decoded) -> Result<()> {
        self.totals.rows_read += decoded.batch.num_rows() as u64;
        let (Decoded { batch, rows, .. }, mut rejects) = readable::run(decoded, self.spool)?;
        let transformed = self.chain.process(&batch, &rows).map_err(plugin_failure)?;
        let (staged, refused) = self.conformer.conform(&transformed)?;
        rejects.extend(transformed.rejects);
        rejects.extend(refused);
        self.totals.rows_staged += staged.num_rows() as u64;
        self.shared.rejected.fetch_add(rejects.len() as u64, Ordering::Relaxed);
        self.totals.reject(rejects);
        self.sink.write(&staged)
    }

    /// Rejects the records that cannot be read.
    fn set_aside(&mut self, broken: impl Iterator<Item = Broken>) {
        let before = self.totals.rows_rejected;
        self.totals.reject(broken.map(|broken| reject(broken, &self.spool.source)));
        let rejected = self.totals.rows_rejected - before;
        self.totals.rows_read += rejected;
        self.shared.rejected.fetch_add(rejected, Ordering::Relaxed);
    }

    fn finish(mut self) -> Result<Totals> {
        self.totals.plugins = self.chain.finish().map_err(plugin_failure)?;
        self.totals.max_text_bytes = self.conformer.max_text_bytes();
        self.totals.rounded = self.conformer.rounded();
        self.sink.finish().map(|()| self.totals)
    }
}

/// The reject of a record that cannot be read.
fn reject(Broken { line, error, because }: Broken, source: &Source) -> Reject {
    let place = match error.position.line {
        of_mistake if of_mistake == line => String::new(),
        of_mistake => format!("in line {of_mistake}, "),
    };
    let ending = match because {
        EndsBecause::OwnEnd => String::new(),
        because => format!("; the record is taken to end here, as {because}"),
    };
    Reject {
        row: error.position.record,
        plugin: HOST.into(),
        code: error.kind.code().into(),
        message: format!("{place}{}{ending}", in_words(&error.kind, source)).into(),
        column: error.position.column.map(Into::into),
    }
}
