//! Whether a Parquet file is one file: of several that were put together, only the last is read.

use std::fs::File;
use std::os::unix::fs::FileExt;

use loader_model::error::{Context, Error, Kind, Result};
use parquet::file::metadata::ParquetMetaData;

const MAGIC: &[u8] = b"PAR1";
const READ_BYTES: usize = 1024 * 1024;

/// Refuses a file that has another one in it: between the last of its column chunks and its footer
/// are the magic bytes with which files begin and end. Errors: `Data`.
pub(super) fn check(file: &File, metadata: &ParquetMetaData) -> Result<()> {
    let cannot = "the temporary copy of the file cannot be read";
    let size = file.metadata().context(Kind::Internal, cannot)?.len();
    let chunks = metadata.row_groups().iter().flat_map(|group| group.columns());
    let end = chunks.map(|chunk| {
        let (start, length) = chunk.byte_range();
        start.saturating_add(length)
    });
    let (mut at, end) = (end.max().unwrap_or(0).max(MAGIC.len() as u64), size.saturating_sub(4));
    let mut buffer = vec![0; READ_BYTES];
    while at < end {
        let read = file.read_at(&mut buffer, at).context(Kind::Internal, cannot)?;
        let here = &buffer[..read.min(usize::try_from(end - at).unwrap_or(read))];
        if memchr::memmem::find(here, MAGIC).is_some() {
            let fact = "the file is several Parquet files put together, of which one would be read; \
                        deliver each by itself";
            return Err(Error::new(Kind::Data, fact));
        }
        // The next look begins within these bytes, for magic bytes that two looks cut.
        match here.len() {
            0..=3 => break,
            length => at += length as u64 - 3,
        }
    }
    Ok(())
}
