//! One statement on its connection: reads it, refuses what cannot stand in a transaction block, and
//! runs it. In: Redshift's text. Out: rows, a count, or the statement's `Error`, and what COPY
//! leaves for the system tables. Knows when a block is open; what becomes of the statements behind
//! one that fails is the runner's affair (`run`).

use super::execution::{Execution, Mode};
use super::late_binding;
use super::warehouse::Warehouse;
use crate::copy::{self, LoadError, LoadRecord};
use crate::session::{Session, StatementResult};
use crate::sql::{Action, CopyStatement, prepare, quote};

/// A statement that fails, and with it the transaction block.
const ABORT_BLOCK: &str = "DO 'BEGIN RAISE EXCEPTION USING ERRCODE = ''P0001''; END'";

/// Runs the statements of an execution, each when the runner says.
pub(super) struct Statements<'a> {
    warehouse: &'a Warehouse,
    execution: &'a Execution,
    pub(super) session: &'a mut Session,
    pub(super) load_errors: Vec<LoadError>,
    pub(super) loads: Vec<LoadRecord>,
}

impl<'a> Statements<'a> {
    pub(super) fn new(
        warehouse: &'a Warehouse,
        execution: &'a Execution,
        session: &'a mut Session,
    ) -> Statements<'a> {
        let (load_errors, loads) = (Vec::new(), Vec::new());
        Statements { warehouse, execution, session, load_errors, loads }
    }

    /// Opens a block at the isolation level of the database.
    pub(super) async fn begin(&mut self, is_read_only: bool) -> Result<u64, String> {
        let access = if is_read_only { " READ ONLY" } else { "" };
        let begin = format!("BEGIN ISOLATION LEVEL {}{access}", self.session.isolation);
        let rows = self.session.command(&begin).await?;
        self.session.in_block = true;
        Ok(rows)
    }

    /// Ends the block by COMMIT or ROLLBACK.
    // PostgreSQL ends the block even when COMMIT fails, so none is left to roll back.
    pub(super) async fn end(&mut self, text: &str) -> Result<u64, String> {
        self.session.in_block = false;
        self.session.command(text).await
    }

    /// Runs a statement.
    pub(super) async fn run(
        &mut self,
        sql: &str,
        query_id: i64,
    ) -> Result<StatementResult, String> {
        let outcome = self.prepared(sql, query_id).await;
        if outcome.is_err() && self.session.in_block {
            // The stand-in's own refusals leave PostgreSQL's transaction as it was; in Redshift
            // every error aborts it.
            let _ = self.session.command(ABORT_BLOCK).await;
        }
        outcome
    }

    // Only `Query` can have rows, and returns them; every other action falls through with a count.
    // Keys and CREATE TABLE go as one text, which PostgreSQL runs as one transaction even outside a
    // block: the keys are announced in a setting that ends with its transaction, and the event
    // trigger of the CREATE must still find it.
    async fn prepared(&mut self, sql: &str, query_id: i64) -> Result<StatementResult, String> {
        let prepared = prepare(sql).map_err(|error| error.to_string())?;
        if let Some(refusal) = prepared.outside_transactions.filter(|_| self.session.in_block) {
            return Err(format!("ERROR: {refusal}"));
        }
        let rows = match prepared.action {
            Action::Query(text) => {
                return self.session.query(&late_binding::resolve(self.session, text).await?).await;
            }
            Action::Command(text) => {
                let text = late_binding::resolve(self.session, text).await?;
                self.session.command(&text).await?
            }
            Action::Write { table, text } => self.write(&table, text).await?,
            Action::Authorization(text) => {
                self.session.may_lock = false;
                self.session.command(&text).await?
            }
            Action::CreateWithKeys { keys, create } => {
                let create = late_binding::resolve(self.session, create).await?;
                self.session.command(&format!("{keys}; {create}")).await?
            }
            Action::CommittingCommand(text) => {
                let rows = self.session.command(&text).await?;
                self.commit_within().await?;
                rows
            }
            Action::Apart(texts) => {
                for text in texts {
                    self.session.command(&text).await?;
                }
                0
            }
            Action::DropDatabase { name } => {
                self.session.command(&format!("DROP DATABASE {}", quote(&name))).await?;
                self.warehouse.forget(&name).await;
                0
            }
            Action::Copy(statement) => self.copy(&statement, query_id).await?,
            Action::Begin { is_read_only } => {
                self.check_no_batch()?;
                self.begin(is_read_only).await?
            }
            Action::End(text) => {
                self.check_no_batch()?;
                self.end(text).await?
            }
            Action::Nothing => 0,
        };
        Ok(StatementResult { rows, result: None })
    }

    /// Locks the table, and writes to it. Redshift does so for each INSERT, UPDATE, DELETE and
    /// MERGE: the second of two writers waits until the first has committed, and readers wait for
    /// neither.
    // The lock comes first. The look-up of late-binding views reads the catalog, and the first read
    // of a block makes its snapshot: a writer that waited after it would not see what it waited
    // for.
    async fn write(&mut self, table: &str, text: String) -> Result<u64, String> {
        let lock = self.session.write_lock(table);
        if self.session.in_block {
            self.session.command(&lock).await?;
            let text = late_binding::resolve(self.session, text).await?;
            self.session.command(&text).await
        } else {
            // As one text the two are one transaction, which keeps the lock until its end.
            let text = late_binding::resolve(self.session, text).await?;
            self.session.command(&format!("{lock}; {text}")).await
        }
    }

    async fn copy(&mut self, statement: &CopyStatement, query_id: i64) -> Result<u64, String> {
        let context = copy::Context {
            session: &*self.session,
            objects: &self.warehouse.objects,
            role: &self.warehouse.role,
            is_cancelled: &|| self.execution.is_cancelled(),
            query_id,
        };
        // Errors and record are kept also when the COPY fails: that is when clients ask for them.
        let mut report = copy::run(&context, statement).await;
        let names = &self.warehouse.names;
        report.errors.iter_mut().for_each(|error| names.restore_load_error(error));
        names.restore_in_place(&mut report.record.table_name);
        self.load_errors.extend(report.errors);
        self.loads.push(report.record);
        report.outcome
    }

    /// Commits after TRUNCATE, as Redshift does: what the statements before it did stays, also when
    /// a later one fails. A batch goes on in a new transaction. After a client's own BEGIN no
    /// transaction is open any more.
    async fn commit_within(&mut self) -> Result<(), String> {
        if self.session.in_block {
            self.end("COMMIT").await?;
            if self.is_batch() {
                self.begin(false).await?;
            }
        }
        Ok(())
    }

    fn is_batch(&self) -> bool {
        self.execution.submission.mode == Mode::Transaction
    }

    fn check_no_batch(&self) -> Result<(), String> {
        if self.is_batch() {
            return Err("ERROR: transaction control is not allowed in a batch that runs as one \
                        transaction; use ExecutionMode AUTO_COMMIT"
                .to_owned());
        }
        Ok(())
    }
}
