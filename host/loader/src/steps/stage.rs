//! Stage: transformed rows become parts and a manifest under the run's staging prefix.
//!
//! Comes in: what `transform` needs. Goes out: the manifest, if any row was staged, and the totals.
//! Workers write parts to disk; one task uploads them behind the workers' backs and writes the
//! manifest last.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::error::{Context, Error, Kind, Result};
use crate::files::csv::Style;
use crate::files::{Format, Writer};
use crate::names::S3Uri;
use crate::s3::Store;
use crate::settings::StagingFormat;
use crate::steps::conform::staged_schema;
use crate::steps::plan::PlannedColumn;
use crate::steps::transform::Sink;

/// A part is closed past this size. Redshift wants 1 MB to 1 GB, and files below 128 MB need no
/// splitting.
/// Source:
/// <https://docs.aws.amazon.com/redshift/latest/dg/c_best-practices-use-multiple-files.html>
const PART_BYTES: u64 = 64 * 1024 * 1024;
/// Whole parts that may wait for their upload, on disk.
const PARTS_IN_FLIGHT: usize = 4;

/// What was staged.
#[derive(Clone, Debug, Default)]
pub struct Staged {
    /// `None` when there was no row to stage: COPY refuses an empty manifest.
    pub manifest: Option<S3Uri>,
    pub parts: usize,
    pub bytes: u64,
}

/// Makes the sinks of the workers.
pub struct Stager {
    dir: TempDir,
    schema: SchemaRef,
    format: Format,
    next: AtomicUsize,
    parts: mpsc::Sender<Part>,
}

/// A whole part on disk.
struct Part {
    path: PathBuf,
    name: String,
}

/// Sends parts to S3 as they come.
pub struct Uploader {
    store: Store,
    prefix: S3Uri,
    parts: mpsc::Receiver<Part>,
}

/// A pair that works together: parts that the stager's sinks complete are uploaded by the uploader.
pub fn pair(
    store: &Store,
    prefix: S3Uri,
    columns: &[PlannedColumn],
    format: Format,
) -> Result<(Stager, Uploader)> {
    let dir = tempfile::tempdir()
        .context(Kind::Internal, "no temporary folder can be made; check TMPDIR")?;
    let (sender, parts) = mpsc::channel(PARTS_IN_FLIGHT);
    let stager = Stager {
        dir,
        schema: staged_schema(columns),
        format,
        next: AtomicUsize::new(0),
        parts: sender,
    };
    Ok((stager, Uploader { store: store.clone(), prefix, parts }))
}

/// The format of a run's parts. The NULL text holds the run's id, so no cell can equal it.
pub fn format(staging: StagingFormat, run_id: &str) -> Format {
    match staging {
        StagingFormat::Parquet => Format::Parquet,
        StagingFormat::Csv => Format::Csv(Style { gzip: true, null: csv_null(run_id) }),
    }
}

/// What stands for NULL in the CSV parts of a run.
pub fn csv_null(run_id: &str) -> String {
    format!("@null:{run_id}@")
}

impl Stager {
    /// A worker's sink.
    pub fn sink(&self) -> PartSink<'_> {
        PartSink { stager: self, current: None }
    }

    fn start(&self) -> Result<(Writer, Part)> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let suffix = match &self.format {
            Format::Parquet => "parquet",
            Format::Csv(_) => "csv.gz",
        };
        let name = format!("part-{number:05}.{suffix}");
        let path = self.dir.path().join(&name);
        Ok((Writer::create(&path, &self.schema, &self.format)?, Part { path, name }))
    }
}

/// Writes one worker's rows into parts.
pub struct PartSink<'a> {
    stager: &'a Stager,
    current: Option<(Writer, Part)>,
}

impl PartSink<'_> {
    fn close(&mut self) -> Result<()> {
        let Some((writer, part)) = self.current.take() else { return Ok(()) };
        writer.finish()?;
        let sent = self.stager.parts.blocking_send(part);
        // Whoever waits for the uploader has the reason.
        sent.map_err(|_| Error::new(Kind::Internal, "the uploads ended early"))
    }
}

impl Sink for PartSink<'_> {
    type Done = ();

    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let (writer, _) = match &mut self.current {
            Some(current) => current,
            none => none.insert(self.stager.start()?),
        };
        writer.write(batch)?;
        if writer.size_bytes() >= PART_BYTES { self.close() } else { Ok(()) }
    }

    fn finish(mut self) -> Result<()> {
        self.close()
    }
}

impl Uploader {
    /// Uploads until the stager and all its sinks are gone, then writes the manifest.
    pub async fn run(mut self) -> Result<Staged> {
        let (mut staged, mut entries) = (Staged::default(), Vec::new());
        while let Some(part) = self.parts.recv().await {
            let uri = S3Uri::new(&self.prefix.bucket, format!("{}{}", self.prefix.key, part.name));
            let size = self.store.write_file(&uri, &part.path).await?;
            std::fs::remove_file(&part.path)
                .context(Kind::Internal, "a staged part cannot be removed from disk")?;
            entries.push((
                part.name,
                json!({"url": uri.to_string(), "mandatory": true, "meta": {"content_length": size}}),
            ));
            staged.bytes += size;
            staged.parts += 1;
        }
        if entries.is_empty() {
            return Ok(staged);
        }
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        let entries: Vec<_> = entries.into_iter().map(|(_, entry)| entry).collect();
        let manifest = S3Uri::new(&self.prefix.bucket, format!("{}manifest.json", self.prefix.key));
        self.store.write(&manifest, json!({ "entries": entries }).to_string().into_bytes()).await?;
        staged.manifest = Some(manifest);
        Ok(staged)
    }
}

/// Runs the blocking half on a thread of its own and the uploads beside it; the first failure is
/// the one that counts.
pub async fn run<T: Send + 'static>(
    stager: Stager,
    uploader: Uploader,
    transform: impl FnOnce(&Arc<Stager>) -> Result<T> + Send + 'static,
) -> Result<(T, Staged)> {
    let uploads = tokio::spawn(uploader.run());
    let transformed = tokio::task::spawn_blocking(move || {
        let stager = Arc::new(stager);
        let transformed = transform(&stager);
        // The folder goes when the uploads are done.
        Arc::into_inner(stager).map(|stager| (transformed, stager.dir))
    });
    let ended =
        transformed.await.context(Kind::Internal, "the transforming thread ended abruptly")?;
    let (transformed, dir) =
        ended.ok_or_else(|| Error::new(Kind::Internal, "a worker outlived its work"))?;
    let staged = uploads.await.context(Kind::Internal, "the uploading task ended abruptly")?;
    drop(dir);
    // A failed upload is why the transformation ended, not the other way round.
    let staged = staged?;
    Ok((transformed?, staged))
}
