//! Rows as CSV text and back. NULL is an empty field, the empty text is `""`. For example, the line
//! `7,,""` holds the text 7, NULL and the empty text.

use loader_csv::{
    Chunk, CsvError, DecodeAs, Decoded, Decoder, Dialect, FileProfile, Header, Splitter,
    profile_chunk,
};

use crate::text;

/// A row of texts; NULL is `None`.
pub(crate) type Row = Vec<Option<String>>;

/// Writes a header and rows.
pub(crate) fn write<'a>(
    header: impl IntoIterator<Item = &'a str>,
    rows: impl IntoIterator<Item = impl IntoIterator<Item = Option<&'a str>>>,
) -> String {
    let mut out = String::new();
    push_line(&mut out, header.into_iter().map(Some), "");
    for row in rows {
        push_line(&mut out, row, "");
    }
    out
}

/// Appends a line. `null` stands for NULL; a text that reads the same is quoted. With `\N` for
/// NULL, for example, the text `\N` is written as `"\N"`.
pub(crate) fn push_line<'a>(
    out: &mut String,
    cells: impl IntoIterator<Item = Option<&'a str>>,
    null: &str,
) {
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        match cell {
            None => out.push_str(null),
            Some(text)
                if text.is_empty() || text == null || text.contains(['"', ',', '\n', '\r']) =>
            {
                out.push('"');
                out.push_str(&text.replace('"', "\"\""));
                out.push('"');
            }
            Some(text) => out.push_str(text),
        }
    }
    out.push('\n');
}

/// A CSV file that was read to its end.
pub(crate) struct CsvText<'a> {
    bytes: &'a [u8],
    dialect: &'a Dialect,
    pub(crate) header: Header,
    chunks: Vec<Chunk>,
    pub(crate) profile: FileProfile,
}

impl<'a> CsvText<'a> {
    pub(crate) fn read(bytes: &'a [u8], dialect: &'a Dialect) -> Result<CsvText<'a>, CsvError> {
        // As large as in a load, so that a file is cut into the same chunks.
        const CHUNK_BYTES: u64 = 4 << 20;
        let mut splitter = Splitter::new(dialect, CHUNK_BYTES);
        let mut chunks = splitter.push(bytes)?;
        chunks.extend(splitter.finish()?);
        let header = splitter.header().cloned().unwrap_or_default();
        let profiles = chunks
            .iter()
            .map(|chunk| profile_chunk(bytes_of(bytes, chunk), chunk, &header, dialect));
        let profile = FileProfile::merge(&header, profiles)?;
        Ok(CsvText { bytes, dialect, header, chunks, profile })
    }

    /// The file's records as batches, each with the numbers of its records.
    pub(crate) fn decode(
        &self,
        decode_as: &[DecodeAs],
    ) -> Result<Vec<(arrow_array::RecordBatch, arrow_array::Int64Array)>, CsvError> {
        let mut decoder = Decoder::new(self.dialect, &self.header, decode_as, Decoder::BATCH_ROWS);
        let mut batches = Vec::new();
        for (chunk, first) in self.chunks.iter().zip(&self.profile.first_records) {
            for batch in decoder.decode_chunk(bytes_of(self.bytes, chunk), chunk, *first) {
                let Decoded { batch, rows, .. } = batch?;
                batches.push((batch, rows));
            }
        }
        Ok(batches)
    }

    /// The line in which each record begins, in the order of the records.
    // `find_records` counts the records of a chunk from 0; `first_records` counts those of the file
    // from 1. So a chunk has as many records as lie between its own first one and the next chunk's.
    // The last chunk has no next one: its records end at `profile.records`.
    pub(crate) fn lines(&self) -> Vec<u64> {
        let mut lines = Vec::new();
        let firsts = &self.profile.first_records;
        for (index, (chunk, first)) in self.chunks.iter().zip(firsts).enumerate() {
            let next = firsts.get(index + 1).copied().unwrap_or(self.profile.records + 1);
            let numbers: Vec<u64> = (0..next.saturating_sub(*first)).collect();
            let bytes = bytes_of(self.bytes, chunk);
            let found =
                loader_csv::find_records(bytes, chunk, &self.header, self.dialect, &numbers);
            lines.extend(found.into_iter().map(|record| record.line));
        }
        lines
    }

    /// All records as text, without quotes.
    pub(crate) fn texts(&self) -> Result<Vec<Row>, CsvError> {
        let batches = self.decode(&vec![DecodeAs::Text; self.header.names.len()])?;
        Ok(batches.iter().flat_map(|(batch, _)| text::rows(batch)).collect())
    }
}

fn bytes_of<'a>(bytes: &'a [u8], chunk: &Chunk) -> &'a [u8] {
    let end = (chunk.offset + chunk.len) as usize;
    bytes.get(chunk.offset as usize..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let rows: Vec<Row> = vec![
            vec![Some("1".into()), None, Some(String::new())],
            vec![Some("a \"b\", c\nd".into()), Some(" ".into()), None],
        ];
        let cells = rows.iter().map(|row| row.iter().map(Option::as_deref).collect::<Vec<_>>());
        let text = write(["x", "y,z", "w"], cells);
        assert_eq!(text, "x,\"y,z\",w\n1,,\"\"\n\"a \"\"b\"\", c\nd\", ,\n");
        let dialect = Dialect::default();
        let file = CsvText::read(text.as_bytes(), &dialect).unwrap();
        assert_eq!(file.header.names, ["x", "y,z", "w"]);
        assert_eq!(file.texts().unwrap(), rows);
        assert_eq!(file.lines(), [2, 3]);
    }
}
