//! The two tables that a load writes beside its target, in the target's schema: the ledger and the
//! audit table.

use loader_model::names::TableName;

use crate::sql;

/// The ledger: which files were loaded. Its row commits in one transaction with the file's rows.
pub const LEDGER: &str = "loader_loads";
/// The ledger's column that says as JSON which plugins made the rows.
pub const PLUGINS: &str = "plugins";
/// The size of that column: enough for the counters of a long chain, and far below the 100 KB that
/// a statement may have.
pub const MAX_PLUGINS_BYTES: usize = 16_384;
/// The audit table: one row for each run, in the columns of the Glue job's table of the same name.
pub(crate) const AUDIT: &str = "job_sts";

/// Adds the column for plugins to a ledger that an earlier version made.
pub fn add_plugins(target: &TableName) -> String {
    let ledger = target.sibling(LEDGER);
    format!("ALTER TABLE {} ADD COLUMN {}", sql::table(&ledger), plugins_column())
}

fn plugins_column() -> String {
    format!("{PLUGINS} VARCHAR({MAX_PLUGINS_BYTES})")
}

/// The statements that make both tables. They do nothing where the tables exist.
pub fn ddl(target: &TableName) -> Vec<String> {
    // IF NOT EXISTS leaves a ledger of an earlier version without the column for plugins;
    // `add_plugins` is for that.
    vec![create_ledger(target), create_audit(target)]
}

fn create_ledger(target: &TableName) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS {} (load_id VARCHAR(64) NOT NULL, source_uri VARCHAR(2048) NOT \
         NULL, etag VARCHAR(256), version_id VARCHAR(1024), size_bytes BIGINT, target_table \
         VARCHAR(256) NOT NULL, run_id VARCHAR(64) NOT NULL, rows BIGINT NOT NULL, loaded_at \
         TIMESTAMP NOT NULL, {})",
        sql::table(&target.sibling(LEDGER)),
        plugins_column(),
    )
}

fn create_audit(target: &TableName) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS {} (run_id BIGINT, job_id VARCHAR(256), run_start_ts \
         TIMESTAMP, run_end_ts TIMESTAMP, source_filename VARCHAR(256), target_table_name \
         VARCHAR(256), records_read INTEGER, records_updated INTEGER, records_inserted INTEGER, \
         status VARCHAR(50), error_message VARCHAR(MAX))",
        sql::table(&target.sibling(AUDIT))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_audit_table_is_the_glue_jobs() {
        let target = TableName::new("public", "t").expect("a valid name");
        insta::assert_snapshot!(ddl(&target).join("\n"), @r#"
        CREATE TABLE IF NOT EXISTS "public"."loader_loads" (load_id VARCHAR(64) NOT NULL, source_uri VARCHAR(2048) NOT NULL, etag VARCHAR(256), version_id VARCHAR(1024), size_bytes BIGINT, target_table VARCHAR(256) NOT NULL, run_id VARCHAR(64) NOT NULL, rows BIGINT NOT NULL, loaded_at TIMESTAMP NOT NULL, plugins VARCHAR(16384))
        CREATE TABLE IF NOT EXISTS "public"."job_sts" (run_id BIGINT, job_id VARCHAR(256), run_start_ts TIMESTAMP, run_end_ts TIMESTAMP, source_filename VARCHAR(256), target_table_name VARCHAR(256), records_read INTEGER, records_updated INTEGER, records_inserted INTEGER, status VARCHAR(50), error_message VARCHAR(MAX))
        "#);
    }
}
