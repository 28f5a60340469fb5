//! Transform: decode, plugins, conform; chunk by chunk, on all workers at once.
//!
//! In: the spooled files of a load and their plan. Out: batches for a sink, and the totals of each
//! file. Batches of different workers come in any order, so a row's place travels with it: the
//! place of its file among the files, and its own in the file. Memory grows with the number of
//! workers, not with the files.

mod readable;
mod totals;

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use arrow::array::RecordBatch;
use loader_csv::{Broken, Decoded, Decoder, EndsBecause};
use loader_model::error::{Error, Kind, Result};
use loader_model::max_rejects::MaxRejects;
use loader_model::stop::StopFlag;
use loader_model::target_column::ROWS_OF_A_FILE;
use loader_sandbox::{ChainPlan, ChainSession, HostValues, Observer, Reject};
use tracing::Span;

use crate::conform::Conformer;
use crate::content::Source;
use crate::failures::{csv_failure, in_words, plugin_failure};
use crate::infer::{Spool, SpooledChunk};
use crate::plan::RowPlan;
use crate::refusals::HOST;

pub use totals::{MAX_KEPT_REJECTS, Totals};

/// As many rejects are counted in any case.
const COUNTED_REJECTS: u64 = 1000;

/// Takes a worker's batches.
pub trait Sink {
    /// The bytes of the files in a run: what a worker takes at once, and hands over in the order of
    /// the files. With 0 every chunk is a run.
    const RUN_BYTES: u64 = 0;

    /// Takes the staged columns and, last, the row number.
    fn write(&mut self, batch: &RecordBatch) -> Result<()>;

    /// Is told that the batches of this run are complete. The runs of all workers count from 0, in
    /// the order of the files.
    fn end_run(&mut self, _run: usize) -> Result<()> {
        Ok(())
    }

    /// Completes the output after the last batch.
    fn finish(self) -> Result<()>;
}

/// A file of a transformation.
pub struct FileRows<'a> {
    pub spool: &'a Spool,
    /// What plugins are told of the file.
    pub values: Arc<HostValues>,
}

/// The input of a transformation.
pub struct Transform<'a> {
    /// The files, in the order in which they came. They are of one shape.
    pub files: &'a [FileRows<'a>],
    pub plan: &'a RowPlan,
    pub workers: NonZeroUsize,
    /// Rows of a file that may be rejected before the rest of the file does not matter any more.
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

/// Transforms all files, and gives the totals of each.
///
/// Errors: `Plugin`, `Data`, `Internal`; also those of the sinks and of the stop flag. The first
/// error of a worker stops all workers.
// A file without rows has no chunks, and files without chunks no workers. The totals start with a 0
// for each column, so that they have the right shape then too.
pub fn run<S: Sink>(
    transform: &Transform<'_>,
    new_sink: impl Fn() -> Result<S> + Sync,
) -> Result<Vec<Totals>> {
    let chain = transform.chain();
    let shared = Shared::of(transform, S::RUN_BYTES);
    let work = || {
        let ended = new_sink().and_then(|sink| work(transform, &chain, &shared, sink));
        if ended.is_err() {
            shared.failed.store(true, Ordering::Relaxed);
        }
        ended
    };
    let workers = transform.workers.get().min(shared.runs.len());
    let none = || Totals::of_columns(transform.plan.columns.len());
    let mut totals: Vec<Totals> = transform.files.iter().map(|_| none()).collect();
    for ended in on_threads(workers, work) {
        for (file, of_file) in ended? {
            totals[file].add(of_file);
        }
    }
    totals.iter_mut().for_each(|totals| totals.rejects.sort_by_key(|reject| reject.row));
    Ok(totals)
}

/// The rejects above which the rest of a file does not matter, where so many are allowed. A few more
/// are counted, so that the message about a small file has their number.
pub(crate) fn hopeless_above(allowed: u64) -> u64 {
    allowed.max(COUNTED_REJECTS)
}

/// Does the same work on so many threads at once, and waits for all of them.
// The threads are collected before the first is joined. Iterators are lazy: without that `Vec`,
// each thread would be started and joined before the next one starts.
pub(crate) fn on_threads<T: Send>(
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
// `Relaxed` is enough. `fetch_add` gives every run to one worker, the flags only make a worker
// stop sooner, and all results pass through the join of the threads.
struct Shared<'a> {
    /// All chunks, with the places of their files.
    chunks: Vec<(usize, &'a SpooledChunk)>,
    /// The chunks of each run, by their places among all.
    runs: Vec<Range<usize>>,
    /// The run that is taken next.
    next_run: AtomicUsize,
    /// Of each file.
    files: Vec<RejectsOfFile>,
    failed: AtomicBool,
}

/// How many rows of a file are rejected, and may be.
struct RejectsOfFile {
    rejected: AtomicU64,
    at_most: u64,
}

impl<'a> Shared<'a> {
    fn of(transform: &Transform<'a>, run_bytes: u64) -> Shared<'a> {
        let files = transform.files.iter().enumerate();
        let chunks = files
            .flat_map(|(place, file)| file.spool.chunks.iter().map(move |chunk| (place, chunk)));
        let chunks: Vec<_> = chunks.collect();
        let lengths: Vec<u64> = chunks.iter().map(|(_, chunk)| chunk.len()).collect();
        let rejects = |file: &FileRows<'_>| RejectsOfFile {
            rejected: AtomicU64::new(0),
            at_most: hopeless_above(transform.max_rejects.of(file.spool.profile.records)),
        };
        Shared {
            runs: runs(&lengths, run_bytes),
            chunks,
            next_run: AtomicUsize::new(0),
            files: transform.files.iter().map(rejects).collect(),
            failed: AtomicBool::new(false),
        }
    }

    /// Takes the next run, unless another worker has failed: its number, and its chunks.
    fn take(&self) -> Option<(usize, &[(usize, &'a SpooledChunk)])> {
        let run = self.next_run.fetch_add(1, Ordering::Relaxed);
        let chunks = self.chunks.get(self.runs.get(run)?.clone())?;
        (!self.failed.load(Ordering::Relaxed)).then_some((run, chunks))
    }

    /// Whether the rows of a chunk still matter.
    fn matters(&self, file: usize) -> bool {
        !self.failed.load(Ordering::Relaxed) && !self.files[file].is_hopeless()
    }
}

/// Puts chunks of these lengths together in runs of at least so many bytes.
pub(crate) fn runs(lengths: &[u64], run_bytes: u64) -> Vec<Range<usize>> {
    let (mut runs, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (at, length) in lengths.iter().enumerate() {
        bytes += length;
        if bytes >= run_bytes || at + 1 == lengths.len() {
            runs.push(start..at + 1);
            (start, bytes) = (at + 1, 0);
        }
    }
    runs
}

impl RejectsOfFile {
    /// Whether the file is refused, so that its remaining rows do not matter.
    fn is_hopeless(&self) -> bool {
        self.rejected.load(Ordering::Relaxed) > self.at_most
    }
}

/// One worker's share: run after run, until there are no more or the load is bound to fail.
/// Gives the totals of the files that it had chunks of, with their places.
// A signal is checked for after every batch, and hopelessness before every chunk. So with
// `--max-rejects 0` a worker may count more rejects than one, all from the same chunk.
fn work<S: Sink>(
    transform: &Transform<'_>,
    chain: &ChainPlan,
    shared: &Shared<'_>,
    mut sink: S,
) -> Result<Vec<(usize, Totals)>> {
    let plan = transform.plan;
    let Some(dialect) = transform.files.first().map(|file| &file.spool.dialect) else {
        return sink.finish().map(|()| Vec::new());
    };
    let mut decoder = Decoder::new(dialect, &plan.header, &plan.decode_as, Decoder::BATCH_ROWS);
    let (mut ended, mut buffer) = (Vec::new(), Vec::new());
    let mut current: Option<Station<'_>> = None;
    while let Some((run, chunks)) = shared.take() {
        for (place, spooled) in chunks.iter().copied().filter(|(file, _)| shared.matters(*file)) {
            let mut station = match current.take() {
                Some(station) if station.place == place => station,
                other => {
                    ended.extend(other.map(Station::finish).transpose()?);
                    Station::open(transform, chain, shared, place)?
                }
            };
            let spool = station.spool;
            let SpooledChunk { chunk, first_record } = spooled;
            spool.read(chunk, &mut buffer)?;
            station.set_aside(spooled.broken(&buffer, &plan.header));
            for decoded in decoder.decode_chunk(&buffer, chunk, *first_record) {
                transform.stop.check()?;
                let decoded = decoded.map_err(|error| csv_failure(error, &spool.source))?;
                sink.write(&station.batch(decoded)?)?;
            }
            (transform.advance)(chunk.len);
            current = Some(station);
        }
        sink.end_run(run)?;
    }
    ended.extend(current.map(Station::finish).transpose()?);
    sink.finish().map(|()| ended)
}

/// What the batches of one file pass on their way to the sink: plugins and conformer.
struct Station<'a> {
    /// Of the file, among the files.
    place: usize,
    spool: &'a Spool,
    rejects: &'a RejectsOfFile,
    chain: ChainSession,
    conformer: Conformer,
    totals: Totals,
}

impl<'a> Station<'a> {
    fn open(
        transform: &Transform<'a>,
        chain: &ChainPlan,
        shared: &'a Shared<'_>,
        place: usize,
    ) -> Result<Station<'a>> {
        let file = &transform.files[place];
        Ok(Station {
            place,
            spool: file.spool,
            rejects: &shared.files[place],
            chain: chain.open(Arc::clone(&file.values)).map_err(plugin_failure)?,
            conformer: Conformer::new(&transform.plan.columns, first_row_number(place)),
            totals: Totals::default(),
        })
    }

    /// Takes a decoded batch through the plugins, and gives what is staged of it.
    fn batch(&mut self, decoded: Decoded) -> Result<RecordBatch> {
        self.totals.rows_read += decoded.batch.num_rows() as u64;
        let (Decoded { batch, rows, .. }, mut rejects) = readable::run(decoded, self.spool)?;
        let transformed = self.chain.process(&batch, &rows).map_err(plugin_failure)?;
        let (staged, refused) = self.conformer.conform(&transformed)?;
        rejects.extend(transformed.rejects);
        rejects.extend(refused);
        self.totals.rows_staged += staged.num_rows() as u64;
        self.rejects.rejected.fetch_add(rejects.len() as u64, Ordering::Relaxed);
        self.totals.reject(rejects);
        Ok(staged)
    }

    /// Rejects the records that cannot be read.
    fn set_aside(&mut self, broken: impl Iterator<Item = Broken>) {
        let before = self.totals.rows_rejected;
        self.totals.reject(broken.map(|broken| reject(broken, &self.spool.source)));
        let rejected = self.totals.rows_rejected - before;
        self.totals.rows_read += rejected;
        self.rejects.rejected.fetch_add(rejected, Ordering::Relaxed);
    }

    fn finish(mut self) -> Result<(usize, Totals)> {
        self.totals.plugins = self.chain.finish().map_err(plugin_failure)?;
        self.totals.max_text_bytes = self.conformer.max_text_bytes();
        self.totals.rounded = self.conformer.rounded();
        Ok((self.place, self.totals))
    }
}

/// The number that stands before that of a file's first row, in the column of row numbers. `place`:
/// of the file, among the files of the load.
fn first_row_number(place: usize) -> i64 {
    i64::try_from(place).unwrap_or(i64::MAX).saturating_mul(ROWS_OF_A_FILE)
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
