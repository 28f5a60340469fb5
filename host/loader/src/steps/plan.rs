//! Plan: what every column of the file becomes, decided before a single row is decoded.
//!
//! Comes in: the file's profile, the target's columns as the catalog has them, the plugins. Goes
//! out: how to decode, the plugins' plan, the staged columns with their types, and what columns get
//! that the file lacks. A column that lands in the target takes the target's type as its
//! expectation: text for a VARCHAR whatever it looks like, exact numbers for the rest, or a refusal
//! that names every column that does not fit. No I/O, and nothing is changed.

mod columns;
mod names;
mod reconcile;
mod settle;
#[cfg(test)]
mod tests;

use loader_csv::{DecodeAs, FileProfile, Header};
use loader_sandbox::ChainPlan;

pub use columns::PlannedColumn;

use crate::error::{Error, Kind, Result};
use crate::names::TableName;
use crate::plugins::Configured;
use crate::redshift::catalog::CatalogColumn;
use crate::redshift::load_batch::{Column, Filled};
use crate::settings::{MissingColumns, SchemaPolicy};

/// The most columns of a load: one less than a Redshift table holds, since the staging table has
/// the row number too.
/// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_usage.html>
pub const MAX_COLUMNS: usize = 1599;

/// How the rows of a file become the columns of the staging table.
pub struct LoadPlan {
    pub decode_as: Vec<DecodeAs>,
    pub chain: ChainPlan,
    pub columns: Vec<PlannedColumn>,
    /// Columns of the target that the file lacks, with what they get.
    pub filled: Vec<Filled>,
    /// Columns of the file that are left out.
    pub discarded: Vec<String>,
    /// The target is missing.
    pub creates_table: bool,
}

impl LoadPlan {
    /// The target's columns that the file fills, wide enough for it. `longest`: the longest text of
    /// each planned column, in bytes, as far as it is known.
    pub fn target_columns(&self, longest: &[u32]) -> Vec<Column> {
        self.columns
            .iter()
            .zip(longest)
            .map(|(column, longest)| column.in_target(*longest))
            .collect()
    }

    /// The longest texts as far as the file alone tells: what plugins compute is not known before
    /// they have.
    pub fn longest_known(&self) -> Vec<u32> {
        self.columns.iter().map(|column| column.longest_in_file).collect()
    }
}

/// What a plan is made of.
pub struct Wanted<'a> {
    pub header: &'a Header,
    pub profile: &'a FileProfile,
    pub target: &'a TableName,
    pub existing: Option<&'a [CatalogColumn]>,
    pub keys: &'a [String],
    pub plugins: &'a [Configured],
    pub schema_policy: SchemaPolicy,
    pub missing_columns: MissingColumns,
}

/// Makes the plan. Errors: `Config` (a key that is no column), `Plugin`, `Data` (values that the
/// target cannot take, impossible columns), `SchemaConflict` (the table would have to change in a
/// way that is not allowed or impossible).
pub fn run(wanted: &Wanted<'_>) -> Result<LoadPlan> {
    if wanted.profile.columns.len() > MAX_COLUMNS {
        let n = wanted.profile.columns.len();
        return Err(Error::new(
            Kind::Data,
            format!("the header has {n} columns, a load takes {MAX_COLUMNS}; split the file"),
        ));
    }
    let (decode_as, chain) = settle::run(wanted)?;
    let names = names::folded(&chain.output)?;
    check_keys(wanted, &names)?;
    let (columns, filled, discarded) = match wanted.existing {
        None if wanted.schema_policy != SchemaPolicy::Evolve => {
            return Err(missing_table(wanted.target));
        }
        None => (columns::all_new(wanted, &chain, &names)?, Vec::new(), Vec::new()),
        Some(existing) => reconcile::run(wanted, &chain, &names, existing)?,
    };
    Ok(LoadPlan {
        decode_as,
        chain,
        columns,
        filled,
        discarded,
        creates_table: wanted.existing.is_none(),
    })
}

fn missing_table(target: &TableName) -> Error {
    let fact = format!("there is no table {target}, and only --schema-policy evolve makes one");
    Error::new(Kind::SchemaConflict, fact)
}

fn check_keys(wanted: &Wanted<'_>, names: &[String]) -> Result<()> {
    match wanted.keys.iter().find(|key| !names.contains(key)) {
        None => Ok(()),
        Some(key) => {
            let fact = format!(
                "upsert key `{key}` is no column of the transformed file; it has: {}",
                names.join(", ")
            );
            Err(Error::new(Kind::Config, fact))
        }
    }
}
