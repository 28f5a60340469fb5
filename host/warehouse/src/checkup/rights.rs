//! What the user of the connection may do, found by doing it in a transaction that never commits.
//!
//! The catalog would answer too, but no public source says whether its functions count what a user
//! has through a role. A statement that is refused says so itself.

use std::time::Duration;

use loader_model::catalog_column::{CatalogColumn, ColumnDefault};
use loader_model::error::Result;
use loader_model::names::TableName;

use crate::dependents::{conditions, privileges};
use crate::rows::{FromRow, Row};
use crate::sql::{ident, idents, table, text};
use crate::{audit_table, bookkeeping};

/// How long a trial waits for another program's locks.
const PATIENCE: Duration = Duration::from_secs(10);
/// A temporary table that a trial inserts from.
const ROWS: &str = "loader_doctor_rows";

/// A transaction of these statements that never commits: its last statement always fails. When that
/// is the statement that failed, all others may be done.
// SET stands first and takes no lock, so a trial that waits for a lock ends by itself.
pub fn trial(statements: impl IntoIterator<Item = String>) -> Vec<String> {
    let patience = format!("SET statement_timeout TO {}", PATIENCE.as_millis());
    let taken_back = "SELECT 1 / 0 AS taken_back".to_owned();
    std::iter::once(patience).chain(statements).chain([taken_back]).collect()
}

/// Something that a load does with a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    Lock,
    Select,
    Insert,
    Update,
    Delete,
}

impl Right {
    /// The privileges to grant for it.
    // LOCK asks for UPDATE or DELETE in PostgreSQL 8.0, and no page of AWS says otherwise.
    // Source: <https://www.postgresql.org/docs/8.0/sql-lock.html>
    fn privilege(self) -> &'static str {
        match self {
            Right::Select => "SELECT",
            Right::Insert => "INSERT",
            Right::Lock | Right::Update => "UPDATE",
            Right::Delete => "DELETE",
        }
    }
}

/// A table and those of its columns that a trial names.
pub struct Trialled<'a> {
    pub table: &'a TableName,
    /// Name and type.
    pub columns: Vec<(String, String)>,
}

impl Trialled<'_> {
    /// A table with the columns of the catalog. IDENTITY columns number themselves.
    pub fn of_catalog<'a>(table: &'a TableName, columns: &[CatalogColumn]) -> Trialled<'a> {
        let given = |column: &&CatalogColumn| {
            !matches!(column.default, ColumnDefault::Identity { by_default: false })
        };
        let columns = columns.iter().filter(given);
        let columns = columns.map(|column| (column.name.clone(), column.type_text.clone()));
        Trialled { table, columns: columns.collect() }
    }

    /// The statements that need a right. No row is read or changed.
    pub fn statements(&self, right: Right) -> Vec<String> {
        let name = table(self.table);
        let first = self.columns.first().map_or(String::new(), |(column, _)| ident(column));
        match right {
            Right::Lock => vec![bookkeeping::lock(self.table)],
            Right::Select => vec![format!("SELECT COUNT(*) AS n FROM {name} WHERE 1 = 0")],
            Right::Insert => self.insert(),
            Right::Update => vec![format!("UPDATE {name} SET {first} = {first} WHERE 1 = 0")],
            Right::Delete => vec![format!("DELETE FROM {name} WHERE 1 = 0")],
        }
    }

    fn insert(&self) -> Vec<String> {
        let typed: Vec<String> =
            self.columns.iter().map(|(name, kind)| format!("{} {kind}", ident(name))).collect();
        let names: Vec<&String> = self.columns.iter().map(|(name, _)| name).collect();
        let (typed, names) = (typed.join(", "), idents(&names));
        vec![
            format!("CREATE TEMP TABLE {ROWS} ({typed})"),
            format!("INSERT INTO {} ({names}) SELECT {names} FROM {ROWS}", table(self.table)),
        ]
    }
}

/// A table that a load keeps beside its target, and what it does with it.
pub struct Kept {
    pub table: TableName,
    columns: Vec<(String, String)>,
    pub rights: Vec<Right>,
}

impl Kept {
    /// Whether programs other than the loader are meant to write it: the Glue job writes the audit
    /// table, too.
    pub fn is_for_others(&self) -> bool {
        self.table.table == audit_table::AUDIT
    }

    /// The table for a trial.
    pub fn trialled(&self) -> Trialled<'_> {
        Trialled { table: &self.table, columns: self.columns.clone() }
    }
}

/// The tables that all loads of a schema share. `evolves`: whether loads may change their target,
/// for which they drop views and write them down.
pub fn shared(schema: &str, evolves: bool) -> Vec<Kept> {
    let named = |name: &str| TableName { schema: schema.to_owned(), table: name.to_owned() };
    let column = |name: &str, kind: &str| vec![(name.to_owned(), kind.to_owned())];
    let writes_journal = if evolves { vec![Right::Insert, Right::Delete] } else { Vec::new() };
    vec![
        Kept {
            table: named(bookkeeping::LEDGER),
            columns: column("load_id", "VARCHAR(64)"),
            rights: vec![Right::Select, Right::Insert],
        },
        Kept {
            table: named(audit_table::AUDIT),
            columns: column("run_id", "BIGINT"),
            rights: vec![Right::Insert],
        },
        Kept {
            table: named(bookkeeping::DROPPED_VIEWS),
            columns: column("view_name", "VARCHAR(128)"),
            rights: [vec![Right::Select], writes_journal].concat(),
        },
    ]
}

/// The fence of a target.
pub fn fence(target: &TableName) -> Kept {
    Kept {
        table: bookkeeping::fence(target),
        columns: vec![("load_id".to_owned(), "VARCHAR(64)".to_owned())],
        rights: vec![Right::Lock, Right::Select, Right::Insert],
    }
}

/// Names a table that does not exist, which takes USAGE on its schema: without it Redshift says
/// that permission is denied, and with it that there is no such table.
pub fn look_into(missing: &TableName) -> String {
    format!("SELECT 1 AS one FROM {}", table(missing))
}

/// Makes a table, which takes CREATE on its schema.
pub fn make(missing: &TableName) -> String {
    format!("CREATE TABLE {} (n INTEGER)", table(missing))
}

/// The query for the owners of a table and of its schema.
pub fn owner_query(name: &TableName) -> String {
    format!(
        "SELECT pg_get_userbyid(c.relowner) AS owner, pg_get_userbyid(n.nspowner) AS schema_owner \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = {} AND \
         c.relname = {}",
        text(&name.schema),
        text(&name.table)
    )
}

/// The answer to [`owner_query`].
pub struct Owners {
    pub owner: String,
    pub schema_owner: String,
}

impl FromRow for Owners {
    fn from_row(row: Row<'_>) -> Result<Owners> {
        Ok(Owners { owner: row.text("owner")?, schema_owner: row.text("schema_owner")? })
    }
}

/// The query for whether a user has been granted ALTER on a table.
/// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html>
pub fn alter_query(name: &TableName, user: &str) -> String {
    format!(
        "SELECT COUNT(*) AS grants FROM svv_relation_privileges WHERE {} AND privilege_type = \
         'ALTER' AND identity_name = {}",
        privileges::is_relation(name),
        text(user)
    )
}

/// The answer to [`alter_query`].
pub struct MayAlter(pub bool);

impl FromRow for MayAlter {
    fn from_row(row: Row<'_>) -> Result<MayAlter> {
        row.integer("grants").map(|grants| MayAlter(grants > 0))
    }
}

/// The query for who else may write tables that only loads write, as far as the user can see. An
/// owner needs no privilege for it, and counts when it is another one than `user`. (Not asked for:
/// UPDATE on single columns.)
pub fn writers_query(tables: &[&TableName], user: &str) -> String {
    let any = |condition: &dyn Fn(&TableName) -> String| {
        tables.iter().map(|table| condition(table)).collect::<Vec<_>>().join(" OR ")
    };
    let granted = any(&privileges::is_relation);
    let owned = any(&|table| conditions::is("n.nspname", "c.relname", table));
    format!(
        "SELECT relation_name, identity_type || ' ' || identity_name AS writer FROM \
         svv_relation_privileges WHERE ({granted}) AND privilege_type IN ('INSERT', 'UPDATE', \
         'DELETE') AND NOT (identity_type = 'user' AND identity_name = {user}) UNION SELECT c.relname, 'owner ' || \
         pg_get_userbyid(c.relowner) FROM pg_class c JOIN pg_namespace n ON n.oid = \
         c.relnamespace WHERE ({owned}) AND pg_get_userbyid(c.relowner) <> {user}",
        user = text(user)
    )
}

/// A row of the answer to [`writers_query`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Writer {
    pub table: String,
    /// What it is, and its name: `user etl`, `owner etl`, `PUBLIC`.
    pub writer: String,
}

impl FromRow for Writer {
    fn from_row(row: Row<'_>) -> Result<Writer> {
        let writer = row.text("writer")?;
        let writer = if writer == "public public" { "PUBLIC".to_owned() } else { writer };
        Ok(Writer { table: row.text("relation_name")?, writer })
    }
}

/// The GRANT for a right on a table.
pub fn grant(right: Right, name: &TableName, user: &str) -> String {
    format!("GRANT {} ON TABLE {} TO {}", right.privilege(), table(name), ident(user))
}

/// The GRANT for a privilege on a schema.
pub fn grant_on_schema(privilege: &str, schema: &str, user: &str) -> String {
    format!("GRANT {privilege} ON SCHEMA {} TO {}", ident(schema), ident(user))
}

/// The GRANT for a privilege on a database.
pub fn grant_on_database(privilege: &str, database: &str, user: &str) -> String {
    format!("GRANT {privilege} ON DATABASE {} TO {}", ident(database), ident(user))
}

/// Gives a table to a user.
pub fn give(name: &TableName, user: &str) -> String {
    format!("ALTER TABLE {} OWNER TO {}", table(name), ident(user))
}
