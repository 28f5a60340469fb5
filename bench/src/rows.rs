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

/// The batches of CSV with the types of the whole text.
pub(crate) fn batches(text: &[u8]) -> Result<Batches> {
    let file = CutFile::split(text)?;
    let mut batches = Vec::new();
    file.decode(&file.profile()?, |batch, rows| {
        batches.push((batch, rows));
        Ok(())
    })?;
    Ok(batches)
}

/// CSV that is cut into chunks, as a load reads it.
pub(crate) struct CutFile<'a> {
    pub(crate) text: &'a [u8],
    dialect: Dialect,
    header: Header,
    chunks: Vec<Chunk>,
}

impl<'a> CutFile<'a> {
    /// Cuts the text into chunks of the size that a load has.
    pub(crate) fn split(text: &'a [u8]) -> Result<CutFile<'a>> {
        const CHUNK_BYTES: u64 = 4 << 20;
        const READ_BYTES: usize = 1 << 20;
        let dialect = Dialect::default();
        let mut splitter = Splitter::new(&dialect, CHUNK_BYTES);
        let mut chunks = Vec::new();
        for piece in text.chunks(READ_BYTES) {
            chunks.extend(splitter.push(piece)?);
        }
        chunks.extend(splitter.finish()?);
        let header = splitter.header().ok_or("no header")?.clone();
        Ok(CutFile { text, dialect, header, chunks })
    }

    /// Learns the columns from all chunks.
    pub(crate) fn profile(&self) -> Result<FileProfile> {
        let profile = |chunk| profile_chunk(self.bytes(chunk), chunk, &self.header, &self.dialect);
        Ok(FileProfile::merge(&self.header, self.chunks.iter().map(profile))?)
    }

    /// Decodes all chunks with the types that a load takes when the user names none. `take` gets
    /// each batch with the numbers of its rows.
    pub(crate) fn decode(
        &self,
        profile: &FileProfile,
        mut take: impl FnMut(RecordBatch, Int64Array) -> Result<()>,
    ) -> Result<()> {
        let types = profile.columns.iter().map(|column| DecodeAs::of_new(&column.new_type(false)));
        let types: Vec<DecodeAs> = types.collect();
        let mut decoder = Decoder::new(&self.dialect, &self.header, &types, Decoder::BATCH_ROWS);
        for (chunk, first) in self.chunks.iter().zip(&profile.first_records) {
            for decoded in decoder.decode_chunk(self.bytes(chunk), chunk, *first) {
                let Decoded { batch, rows, .. } = decoded?;
                take(batch, rows)?;
            }
        }
        Ok(())
    }

    // The offsets of chunks are below the length of `text`, so the casts lose nothing.
    fn bytes(&self, chunk: &Chunk) -> &'a [u8] {
        &self.text[chunk.offset as usize..(chunk.offset + chunk.len) as usize]
    }
}
