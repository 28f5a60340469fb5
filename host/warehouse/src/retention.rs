//! What ledger and fences forget, so that they do not grow for ever.
//!
//! The ledger is asked and thinned out for many targets at once, since each statement reads all of it.
//! Loads only insert into it, so no transaction of theirs is ended for that (error 1023); they wait
//! for the DELETE as for each other. A fence is thinned out by itself, behind its LOCK.
//! Source: <https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html>

use loader_model::error::Result;
use loader_model::names::TableName;

use crate::bookkeeping::{LEDGER, fence, lock_fence};
use crate::rows::{FromRow, Row};
use crate::sql::{self, text};

/// Targets of one statement: their names stay far below the 100 KB of a statement.
pub const TARGETS: usize = 250;

/// How many loads of a target are old.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldLoads {
    /// As the ledger has it, with its schema.
    pub target_table: String,
    pub loads: u64,
}

impl FromRow for OldLoads {
    fn from_row(row: Row<'_>) -> Result<OldLoads> {
        Ok(OldLoads {
            target_table: row.text("target_table")?,
            loads: u64::try_from(row.integer("loads")?).unwrap_or_default(),
        })
    }
}

/// Targets of a schema, and which of their loads are old.
#[derive(Clone, Debug)]
pub struct Targets<'a> {
    pub schema: &'a str,
    pub targets: Vec<&'a TableName>,
    /// The bucket of whose files it is known that they are loaded.
    pub bucket: &'a str,
    /// Loads before this moment are old: such as `2026-09-01 00:00:00`, in UTC.
    pub before: &'a str,
}

impl Targets<'_> {
    /// The rows of the ledger that are old, but not those of a target's last run, which say by which
    /// keys the table is merged.
    fn old(&self) -> String {
        let ledger = TableName { schema: self.schema.to_owned(), table: LEDGER.to_owned() };
        let ledger = sql::table(&ledger);
        let names: Vec<String> =
            self.targets.iter().map(|target| text(&target.to_string())).collect();
        let (names, before) = (names.join(", "), text(self.before));
        let address = format!("s3://{}/", self.bucket);
        let (letters, address) = (address.chars().count(), text(&address));
        format!(
            "FROM {ledger} WHERE target_table IN ({names}) AND LEFT(source_uri, {letters}) = \
             {address} AND loaded_at < {before} AND run_id NOT IN (SELECT run_id FROM (SELECT \
             run_id, ROW_NUMBER() OVER (PARTITION BY target_table ORDER BY loaded_at DESC, run_id \
             DESC) AS place FROM {ledger} WHERE target_table IN ({names})) AS newest WHERE place = \
             1)"
        )
    }
}

/// Counts the old loads of each target.
pub fn count_old(of: &Targets<'_>) -> String {
    format!("SELECT target_table, COUNT(*) AS loads {} GROUP BY target_table", of.old())
}

/// Lets the ledger forget them. Their files count as new when they come again.
pub fn forget_in_ledger(of: &Targets<'_>) -> String {
    format!("DELETE {}", of.old())
}

/// The transaction in which a target's fence forgets them.
// The last run's, too: what is in the ledger is known before a transaction is begun.
pub fn forget_in_fence(target: &TableName, before: &str) -> Vec<String> {
    let delete =
        format!("DELETE FROM {} WHERE loaded_at < {}", sql::table(&fence(target)), text(before));
    vec![lock_fence(target), delete]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_loads_but_those_of_the_last_run_are_forgotten() {
        let target = |table: &str| TableName::new("sales", table).expect("a valid name");
        let (orders, lines) = (target("orders"), target("lines"));
        let (schema, bucket, before) = ("sales", "b", "2026-09-01 00:00:00");
        let of = Targets { schema, targets: vec![&orders, &lines], bucket, before };
        insta::assert_snapshot!(count_old(&of), @r#"SELECT target_table, COUNT(*) AS loads FROM "sales"."loader_loads" WHERE target_table IN ('sales.orders', 'sales.lines') AND LEFT(source_uri, 7) = 's3://b/' AND loaded_at < '2026-09-01 00:00:00' AND run_id NOT IN (SELECT run_id FROM (SELECT run_id, ROW_NUMBER() OVER (PARTITION BY target_table ORDER BY loaded_at DESC, run_id DESC) AS place FROM "sales"."loader_loads" WHERE target_table IN ('sales.orders', 'sales.lines')) AS newest WHERE place = 1) GROUP BY target_table"#);
        let of = Targets { targets: vec![&orders], ..of };
        insta::assert_snapshot!(forget_in_ledger(&of), @r#"DELETE FROM "sales"."loader_loads" WHERE target_table IN ('sales.orders') AND LEFT(source_uri, 7) = 's3://b/' AND loaded_at < '2026-09-01 00:00:00' AND run_id NOT IN (SELECT run_id FROM (SELECT run_id, ROW_NUMBER() OVER (PARTITION BY target_table ORDER BY loaded_at DESC, run_id DESC) AS place FROM "sales"."loader_loads" WHERE target_table IN ('sales.orders')) AS newest WHERE place = 1)"#);
        insta::assert_snapshot!(forget_in_fence(&orders, before).join("\n"), @r#"
        LOCK "sales"."loader_fence_orders"
        DELETE FROM "sales"."loader_fence_orders" WHERE loaded_at < '2026-09-01 00:00:00'
        "#);
    }
}
