//! Stage: decodes every row, runs it through the plugins and conforms it to the staged columns. The
//! rows become parts and a manifest under the run's staging prefix.
//!
//! In: the file and its plan. Out: the manifest, if any row was staged, and what became of the
//! rows. Workers write parts to disk; one task uploads them meanwhile.

use std::sync::Arc;

use loader_data::parts::Format;
use loader_data::parts::staged::{Part, PartSinks};
use loader_data::plan::staged_schema;
use loader_data::rejects;
use loader_data::temporary;
use loader_data::transform::{FileRows, Totals};
use loader_model::error::{Context, Error, Kind, Result};
use loader_model::names::S3Uri;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tracing::Instrument;

use crate::crash;
use crate::data_path::part_upload::{self, Uploaded};
use crate::engine::{self, Spreading, staging};
use crate::plugin_identity;
use crate::progress::Progress;
use crate::step::Step;
use crate::tools::{Tools, blocking};
use crate::values::{FileCounts, Goal, ReadFile, Staged, Work};
use crate::{data_path::host_values, data_path::list_of_files, report::exports};

/// Whole parts that may wait on disk for their upload. When more are ready, the workers wait, so
/// that a slow network does not fill the disk.
const PARTS_IN_FLIGHT: usize = 4;

/// Errors: `Data` (more rejected rows than allowed), `Plugin`, `Transient`, `Internal`.
pub(crate) async fn run(tools: &Tools, work: &Work) -> Result<Staged> {
    tools.progress.begin("staging", work.files.joined().size_bytes());
    let staging = transform_and_upload(tools, work, tools.progress.clone());
    let staged = tools.step(Step::Stage, staging).await;
    let (of_files, uploaded) = staged?;
    let rejects: Vec<Totals> = judged(tools, work, of_files)?;
    let mut staged = account(tools, work, &rejects, uploaded);
    for ((file, totals), counts) in work.files.all().zip(&rejects).zip(&mut staged.files) {
        counts.rejected_to = export_rejects(tools, file, totals).await?;
        check_sums(totals, file.spool.profile.records)?;
    }
    if work.files.are_several() {
        staged.list = Some(list_of_files::write(tools, work, &staged.files).await?);
    }
    crash::point("stage");
    if tools.goal == Goal::Stage {
        say_where(tools, &staged);
    }
    Ok(staged)
}

/// Refuses several files together where one of them has too many rejected rows. (One that is alone
/// is refused once its rejected rows are written down.)
fn judged(tools: &Tools, work: &Work, of_files: Vec<Totals>) -> Result<Vec<Totals>> {
    if !work.files.are_several() {
        return Ok(of_files);
    }
    let max_rejects = tools.data_path.settings.max_rejects;
    let judge = |(file, totals): (&ReadFile, &Totals)| {
        rejects::judge(totals, &file.spool, max_rejects).is_err()
    };
    let refused = work.files.all().zip(&of_files).map(judge);
    let refused = refused.enumerate().filter(|(_, refused)| *refused);
    let refused: Vec<usize> = refused.map(|(place, _)| place).collect();
    if refused.is_empty() {
        return Ok(of_files);
    }
    // Set once: the load ends here.
    let _ = tools.trail.apart.set(refused);
    Err(Error::new(Kind::Data, "some of the files have too many rows that are rejected"))
}

/// Logs and records what became of the rows.
fn account(tools: &Tools, work: &Work, of_files: &[Totals], uploaded: Uploaded) -> Staged {
    let counts = |totals: &Totals| FileCounts {
        read: totals.rows_read,
        staged: totals.rows_staged,
        rejected: totals.rows_rejected,
        rejected_to: None,
    };
    let totals = Totals::of_all(of_files.iter().map(Totals::without_rejects).collect());
    plugin_identity::log_counted(&totals.plugins);
    let staged = Staged {
        manifest: uploaded.manifest,
        parts: uploaded.parts,
        bytes: uploaded.bytes,
        plugins: plugin_identity::counted(&work.plugins, &totals.plugins),
        files: of_files.iter().map(counts).collect(),
        list: None,
        totals,
    };
    tools.record.staged(&staged, of_files.iter().flat_map(|totals| &totals.rejects));
    // Set once: a run stages its files once.
    let _ = tools.trail.rows_rejected.set(staged.totals.rows_rejected);
    if staged.totals.rounded > 0 {
        let values = staged.totals.rounded;
        tracing::info!(values, "decimals were rounded to the scale of their columns");
    }
    staged
}

/// Runs the transformation on a thread for blocking work and the uploads in a task beside it.
// `transform` takes the sender and drops it when it ends, which ends the uploading task. It gives
// the folder back, because dropping a `TempDir` deletes it, and the last parts in it may still wait
// for their upload. When the uploads fail, the workers cannot hand over their parts and fail too,
// so the error of the uploads is the cause and is returned first.
async fn transform_and_upload(
    tools: &Tools,
    work: &Work,
    progress: Progress,
) -> Result<(Vec<Totals>, Uploaded)> {
    if let Some(spreading) = spreading(tools, work) {
        return Box::pin(staging::run(tools, work, spreading, progress)).await;
    }
    let dir = temporary::folder()?;
    let (sender, parts) = mpsc::channel(PARTS_IN_FLIGHT);
    let prefix = tools.job.layout.staging_prefix();
    let staged = tools.trail.staged.clone();
    let uploads = part_upload::run(tools.store.clone(), prefix, staged, parts);
    let uploads = tokio::spawn(uploads.in_current_span());
    let (transformed, dir) = transform(tools, work, progress, dir, sender).await?;
    let uploaded = uploads.await.context(Kind::Internal, "the uploading task ended abruptly")?;
    drop(dir);
    let uploaded = uploaded?;
    Ok((transformed?, uploaded))
}

/// The engine that stages a large file; `None`: the rows are staged here.
fn spreading(tools: &Tools, work: &Work) -> Option<Spreading> {
    let spool = &work.files.first().spool;
    let spreading = engine::of(tools, spool.size_bytes)?;
    (!work.files.are_several() && spreading.stages(spool)).then_some(spreading)
}

/// Transforms all files into parts in `dir`, and gives the folder back for the uploads.
async fn transform(
    tools: &Tools,
    work: &Work,
    progress: Progress,
    dir: TempDir,
    sender: mpsc::Sender<Part>,
) -> Result<(Result<Vec<Totals>>, TempDir)> {
    let job = &tools.job;
    let format = Format::staged(job.staging_format, job.parquet_compression, &job.run.text);
    let data_path = Arc::clone(&tools.data_path);
    let (run, files) = (tools.job.run.clone(), work.files.clone());
    let plan = Arc::clone(&work.plan);
    blocking(move || {
        // The receiver is gone when an upload failed. The uploading task has that error.
        let hand_over = |part| {
            let sent = sender.blocking_send(part);
            sent.map_err(|_| Error::new(Kind::Internal, "the uploads ended early"))
        };
        let schema = staged_schema(&plan.rows.columns);
        let sinks = PartSinks::new(dir.path(), schema, &format, &hand_over);
        let rows = files.all().map(|file| FileRows {
            spool: &file.spool,
            values: Arc::new(host_values::of(&run, &file.source)),
        });
        let files: Vec<FileRows<'_>> = rows.collect();
        let totals = data_path.transform(&files, &plan, &progress, || Ok(sinks.sink()));
        Ok((totals, dir))
    })
    .await
}

/// Writes the rejected rows of a file below `data/rejected/`, also when there are too many of them,
/// and gives their place. Errors: `Data` when there are more than `--max-rejects` allows.
// A failed export is looked at last: when the file is refused anyway, the refusal is the error that
// the user needs.
async fn export_rejects(tools: &Tools, file: &ReadFile, totals: &Totals) -> Result<Option<S3Uri>> {
    if totals.rows_rejected == 0 {
        return Ok(None);
    }
    let layout = tools.job.layout.of_other(&file.source.uri);
    let exported = async {
        let dir = temporary::folder()?;
        let path = dir.path().join("rejected.csv");
        rejects::write_csv(totals, &file.spool, temporary::create(&path)?)?;
        exports::write_rejects(&tools.store, &layout, &path).await
    };
    let exported = exported.await;
    exported.iter().for_each(|uri| tools.record.rejected_to(uri));
    rejects::judge(totals, &file.spool, tools.data_path.settings.max_rejects)
        .map_err(|error| tools.in_file(error))?;
    let uri = exported?;
    tracing::warn!(rows = totals.rows_rejected, %uri, "rows rejected");
    Ok(Some(uri))
}

/// Checks that every record of the file was staged or rejected: 100 records are, for example, 98
/// staged and 2 rejected rows.
fn check_sums(totals: &Totals, records: u64) -> Result<()> {
    let Totals { rows_read, rows_staged, rows_rejected, .. } = *totals;
    if rows_read == records && rows_staged + rows_rejected == records {
        return Ok(());
    }
    let fact =
        format!("{records} rows were read, but {rows_staged} staged and {rows_rejected} rejected");
    Err(Error::new(Kind::Internal, fact))
}

/// Logs where the parts are, for `loader stage`, whose result they are.
fn say_where(tools: &Tools, staged: &Staged) {
    let manifest = match &staged.manifest {
        Some(uri) => uri.to_string(),
        None => "nothing: the file has no rows".to_owned(),
    };
    tracing::info!(manifest, parts = staged.parts, bytes = staged.bytes, "staged");
    tools.record.staged_only(manifest);
}
