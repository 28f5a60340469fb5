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
use loader_data::transform::{FileRows, Totals};
use loader_model::error::{Context, Error, Kind, Result};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tracing::Instrument;

use crate::crash;
use crate::data_path::part_upload::{self, Uploaded};
use crate::plugin_identity;
use crate::progress::Progress;
use crate::step::Step;
use crate::tools::{Tools, blocking};
use crate::values::{Goal, Staged, Work};
use crate::{data_path::host_values, report::exports};

/// Whole parts that may wait on disk for their upload. When more are ready, the workers wait, so
/// that a slow network does not fill the disk.
const PARTS_IN_FLIGHT: usize = 4;

/// Errors: `Data` (more rejected rows than allowed), `Plugin`, `Transient`, `Internal`.
pub(crate) async fn run(tools: &Tools, work: &Work) -> Result<Staged> {
    tools.progress.begin("staging", work.spool.size_bytes);
    let staging = transform_and_upload(tools, work, tools.progress.clone());
    let staged = tools.step(Step::Stage, staging).await;
    let (totals, uploaded) = staged?;
    let staged = account(tools, work, totals, uploaded);
    export_rejects(tools, work, &staged.totals).await?;
    check_sums(&staged.totals, work.spool.profile.records)?;
    crash::point("stage");
    if tools.goal == Goal::Stage {
        say_where(tools, &staged);
    }
    Ok(staged)
}

/// Logs and records what became of the rows.
fn account(tools: &Tools, work: &Work, totals: Totals, uploaded: Uploaded) -> Staged {
    plugin_identity::log_counted(&totals.plugins);
    let staged = Staged {
        manifest: uploaded.manifest,
        parts: uploaded.parts,
        bytes: uploaded.bytes,
        plugins: plugin_identity::counted(&work.plugins, &totals.plugins),
        totals,
    };
    tools.record.staged(&staged);
    // Set once: a run stages one file.
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
) -> Result<(Totals, Uploaded)> {
    let dir = tempfile::tempdir()
        .context(Kind::Internal, "no temporary folder can be made; check TMPDIR")?;
    let (sender, parts) = mpsc::channel(PARTS_IN_FLIGHT);
    let prefix = tools.job.layout.staging_prefix();
    let uploads = part_upload::run(tools.store.clone(), prefix, parts);
    let uploads = tokio::spawn(uploads.in_current_span());
    let (transformed, dir) = transform(tools, work, progress, dir, sender).await?;
    let uploaded = uploads.await.context(Kind::Internal, "the uploading task ended abruptly")?;
    drop(dir);
    let uploaded = uploaded?;
    Ok((transformed?, uploaded))
}

/// Transforms the whole file into parts in `dir`, and gives the folder back for the uploads.
async fn transform(
    tools: &Tools,
    work: &Work,
    progress: Progress,
    dir: TempDir,
    sender: mpsc::Sender<Part>,
) -> Result<(Result<Totals>, TempDir)> {
    let job = &tools.job;
    let format = Format::staged(job.staging_format, job.parquet_compression, &job.run.text);
    let data_path = Arc::clone(&tools.data_path);
    let values = Arc::new(host_values::of(&tools.job.run, &work.source));
    let (spool, plan) = (Arc::clone(&work.spool), Arc::clone(&work.plan));
    blocking(move || {
        // The receiver is gone when an upload failed. The uploading task has that error.
        let hand_over = |part| {
            let sent = sender.blocking_send(part);
            sent.map_err(|_| Error::new(Kind::Internal, "the uploads ended early"))
        };
        let schema = staged_schema(&plan.columns);
        let sinks = PartSinks::new(dir.path(), schema, &format, &hand_over);
        let files = [FileRows { spool: &spool, values }];
        let totals = data_path.transform(&files, &plan, &progress, || Ok(sinks.sink()));
        Ok((totals.map(Totals::of_all), dir))
    })
    .await
}

/// Writes the rejected rows below `data/rejected/`, also when there are too many of them. Errors:
/// `Data` when there are more than `--max-rejects` allows.
// A failed export is looked at last: when the file is refused anyway, the refusal is the error that
// the user needs.
async fn export_rejects(tools: &Tools, work: &Work, totals: &Totals) -> Result<()> {
    if totals.rows_rejected == 0 {
        return Ok(());
    }
    let rejected = rejects::to_csv(totals, &work.spool);
    let exported = exports::write_rejects(&tools.store, &tools.job.layout, rejected).await;
    exported.iter().for_each(|uri| tools.record.rejected_to(uri));
    rejects::judge(totals, &work.spool, tools.data_path.settings.max_rejects)
        .map_err(|error| tools.in_file(error))?;
    tracing::warn!(rows = totals.rows_rejected, uri = %exported?, "rows rejected");
    Ok(())
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
