//! The rows that are measured: TPC-H `lineitem`, typed and cut into batches as a load does it.

use std::fmt::Write;

use arrow_array::{Int64Array, RecordBatch};
use loader_csv::{
    Chunk, DecodeAs, Decoded, Decoder, Dialect, FileProfile, Header, Splitter, profile_chunk,
};
use tpchgen::csv::LineItemCsv;
use tpchgen::generators::LineItemGenerator;

use crate::outcome::Result;

/// Batches, each with the numbers of its rows in the file.
pub(crate) type Batches = Vec<(RecordBatch, Int64Array)>;

/// `lineitem` as CSV at this scale. For example, 1.0 has six million rows and 0.1 a tenth of them.
pub(crate) fn lineitem(scale: f64) -> Result<String> {
    let mut text = format!("{}\n", LineItemCsv::header());
    for item in LineItemGenerator::new(scale, 1, 1).iter() {
        writeln!(text, "{}", LineItemCsv::new(item))?;
    }
    Ok(text)
}

/// CSV as a load reads it: cut into chunks, decoded with the types of the whole text, in batches of
/// the size that a load has.
// The offsets of chunks are below the length of `text`, so the casts to `usize` lose nothing.
pub(crate) fn batches(text: &[u8]) -> Result<Batches> {
    let dialect = Dialect::default();
    let (header, chunks) = split(text, &dialect)?;
    let bytes = |chunk: &Chunk| &text[chunk.offset as usize..(chunk.offset + chunk.len) as usize];
    let profiles = chunks.iter().map(|chunk| profile_chunk(bytes(chunk), chunk, &header, &dialect));
    let profile = FileProfile::merge(&header, profiles)?;
    let mut decoder = Decoder::new(&dialect, &header, &types(&profile), Decoder::BATCH_ROWS);
    let mut batches = Vec::new();
    for (chunk, first) in chunks.iter().zip(&profile.first_records) {
        for batch in decoder.decode_chunk(bytes(chunk), chunk, *first) {
            let Decoded { batch, rows, .. } = batch?;
            batches.push((batch, rows));
        }
    }
    Ok(batches)
}

fn split(text: &[u8], dialect: &Dialect) -> Result<(Header, Vec<Chunk>)> {
    const CHUNK_BYTES: u64 = 4 << 20;
    let mut splitter = Splitter::new(dialect, CHUNK_BYTES);
    let mut chunks = splitter.push(text)?;
    chunks.extend(splitter.finish()?);
    Ok((splitter.header().ok_or("no header")?.clone(), chunks))
}

/// The types that a load takes when the user names none.
fn types(profile: &FileProfile) -> Vec<DecodeAs> {
    profile.columns.iter().map(|column| DecodeAs::of_new(&column.new_type(false))).collect()
}
