//! Profiling on threads, while the file is still being read.
//!
//! In: chunks, as they are cut. Out: the chunks of the whole file and the merged profile of its
//! columns, in the order of the file.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use loader_csv::{
    Chunk, ChunkProfile, CsvError, Dialect, Header, LearntRun, ProfileMerge, profile_chunk,
};
use loader_model::error::{Error, Kind, Result};

use super::spool::read_chunk;
use crate::content::Source;
use crate::failures::csv_failure;
use crate::read_at::ReadAt;

/// A complete chunk and the file's header.
pub(super) type CutChunk = (Chunk, Header);

/// Where chunks go once they are cut. Each of its functions says false once an error makes further
/// chunks useless.
pub(super) struct Profilers<'a> {
    sender: SyncSender<CutChunk>,
    merged: &'a Mutex<MergedProfiles>,
}

impl Profilers<'_> {
    /// Has a chunk profiled.
    pub(super) fn profile(&self, chunk: CutChunk) -> bool {
        !lock(self.merged).has_failed() && self.sender.send(chunk).is_ok()
    }

    /// Takes chunks that were profiled elsewhere.
    pub(super) fn take(&self, header: &Header, chunks: Vec<Chunk>, run: LearntRun) -> bool {
        let records = run.chunks.iter().map(|chunk| chunk.records).collect();
        let run = ProfiledRun { chunks, records, profile: run.profile };
        let mut merged = lock(self.merged);
        merged.push(header, run.first_ordinal(), Ok(Ok(run)));
        !merged.has_failed()
    }
}

/// Runs `cut` on this thread. Other threads profile the chunks that `cut` hands out, and add them to
/// `profiles`.
///
/// Returns both results, that of `cut` and the merged profiles: the caller decides which of two
/// errors counts.
// The ends of the channel go in a fixed order. This thread drops its receiver first: should all
// workers die, `send` then fails instead of waiting for ever. It drops the sender before it joins
// the workers: they end when `recv` fails, which it does only without a sender.
pub(super) fn profile_behind<T>(
    file: &dyn ReadAt,
    dialect: &Dialect,
    workers: NonZeroUsize,
    profiles: MergedProfiles,
    cut: impl FnOnce(&Profilers<'_>) -> Result<T>,
) -> (Result<T>, MergedProfiles) {
    let workers = workers.get();
    let (sender, receiver) = sync_channel::<CutChunk>(workers * 2);
    let (receiver, merged) = (Arc::new(Mutex::new(receiver)), Mutex::new(profiles));
    let cut = std::thread::scope(|scope| -> Result<T> {
        let profilers: Vec<_> = (0..workers)
            .map(|_| {
                let (receiver, merged) = (Arc::clone(&receiver), &merged);
                scope.spawn(move || profile_chunks(file, &receiver, dialect, merged))
            })
            .collect();
        drop(receiver);
        let profilers_of_cut = Profilers { sender, merged: &merged };
        let cut = cut(&profilers_of_cut);
        drop(profilers_of_cut);
        for profiler in profilers {
            profiler
                .join()
                .map_err(|_| Error::new(Kind::Internal, "a profiling thread ended abruptly"))?;
        }
        cut
    });
    (cut, merged.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Takes chunks and profiles them until there are no more.
fn profile_chunks(
    file: &dyn ReadAt,
    work: &Mutex<Receiver<CutChunk>>,
    dialect: &Dialect,
    merged: &Mutex<MergedProfiles>,
) {
    let mut buffer = Vec::new();
    loop {
        // A statement of its own, so that the lock is released here. In the condition of a `while
        // let` it would be held while the chunk is profiled, and one worker would work at a time.
        let next = lock(work).recv();
        let Ok((chunk, header)) = next else { return };
        let profile = read_chunk(file, &chunk, &mut buffer)
            .map(|()| profile_chunk(&buffer, &chunk, &header, dialect));
        let ordinal = chunk.ordinal;
        let run = profile.map(|profile| profile.map(|profile| ProfiledRun::of(chunk, profile)));
        lock(merged).push(&header, ordinal, run);
    }
}

/// Locks a mutex, also after a thread has panicked while it held the lock. Its panic is reported
/// when the thread is joined, so the values behind the lock are not used for a result.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Chunks behind each other, and the profile that they have together.
struct ProfiledRun {
    chunks: Vec<Chunk>,
    /// Of each chunk.
    records: Vec<u64>,
    profile: ChunkProfile,
}

impl ProfiledRun {
    fn of(chunk: Chunk, profile: ChunkProfile) -> ProfiledRun {
        ProfiledRun { chunks: vec![chunk], records: vec![profile.records()], profile }
    }

    fn first_ordinal(&self) -> u64 {
        self.chunks.first().map_or(0, |chunk| chunk.ordinal)
    }
}

/// The profiles so far, merged in the order of the file. Only chunks that are early are kept, so
/// memory does not grow with the file.
#[derive(Default)]
pub(super) struct MergedProfiles {
    merge: Option<ProfileMerge>,
    chunks: Vec<Chunk>,
    /// The last run in order, mostly of one chunk. It is merged with the next one: a mistake at the
    /// start of that may be the fault of this one's last row.
    pending: Option<ProfiledRun>,
    /// Runs, by their first ordinals, that wait until all chunks before them are merged. For example,
    /// chunk 3 waits here while another thread still works on chunk 2.
    early: BTreeMap<u64, Result<Result<ProfiledRun, CsvError>>>,
    /// What comes first in the file and ends the profile, also when a thread met a later one before.
    failure: Option<ProfileFailure>,
}

/// Why a chunk could not be profiled.
pub(super) enum ProfileFailure {
    /// A mistake in the file.
    Mistake(CsvError),
    /// The spool cannot be read.
    Spool(Error),
}

impl ProfileFailure {
    fn in_source(self, source: &Source) -> Error {
        match self {
            ProfileFailure::Mistake(mistake) => csv_failure(mistake, source),
            ProfileFailure::Spool(error) => error,
        }
    }
}

impl MergedProfiles {
    fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Takes what ended the profile.
    pub(super) fn take_failure(&mut self) -> Option<ProfileFailure> {
        self.failure.take()
    }

    /// Forgets the chunks that are not merged, so that the file can be read on behind those that are.
    // The pending chunk is among them, also where no chunk has a mistake and only the cutting ended:
    // it would stand in for the first chunk that is read on, and the rest of that would be lost.
    pub(super) fn keep_merged(&mut self) {
        self.early.clear();
        self.pending = None;
    }

    /// The last chunk that is merged.
    pub(super) fn last_chunk(&self) -> Option<&Chunk> {
        self.chunks.last()
    }

    /// Takes the run that begins with the chunk of this ordinal.
    fn push(&mut self, header: &Header, ordinal: u64, run: Result<Result<ProfiledRun, CsvError>>) {
        self.early.insert(ordinal, run);
        // Failures are met in the order of the file, so the first one is the first in the file.
        while self.failure.is_none()
            && let Some(run) = self.early.remove(&self.next_ordinal())
        {
            if let Err(failure) = self.take_next(header, run) {
                self.failure = Some(failure);
            }
        }
    }

    /// `chunks` and the pending ones are the chunks 0 to n - 1.
    fn next_ordinal(&self) -> u64 {
        let pending = self.pending.as_ref().map_or(0, |run| run.chunks.len());
        (self.chunks.len() + pending) as u64
    }

    fn take_next(
        &mut self,
        header: &Header,
        run: Result<Result<ProfiledRun, CsvError>>,
    ) -> std::result::Result<(), ProfileFailure> {
        let run = run.map_err(ProfileFailure::Spool)?;
        let records = self.pending.as_ref().map_or(0, |run| run.profile.records());
        let merge = self.merge.get_or_insert_with(|| ProfileMerge::new(header));
        let behind = merge.records() + records;
        let run = run.map_err(|error| ProfileFailure::Mistake(error.after_records(behind)))?;
        self.merge_pending();
        self.pending = Some(run);
        Ok(())
    }

    fn merge_pending(&mut self) {
        if let (Some(merge), Some(run)) = (&mut self.merge, self.pending.take()) {
            merge.push_run(run.profile, run.records);
            self.chunks.extend(run.chunks);
        }
    }

    /// The chunks and their merged profile, which is `None` without chunks.
    ///
    /// Errors: what comes first in the file and ended the profile.
    pub(super) fn finish(mut self, source: &Source) -> Result<(Vec<Chunk>, Option<ProfileMerge>)> {
        self.merge_pending();
        match self.failure {
            Some(failure) => Err(failure.in_source(source)),
            None => Ok((self.chunks, self.merge)),
        }
    }
}
