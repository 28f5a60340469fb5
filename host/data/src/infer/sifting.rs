//! Reads a file on from its first mistake, and sets aside the records that cannot be read.
//!
//! In: the spooled file, and the profiles of the chunks before the mistake. Out: the profiles of
//! the whole file, whose chunks name their broken records.

use std::num::NonZeroUsize;

use loader_csv::{CsvError, Header, SIFT_BESIDE_BYTES, SiftFrom, Sifter};
use loader_model::error::{Error, Kind, Result};
use loader_model::max_rejects::MaxRejects;
use loader_model::stop::StopFlag;

use super::profiling::{MergedProfiles, Profilers, profile_behind};
use super::reading::{CHUNK_BYTES, Reading};
use super::spool::{Spool, read_chunk};
use super::tables;
use crate::content::Source;
use crate::failures::{csv_failure, in_words, in_words_with_advice};
use crate::read_at::not_read;
use crate::too_many::too_many;

/// The most broken records that an error message quotes.
const QUOTED: usize = 5;
/// The bytes of a chunk, as of one without broken records.
const TARGET_BYTES: usize = CHUNK_BYTES as usize;
const WINDOW_BYTES: usize = TARGET_BYTES + SIFT_BESIDE_BYTES;

/// A file that was copied to its end.
pub(super) struct Sifting<'a> {
    pub(super) source: &'a Source,
    pub(super) body_bytes: u64,
    pub(super) header: &'a Header,
    pub(super) reading: &'a Reading<'a>,
    pub(super) workers: NonZeroUsize,
    pub(super) stop: &'a StopFlag,
}

impl Sifting<'_> {
    /// Reads on behind the chunks that are merged.
    ///
    /// Errors: `Data` when more records are broken than rows may be rejected, or when no place is
    /// found where records fit again.
    pub(super) fn go_on(&self, mut profiles: MergedProfiles) -> Result<MergedProfiles> {
        profiles.keep_merged();
        let from = match profiles.last_chunk() {
            None => SiftFrom::beginning(self.header),
            Some(last) => {
                let mut bytes = Vec::new();
                read_chunk(self.source.copy(), last, &mut bytes)?;
                SiftFrom::behind(last, &bytes)
            }
        };
        let Reading { dialect, .. } = self.reading;
        let sifter = Sifter::new(dialect, self.header, &from, TARGET_BYTES);
        let (sifted, profiles) =
            profile_behind(self.source.copy(), dialect, self.workers, profiles, |profilers| {
                self.sift(sifter, profilers)
            });
        sifted.map(|()| profiles)
    }

    fn sift(&self, mut sifter: Sifter, profilers: &Profilers<'_>) -> Result<()> {
        let mut window = Vec::new();
        loop {
            self.stop.check()?;
            let left = self.body_bytes.saturating_sub(sifter.offset());
            let length = left.min(WINDOW_BYTES as u64);
            window.resize(usize::try_from(length).unwrap_or(WINDOW_BYTES), 0);
            self.source.copy().read_exact_at(&mut window, sifter.offset()).map_err(not_read)?;
            let chunks = sifter.push(&window, length == left);
            let chunks = chunks.map_err(|error| csv_failure(error, self.source))?;
            for chunk in chunks {
                if !profilers.profile((chunk, self.header.clone())) {
                    return Err(Error::new(Kind::Internal, "the profiling threads ended early"));
                }
            }
            if length == 0 {
                return Ok(());
            }
        }
    }
}

/// Refuses a file with more broken records than rows may be rejected.
pub(super) fn judge(spool: &Spool, max_rejects: MaxRejects) -> Result<()> {
    let broken = spool.broken_records();
    let most = max_rejects.of(spool.profile.records);
    if broken <= most {
        return Ok(());
    }
    let first = spool.first_broken(QUOTED);
    let of_tables =
        first.first().map(|first| tables::refusal(first, &spool.source, &spool.dialect));
    if let Some(refusal) = of_tables.flatten() {
        return Err(refusal);
    }
    // Advice about bytes is the same for all of them.
    let in_words = |(at, mistake): (usize, &CsvError)| {
        let column = mistake.position.column.as_ref();
        let column = column.map_or(String::new(), |column| format!(", column `{column}`"));
        let fact = match at {
            0 => in_words_with_advice(mistake, &spool.source),
            _ => in_words(&mistake.kind, &spool.source),
        };
        format!("{}{column}: {fact}", spool.source.line_or_row(&mistake.position))
    };
    let first: Vec<String> = first.iter().enumerate().map(in_words).collect();
    Err(too_many(&first, broken, max_rejects, false))
}
