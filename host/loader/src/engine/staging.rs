//! Stages a file by an engine.
//!
//! In: the file and its plan. Out: the manifest, and what became of the rows. The parts of the
//! manifest are those of the receipts, one for each task. What attempts have left that do not count
//! lies below the staging prefix, too, and goes with it (a part of the very last moment: `loader gc`).

use std::num::NonZeroUsize;
use std::sync::Arc;

use loader_data::infer::Spool;
use loader_data::spread::{PartsSpec, StageSpec, StageTask, StoredText, pieces, stage};
use loader_data::stored::Part;
use loader_data::transform::Totals;
use loader_model::error::Result;
use loader_model::names::S3Uri;
use loader_model::stop::StopFlag;
use tokio::runtime::Handle;

use crate::data_path::host_values;
use crate::data_path::part_upload::{self, Entry, Uploaded};
use crate::engine::Spreading;
use crate::engine::stored::StoreAccess;
use crate::progress::Progress;
use crate::tools::{Tools, blocking};
use crate::values::Work;

/// Stages the one file of a load. Errors: as of staging it here; `Transient` where the file was
/// replaced since it was read, or the cluster gave up.
pub(crate) async fn run(
    tools: &Tools,
    work: &Work,
    spreading: Spreading,
    progress: Progress,
) -> Result<(Vec<Totals>, Uploaded)> {
    let prefix = tools.job.layout.staging_prefix();
    tools.trail.staged.is_written_elsewhere();
    let spec = spec(tools, work, &prefix);
    let staging = Staging {
        spool: Arc::clone(&work.files.first().spool),
        access: StoreAccess::new(tools.store.clone(), Handle::current()),
        prefix: prefix.clone(),
        spreading,
        workers: tools.job.transform.workers,
        stop: tools.data_path.stop.clone(),
    };
    let staged = blocking(move || staging.run(spec, &progress));
    let (totals, parts) = staged.await?;
    let entries = parts.into_iter().map(|Part { uri, size_bytes }| {
        tools.trail.staged.add(&uri);
        Entry { uri: uri.to_string(), size_bytes }
    });
    let staged = &tools.trail.staged;
    let uploaded = part_upload::listed(&tools.store, &prefix, staged, entries.collect()).await?;
    Ok((vec![totals], uploaded))
}

fn spec(tools: &Tools, work: &Work, prefix: &S3Uri) -> StageSpec {
    let (job, file) = (&tools.job, work.files.first());
    let values = host_values::of(&job.run, &file.source);
    StageSpec {
        plan: work.plan.rows.pack(),
        plugins: work.chain.packed(),
        limits: job.transform.limits.clone(),
        file: file.spool.spec(values, job.transform.max_rejects),
        parts: PartsSpec {
            staging: job.staging_format,
            compression: job.parquet_compression,
            run_id: job.run.text.clone(),
            prefix: prefix.clone(),
        },
    }
}

struct Staging {
    spool: Arc<Spool>,
    access: StoreAccess,
    prefix: S3Uri,
    spreading: Spreading,
    workers: NonZeroUsize,
    stop: StopFlag,
}

impl Staging {
    fn run(self, spec: StageSpec, progress: &Progress) -> Result<(Totals, Vec<Part>)> {
        let (tasks, advance) = (self.tasks()?, |bytes| progress.advance(bytes));
        stage::run(&*self.spreading.engine, spec, tasks, &self.stop, &advance)
    }

    /// The tasks: they read the file where it is stored, or pieces that are stored for them.
    fn tasks(&self) -> Result<Vec<StageTask>> {
        let run_bytes = self.spreading.split_bytes;
        let Some(object) = &self.spool.in_place else {
            let to = |number| part_upload::below(&self.prefix, &format!("pieces/{number:05}.zst"));
            return pieces::store(
                &self.spool,
                run_bytes,
                &self.access,
                &to,
                self.workers,
                &self.stop,
            );
        };
        let runs = stage::runs(&self.spool, run_bytes).into_iter();
        let tasks =
            runs.map(|chunks| StageTask { text: StoredText::InPlace(object.clone()), chunks });
        Ok(tasks.collect())
    }
}
