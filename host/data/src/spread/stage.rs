//! Stage: chunks of a file become parts.
//!
//! In: the plan of rows, and which chunks; their rows go through the plugins as on one machine. Out:
//! what was stored and counted, a receipt. A part counts only by the receipt that the engine gives
//! for its task: another attempt has parts of other names, which no manifest lists.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use loader_model::error::{Error, Kind, Result};
use loader_model::max_rejects::MaxRejects;
use loader_model::names::S3Uri;
use loader_model::stop::StopFlag;

use super::engine::{Engine, Outcome, Spec, Task, unexpected};
use super::in_order::InOrder;
use super::staged_task::{PartsSpec, StageSpec, StageTask, StagedTask};
use crate::infer::{Spool, SpooledChunk};
use crate::parts::Format;
use crate::parts::staged::{self, PartSinks};
use crate::plan::{RowPlan, staged_schema};
use crate::stored::{Access, Part};
use crate::temporary;
use crate::transform::{self, FileRows, Totals, Transform};

/// The chunks of a file in runs of at least so many bytes.
pub fn runs(spool: &Spool, run_bytes: u64) -> Vec<Vec<SpooledChunk>> {
    let lengths: Vec<u64> = spool.chunks.iter().map(SpooledChunk::len).collect();
    let runs = transform::runs(&lengths, run_bytes);
    runs.into_iter().map(|run: Range<usize>| spool.chunks[run].to_vec()).collect()
}

/// Has all chunks of a file staged, and gives the totals and the parts. `advance`: gets the bytes of
/// the chunks that are done.
///
/// Errors: as of [`transform::run`], those of the engine, and that of the stop flag.
// Where too many rows are rejected, the rest does not matter: the error ends the engine's work, and
// is none of the load.
pub fn run(
    engine: &dyn Engine,
    spec: StageSpec,
    tasks: Vec<StageTask>,
    stop: &StopFlag,
    advance: &dyn Fn(u64),
) -> Result<(Totals, Vec<Part>)> {
    let mut totals = Totals::of_columns(spec.plan.columns());
    let (mut parts, mut outcomes, mut is_hopeless) = (Vec::new(), InOrder::default(), false);
    let max_rejected = transform::hopeless_above(spec.file.max_rejected);
    let bytes_of = |task: &StageTask| task.chunks.iter().map(SpooledChunk::len).sum();
    let bytes: Vec<u64> = tasks.iter().map(bytes_of).collect();
    let tasks: Vec<Task> = tasks.into_iter().map(Task::Stage).collect();
    if tasks.is_empty() {
        return Ok((totals, parts));
    }
    let done = engine.map(&Spec::Stage(Box::new(spec)), &tasks, stop, &mut |place, outcome| {
        advance(bytes[place]);
        outcomes.take(place, outcome, |_, outcome| {
            let Outcome::Staged(staged) = outcome else { return Err(unexpected()) };
            let (of_task, of_parts) = staged.into_totals();
            totals.add(of_task);
            parts.extend(of_parts);
            is_hopeless = totals.rows_rejected > max_rejected;
            match is_hopeless {
                true => Err(Error::new(Kind::Data, "too many rows are rejected")),
                false => Ok(()),
            }
        })
    });
    match done {
        Err(error) if !is_hopeless => Err(error),
        _ => Ok((totals, parts)),
    }
}

/// Stages the chunks of a task. Errors: as of [`transform::run`]; `Transient` when the text cannot
/// be read, was replaced, or a part cannot be stored.
pub(super) fn stage(
    spec: &StageSpec,
    plan: &RowPlan,
    task: StageTask,
    access: &Arc<dyn Access>,
    stop: &StopFlag,
) -> Result<StagedTask> {
    let StageTask { text, chunks } = task;
    let copy = text.opened(access, &chunks)?;
    let spool = Spool::of_chunks(&spec.file, chunks, copy)?;
    let PartsSpec { staging, compression, run_id, prefix } = &spec.parts;
    let format = Format::staged(*staging, *compression, run_id);
    let (folder, parts) = (temporary::folder()?, Mutex::new(Vec::new()));
    let hand_over = |part: staged::Part| {
        let uri = S3Uri::new(&prefix.bucket, format!("{}{}", prefix.key, part.name));
        let size_bytes = access.write(&part.path, &uri)?;
        // A part that stays is removed with its folder.
        let _ = std::fs::remove_file(&part.path);
        parts.lock().unwrap_or_else(PoisonError::into_inner).push(Part { uri, size_bytes });
        Ok(())
    };
    let sinks = PartSinks::new(folder.path(), staged_schema(&plan.columns), &format, &hand_over)
        .of_attempt();
    let files = [FileRows { spool: &spool, values: Arc::new(spec.file.values.clone()) }];
    let work = Transform {
        files: &files,
        plan,
        workers: NonZeroUsize::MIN,
        max_rejects: MaxRejects::Rows(spec.file.max_rejected),
        observer: None,
        stop,
        advance: &|_| (),
    };
    let totals = Totals::of_all(transform::run(&work, || Ok(sinks.sink()))?);
    Ok(StagedTask::of(totals, parts.into_inner().unwrap_or_else(PoisonError::into_inner)))
}
