//! Infer: reads the file once, from its beginning to its end, and knows it afterwards.
//!
//! Comes in: a stream of bytes. Goes out: the bytes in a temporary file, cut into chunks at record
//! boundaries, and the profile of every column over the whole file. One thread cuts, the workers
//! profile behind it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZeroUsize;
use std::os::unix::fs::FileExt;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use loader_csv::{
    Chunk, ChunkProfile, CsvError, Dialect, FileProfile, Header, ProfileMerge, Splitter,
    profile_chunk,
};

use crate::decompress::read_failure;
use loader_model::error::{Context, Error, Kind, Result};
use loader_model::stop::StopFlag;

/// Bytes of one unit of work. Large enough to hide its overhead, small enough to spread and to
/// bound memory.
const CHUNK_BYTES: u64 = 4 * 1024 * 1024;
const READ_BYTES: usize = 1024 * 1024;

/// A file that has been read to its end.
pub struct Spool {
    file: File,
    pub header: Header,
    pub profile: FileProfile,
    pub dialect: Dialect,
    pub chunks: Vec<SpooledChunk>,
    pub size_bytes: u64,
}

/// A chunk and the number of its first record.
#[derive(Clone, Debug)]
pub struct SpooledChunk {
    pub chunk: Chunk,
    pub first_record: u64,
}

impl Spool {
    /// The bytes of a chunk.
    pub fn read(&self, chunk: &Chunk, buffer: &mut Vec<u8>) -> Result<()> {
        read_chunk(&self.file, chunk, buffer)
    }

    /// Records as they stand in the file, with their lines. `records` count from 1 and ascend; each
    /// chunk is read once. One that cannot be found again is left out.
    pub fn records(&self, records: &[u64]) -> BTreeMap<u64, (u64, String)> {
        let (mut found, mut rest, mut buffer) = (BTreeMap::new(), records, Vec::new());
        while let Some(first) = rest.first() {
            let at = self.chunks.partition_point(|chunk| chunk.first_record <= *first);
            let next_chunk = self.chunks.get(at).map_or(u64::MAX, |chunk| chunk.first_record);
            let (here, later) = rest.split_at(rest.partition_point(|record| *record < next_chunk));
            rest = later;
            let Some(SpooledChunk { chunk, first_record }) =
                at.checked_sub(1).and_then(|at| self.chunks.get(at))
            else {
                continue;
            };
            if self.read(chunk, &mut buffer).is_err() {
                continue;
            }
            let numbers: Vec<u64> = here.iter().map(|record| record - first_record).collect();
            let columns = self.header.names.len();
            let texts = loader_csv::find_records(&buffer, chunk, columns, &self.dialect, &numbers);
            found.extend(here.iter().zip(texts).map(|(record, text)| {
                (*record, (text.line, String::from_utf8_lossy(text.bytes).into_owned()))
            }));
        }
        found
    }
}

/// Reads `input` to its end on this thread. Errors: `Data` with the position of the first thing
/// that is no CSV.
pub fn run(
    mut input: impl Read,
    dialect: &Dialect,
    workers: NonZeroUsize,
    stop: &StopFlag,
) -> Result<Spool> {
    let file = tempfile::tempfile()
        .context(Kind::Internal, "no temporary file can be made; check TMPDIR")?;
    let mut splitter = Splitter::new(dialect, CHUNK_BYTES);
    let workers = workers.get();
    let (sender, receiver) = sync_channel::<(Chunk, Header)>(workers * 2);
    let (receiver, folded) = (Arc::new(Mutex::new(receiver)), Mutex::new(Folded::default()));
    let split = std::thread::scope(|scope| -> Result<u64> {
        let profilers: Vec<_> = (0..workers)
            .map(|_| {
                let (receiver, file, folded) = (Arc::clone(&receiver), &file, &folded);
                scope.spawn(move || profile_chunks(file, &receiver, dialect, folded))
            })
            .collect();
        // The workers alone hold it now: should they all die, sending to them fails instead of
        // waiting for ever.
        drop(receiver);
        let split = split(&mut input, &file, &mut splitter, stop, |work| {
            !lock(&folded).has_failed() && sender.send(work).is_ok()
        });
        drop(sender);
        for profiler in profilers {
            profiler
                .join()
                .map_err(|_| Error::new(Kind::Internal, "a profiling thread ended abruptly"))?;
        }
        split
    });
    // What a chunk has wrong stands before whatever ended the cutting behind it.
    let folded = folded.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (chunks, merge) = folded.finish()?;
    let size_bytes = split?;
    let header = splitter
        .header()
        .cloned()
        .ok_or_else(|| Error::new(Kind::Internal, "a file without header got through"))?;
    let profile = merge.unwrap_or_else(|| ProfileMerge::new(&header)).finish();
    let first_records = profile.first_records.iter();
    let chunks = chunks
        .into_iter()
        .zip(first_records)
        .map(|(chunk, first)| SpooledChunk { chunk, first_record: *first });
    Ok(Spool {
        file,
        header,
        chunks: chunks.collect(),
        profile,
        dialect: dialect.clone(),
        size_bytes,
    })
}

/// Copies the stream into the spool and hands out chunks as they become whole.
fn split(
    input: &mut impl Read,
    mut file: &File,
    splitter: &mut Splitter,
    stop: &StopFlag,
    mut hand_out: impl FnMut((Chunk, Header)) -> bool,
) -> Result<u64> {
    let (mut buffer, mut size_bytes) = (vec![0; READ_BYTES], 0);
    loop {
        stop.check()?;
        let n = input.read(&mut buffer).map_err(read_failure)?;
        file.write_all(&buffer[..n]).context(
            Kind::Internal,
            "the temporary copy of the file cannot be written; is the disk of TMPDIR full?",
        )?;
        size_bytes += n as u64;
        let chunks = if n == 0 { splitter.finish() } else { splitter.push(&buffer[..n]) };
        let chunks = chunks.map_err(csv_failure)?;
        for chunk in chunks {
            let header = splitter
                .header()
                .cloned()
                .ok_or_else(|| Error::new(Kind::Internal, "a chunk came before the header"))?;
            if !hand_out((chunk, header)) {
                return Err(Error::new(Kind::Internal, "the profiling threads ended early"));
            }
        }
        if n == 0 {
            return Ok(size_bytes);
        }
    }
}

/// Takes work until there is no more.
fn profile_chunks(
    file: &File,
    work: &Mutex<Receiver<(Chunk, Header)>>,
    dialect: &Dialect,
    folded: &Mutex<Folded>,
) {
    let mut buffer = Vec::new();
    loop {
        let next = lock(work).recv();
        let Ok((chunk, header)) = next else { return };
        let profile = read_chunk(file, &chunk, &mut buffer)
            .map(|()| profile_chunk(&buffer, &chunk, &header, dialect));
        lock(folded).push(&header, chunk, profile);
    }
}

/// Whatever a thread was doing when it died, these values are whole between two of their methods.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The profiles so far, added up in the order of the file, so that memory does not grow with it.
#[derive(Default)]
struct Folded {
    merge: Option<ProfileMerge>,
    chunks: Vec<Chunk>,
    /// Those whose predecessors are still being worked on.
    early: BTreeMap<u64, (Chunk, Result<Result<ChunkProfile, CsvError>>)>,
    /// The first error of the file, whichever thread met one first.
    error: Option<Error>,
}

impl Folded {
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

    fn finish(self) -> Result<(Vec<Chunk>, Option<ProfileMerge>)> {
        match self.error {
            Some(error) => Err(error),
            None => Ok((self.chunks, self.merge)),
        }
    }
}

fn read_chunk(file: &File, chunk: &Chunk, buffer: &mut Vec<u8>) -> Result<()> {
    let len =
        usize::try_from(chunk.len).context(Kind::Internal, "a chunk is larger than memory")?;
    buffer.resize(len, 0);
    file.read_exact_at(buffer, chunk.offset)
        .context(Kind::Internal, "the temporary copy of the file cannot be read")
}

/// What is wrong with the file, with its place. Whoever knows the file's address adds it.
pub fn csv_failure(error: CsvError) -> Error {
    Error::new(Kind::Data, error.to_string())
}
