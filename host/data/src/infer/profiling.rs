//! Profiling on threads, while the file is still being read.
//!
//! In: chunks, as they are cut. Out: the chunks of the whole file and the merged profile of its
//! columns, in the order of the file.

use std::collections::BTreeMap;
use std::fs::File;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use loader_csv::{Chunk, ChunkProfile, CsvError, Dialect, Header, ProfileMerge, profile_chunk};
use loader_model::error::{Error, Kind, Result};

use super::spool::read_chunk;
use crate::failures::csv_failure;

/// A whole chunk, and the header that was known when it was cut.
pub(super) type CutChunk = (Chunk, Header);

/// Runs `cut` on this thread, and profiles behind it, on threads of their own, the chunks that it
/// hands out. `cut` gets a function that takes a chunk; it answers false once no more are wanted.
///
/// Both results come back, the cut's own and what was found in the chunks: the caller decides which
/// of two errors counts.
pub(super) fn profile_behind<T>(
    file: &File,
    dialect: &Dialect,
    workers: NonZeroUsize,
    cut: impl FnOnce(&dyn Fn(CutChunk) -> bool) -> Result<T>,
) -> (Result<T>, MergedProfiles) {
    let workers = workers.get();
    let (sender, receiver) = sync_channel::<CutChunk>(workers * 2);
    let (receiver, merged) =
        (Arc::new(Mutex::new(receiver)), Mutex::new(MergedProfiles::default()));
    let cut = std::thread::scope(|scope| -> Result<T> {
        let profilers: Vec<_> = (0..workers)
            .map(|_| {
                let (receiver, merged) = (Arc::clone(&receiver), &merged);
                scope.spawn(move || profile_chunks(file, &receiver, dialect, merged))
            })
            .collect();
        // Now the workers alone hold the receiver: should all of them die, sending fails instead of
        // waiting for ever.
        drop(receiver);
        let cut = cut(&|work| !lock(&merged).has_failed() && sender.send(work).is_ok());
        drop(sender);
        for profiler in profilers {
            profiler
                .join()
                .map_err(|_| Error::new(Kind::Internal, "a profiling thread ended abruptly"))?;
        }
        cut
    });
    (cut, merged.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Takes work until there is no more.
fn profile_chunks(
    file: &File,
    work: &Mutex<Receiver<CutChunk>>,
    dialect: &Dialect,
    merged: &Mutex<MergedProfiles>,
) {
    let mut buffer = Vec::new();
    loop {
        let next = lock(work).recv();
        let Ok((chunk, header)) = next else { return };
        let profile = read_chunk(file, &chunk, &mut buffer)
            .map(|()| profile_chunk(&buffer, &chunk, &header, dialect));
        lock(merged).push(&header, chunk, profile);
    }
}

/// Locks also after a thread has died with the lock: no method leaves these values half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The profiles so far, merged in the order of the file, so that memory does not grow with it.
#[derive(Default)]
pub(super) struct MergedProfiles {
    merge: Option<ProfileMerge>,
    chunks: Vec<Chunk>,
    /// Chunks, by ordinal, that wait until all chunks before them are merged. (Chunk 3 is done
    /// while another thread works on chunk 2.)
    early: BTreeMap<u64, (Chunk, Result<Result<ChunkProfile, CsvError>>)>,
    /// The first error of the file, whichever thread met one first.
    error: Option<Error>,
}

impl MergedProfiles {
    fn has_failed(&self) -> bool {
        self.error.is_some()
    }

    fn push(
        &mut self,
        header: &Header,
        chunk: Chunk,
        profile: Result<Result<ChunkProfile, CsvError>>,
    ) {
        self.early.insert(chunk.ordinal, (chunk, profile));
        while let Some((chunk, profile)) = self.early.remove(&(self.chunks.len() as u64)) {
            let merge = self.merge.get_or_insert_with(|| ProfileMerge::new(header));
            let added = profile.and_then(|profile| merge.push(profile).map_err(csv_failure));
            if let Err(error) = added {
                self.error.get_or_insert(error);
            }
            self.chunks.push(chunk);
        }
    }

    /// The chunks and their merged profile; `None` where there was no chunk. Errors: the first one
    /// of the file.
    pub(super) fn finish(self) -> Result<(Vec<Chunk>, Option<ProfileMerge>)> {
        match self.error {
            Some(error) => Err(error),
            None => Ok((self.chunks, self.merge)),
        }
    }
}
