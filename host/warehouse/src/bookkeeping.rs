//! The tables that a load writes beside its target, in the target's schema: the ledger, the audit
//! table, the journal of dropped views, and one fence for each target.
//!
//! Ledger and audit table are shared by all targets of a schema. A load's transaction only inserts
//! into them and never reads them, so loads of different tables do not depend on each other. (On a
//! SERIALIZABLE database Redshift aborts one of two transactions that read what the other writes.)
//! What a load must read, it reads from the fence of its own target.
//! Source: <https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html>

use loader_model::names::{TableName, hex};
use sha2::{Digest, Sha256};

use crate::audit_table::{self, AUDIT};
use crate::sql::{self, text};

/// The ledger: which files were loaded. Its row commits in one transaction with the file's rows.
pub const LEDGER: &str = "loader_loads";
/// The beginning of a fence's name.
pub(crate) const FENCE: &str = "loader_fence_";
/// The longest name of a table, in bytes.
/// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_names.html>
const MAX_NAME_BYTES: usize = 127;
/// The size of the ledger's columns that hold JSON: enough for the counters of a long chain of
/// plugins, and far below the 100 KB that a statement may have.
pub const MAX_JSON_BYTES: usize = 16_384;
/// The journal of dropped views: the views that a run drops and has not brought back yet. See
/// `evolution/journal.rs`.
pub const DROPPED_VIEWS: &str = "loader_dropped_views";
/// The size of the journal's column for a piece of a view. Escaped it has at most twice that, which
/// leaves an INSERT far below the 100 KB of a statement.
pub(crate) const MAX_PART_BYTES: usize = 16_000;

/// A column that a ledger of an earlier version lacks. It holds JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaterColumn {
    /// Which plugins made the rows.
    Plugins,
    /// The keys by which the table's rows are merged; an empty list for a table that is appended
    /// to.
    UpsertKeys,
}

impl LaterColumn {
    pub const ALL: [LaterColumn; 2] = [LaterColumn::Plugins, LaterColumn::UpsertKeys];

    pub fn name(self) -> &'static str {
        match self {
            LaterColumn::Plugins => "plugins",
            LaterColumn::UpsertKeys => "upsert_keys",
        }
    }

    fn definition(self) -> String {
        format!("{} VARCHAR({MAX_JSON_BYTES})", self.name())
    }
}

/// Adds a column to a ledger that an earlier version made.
pub fn add_column(target: &TableName, column: LaterColumn) -> String {
    let ledger = target.sibling(LEDGER);
    format!("ALTER TABLE {} ADD COLUMN {}", sql::table(&ledger), column.definition())
}

/// The fence of a target: the loads that the target has, by their ids. Every transaction that
/// writes to the target or alters it locks the fence first, so these transactions come one after
/// the other, and readers of the target wait for none of them.
///
/// The name follows from the target's alone (`orders` has `loader_fence_orders`), so all users meet
/// at the same fence. A target with a very long name has a digest of it in the fence's name.
pub fn fence(target: &TableName) -> TableName {
    let whole = format!("{FENCE}{}", target.table);
    if whole.len() <= MAX_NAME_BYTES {
        return target.sibling(&whole);
    }
    let digest = hex(&Sha256::digest(&target.table));
    target.sibling(&format!("{FENCE}{}", &digest[..32]))
}

/// LOCK of a target's fence. It must be the first statement of its transaction, since the statement
/// after it takes the snapshot: only so does the transaction see what the one before it committed.
pub fn lock_fence(target: &TableName) -> String {
    lock(&fence(target))
}

/// LOCK of a table until the transaction ends. Readers of the table wait, too.
pub fn lock(name: &TableName) -> String {
    format!("LOCK {}", sql::table(name))
}

/// The transaction that makes the fence of a target. `takes_over`: the ledger has loads of an
/// earlier version, which knew no fence.
// An earlier version locks the target and not the fence. So the target is locked here, until the
// ids of its loads are in the fence. Without IF NOT EXISTS the second of two runs fails, and finds
// the fence of the first.
pub fn make_fence(target: &TableName, takes_over: bool, target_exists: bool) -> Vec<String> {
    let (fence, ledger) = (sql::table(&fence(target)), sql::table(&target.sibling(LEDGER)));
    let columns = "load_id VARCHAR(64) NOT NULL, run_id VARCHAR(64) NOT NULL, loaded_at TIMESTAMP \
                   NOT NULL";
    let mut statements = Vec::new();
    if takes_over && target_exists {
        statements.push(lock(target));
    }
    statements.push(format!("CREATE TABLE {fence} ({columns})"));
    if takes_over {
        statements.push(format!(
            "INSERT INTO {fence} (load_id, run_id, loaded_at) SELECT load_id, run_id, loaded_at \
             FROM {ledger} WHERE target_table = {}",
            text(&target.to_string())
        ));
    }
    statements
}

/// The statements that make the tables which all targets of a schema share. They do nothing where
/// the tables exist.
pub fn ddl(target: &TableName) -> Vec<String> {
    // IF NOT EXISTS leaves a ledger of an earlier version without later columns; `add_column` is
    // for that.
    vec![create_ledger(target), create_audit(target), create_dropped_views(target)]
}

fn create_ledger(target: &TableName) -> String {
    let later = LaterColumn::ALL.map(LaterColumn::definition).join(", ");
    format!(
        "CREATE TABLE IF NOT EXISTS {} (load_id VARCHAR(64) NOT NULL, source_uri VARCHAR(2048) NOT \
         NULL, etag VARCHAR(256), version_id VARCHAR(1024), size_bytes BIGINT, target_table \
         VARCHAR(256) NOT NULL, run_id VARCHAR(64) NOT NULL, rows BIGINT NOT NULL, loaded_at \
         TIMESTAMP NOT NULL, {later})",
        sql::table(&target.sibling(LEDGER)),
    )
}

fn create_audit(target: &TableName) -> String {
    let columns = audit_table::COLUMNS.map(|(name, ddl)| format!("{name} {ddl}")).join(", ");
    format!("CREATE TABLE IF NOT EXISTS {} ({columns})", sql::table(&target.sibling(AUDIT)))
}

fn create_dropped_views(target: &TableName) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS {} (target_table VARCHAR(256) NOT NULL, run_id VARCHAR(64) NOT \
         NULL, view_schema VARCHAR(128) NOT NULL, view_name VARCHAR(128) NOT NULL, place INTEGER \
         NOT NULL, part INTEGER NOT NULL, parts INTEGER NOT NULL, content \
         VARCHAR({MAX_PART_BYTES}) NOT NULL, written_at TIMESTAMP NOT NULL)",
        sql::table(&target.sibling(DROPPED_VIEWS))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_one_fence_in_its_schema() {
        let name = |table: &str| TableName::new("sales", table).expect("a valid name");
        assert_eq!(fence(&name("orders")).to_string(), "sales.loader_fence_orders");
        let (long, other) = (fence(&name(&"o".repeat(127))), fence(&name(&"o".repeat(126))));
        assert_eq!(long.table.len(), 45);
        assert_ne!(long, other);
        insta::assert_snapshot!(make_fence(&name("orders"), false, true).join("\n"), @r#"CREATE TABLE "sales"."loader_fence_orders" (load_id VARCHAR(64) NOT NULL, run_id VARCHAR(64) NOT NULL, loaded_at TIMESTAMP NOT NULL)"#);
        insta::assert_snapshot!(make_fence(&name("orders"), true, true).join("\n"), @r#"
        LOCK "sales"."orders"
        CREATE TABLE "sales"."loader_fence_orders" (load_id VARCHAR(64) NOT NULL, run_id VARCHAR(64) NOT NULL, loaded_at TIMESTAMP NOT NULL)
        INSERT INTO "sales"."loader_fence_orders" (load_id, run_id, loaded_at) SELECT load_id, run_id, loaded_at FROM "sales"."loader_loads" WHERE target_table = 'sales.orders'
        "#);
    }

    #[test]
    fn the_audit_table_is_the_glue_jobs() {
        let target = TableName::new("public", "t").expect("a valid name");
        insta::assert_snapshot!(ddl(&target).join("\n"), @r#"
        CREATE TABLE IF NOT EXISTS "public"."loader_loads" (load_id VARCHAR(64) NOT NULL, source_uri VARCHAR(2048) NOT NULL, etag VARCHAR(256), version_id VARCHAR(1024), size_bytes BIGINT, target_table VARCHAR(256) NOT NULL, run_id VARCHAR(64) NOT NULL, rows BIGINT NOT NULL, loaded_at TIMESTAMP NOT NULL, plugins VARCHAR(16384), upsert_keys VARCHAR(16384))
        CREATE TABLE IF NOT EXISTS "public"."job_sts" (run_id BIGINT, job_id VARCHAR(256), run_start_ts TIMESTAMP, run_end_ts TIMESTAMP, source_filename VARCHAR(256), target_table_name VARCHAR(256), records_read INTEGER, records_updated INTEGER, records_inserted INTEGER, status VARCHAR(50), error_message VARCHAR(MAX))
        CREATE TABLE IF NOT EXISTS "public"."loader_dropped_views" (target_table VARCHAR(256) NOT NULL, run_id VARCHAR(64) NOT NULL, view_schema VARCHAR(128) NOT NULL, view_name VARCHAR(128) NOT NULL, place INTEGER NOT NULL, part INTEGER NOT NULL, parts INTEGER NOT NULL, content VARCHAR(16000) NOT NULL, written_at TIMESTAMP NOT NULL)
        "#);
    }
}
