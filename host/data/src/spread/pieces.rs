//! Pieces: a file that cannot be read in ranges, as runs of its chunks that can be read apart.
//!
//! In: a file that this machine has read: compressed, in another encoding or format. Out: its rows
//! as text, each run an object of its own, compressed with zstd.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use loader_model::error::Result;
use loader_model::names::S3Uri;
use loader_model::stop::StopFlag;

use super::stage::runs;
use super::staged_task::StageTask;
use super::stored_text::StoredText;
use crate::infer::{Spool, SpooledChunk};
use crate::stored::{Access, StoredObject};
use crate::temporary::{self, not_written};
use crate::transform::on_threads;

/// As little as makes the text a third: pieces are read once.
const LEVEL: i32 = 1;

/// Stores the runs of a file, and gives the tasks that stage them, in their order. `to`: the address
/// of a piece by its number.
///
/// Errors: `Transient` when a piece cannot be stored; those of this machine's disk.
pub fn store(
    spool: &Spool,
    run_bytes: u64,
    access: &dyn Access,
    to: &(dyn Fn(usize) -> S3Uri + Sync),
    workers: NonZeroUsize,
    stop: &StopFlag,
) -> Result<Vec<StageTask>> {
    let (runs, next) = (runs(spool, run_bytes), AtomicUsize::new(0));
    let (runs, next) = (&runs, &next);
    let folder = temporary::folder()?;
    let folder = folder.path();
    let work = || {
        let mut stored = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(run) = runs.get(place) else { return Ok(stored) };
            stop.check()?;
            let (path, uri) = (folder.join(format!("piece-{place}")), to(place));
            write(spool, run, &path)?;
            let size_bytes = access.write(&path, &uri)?;
            // A piece that stays is removed with its folder.
            let _ = std::fs::remove_file(&path);
            let object = StoredObject { uri, etag: String::new(), size_bytes };
            let offset = run.first().map_or(0, |chunk| chunk.range().start);
            let text = StoredText::Piece { object, offset };
            stored.push((place, StageTask { text, chunks: run.clone() }));
        }
    };
    let mut stored = Vec::with_capacity(runs.len());
    for of_thread in on_threads(workers.get().min(runs.len()), work) {
        stored.extend(of_thread?);
    }
    stored.sort_by_key(|(place, _)| *place);
    Ok(stored.into_iter().map(|(_, task)| task).collect())
}

fn write(spool: &Spool, run: &[SpooledChunk], path: &Path) -> Result<()> {
    const WHAT: &str = "a piece of the file";
    let failed = |error| not_written(WHAT, error);
    let mut piece = zstd::Encoder::new(temporary::create(path)?, LEVEL).map_err(failed)?;
    let mut buffer = Vec::new();
    for chunk in run {
        spool.read(&chunk.chunk, &mut buffer)?;
        piece.write_all(&buffer).map_err(failed)?;
    }
    piece.finish().map(drop).map_err(failed)
}
