//! The rows of the system tables: load errors, loads and queries. The runner writes them when the
//! transaction of the statements has ended, on their connection, or on another one where theirs is
//! kept for a session. Inside the transaction, a rollback would take the load errors along, and the
//! client needs those after a failed COPY. When the rows cannot be written (for example because the
//! connection is gone), the server logs that and goes on.

use super::execution::{Execution, Item, Status};
use crate::copy::{LoadError, LoadRecord};
use crate::session::Session;
use crate::sql::{HELPER_SCHEMA, literal};

/// SQL for a timestamp from milliseconds since 1970.
fn moment(millis: i64) -> String {
    format!("(to_timestamp({millis} / 1000.0) AT TIME ZONE 'UTC')")
}

fn text(value: &str, max_chars: usize) -> String {
    // PostgreSQL cannot store NUL.
    let value: String = value.chars().filter(|c| *c != '\0').take(max_chars).collect();
    literal(&value)
}

/// What an execution has done.
pub(crate) struct History<'a> {
    /// The connection that it ran on.
    pub(crate) pid: i32,
    pub(crate) execution: &'a Execution,
    pub(crate) errors: &'a [LoadError],
    pub(crate) loads: &'a [LoadRecord],
}

impl History<'_> {
    /// Writes the load errors, loads and queries on `session`.
    // The settings that the client made may hold on this connection: after `SET statement_timeout
    // TO 1`, the INSERTs would be cancelled. So the first statements take such settings back. At
    // READ COMMITTED they also conflict with no transaction of a SERIALIZABLE database.
    pub(crate) async fn write(&self, session: &Session) {
        let mut sql = String::from(
            "SET default_transaction_read_only = off; SET statement_timeout = 0; SET \
             default_transaction_isolation = 'read committed'; COMMIT;\n",
        );
        for error in self.errors {
            push_load_error(&mut sql, self.pid, error);
        }
        for load in self.loads {
            push_load(&mut sql, self.pid, load);
        }
        push_queries(&mut sql, self.pid, self.execution);
        if let Err(error) = session.client.batch_execute(&sql).await {
            tracing::warn!(%error, id = self.execution.id, "cannot write the history");
        }
    }
}

fn push_load_error(sql: &mut String, pid: i32, error: &LoadError) {
    sql.push_str(&format!(
        "INSERT INTO {HELPER_SCHEMA}.load_errors VALUES ({}, {pid}, {}, {}, {}, {}, {}, {}, {}, \
         {}, {}, {}, {}, {}, {});\n",
        error.query_id,
        error.table_id,
        text(&error.table_name, 127),
        moment(error.at_millis),
        text(&error.file_name, 256),
        error.line_number,
        text(&error.column_name, 127),
        text(&error.column_type, 10),
        text(&error.column_length, 10),
        error.position,
        error.code,
        text(&error.reason, 100),
        text(&error.raw_line, 1024),
        text(&error.raw_field, 1024),
    ));
}

fn push_load(sql: &mut String, pid: i32, load: &LoadRecord) {
    sql.push_str(&format!(
        "INSERT INTO {HELPER_SCHEMA}.loads VALUES ({}, {pid}, {}, {}, {}, {}, {}, {}, {}, {}, {}, \
         {});\n",
        load.query_id,
        text(load.status, 16),
        text(&load.table_name, 127),
        moment(load.started_millis),
        moment(load.ended_millis),
        text(&load.source, 1024),
        text(load.format, 16),
        load.rows,
        load.files,
        load.bytes,
        load.errors
    ));
}

fn push_queries(sql: &mut String, pid: i32, execution: &Execution) {
    let state = execution.state();
    for (item, statement) in state.items.iter().zip(&execution.submission.statements) {
        // A statement gets its query id when it is started; a statement with 0 never ran.
        if item.query_id != 0 {
            push_query(sql, pid, item, statement);
        }
    }
}

fn push_query(sql: &mut String, pid: i32, item: &Item, statement: &str) {
    let status = history_status(item.status);
    let verb = statement.split_whitespace().next().unwrap_or_default().to_uppercase();
    sql.push_str(&format!(
        "INSERT INTO {HELPER_SCHEMA}.queries VALUES ({}, {pid}, {}, '{status}', {}, {}, {}, {}, \
         {});\n",
        item.query_id,
        text(&verb, 32),
        moment(item.started_millis),
        moment(item.updated_millis),
        text(item.error.as_deref().unwrap_or_default(), 512),
        if item.has_result { item.rows } else { 0 },
        text(statement, 4000)
    ));
}

/// The status as SYS_QUERY_HISTORY spells it.
fn history_status(status: Status) -> &'static str {
    match status {
        Status::Finished => "success",
        Status::Failed => "failed",
        Status::Aborted => "canceled",
        Status::Submitted | Status::Picked | Status::Started => "running",
    }
}
