//! Some of the keys that a guard has refused, for the message of the refusal.
//!
//! In: the decided load. Out: statements that find such keys, behind those that fill the staging
//! table.

use loader_model::error::Result;

use crate::load_batch::batch::LoadBatch;
use crate::load_batch::names::STAGE;
use crate::load_batch::stage;
use crate::rows::{FromRow, Row};
use crate::sql::{equal_keys, ident, idents, table};

/// Keys that a statement finds at most, so that a message can show a few and say that there are
/// more.
const FOUND: usize = 4;

/// A key as Redshift writes its values; the parts of a key are divided by ` / `.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExampleKey(pub String);

impl FromRow for ExampleKey {
    fn from_row(row: Row<'_>) -> Result<ExampleKey> {
        let parts = (1..).map(part).take_while(|part| row.has(part));
        let values: Vec<String> = parts.map(|part| row.text(&part)).collect::<Result<_>>()?;
        Ok(ExampleKey(values.join(" / ")))
    }
}

/// Keys that several rows of the file have.
pub(super) fn of_several_rows(batch: &LoadBatch<'_>) -> String {
    found(batch, &format!("{STAGE} AS r{}", stage::of_several_rows(batch)))
}

/// Keys of the file that no row of the target has.
pub(super) fn new(batch: &LoadBatch<'_>) -> String {
    let (keys, target) = (idents(batch.keys), table(batch.target));
    let equal = equal_keys(batch.keys, "t", "r");
    let from = format!(
        "(SELECT DISTINCT {keys} FROM {STAGE}) AS r WHERE NOT EXISTS (SELECT 1 FROM {target} AS t \
         WHERE {equal})"
    );
    found(batch, &from)
}

/// `from`: where the keys are, in the relation `r`, and which of them.
// The columns are numbered, since Redshift may return their names in other letters.
fn found(batch: &LoadBatch<'_>, from: &str) -> String {
    let keys = (1..).zip(batch.keys);
    let keys: Vec<String> =
        keys.map(|(number, key)| format!("r.{} AS {}", ident(key), part(number))).collect();
    let order: Vec<String> = (1..=keys.len()).map(part).collect();
    format!("SELECT {} FROM {from} ORDER BY {} LIMIT {FOUND}", keys.join(", "), order.join(", "))
}

fn part(number: usize) -> String {
    format!("key_{number}")
}
