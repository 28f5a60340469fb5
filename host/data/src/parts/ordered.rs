//! One file with the rows in the order of the input, encoded on several threads.
//!
//! In: the workers' batches, of a run of the input at a time. Out: one file. A worker encodes its
//! run in memory, as row groups of Parquet or as lines of CSV; a run that is ready early waits for
//! the runs in front of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use ::parquet::schema::types::SchemaDescriptor;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use loader_model::choices::ParquetCompression;
use loader_model::error::{Error, Kind, Result};

use super::Format;
use super::csv::{CsvFile, Style};
use super::parquet::{self, EncodedGroup, Group, GroupedFile};
use crate::temporary;
use crate::transform::Sink;

/// The bytes of the input in a run: enough for a row group, and few enough that the workers' runs
/// and the runs that wait are little memory.
const RUN_BYTES: u64 = 16 * 1024 * 1024;
/// So many runs may wait for a run in front of them. A worker that is further ahead waits itself,
/// with the run that it has.
const MAX_EARLY: usize = 8;

/// A file being written by several workers.
pub struct OrderedFile {
    schema: SchemaRef,
    /// The columns of the schema in Parquet.
    columns: SchemaDescriptor,
    format: Format,
    growing: Mutex<Growing>,
    /// Is told whenever runs are written, or will never be.
    changed: Condvar,
}

/// What is written, and what waits.
struct Growing {
    output: Output,
    /// The run that is written next.
    next: usize,
    early: BTreeMap<usize, Option<Encoded>>,
    /// A worker has failed: its run never comes.
    is_abandoned: bool,
}

enum Output {
    Parquet(GroupedFile),
    Csv(CsvFile),
}

/// A run that is being encoded.
enum Encoding {
    /// The row groups that are full, and the group that still takes rows.
    Groups(Vec<EncodedGroup>, Option<Box<Group>>),
    Lines(String),
}

/// A run that is encoded.
enum Encoded {
    Groups(Vec<EncodedGroup>),
    Lines(String),
}

impl OrderedFile {
    /// Starts a file. Batches may have more columns behind those of the schema; they are left out.
    pub fn create(path: &Path, schema: SchemaRef, format: &Format) -> Result<OrderedFile> {
        let file = temporary::create(path)?;
        let output = match format {
            Format::Parquet(_) => Output::Parquet(GroupedFile::start(file, &schema)?),
            Format::Csv(style) => Output::Csv(CsvFile::start(file, &schema, style.clone())?),
        };
        let early = BTreeMap::new();
        let growing = Mutex::new(Growing { output, next: 0, early, is_abandoned: false });
        let (columns, format) = (parquet::columns(&schema)?, format.clone());
        Ok(OrderedFile { schema, columns, format, growing, changed: Condvar::new() })
    }

    /// A worker's sink.
    pub fn sink(&self) -> OrderedSink<'_> {
        OrderedSink { file: self, run: None, is_finished: false }
    }

    /// Completes the file, once all workers have ended.
    pub fn finish(self) -> Result<()> {
        let growing = self.growing.into_inner().unwrap_or_else(PoisonError::into_inner);
        if !growing.early.is_empty() {
            return Err(Error::new(Kind::Internal, "a run of the output never came"));
        }
        match growing.output {
            Output::Parquet(file) => file.finish(),
            Output::Csv(file) => file.finish(),
        }
    }

    /// Locks the file, also after a worker has panicked: that is told where it is joined.
    fn lock(&self) -> MutexGuard<'_, Growing> {
        self.growing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a run: writes it if the runs in front of it are written, and then the runs that have
    /// waited for it. `None`: the run has no rows.
    fn put(&self, run: usize, encoded: Option<Encoded>) -> Result<()> {
        let mut growing = self.lock();
        // The worker that has the next run never waits here, so that all others go on some time.
        while run > growing.next + MAX_EARLY && !growing.is_abandoned {
            growing = self.changed.wait(growing).unwrap_or_else(PoisonError::into_inner);
        }
        growing.early.insert(run, encoded);
        let written = growing.write_ready();
        self.changed.notify_all();
        written
    }

    fn abandon(&self) {
        self.lock().is_abandoned = true;
        self.changed.notify_all();
    }
}

impl Growing {
    fn write_ready(&mut self) -> Result<()> {
        while let Some(encoded) = self.early.remove(&self.next) {
            self.next += 1;
            match (&mut self.output, encoded) {
                (_, None) => {}
                (Output::Parquet(file), Some(Encoded::Groups(groups))) => {
                    groups.into_iter().try_for_each(|group| file.append(group))?;
                }
                (Output::Csv(file), Some(Encoded::Lines(lines))) => file.append(&lines)?,
                _ => return Err(of_another_format()),
            }
        }
        Ok(())
    }
}

/// A worker's share of the file.
pub struct OrderedSink<'a> {
    file: &'a OrderedFile,
    run: Option<Encoding>,
    is_finished: bool,
}

impl Sink for OrderedSink<'_> {
    const RUN_BYTES: u64 = RUN_BYTES;

    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let OrderedFile { schema, columns, format, .. } = self.file;
        match format {
            Format::Parquet(compression) => {
                let run = self.run.get_or_insert(Encoding::Groups(Vec::new(), None));
                run.push_to_group(columns, batch, *compression)
            }
            Format::Csv(style) => {
                let run = self.run.get_or_insert(Encoding::Lines(String::new()));
                run.push_lines(style, batch, schema.fields().len())
            }
        }
    }

    fn end_run(&mut self, run: usize) -> Result<()> {
        let encoded = self.run.take().map(Encoding::finish).transpose()?;
        self.file.put(run, encoded)
    }

    fn finish(mut self) -> Result<()> {
        self.is_finished = true;
        Ok(())
    }
}

impl Encoding {
    fn push_to_group(
        &mut self,
        columns: &SchemaDescriptor,
        batch: &RecordBatch,
        compression: ParquetCompression,
    ) -> Result<()> {
        let Encoding::Groups(full, current) = self else { return Err(of_another_format()) };
        if current.as_ref().is_some_and(|group| group.is_full())
            && let Some(group) = current.take()
        {
            full.push(group.finish()?);
        }
        let group = match current {
            Some(group) => group,
            none => none.insert(Box::new(Group::start(columns, batch, compression)?)),
        };
        group.write(batch)
    }

    fn push_lines(&mut self, style: &Style, batch: &RecordBatch, columns: usize) -> Result<()> {
        let Encoding::Lines(lines) = self else { return Err(of_another_format()) };
        style.push_rows(lines, batch, columns)
    }

    fn finish(self) -> Result<Encoded> {
        match self {
            Encoding::Lines(lines) => Ok(Encoded::Lines(lines)),
            Encoding::Groups(mut full, last) => {
                full.extend(last.map(|group| group.finish()).transpose()?);
                Ok(Encoded::Groups(full))
            }
        }
    }
}

fn of_another_format() -> Error {
    Error::new(Kind::Internal, "a run is in another format")
}

impl Drop for OrderedSink<'_> {
    /// Lets the workers go on that wait for a worker which has failed.
    fn drop(&mut self) {
        if !self.is_finished {
            self.file.abandon();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use arrow::array::{ArrayRef, AsArray, Int64Array};
    use arrow::datatypes::Int64Type;

    use super::*;

    const RUNS: usize = 60;

    fn batch(run: usize) -> RecordBatch {
        let first = i64::try_from(run * 10).expect("a small number");
        let column =
            |add: i64| Arc::new(Int64Array::from_iter_values(first + add..first + add + 10));
        RecordBatch::try_from_iter([("n", column(0) as ArrayRef), ("_loader_row", column(1))])
            .expect("a batch")
    }

    /// Writes the runs on three threads, every fifth of them without rows. The thread that takes
    /// run `fails` ends without it.
    fn write(format: &Format, fails: Option<usize>) -> (tempfile::NamedTempFile, Result<()>) {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let schema = batch(0).schema().project(&[0]).map(Arc::new).expect("a column");
        let output = OrderedFile::create(file.path(), schema, format).expect("is made");
        let next = AtomicUsize::new(0);
        let work = || {
            let mut sink = output.sink();
            loop {
                let run = next.fetch_add(1, Ordering::Relaxed);
                if Some(run) == fails {
                    return;
                }
                if run >= RUNS {
                    return sink.finish().expect("ends");
                }
                if has_rows(run) {
                    sink.write(&batch(run)).expect("takes rows");
                }
                sink.end_run(run).expect("takes the run");
            }
        };
        std::thread::scope(|scope| (0..3).for_each(|_| drop(scope.spawn(work))));
        let finished = output.finish();
        (file, finished)
    }

    fn has_rows(run: usize) -> bool {
        !run.is_multiple_of(5)
    }

    fn expected() -> Vec<i64> {
        let runs = (0..RUNS).filter(|run| has_rows(*run));
        runs.flat_map(|run| (0..10).map(move |n| i64::try_from(run * 10 + n).unwrap_or(0)))
            .collect()
    }

    #[test]
    fn rows_are_in_the_order_of_the_input_however_many_threads_write() {
        let (file, finished) = write(&Format::Parquet(ParquetCompression::default()), None);
        finished.expect("is whole");
        let reader = ParquetRecordBatchReaderBuilder::try_new(file.reopen().expect("opens"));
        let rows = reader.and_then(|reader| reader.build()).expect("is Parquet");
        let mut found: Vec<i64> = Vec::new();
        for batch in rows {
            let batch = batch.expect("rows");
            assert_eq!(batch.num_columns(), 1, "the row number is left out");
            found.extend(batch.column(0).as_primitive::<Int64Type>().values());
        }
        assert_eq!(found, expected());

        let style = Style { gzip: false, null: String::new() };
        let (file, finished) = write(&Format::Csv(style), None);
        finished.expect("is whole");
        let text = std::fs::read_to_string(file.path()).expect("reads");
        let lines: Vec<String> = expected().iter().map(i64::to_string).collect();
        assert_eq!(text, format!("n\n{}\n", lines.join("\n")));
    }

    #[test]
    fn a_worker_that_fails_keeps_no_other_waiting() {
        let (_, finished) = write(&Format::Parquet(ParquetCompression::default()), Some(7));
        assert!(finished.is_err(), "the file is not whole");
    }

    #[test]
    fn a_file_without_rows_has_its_columns() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let format = Format::Parquet(ParquetCompression::default());
        let output = OrderedFile::create(file.path(), batch(0).schema(), &format);
        output.and_then(OrderedFile::finish).expect("is written");
        let reader = ParquetRecordBatchReaderBuilder::try_new(file.reopen().expect("opens"));
        assert_eq!(reader.expect("is Parquet").schema().fields().len(), 2);
    }
}
