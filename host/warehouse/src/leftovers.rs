//! What runs that were killed leave in the warehouse, beside the views that they had dropped:
//! fences of tables that were never made.
//!
//! A first load makes the fence of its table before it makes the table. Where it ends in between,
//! the fence stays, and does no harm.

use loader_model::error::Result;
use loader_model::names::TableName;

use crate::bookkeeping::{FENCE, fence, lock_fence};
use crate::guard::guard;
use crate::rows::{FromRow, Row};
use crate::session::NO_CACHED_RESULTS;
use crate::sql::{self, text};

/// The fence of a table that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoneFence {
    /// The table that would be behind it.
    pub target: String,
}

impl FromRow for LoneFence {
    fn from_row(row: Row<'_>) -> Result<LoneFence> {
        Ok(LoneFence { target: row.text("target")? })
    }
}

/// How many loads a fence has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FenceLoads(pub i64);

impl FromRow for FenceLoads {
    fn from_row(row: Row<'_>) -> Result<FenceLoads> {
        row.integer("loads").map(FenceLoads)
    }
}

/// The fences of a schema whose table is not there.
// The catalog is joined with itself, which Redshift does on its leader node.
pub fn lone_fences(schema: &str) -> String {
    let letters = FENCE.len();
    format!(
        "SELECT SUBSTRING(f.relname, {behind}) AS target FROM pg_class f JOIN pg_namespace n ON \
         n.oid = f.relnamespace LEFT JOIN pg_class t ON t.relnamespace = f.relnamespace AND \
         t.relname = SUBSTRING(f.relname, {behind}) WHERE n.nspname = {schema} AND f.relkind = 'r' \
         AND LEFT(f.relname, {letters}) = {fence} AND t.relname IS NULL ORDER BY 1",
        behind = letters + 1,
        schema = text(schema),
        fence = text(FENCE),
    )
}

/// Whether a fence can be told by its name: that of a table with a very long name has a digest.
pub fn is_named_for(target: &TableName) -> bool {
    let is_digest =
        target.table.len() == 32 && target.table.bytes().all(|byte| byte.is_ascii_hexdigit());
    fence(target).table.len() == FENCE.len() + target.table.len() && !is_digest
}

/// The loads that a fence has.
pub fn loads_of(target: &TableName) -> String {
    format!("SELECT COUNT(*) AS loads FROM {}", sql::table(&fence(target)))
}

/// The transaction that drops a fence, unless it has a load or its table is there. Behind its LOCK
/// no load is at work; one that waits for it finds no fence, and makes one.
pub fn drop_fence(target: &TableName) -> Vec<String> {
    let fence = sql::table(&fence(target));
    let in_catalog = format!(
        "pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = {} AND \
         c.relname = {}",
        text(&target.schema),
        text(&target.table)
    );
    vec![
        lock_fence(target),
        NO_CACHED_RESULTS.to_owned(),
        guard("COUNT(*) = 0", "no_load", &fence),
        guard("COUNT(*) = 0", "no_table", &in_catalog),
        format!("DROP TABLE {fence}"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_goes_only_without_loads_and_without_its_table() {
        let target = TableName::new("sales", "orders").expect("a valid name");
        insta::assert_snapshot!(lone_fences("sales"), @"SELECT SUBSTRING(f.relname, 14) AS target FROM pg_class f JOIN pg_namespace n ON n.oid = f.relnamespace LEFT JOIN pg_class t ON t.relnamespace = f.relnamespace AND t.relname = SUBSTRING(f.relname, 14) WHERE n.nspname = 'sales' AND f.relkind = 'r' AND LEFT(f.relname, 13) = 'loader_fence_' AND t.relname IS NULL ORDER BY 1");
        insta::assert_snapshot!(drop_fence(&target).join("\n"), @r#"
        LOCK "sales"."loader_fence_orders"
        SET enable_result_cache_for_session TO off
        SELECT 1 / (CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END) AS no_load FROM "sales"."loader_fence_orders"
        SELECT 1 / (CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END) AS no_table FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'sales' AND c.relname = 'orders'
        DROP TABLE "sales"."loader_fence_orders"
        "#);
        assert!(is_named_for(&target));
        let named = |table: String| TableName::new("sales", &table).expect("a valid name");
        assert!(!is_named_for(&named("0".repeat(32))) && !is_named_for(&named("o".repeat(127))));
    }
}
