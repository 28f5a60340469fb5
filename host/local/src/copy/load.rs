//! Runs a COPY: finds the table and the files, reads and converts on a blocking thread, and streams
//! into PostgreSQL. In: a statement and the connection it runs on. Out: the rows loaded or the
//! statement's error, and the rows of the load's system tables. Memory: a few buffers, whatever the
//! files' sizes.

use std::fs::File;
use std::io::{self, BufReader, Read};

use bytes::Bytes;
use futures::SinkExt;
use tokio::sync::mpsc;

use super::binary::RowBuffer;
use super::convert::{Fault, write_field, write_missing};
use super::source::{self, SourceFile};
use super::statement::{Compression, CopyStatement, FileFormat};
use super::target::{self, TargetTable};
use super::text::{Next, Records};
use super::{LoadError, LoadRecord, parquet};
use crate::data_api::{Execution, Session, now_millis};
use crate::objects::Objects;
use crate::sql::engine_error;

/// Bytes sent to PostgreSQL at a time.
const BUFFER_BYTES: usize = 256 << 10;
/// Buffers between the reader and PostgreSQL.
const BUFFERS: usize = 8;

/// Where a COPY runs.
pub(crate) struct Context<'a> {
    pub(crate) session: &'a Session,
    pub(crate) objects: &'a Objects,
    /// Asked whether it was cancelled.
    pub(crate) execution: &'a Execution,
    pub(crate) query_id: i64,
}

/// What a COPY did.
pub(crate) struct Report {
    /// Rows loaded, or the statement's error.
    pub(crate) outcome: Result<u64, String>,
    pub(crate) errors: Vec<LoadError>,
    pub(crate) record: Option<LoadRecord>,
}

/// Runs the statement.
pub(crate) async fn run(context: &Context<'_>, statement: &CopyStatement) -> Report {
    let started_millis = now_millis();
    let mut errors = Vec::new();
    let mut files = Vec::new();
    let outcome = load(context, statement, &mut files, &mut errors).await;
    let record = LoadRecord {
        query_id: context.query_id,
        status: if outcome.is_ok() { "completed" } else { "aborted" },
        table_name: statement.table.table.clone(),
        started_millis,
        ended_millis: now_millis(),
        source: format!("s3://{}/{}", statement.bucket, statement.key),
        format: if statement.format == FileFormat::Parquet { "parquet" } else { "text" },
        rows: *outcome.as_ref().unwrap_or(&0),
        files: files.len(),
        bytes: files.iter().map(|file| file.size_bytes).sum(),
        errors: errors.len(),
    };
    Report { outcome, errors, record: Some(record) }
}

async fn load(
    context: &Context<'_>,
    statement: &CopyStatement,
    files: &mut Vec<SourceFile>,
    errors: &mut Vec<LoadError>,
) -> Result<u64, String> {
    let session = context.session;
    set_last_copy(session, 0, -1).await?;
    let table = target::find(session, statement).await?;
    let (objects, wanted) = (context.objects.clone(), statement.clone());
    *files = blocking(move || source::find(&objects, &wanted)).await??;
    let (sender, receiver) = mpsc::channel(BUFFERS);
    let reader = Reader {
        statement: statement.clone(),
        table: table.clone(),
        query_id: context.query_id,
        sender,
        errors: Vec::new(),
        rows: 0,
    };
    let sources = files.clone();
    let reading = tokio::task::spawn_blocking(move || reader.read_all(&sources));
    let written = if statement.no_load {
        drain(receiver).await
    } else {
        write(context, &target::copy_in(statement, &table), receiver).await
    };
    let (read, found) = reading.await.map_err(|error| format!("ERROR: the load ended: {error}"))?;
    *errors = found;
    // What the reader found explains why the writer stopped; otherwise the writer's error is the
    // cause.
    let rows = match (written, read) {
        (_, Err(Stop::Failed(error))) => return Err(error),
        (Err(error), _) => return Err(error),
        (Ok(()), Err(Stop::Closed)) => return Err("ERROR: the load was interrupted".to_owned()),
        (Ok(()), Ok(rows)) => rows,
    };
    set_last_copy(session, rows, context.query_id).await?;
    Ok(rows)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| format!("ERROR: the load ended: {error}"))
}

async fn set_last_copy(session: &Session, rows: u64, query_id: i64) -> Result<(), String> {
    let sql = format!(
        "SELECT set_config('loader_local.last_copy_count', '{rows}', false), \
         set_config('loader_local.last_copy_id', '{query_id}', false)"
    );
    session.command(&sql).await.map(drop)
}

async fn drain(mut receiver: mpsc::Receiver<Message>) -> Result<(), String> {
    while receiver.recv().await.is_some() {}
    Ok(())
}

/// Sends the buffers to PostgreSQL. Dropping the sink before its end makes PostgreSQL fail the
/// COPY.
async fn write(
    context: &Context<'_>,
    sql: &str,
    mut receiver: mpsc::Receiver<Message>,
) -> Result<(), String> {
    let sink = context
        .session
        .client
        .copy_in::<_, Bytes>(sql)
        .await
        .map_err(|error| engine_error(&error))?;
    let mut sink = std::pin::pin!(sink);
    let mut is_complete = false;
    while let Some(message) = receiver.recv().await {
        match message {
            Message::Rows(bytes) => sink.send(bytes).await.map_err(|error| engine_error(&error))?,
            Message::End => is_complete = true,
        }
        if context.execution.state().cancel_requested {
            return Err("ERROR: canceled on user's request".to_owned());
        }
    }
    if is_complete {
        sink.finish().await.map(drop).map_err(|error| engine_error(&error))
    } else {
        Ok(())
    }
}

enum Message {
    Rows(Bytes),
    /// Everything was read without an error.
    End,
}

/// Why the reader stopped early.
enum Stop {
    Failed(String),
    /// PostgreSQL takes no more.
    Closed,
}

/// The blocking half.
struct Reader {
    statement: CopyStatement,
    table: TargetTable,
    query_id: i64,
    sender: mpsc::Sender<Message>,
    errors: Vec<LoadError>,
    rows: u64,
}

impl Reader {
    fn read_all(mut self, files: &[SourceFile]) -> (Result<u64, Stop>, Vec<LoadError>) {
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
        self.sender.blocking_send(Message::End).map_err(|_| Stop::Closed)
    }

    fn send(&self, buffer: &mut RowBuffer) -> Result<(), Stop> {
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
        let reader = decompressed(file, self.statement.compression).map_err(failed)?;
        let mut records =
            Records::new(BufReader::with_capacity(1 << 20, reader), &self.statement.text)
                .map_err(failed)?;
        loop {
            match records.next_record().map_err(failed)? {
                Next::End => return Ok(()),
                Next::Fault(fault) => {
                    let error = Fault { code: fault.code, reason: fault.reason.to_owned() };
                    self.reject(file, &records, error, fault.position, None, b"")?;
                }
                Next::Record => {
                    buffer.start_row();
                    match self.write_record(&records, buffer) {
                        Ok(()) => self.rows += 1,
                        Err((fault, position, index)) => {
                            buffer.drop_row();
                            let raw = index
                                .and_then(|index| records.fields().get(index))
                                .map_or(&b""[..], |span| records.field(*span));
                            self.reject(file, &records, fault, position, index, raw)?;
                        }
                    }
                    if buffer.len() >= BUFFER_BYTES {
                        self.send(buffer)?;
                    }
                }
            }
        }
    }

    /// On a fault: it, its byte in the line, and the column's index.
    fn write_record<R>(
        &self,
        records: &Records<R>,
        buffer: &mut RowBuffer,
    ) -> Result<(), (Fault, usize, Option<usize>)>
    where
        R: io::BufRead,
    {
        let (fields, columns, options) =
            (records.fields(), &self.table.columns, &self.statement.text);
        if let Some(surplus) = fields.get(columns.len()) {
            return Err((
                Fault { code: 1202, reason: "Extra column(s) found".to_owned() },
                surplus.position,
                None,
            ));
        }
        if fields.len() < columns.len() && !self.statement.fill_record {
            let position = records.raw().trim_ascii_end().len();
            return Err((
                Fault { code: 1214, reason: "Delimiter not found".to_owned() },
                position,
                Some(fields.len()),
            ));
        }
        for (index, column) in columns.iter().enumerate() {
            let (written, position) = match fields.get(index) {
                Some(span) => {
                    (write_field(records.field(*span), column, options, buffer), span.position)
                }
                None => (write_missing(column, options, buffer), records.raw().len()),
            };
            written.map_err(|fault| (fault, position, Some(index)))?;
        }
        Ok(())
    }

    /// Records a bad row; stops when there are too many.
    fn reject<R: io::BufRead>(
        &mut self,
        file: &SourceFile,
        records: &Records<R>,
        fault: Fault,
        position: usize,
        index: Option<usize>,
        raw: &[u8],
    ) -> Result<(), Stop> {
        let column = index.and_then(|index| self.table.columns.get(index));
        let length = column.map(|column| match column.kind {
            target::Kind::Varchar(bytes) | target::Kind::Char(bytes) => bytes.to_string(),
            target::Kind::Numeric { precision, scale } => format!("{precision},{scale}"),
            _ => "0".to_owned(),
        });
        self.errors.push(LoadError {
            query_id: self.query_id,
            table_id: self.table.oid,
            table_name: self.table.name.clone(),
            at_millis: now_millis(),
            file_name: file.url.clone(),
            line_number: records.line(),
            column_name: column.map(|column| column.name.clone()).unwrap_or_default(),
            column_type: column.map(|column| column.kind.name().to_owned()).unwrap_or_default(),
            column_length: length.unwrap_or_default(),
            position,
            code: fault.code,
            reason: fault.reason,
            raw_line: String::from_utf8_lossy(&records.raw()[..records.raw().len().min(4096)])
                .trim_end()
                .to_owned(),
            raw_field: String::from_utf8_lossy(&raw[..raw.len().min(4096)]).into_owned(),
        });
        if self.errors.len() < self.statement.max_errors {
            return Ok(());
        }
        Err(Stop::Failed(format!(
            "ERROR: Load into table '{}' failed.  Check 'stl_load_errors' system table for \
             details.",
            self.table.name
        )))
    }
}

fn decompressed(file: &SourceFile, compression: Compression) -> io::Result<Box<dyn Read>> {
    let handle = File::open(&file.path)?;
    if file.size_bytes == 0 {
        // An empty object has no rows, also where a compressed stream would have a header.
        return Ok(Box::new(io::empty()));
    }
    Ok(match compression {
        Compression::None => Box::new(handle),
        Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(BufReader::new(handle))),
        Compression::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(BufReader::new(handle))),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(handle)?),
    })
}
