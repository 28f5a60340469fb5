//! The staged parts of a load: each worker writes its rows into parts of its own, on disk.
//!
//! In: a worker's batches. Out: whole parts, each handed over as soon as it is complete.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use loader_model::error::Result;

use crate::parts::{Format, Writer};
use crate::transform::Sink;

/// A part is closed once it has this size. Redshift recommends files of 1 MB to 1 GB, and files
/// below 128 MB need no splitting.
/// Source:
/// <https://docs.aws.amazon.com/redshift/latest/dg/c_best-practices-use-multiple-files.html>
const PART_BYTES: u64 = 64 * 1024 * 1024;

/// A complete part on disk.
#[derive(Debug)]
pub struct Part {
    /// The file's path on this machine.
    pub path: PathBuf,
    /// The object's name below the staging prefix, for example `part-00000.parquet`.
    pub name: String,
}

/// Makes the sinks of the workers.
// All sinks draw the numbers of their parts from `next`, so names never meet. The numbers say
// nothing of the order of the rows: part 2 may hold earlier rows than part 1.
pub struct PartSinks<'a> {
    dir: &'a Path,
    schema: SchemaRef,
    format: &'a Format,
    next: AtomicUsize,
    hand_over: &'a (dyn Fn(Part) -> Result<()> + Sync),
}

impl<'a> PartSinks<'a> {
    /// Parts of this schema in the folder `dir`. `hand_over` gets each complete part on its
    /// worker's thread, and may block there until there is room for the part.
    pub fn new(
        dir: &'a Path,
        schema: SchemaRef,
        format: &'a Format,
        hand_over: &'a (dyn Fn(Part) -> Result<()> + Sync),
    ) -> PartSinks<'a> {
        PartSinks { dir, schema, format, next: AtomicUsize::new(0), hand_over }
    }

    /// A worker's sink.
    pub fn sink(&self) -> PartSink<'_> {
        PartSink { sinks: self, current: None }
    }

    fn start(&self) -> Result<(Writer, Part)> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let suffix = match self.format {
            Format::Parquet(_) => "parquet",
            Format::Csv(_) => "csv.gz",
        };
        let name = format!("part-{number:05}.{suffix}");
        let path = self.dir.join(&name);
        Ok((Writer::create(&path, &self.schema, self.format)?, Part { path, name }))
    }
}

/// Writes one worker's rows into parts.
pub struct PartSink<'a> {
    sinks: &'a PartSinks<'a>,
    current: Option<(Writer, Part)>,
}

impl PartSink<'_> {
    /// Completes the current part, if there is one, and hands it over.
    // `take` comes first: a part that could not be completed is neither handed over nor written on.
    fn close(&mut self) -> Result<()> {
        let Some((writer, part)) = self.current.take() else { return Ok(()) };
        writer.finish()?;
        (self.sinks.hand_over)(part)
    }
}

impl Sink for PartSink<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        // A batch whose rows were all rejected must not start a part: it could stay without rows.
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let (writer, _) = match &mut self.current {
            Some(current) => current,
            none => none.insert(self.sinks.start()?),
        };
        writer.write(batch)?;
        if writer.size_bytes() >= PART_BYTES { self.close() } else { Ok(()) }
    }

    fn finish(mut self) -> Result<()> {
        self.close()
    }
}
