//! What the audit table and the ledger say of past runs.
//!
//! In: a schema. Out: queries, and their answers as values. The audit table has a number for each
//! run, the ledger its id; the number is made of the id, so the two find each other
//! ([`run_number`]).

use loader_model::error::Result;
use loader_model::names::TableName;

use crate::audit_table::AUDIT;
use crate::bookkeeping::LEDGER;
use crate::rows::{FromRow, Row};
use crate::sql::{table, text};

/// A run as the audit table has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastRun {
    /// The run's number; `None` where the table has no such column, or no number.
    pub number: Option<i64>,
    /// As Redshift writes a TIMESTAMP.
    pub started_at: String,
    pub ended_at: String,
    pub file_name: String,
    /// Without its schema.
    pub table: String,
    pub status: String,
    pub read: Option<i64>,
    pub inserted: Option<i64>,
    pub updated: Option<i64>,
    /// `None` where the table has no column for it.
    pub rejected: Option<i64>,
    pub error: Option<String>,
}

/// A load as the ledger has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastLoad {
    pub run_id: String,
    pub source_uri: String,
    /// With its schema.
    pub target: String,
    pub rows: i64,
    pub loaded_at: String,
    /// The plugins with what they counted, as JSON.
    pub plugins: Option<String>,
}

/// The last load of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastLoad {
    pub source_uri: String,
    pub run_id: String,
}

/// How a file last ended, by the numbers of the runs, where the audit table has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastEnds {
    pub file_name: String,
    pub failed: Option<i64>,
    pub loaded: Option<i64>,
}

/// The last runs of a schema, the latest first. `table`: of this table alone.
// A star, because the table may be one that a person made, which lacks columns.
pub fn runs(schema: &str, of_table: Option<&str>, at_most: u32) -> String {
    let audit = table(&TableName { schema: schema.to_owned(), table: AUDIT.to_owned() });
    let condition = of_table.map(|name| format!(" WHERE target_table_name = {}", text(name)));
    format!(
        "SELECT * FROM {audit}{} ORDER BY run_start_ts DESC, run_id DESC LIMIT {at_most}",
        condition.unwrap_or_default()
    )
}

/// The last loads of a schema, the latest first. `of_table`: with its schema.
pub fn loads(schema: &str, of_table: Option<&TableName>, at_most: u32) -> String {
    let ledger = table(&TableName { schema: schema.to_owned(), table: LEDGER.to_owned() });
    let condition =
        of_table.map(|name| format!(" WHERE target_table = {}", text(&name.to_string())));
    format!(
        "SELECT * FROM {ledger}{} ORDER BY loaded_at DESC, run_id DESC LIMIT {at_most}",
        condition.unwrap_or_default()
    )
}

/// The last load of each of these sources.
pub fn last_loads(schema: &str, source_uris: &[String]) -> String {
    let ledger = table(&TableName { schema: schema.to_owned(), table: LEDGER.to_owned() });
    let uris: Vec<String> = source_uris.iter().map(|uri| text(uri)).collect();
    format!(
        "SELECT source_uri, MAX(run_id) AS run_id FROM {ledger} WHERE source_uri IN ({}) GROUP BY \
         source_uri",
        uris.join(", ")
    )
}

/// The last failure and the last load of each of these files. (The ledger may have forgotten the load.)
pub fn last_ends(schema: &str, file_names: &[String]) -> String {
    let audit = table(&TableName { schema: schema.to_owned(), table: AUDIT.to_owned() });
    let names: Vec<String> = file_names.iter().map(|name| text(name)).collect();
    format!(
        "SELECT source_filename, MAX(CASE WHEN UPPER(status) = 'FAILED' THEN run_id END) AS failed, \
         MAX(CASE WHEN UPPER(status) = 'SUCCESS' THEN run_id END) AS loaded FROM {audit} WHERE \
         source_filename IN ({}) GROUP BY source_filename",
        names.join(", ")
    )
}

/// The number in the audit table of a run with this id, as it is written; `None`: the text is no
/// id.
pub fn run_number(run_id: &str) -> Option<i64> {
    let bits = u128::from_str_radix(run_id, 16).ok().filter(|_| run_id.len() == 32)?;
    Some(number_of(bits))
}

/// The number of a run with this id, a UUID of version 7: the milliseconds since 1970, with which
/// it begins, and its last 20 bits, which are random.
// The number stays below 2^63, the end of a BIGINT, as long as the milliseconds are below 2^43:
// until 2248.
pub fn number_of(run_id: u128) -> i64 {
    let (millis, random) = ((run_id >> 80) as i64, (run_id & 0xF_FFFF) as i64);
    (millis << 20) | random
}

/// When a run of this number has started, in milliseconds since 1970.
pub fn millis_of_number(number: i64) -> i64 {
    number >> 20
}

impl FromRow for PastRun {
    fn from_row(row: Row<'_>) -> Result<PastRun> {
        let text = |column: &str| match row.has(column) {
            true => row.text(column),
            false => Ok(String::new()),
        };
        let number = |column: &str| match row.has(column) {
            true => row.optional_integer(column),
            false => Ok(None),
        };
        let error = text("error_message")?;
        Ok(PastRun {
            number: number("run_id")?,
            started_at: text("run_start_ts")?,
            ended_at: text("run_end_ts")?,
            file_name: text("source_filename")?,
            table: text("target_table_name")?,
            status: text("status")?,
            read: number("records_read")?,
            inserted: number("records_inserted")?,
            updated: number("records_updated")?,
            rejected: number("records_rejected")?,
            error: (!error.is_empty()).then_some(error),
        })
    }
}

impl FromRow for PastLoad {
    fn from_row(row: Row<'_>) -> Result<PastLoad> {
        let plugins = if row.has("plugins") { row.optional_text("plugins")? } else { None };
        Ok(PastLoad {
            run_id: row.text("run_id")?,
            source_uri: row.text("source_uri")?,
            target: row.text("target_table")?,
            rows: row.integer("rows")?,
            loaded_at: row.text("loaded_at")?,
            plugins,
        })
    }
}

impl FromRow for LastEnds {
    fn from_row(row: Row<'_>) -> Result<LastEnds> {
        Ok(LastEnds {
            file_name: row.text("source_filename")?,
            failed: row.optional_integer("failed")?,
            loaded: row.optional_integer("loaded")?,
        })
    }
}

impl FromRow for LastLoad {
    fn from_row(row: Row<'_>) -> Result<LastLoad> {
        Ok(LastLoad { source_uri: row.text("source_uri")?, run_id: row.text("run_id")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runs_number_is_made_of_its_id() {
        assert_eq!(
            run_number("01a2237e020f70a3970ee241c957f315"),
            Some(0x01a2_237e_020f << 20 | 0x7_f315)
        );
        assert_eq!(run_number("01a2"), None);
        assert_eq!(run_number("zza2237e020f70a3970ee241c957f315"), None);
    }

    #[test]
    fn past_runs_are_asked_for_by_schema_and_table() {
        let orders = TableName { schema: "sales".into(), table: "orders".into() };
        insta::assert_snapshot!(runs("sales", Some("orders"), 5), @r#"SELECT * FROM "sales"."job_sts" WHERE target_table_name = 'orders' ORDER BY run_start_ts DESC, run_id DESC LIMIT 5"#);
        insta::assert_snapshot!(loads("sales", Some(&orders), 5), @r#"SELECT * FROM "sales"."loader_loads" WHERE target_table = 'sales.orders' ORDER BY loaded_at DESC, run_id DESC LIMIT 5"#);
        let uris = ["s3://b/data/in/a.csv".to_owned(), "s3://b/data/in/it's.csv".to_owned()];
        insta::assert_snapshot!(last_loads("sales", &uris), @r#"SELECT source_uri, MAX(run_id) AS run_id FROM "sales"."loader_loads" WHERE source_uri IN ('s3://b/data/in/a.csv', 's3://b/data/in/it''s.csv') GROUP BY source_uri"#);
        insta::assert_snapshot!(last_ends("sales", &["a.csv".to_owned()]), @r#"SELECT source_filename, MAX(CASE WHEN UPPER(status) = 'FAILED' THEN run_id END) AS failed, MAX(CASE WHEN UPPER(status) = 'SUCCESS' THEN run_id END) AS loaded FROM "sales"."job_sts" WHERE source_filename IN ('a.csv') GROUP BY source_filename"#);
        insta::assert_snapshot!(runs("sales", None, 5), @r#"SELECT * FROM "sales"."job_sts" ORDER BY run_start_ts DESC, run_id DESC LIMIT 5"#);
    }
}
