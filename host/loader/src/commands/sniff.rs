//! `loader sniff`: how a file is written, in sentences for people or as settings.
//!
//! In: a local file or stdin. Out: what was found, how sure it is, what else fits, and the first rows
//! as they would be read. It needs no S3 and no warehouse.

mod told;
mod written;

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::Path;

use loader_data::content;
use loader_data::decompress::decompress;
use loader_data::sample::{Pieces, pieces};
use loader_model::choices::FileFormat;
use loader_model::error::{Context, Error, Kind, Result};
use loader_sniff::{Findings, Sample, Sniffed, sniff};

use crate::cli::SniffArgs;
use crate::commands::{conclude, print};

const STDIN: &str = "-";
/// The size from which on a file that is not compressed is not read as a whole.
const LARGE_BYTES: u64 = 16 * 1024 * 1024;

/// Prints what was found. Errors: `Config` for a file that cannot be read, `Data` for one that is
/// empty or no text.
pub fn run(args: SniffArgs) -> u8 {
    conclude(look(&args))
}

fn look(args: &SniffArgs) -> Result<()> {
    let name = args.input.display().to_string();
    let found = found(&args.input).map_err(|error| match error.kind() {
        Kind::Data => error.with("file", &name),
        _ => error,
    })?;
    print(&match (found, args.toml) {
        (Found::Dialect(found), true) => {
            written::settings(&found, &name, args.target_table.as_deref())?
        }
        (Found::Dialect(found), false) => told::findings(&found, &name),
        (Found::Other(format), true) => {
            written::format(format, &name, args.target_table.as_deref())
        }
        (Found::Other(format), false) => told::format(format, &name),
    });
    Ok(())
}

/// What a file is.
enum Found {
    Dialect(Box<Findings>),
    /// No CSV, so it has no dialect.
    Other(FileFormat),
}

fn found(input: &Path) -> Result<Found> {
    let (pieces, middle) = sample(input)?;
    let Pieces { beginning, end, is_whole } = &pieces;
    if let Some(format) = content::other_format(beginning, None, FileFormat::Auto)? {
        return Ok(Found::Other(format));
    }
    let sample = Sample { beginning, middle: &middle, end, is_whole: *is_whole };
    match sniff(&sample) {
        Sniffed::Text(found) => Ok(Found::Dialect(found)),
        Sniffed::Empty => Err(Error::new(Kind::Data, "the file is empty, so nothing can be told")),
        Sniffed::Binary(because) => Err(Error::new(Kind::Data, because)),
    }
}

/// The pieces of a file, and one of its middle where the file need not be read for it.
fn sample(input: &Path) -> Result<(Pieces, Vec<u8>)> {
    let (first, last) = (Sample::BEGINNING_BYTES, Sample::PIECE_BYTES);
    if input == Path::new(STDIN) {
        return Ok((pieces(decompress(std::io::stdin())?, first, last)?, Vec::new()));
    }
    let cannot = || format!("{} cannot be read", input.display());
    let file = File::open(input).context(Kind::Config, cannot())?;
    let size = file.metadata().context(Kind::Config, cannot())?.len();
    let read = |at: u64, bytes: usize| -> Result<Vec<u8>> {
        let mut piece = vec![0; bytes];
        file.read_exact_at(&mut piece, at).context(Kind::Config, cannot())?;
        Ok(piece)
    };
    let stored = File::open(input).context(Kind::Config, cannot())?;
    let mut content = decompress(stored)?;
    if size < LARGE_BYTES {
        return Ok((pieces(content, first, last)?, Vec::new()));
    }
    let mut beginning = vec![0; first];
    let begins = content.read_exact(&mut beginning).is_ok();
    if begins && beginning == read(0, first)? {
        let end = read(size - last as u64, last)?;
        return Ok((Pieces { beginning, end, is_whole: false }, read(size / 2, last)?));
    }
    let stored = File::open(input).context(Kind::Config, cannot())?;
    Ok((pieces(decompress(stored)?, first, last)?, Vec::new()))
}
