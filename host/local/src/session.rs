//! A connection to PostgreSQL, and the answer of one statement on it. In: PostgreSQL text. Out: a
//! result set (text values with Redshift's type names), a count, or the statement's `Error`. Knows
//! nothing of requests and batches.

mod result_set;

use std::pin::pin;

use futures::TryStreamExt;
use tokio_postgres::types::{Kind, Type};
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage, Statement};

pub(crate) use result_set::{ColumnInfo, ResultSet, Row};

use crate::roles::FIRST_USER;
use crate::sql::{HELPER_SCHEMA, LongName, connection_error, engine_error, literal};

/// The settings that every connection needs. They do not depend on the machine's defaults: a
/// TIMESTAMP must read `2024-12-31 23:59:59` also where postgresql.conf has another date style.
// The time zone is not among them. It is UTC for the whole server (`postgres`), and a setting here
// would come before the zone that ALTER USER gave to a user.
const OPTIONS: &str = "-c datestyle=ISO -c intervalstyle=postgres -c \
                       standard_conforming_strings=on -c extra_float_digits=1 -c \
                       client_min_messages=error -c bytea_output=hex -c jit=off";

/// One connection; closed when dropped.
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) pid: i32,
    /// Whether a transaction block is open. Whoever opens and ends blocks says so here.
    pub(crate) in_block: bool,
    /// The isolation level of the database's transactions, in PostgreSQL's words.
    pub(crate) isolation: &'static str,
    /// Whether it may lock every table: it acts as PostgreSQL's superuser or as the first user.
    pub(crate) may_lock: bool,
}

impl Session {
    /// Connects to `database` as `user`, or as PostgreSQL's superuser. An error is the statement's
    /// `Error`.
    pub(crate) async fn connect(
        postgres: &Config,
        database: &str,
        user: Option<&str>,
    ) -> Result<Session, String> {
        let mut config = postgres.clone();
        config.dbname(database).options(OPTIONS).application_name("loader-local");
        if let Some(user) = user {
            config.user(LongName::kept(user));
        }
        let (client, connection) =
            config.connect(NoTls).await.map_err(|error| connection_error(&error))?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection to PostgreSQL ended");
            }
        });
        let sql =
            "SELECT pg_backend_pid(), current_setting('transaction_isolation') = 'serializable'";
        let row = client.query_one(sql, &[]).await.map_err(|error| engine_error(&error))?;
        // Redshift's SNAPSHOT is PostgreSQL's REPEATABLE READ.
        let isolation = if row.get(1) { "SERIALIZABLE" } else { "REPEATABLE READ" };
        let may_lock = user.is_none_or(|user| user == FIRST_USER);
        Ok(Session { client, pid: row.get(0), in_block: false, isolation, may_lock })
    }

    /// The statement that lets this transaction alone write to a table, until its end, by the lock
    /// that Redshift takes for this.
    // LOCK leaves the snapshot for later, and needs more rights than INSERT. So only the first user
    // locks that way, who may write to all tables. Others lock through a procedure, whose call makes
    // the snapshot before it waits.
    pub(crate) fn write_lock(&self, table: &str) -> String {
        if self.may_lock {
            format!("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
        } else {
            format!("CALL {HELPER_SCHEMA}.lock_for_writing({}::regclass)", literal(table))
        }
    }

    /// Runs a statement without rows; returns the rows affected.
    // Redshift joins large tables by hashes. PostgreSQL would loop through one for each row of the
    // other where it takes that for a few rows, as it does with the rows that a merge has ranked: of
    // 3,000 rows into 450,000 it made 100 s, and makes less than one by a hash. Only for statements
    // that change rows: queries of the catalog are better off with loops. In a failed transaction the
    // settings are those of before, so their errors say nothing.
    pub(crate) async fn command(&self, sql: &str) -> Result<u64, String> {
        let changes_rows = changes_rows(sql);
        if changes_rows {
            let _ = self.client.simple_query("SET enable_nestloop = off").await;
        }
        let messages = self.client.simple_query(sql).await.map_err(|error| engine_error(&error));
        if changes_rows {
            let _ = self.client.simple_query("RESET enable_nestloop").await;
        }
        let messages = messages?;
        // The text may hold two statements (keys and CREATE TABLE): the last one's count is the
        // answer.
        let count = messages.iter().rev().find_map(|message| match message {
            SimpleQueryMessage::CommandComplete(rows) => Some(*rows),
            _ => None,
        });
        Ok(count.unwrap_or(0))
    }

    /// Runs a statement that may answer rows. A statement that has no columns gives its count.
    // Prepared only to learn the columns' types. It then runs over the simple protocol, which gives
    // every value as text, in PostgreSQL's own spelling.
    pub(crate) async fn query(&self, sql: &str) -> Result<StatementResult, String> {
        let statement = self.client.prepare(sql).await.map_err(|error| engine_error(&error))?;
        if !statement.params().is_empty() {
            return Err("ERROR: there is no parameter $1".to_owned());
        }
        if statement.columns().is_empty() {
            return self.command(sql).await.map(|rows| StatementResult { rows, result: None });
        }
        let result = self.read(sql, columns(&statement)).await?;
        Ok(StatementResult { rows: result.rows.len() as u64, result: Some(result) })
    }

    /// The rows of a query that always has columns.
    pub(crate) async fn rows(&self, sql: &str) -> Result<Vec<Row>, String> {
        Ok(self.query(sql).await?.result.map(|result| result.rows).unwrap_or_default())
    }

    async fn read(&self, sql: &str, columns: Vec<ColumnInfo>) -> Result<ResultSet, String> {
        let mut result = ResultSet::new(columns);
        let mut stream =
            pin!(self.client.simple_query_raw(sql).await.map_err(|error| engine_error(&error))?);
        while let Some(message) = stream.try_next().await.map_err(|error| engine_error(&error))? {
            if let SimpleQueryMessage::Row(row) = message {
                let values = (0..result.columns.len()).map(|index| row.get(index).map(Box::from));
                result.push(values.collect())?;
            }
        }
        result.learn_scales();
        Ok(result)
    }
}

fn changes_rows(sql: &str) -> bool {
    let first = sql.split_whitespace().next().unwrap_or_default();
    ["INSERT", "UPDATE", "DELETE", "MERGE"].iter().any(|word| first.eq_ignore_ascii_case(word))
}

fn columns(statement: &Statement) -> Vec<ColumnInfo> {
    let columns = statement.columns().iter().map(|column| {
        ColumnInfo::new(column.name(), type_name(column.type_()), column.type_modifier())
    });
    columns.collect()
}

/// The answer of a statement.
#[derive(Debug, Default)]
pub(crate) struct StatementResult {
    /// Rows returned or affected.
    pub(crate) rows: u64,
    pub(crate) result: Option<ResultSet>,
}

/// Redshift's name for a type of PostgreSQL.
fn type_name(data_type: &Type) -> &'static str {
    if let Kind::Domain(base) = data_type.kind() {
        return if data_type.name() == "identifier" { "name" } else { type_name(base) };
    }
    match *data_type {
        Type::INT2 => "int2",
        Type::INT4 => "int4",
        Type::INT8 => "int8",
        Type::FLOAT4 => "float4",
        Type::FLOAT8 => "float8",
        Type::NUMERIC => "numeric",
        Type::BOOL => "bool",
        Type::BPCHAR => "bpchar",
        Type::CHAR => "char",
        Type::NAME => "name",
        Type::OID => "oid",
        Type::DATE => "date",
        Type::TIME => "time",
        Type::TIMETZ => "timetz",
        Type::TIMESTAMP => "timestamp",
        Type::TIMESTAMPTZ => "timestamptz",
        Type::JSONB | Type::JSON => "super",
        Type::BYTEA => "varbyte",
        // text, unknown, regclass, arrays and the rest come as text.
        _ => "varchar",
    }
}
