//! Reconcile: compares the planned output with an existing table, column by column.
//!
//! In: the chain's output and the table's columns. Out: the columns that are staged, filled and
//! left out; or one refusal with everything that does not fit. A mismatch that a change of the
//! table would solve is a schema conflict. A value that no change would help is the file's fault.

mod known_column;
mod mismatch;
mod missing_column;

use arrow::datatypes::Field;
use loader_csv::MAX_COLUMNS;
use loader_model::catalog_column::CatalogColumn;
use loader_model::choices::SchemaPolicy;
use loader_model::error::Result;
use loader_model::target_column::FilledColumn;
use loader_sandbox::ChainPlan;

use super::columns::{self, PlannedColumn};
use super::input::PlanInput;
use mismatch::{Mismatch, refusal};

/// Plans every column of the output and of the table. `names`: the names of the output's columns in
/// the target.
///
/// Errors: `Data` or `SchemaConflict`, with everything that does not fit; `Plugin` for a new column
/// whose type has no counterpart in Redshift.
// Mismatches are collected and not returned at once: a user who mends a file of 40 columns should
// learn of all that do not fit from one run.
pub(super) fn run(
    input: &PlanInput<'_>,
    chain: &ChainPlan,
    names: &[String],
    existing: &[CatalogColumn],
) -> Result<Reconciled> {
    let sides = Sides { input, chain, existing };
    let mut so_far = SoFar::default();
    for (source, (field, name)) in chain.output.fields().iter().zip(names).enumerate() {
        so_far.add(name, sides.fate(source, field, name)?);
    }
    for missing in existing.iter().filter(|column| !names.contains(&column.name)) {
        so_far.fill(input, missing);
    }
    so_far.check_table(existing);
    let SoFar { reconciled, mismatches } = so_far;
    if mismatches.is_empty() { Ok(reconciled) } else { Err(refusal(input, mismatches)) }
}

/// The columns of both sides, by what happens to them.
#[derive(Default)]
pub(super) struct Reconciled {
    pub(super) columns: Vec<PlannedColumn>,
    /// Columns of the table that the file lacks.
    pub(super) filled: Vec<FilledColumn>,
    /// Columns of the file that are left out.
    pub(super) discarded: Vec<String>,
}

/// What happens to a column of the output.
enum Fate {
    Staged(Box<PlannedColumn>),
    Discarded,
    Refused(Mismatch),
}

impl Fate {
    fn staged(column: PlannedColumn) -> Fate {
        Fate::Staged(Box::new(column))
    }
}

/// The planned output and the existing table.
struct Sides<'a> {
    input: &'a PlanInput<'a>,
    chain: &'a ChainPlan,
    existing: &'a [CatalogColumn],
}

impl Sides<'_> {
    fn fate(&self, source: usize, field: &Field, name: &str) -> Result<Fate> {
        match self.existing.iter().find(|column| column.name == name) {
            Some(known) => Ok(known_column::plan(self.input, self.chain, source, field, known)
                .map_or_else(Fate::Refused, Fate::staged)),
            None => self.fate_of_unknown(source, field, name),
        }
    }

    /// The fate of a column that the table does not have.
    fn fate_of_unknown(&self, source: usize, field: &Field, name: &str) -> Result<Fate> {
        if self.input.is_key(name) {
            let fact = format!(
                "upsert key `{name}` is no column of the table, so no row could be found by it"
            );
            return Ok(Fate::Refused(Mismatch::Schema(fact)));
        }
        match self.input.schema_policy {
            SchemaPolicy::Freeze => {
                Ok(Fate::Refused(Mismatch::Schema(format!("column `{name}` is new"))))
            }
            SchemaPolicy::DiscardColumns => Ok(Fate::Discarded),
            SchemaPolicy::Evolve => {
                columns::new(self.input, self.chain, source, field, name).map(Fate::staged)
            }
        }
    }
}

/// The columns that are planned so far, and the mismatches among them.
#[derive(Default)]
struct SoFar {
    reconciled: Reconciled,
    mismatches: Vec<Mismatch>,
}

impl SoFar {
    fn add(&mut self, name: &str, fate: Fate) {
        match fate {
            Fate::Staged(column) => self.reconciled.columns.push(*column),
            Fate::Discarded => self.reconciled.discarded.push(name.to_owned()),
            Fate::Refused(mismatch) => self.mismatches.push(mismatch),
        }
    }

    fn fill(&mut self, input: &PlanInput<'_>, missing: &CatalogColumn) {
        let name = missing.name.clone();
        match missing_column::fill(input, missing) {
            Ok(fill) => self.reconciled.filled.push(FilledColumn { name, fill }),
            Err(mismatch) => self.mismatches.push(mismatch),
        }
    }

    /// Checks all columns together.
    // `MAX_COLUMNS` is one less than a table holds, because the staging table also has the row
    // number. The target has none, so it may have `MAX_COLUMNS + 1` = 1600.
    fn check_table(&mut self, existing: &[CatalogColumn]) {
        let columns = &self.reconciled.columns;
        let new = columns.iter().filter(|column| column.is_new).count();
        let total = existing.len() + new;
        if total > MAX_COLUMNS + 1 {
            let fact = format!(
                "with the file's new columns it would have {total} columns, Redshift has 1600"
            );
            self.mismatches.push(Mismatch::Schema(fact));
        }
    }
}
