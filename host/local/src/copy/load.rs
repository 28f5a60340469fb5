//! Runs a COPY: finds the table and the files, reads and converts on a blocking thread, and streams
//! into PostgreSQL. In: a statement and the connection it runs on. Out: the rows loaded or the
//! statement's error, and the rows of the load's system tables. Memory: a few buffers, however
//! large the files are.

use bytes::Bytes;
use futures::SinkExt;
use tokio::sync::mpsc;

use super::reader::{Message, Reader, Stop};
use super::records::{LoadError, LoadRecord};
use super::source::{self, SourceFile};
use super::target::{self, TargetTable};
use crate::clock::now_millis;
use crate::objects::Objects;
use crate::policy::Policy;
use crate::session::Session;
use crate::sql::{CopyStatement, FileFormat, engine_error};

/// Buffers between the reader and PostgreSQL.
const BUFFERS: usize = 8;

/// The surroundings of a COPY.
pub(crate) struct Context<'a> {
    pub(crate) session: &'a Session,
    pub(crate) objects: &'a Objects,
    /// What the statement's role may read.
    pub(crate) role: &'a Policy,
    /// Whether the client wants the COPY to stop.
    pub(crate) is_cancelled: &'a (dyn Fn() -> bool + Sync),
    pub(crate) query_id: i64,
}

/// The outcome of a COPY.
pub(crate) struct Report {
    /// Rows loaded, or the statement's error.
    pub(crate) outcome: Result<u64, String>,
    pub(crate) errors: Vec<LoadError>,
    pub(crate) record: LoadRecord,
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
    Report { outcome, errors, record }
}

// `files` and `errors` are filled in place, because a load that fails reports them as well: they
// are what STL_LOAD_ERRORS and SYS_LOAD_HISTORY show of it. The last COPY's count is reset before
// anything can fail, so that pg_last_copy_count() never gives the rows of an earlier COPY.
async fn load(
    context: &Context<'_>,
    statement: &CopyStatement,
    files: &mut Vec<SourceFile>,
    errors: &mut Vec<LoadError>,
) -> Result<u64, String> {
    set_last_copy(context.session, 0, -1).await?;
    if context.session.in_block {
        return locked_load(context, statement, files, errors).await;
    }
    // A block around it keeps the lock until the end of the load.
    context.session.command("BEGIN").await?;
    let outcome = locked_load(context, statement, files, errors).await;
    let end = if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = context.session.command(end).await;
    outcome.and_then(|rows| ended.map(|_| rows))
}

async fn locked_load(
    context: &Context<'_>,
    statement: &CopyStatement,
    files: &mut Vec<SourceFile>,
    errors: &mut Vec<LoadError>,
) -> Result<u64, String> {
    let session = context.session;
    target::lock(session, statement).await?;
    let table = target::find(session, statement).await?;
    let (objects, wanted) = (context.objects.clone(), statement.clone());
    let role = context.role.clone();
    *files = blocking(move || source::find(&objects, &wanted, &role)).await??;
    let rows = transfer(context, statement, &table, files.clone(), errors).await?;
    set_last_copy(session, rows, context.query_id).await?;
    Ok(rows)
}

/// Reads the files on a thread and writes to PostgreSQL here; a channel joins the two.
// Each side ends the other. When the writer stops first (PostgreSQL refuses a row, or the client
// cancels), it drops the receiver, the reader's next send fails and its thread returns, so waiting
// for the thread cannot hang. When the reader stops first, it drops the sender without an End, and
// the writer then breaks the COPY off.
async fn transfer(
    context: &Context<'_>,
    statement: &CopyStatement,
    table: &TargetTable,
    files: Vec<SourceFile>,
    errors: &mut Vec<LoadError>,
) -> Result<u64, String> {
    let (sender, receiver) = mpsc::channel(BUFFERS);
    let reader = Reader::new(statement.clone(), table.clone(), context.query_id, sender);
    let reading = tokio::task::spawn_blocking(move || reader.read_all(&files));
    let written = if statement.no_load {
        drain(receiver).await
    } else {
        write(context, &target::copy_in(statement, table), receiver).await
    };
    let (read, found) = reading.await.map_err(|error| format!("ERROR: the load ended: {error}"))?;
    *errors = found;
    rows_loaded(written, read)
}

/// The outcome of both sides.
// The order of the arms decides which error the client sees. A reader that failed is the cause, and
// the writer merely follows. A reader that found the channel closed was stopped by the writer.
fn rows_loaded(written: Result<(), String>, read: Result<u64, Stop>) -> Result<u64, String> {
    match (written, read) {
        (_, Err(Stop::Failed(error))) => Err(error),
        (Err(error), _) => Err(error),
        (Ok(()), Err(Stop::Closed)) => Err("ERROR: the load was interrupted".to_owned()),
        (Ok(()), Ok(rows)) => Ok(rows),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| format!("ERROR: the load ended: {error}"))
}

// By SET and not by set_config(): a SELECT would make the snapshot before the lock is there.
async fn set_last_copy(session: &Session, rows: u64, query_id: i64) -> Result<(), String> {
    let sql = format!(
        "SET loader_local.last_copy_count TO '{rows}'; SET loader_local.last_copy_id TO \
         '{query_id}'"
    );
    session.command(&sql).await.map(drop)
}

async fn drain(mut receiver: mpsc::Receiver<Message>) -> Result<(), String> {
    while receiver.recv().await.is_some() {}
    Ok(())
}

/// Sends the buffers to PostgreSQL.
// PostgreSQL fails a COPY whose sink is dropped without `finish`, and every return but the last one
// relies on that. Without an End the answer is Ok all the same, because the reader has the reason
// (see `rows_loaded`).
async fn write(
    context: &Context<'_>,
    sql: &str,
    mut receiver: mpsc::Receiver<Message>,
) -> Result<(), String> {
    let client = &context.session.client;
    let sink = client.copy_in::<_, Bytes>(sql).await.map_err(|error| engine_error(&error))?;
    let mut sink = std::pin::pin!(sink);
    let mut is_complete = false;
    while let Some(message) = receiver.recv().await {
        match message {
            Message::Rows(bytes) => sink.send(bytes).await.map_err(|error| engine_error(&error))?,
            Message::End => is_complete = true,
        }
        if (context.is_cancelled)() {
            return Err("ERROR: cancelled on user's request".to_owned());
        }
    }
    if is_complete {
        sink.finish().await.map(drop).map_err(|error| engine_error(&error))
    } else {
        Ok(())
    }
}
