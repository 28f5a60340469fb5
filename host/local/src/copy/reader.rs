//! The blocking half of a COPY: reads files, converts their rows, and gathers the rows that cannot
//! be loaded. In: files and the table's columns. Out: buffers of PostgreSQL's binary format to a
//! channel, and rows for STL_LOAD_ERRORS.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::binary::RowBuffer;
use super::convert::{write_field, write_missing};
use super::fault::{Fault, fault};
use super::parquet;
use super::records::LoadError;
use super::source::SourceFile;
use super::target::{LoadedColumn, TargetTable};
use super::text::{Next, Records};
use crate::clock::now_millis;
use crate::sql::{Compression, CopyStatement, FileFormat};

/// Bytes sent to PostgreSQL at a time.
const BUFFER_BYTES: usize = 256 << 10;
/// The most bytes of a bad row, and of its bad field, that STL_LOAD_ERRORS keeps.
const MAX_RAW_BYTES: usize = 4096;

/// A message from the reader to the writer.
pub(crate) enum Message {
    Rows(Bytes),
    /// Everything was read without an error.
    End,
}

/// Why the reader stopped early.
pub(crate) enum Stop {
    Failed(String),
    /// The writer has closed the channel and has the reason.
    Closed,
}

/// Why a record cannot be loaded, and where.
struct Rejection {
    fault: Fault,
    /// The byte of the record.
    position: usize,
    /// The index of the column, where one column is at fault.
    column: Option<usize>,
}

/// Reads all files of a COPY.
pub(crate) struct Reader {
    statement: CopyStatement,
    table: TargetTable,
    query_id: i64,
    sender: mpsc::Sender<Message>,
    errors: Vec<LoadError>,
    rows: u64,
}

impl Reader {
    pub(crate) fn new(
        statement: CopyStatement,
        table: TargetTable,
        query_id: i64,
        sender: mpsc::Sender<Message>,
    ) -> Reader {
        Reader { statement, table, query_id, sender, errors: Vec::new(), rows: 0 }
    }

    /// Reads the files in order; returns the number of rows, and the rows that were rejected.
    pub(crate) fn read_all(mut self, files: &[SourceFile]) -> (Result<u64, Stop>, Vec<LoadError>) {
        let outcome = self.read_files(files);
        (outcome.map(|()| self.rows), self.errors)
    }

    fn read_files(&mut self, files: &[SourceFile]) -> Result<(), Stop> {
        let mut buffer = RowBuffer::new(self.table.columns.len());
        for file in files {
            if self.statement.format == FileFormat::Parquet {
                self.read_parquet(file, &mut buffer)?;
            } else {
                self.read_text(file, &mut buffer)?;
            }
        }
        buffer.finish();
        self.send(&mut buffer)?;
        // Only this End makes the writer complete the COPY. Every early return above leaves it out,
        // so a load takes all files or none.
        self.sender.blocking_send(Message::End).map_err(|_| Stop::Closed)
    }

    fn send(&self, buffer: &mut RowBuffer) -> Result<(), Stop> {
        // A buffer is sent behind the record that fills it, so it outgrows BUFFER_BYTES a little.
        let bytes = buffer.take(BUFFER_BYTES + BUFFER_BYTES / 4);
        self.sender.blocking_send(Message::Rows(Bytes::from(bytes))).map_err(|_| Stop::Closed)
    }

    fn read_parquet(&mut self, file: &SourceFile, buffer: &mut RowBuffer) -> Result<(), Stop> {
        let batches = parquet::open(file, &self.table.columns, self.statement.fill_record)
            .map_err(Stop::Failed)?;
        for batch in batches {
            let batch = batch.map_err(|error| {
                Stop::Failed(format!("ERROR: Spectrum Scan Error: File '{}': {error}", file.url))
            })?;
            parquet::write_batch(&batch, &self.table.columns, file, buffer)
                .map_err(Stop::Failed)?;
            self.rows += batch.num_rows() as u64;
            self.send(buffer)?;
        }
        Ok(())
    }

    fn read_text(&mut self, file: &SourceFile, buffer: &mut RowBuffer) -> Result<(), Stop> {
        let failed = |error: io::Error| {
            Stop::Failed(format!("ERROR: S3 object {} cannot be read: {error}", file.url))
        };
        let mut records = self.records(file).map_err(failed)?;
        loop {
            match records.next_record().map_err(failed)? {
                Next::End => return Ok(()),
                Next::Fault(bad) => {
                    let (fault, position) = (fault(bad.code, bad.reason), bad.position);
                    self.reject(file, &records, Rejection { fault, position, column: None })?;
                }
                Next::Record => self.take_record(file, &records, buffer)?,
            }
            if buffer.len() >= BUFFER_BYTES {
                self.send(buffer)?;
            }
        }
    }

    fn records(&self, file: &SourceFile) -> io::Result<Records<impl BufRead + use<>>> {
        let reader = decompressed(file, self.statement.compression)?;
        Records::new(BufReader::with_capacity(1 << 20, reader), &self.statement.text)
    }

    fn take_record<R: BufRead>(
        &mut self,
        file: &SourceFile,
        records: &Records<R>,
        buffer: &mut RowBuffer,
    ) -> Result<(), Stop> {
        buffer.start_row();
        match self.write_record(records, buffer) {
            Ok(()) => {
                self.rows += 1;
                Ok(())
            }
            Err(rejection) => {
                // The fields before the bad one are in the buffer already; the row goes as a whole.
                buffer.drop_row();
                self.reject(file, records, rejection)
            }
        }
    }

    fn write_record<R: BufRead>(
        &self,
        records: &Records<R>,
        buffer: &mut RowBuffer,
    ) -> Result<(), Rejection> {
        let (columns, options) = (&self.table.columns, &self.statement.text);
        self.check_width(records)?;
        for (index, column) in columns.iter().enumerate() {
            let (written, position) = match records.fields().get(index) {
                Some(span) => {
                    (write_field(records.field(*span), column, options, buffer), span.position)
                }
                None => (write_missing(column, options, buffer), records.raw().len()),
            };
            written.map_err(|fault| Rejection { fault, position, column: Some(index) })?;
        }
        Ok(())
    }

    /// Checks that a record has as many fields as the table has columns, or fewer with FILLRECORD.
    // A surplus field belongs to no column, so its fault names none. Where fields are missing, the
    // fault names the first column without one, at the end of the line.
    fn check_width<R: BufRead>(&self, records: &Records<R>) -> Result<(), Rejection> {
        let (fields, columns) = (records.fields(), self.table.columns.len());
        if let Some(surplus) = fields.get(columns) {
            let fault = fault(1202, "Extra column(s) found");
            return Err(Rejection { fault, position: surplus.position, column: None });
        }
        if fields.len() < columns && !self.statement.fill_record {
            let position = records.raw().trim_ascii_end().len();
            let fault = fault(1214, "Delimiter not found");
            return Err(Rejection { fault, position, column: Some(fields.len()) });
        }
        Ok(())
    }

    /// Records a bad row; fails the load when there are too many.
    // `max_errors` is at least 1: MAXERROR 0 and MAXERROR 1 both fail at the first bad row. With
    // MAXERROR 8 seven bad rows are left out, and the eighth fails the load.
    fn reject<R: BufRead>(
        &mut self,
        file: &SourceFile,
        records: &Records<R>,
        rejection: Rejection,
    ) -> Result<(), Stop> {
        let error = self.load_error(file, records, rejection);
        self.errors.push(error);
        if self.errors.len() < self.statement.max_errors {
            return Ok(());
        }
        Err(Stop::Failed(format!(
            "ERROR: Load into table '{}' failed.  Check 'stl_load_errors' system table for \
             details.",
            self.table.name
        )))
    }

    fn load_error<R: BufRead>(
        &self,
        file: &SourceFile,
        records: &Records<R>,
        rejection: Rejection,
    ) -> LoadError {
        let Rejection { fault, position, column: index } = rejection;
        let column = index.and_then(|index| self.table.columns.get(index));
        let field = index.and_then(|index| records.fields().get(index));
        LoadError {
            query_id: self.query_id,
            table_id: self.table.oid,
            table_name: self.table.name.clone(),
            at_millis: now_millis(),
            file_name: file.url.clone(),
            line_number: records.line(),
            column_name: column.map(|column| column.name.clone()).unwrap_or_default(),
            column_type: column.map(|column| column.kind.name().to_owned()).unwrap_or_default(),
            column_length: column.map(LoadedColumn::length_text).unwrap_or_default(),
            position,
            code: fault.code,
            reason: fault.reason,
            raw_line: preview(records.raw()).trim_end().to_owned(),
            raw_field: field.map(|span| preview(records.field(*span))).unwrap_or_default(),
        }
    }
}

fn preview(raw: &[u8]) -> String {
    String::from_utf8_lossy(&raw[..raw.len().min(MAX_RAW_BYTES)]).into_owned()
}

/// The bytes of a file, decompressed.
// A gzip or bzip2 file may be several streams in a row, for example the output of `cat a.gz b.gz`.
// A decoder of a single stream would end after the first without an error and lose the rest, so
// these are the `Multi` decoders. The zstd decoder reads on by itself.
fn decompressed(file: &SourceFile, compression: Compression) -> io::Result<Box<dyn Read>> {
    let handle = File::open(&file.path)?;
    if file.size_bytes == 0 {
        // An empty object has no rows. A decoder would miss its header and fail.
        return Ok(Box::new(io::empty()));
    }
    Ok(match compression {
        Compression::None => Box::new(handle),
        Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(BufReader::new(handle))),
        Compression::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(BufReader::new(handle))),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(handle)?),
    })
}
