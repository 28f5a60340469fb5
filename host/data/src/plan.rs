//! Plan: decides what every column of the file becomes, before a single row is decoded.
//!
//! In: the file's profile, the target's columns as the catalog has them, the plugins. Out: how to
//! decode, the plugins' plan, the staged columns with their types, and the values of the columns
//! that the file lacks; or a refusal that names every column that does not fit.
//!
//! A column that lands in the target is read as the target's type expects it. For example, a column
//! of `1` and `2` is read as text for a VARCHAR, and as exact numbers for a DECIMAL. Planning does
//! no I/O and changes nothing.

mod agree_on_types;
mod columns;
mod data_type;
mod feed;
mod file_values;
mod first_types;
mod given;
mod header;
mod input;
mod keys;
mod names;
mod notices;
mod packed;
mod reconcile;
#[cfg(test)]
mod tests;
mod why;

use loader_csv::{DecodeAs, Header};
use loader_model::choices::SchemaPolicy;
use loader_model::column_type::ColumnType;
use loader_model::error::{Error, Kind, Result};
use loader_model::names::TableName;
use loader_model::target_column::{Fill, FilledColumn, TargetColumn};
use loader_sandbox::ChainPlan;

pub use columns::{PlannedColumn, staged_schema};
pub use input::{ConfiguredPlugin, PlanInput};
pub use packed::PackedRowPlan;

use agree_on_types::Agreed;
use names::Names;
use reconcile::Reconciled;

/// How the rows of a file become the columns of the staging table.
pub struct LoadPlan {
    /// All that rows need on their way.
    pub rows: RowPlan,
    /// The merge keys, as the target spells them.
    pub keys: Vec<String>,
    /// Columns of the target that the file lacks, with the value that rows get in them.
    pub filled: Vec<FilledColumn>,
    /// Columns of the target that get their type from the file, since they have no value yet.
    pub typed: Vec<String>,
    /// Columns of the file that are left out.
    pub discarded: Vec<String>,
    /// The target does not exist yet.
    pub creates_table: bool,
    /// How many moments have digits past the microsecond, which a TIMESTAMP does not keep.
    pub cut_moments: u64,
    /// What a user should hear about the names and types of columns.
    pub notices: Vec<String>,
    /// The same, for the case that rows lose to other rows of their key.
    pub notices_of_duplicates: Vec<String>,
}

/// What becomes of each row: all that a worker needs to know.
pub struct RowPlan {
    /// The file's columns by the names that the plugins get.
    pub(crate) header: Header,
    pub(crate) decode_as: Vec<DecodeAs>,
    pub chain: ChainPlan,
    pub columns: Vec<PlannedColumn>,
}

impl LoadPlan {
    /// The target's columns that the file fills, each wide enough for the file. `longest`: the
    /// longest text of each planned column, in bytes, as far as it is known.
    pub fn target_columns(&self, longest: &[u32]) -> Vec<TargetColumn> {
        let columns = self.rows.columns.iter();
        columns.zip(longest).map(|(column, longest)| column.in_target(*longest)).collect()
    }

    /// Those of `columns` that must have no value for the plan to be right: they get their type, or
    /// the file lacks them. (An empty text would make such a column one of texts for ever.)
    pub fn relied_on(&self, columns: &[String]) -> Vec<String> {
        let is_filled = |name: &String| self.filled.iter().any(|filled| filled.name == *name);
        let is_relied_on = |name: &&String| self.typed.contains(name) || is_filled(name);
        columns.iter().filter(is_relied_on).cloned().collect()
    }

    /// Columns of the target that nothing fills in rows with new keys.
    pub fn unfilled(&self) -> Vec<&str> {
        let unfilled = self.filled.iter().filter(|filled| filled.fill == Fill::Nothing);
        unfilled.map(|filled| filled.name.as_str()).collect()
    }

    /// The longest text of each planned column, as far as the file alone tells. Texts that plugins
    /// compute count as 0 here: their lengths are known only after the transformation.
    pub fn longest_known(&self) -> Vec<u32> {
        self.rows.columns.iter().map(|column| column.longest_in_file).collect()
    }
}

/// Makes the plan.
///
/// Errors: `Config` (a key that is no column, a wrong number of names), `Plugin`, `Data` (values
/// that the target cannot take, impossible columns), `SchemaConflict` (the file is none of the
/// table's, or the table would have to change in a way that is not allowed or not possible).
pub fn run(input: &PlanInput<'_>) -> Result<LoadPlan> {
    let (header, by_place) = header::named(input)?;
    let input = &PlanInput { header: &header, ..*input };
    let typed = first_types::given(input)?;
    let input = &PlanInput { existing: typed.as_deref().or(input.existing), ..*input };
    let Agreed { decode_as, chain, keys: key_columns } = agree_on_types::run(input)?;
    let Names { in_target: names, mut notices } = names::find(input, &chain)?;
    notices.extend(by_place);
    feed::check(input, &chain, &names)?;
    let keys = names::keys(input.keys, &names, &chain.output)?;
    let input = &PlanInput { keys: &keys, ..*input };
    let Reconciled { columns, filled, discarded } = match input.existing {
        None if input.schema_policy != SchemaPolicy::Evolve => {
            return Err(missing_table(input.target));
        }
        None => {
            let columns = columns::all_new(input, &chain, &names)?;
            Reconciled { columns, ..Reconciled::default() }
        }
        Some(existing) => reconcile::run(input, &chain, &names, existing)?,
    };
    let columns = first_types::with_reasons(input, &chain, columns);
    keys::check_stay_apart(input, &key_columns)?;
    notices.extend(notices::of_new_columns(input, &columns));
    let creates_table = input.existing.is_none();
    let typed = columns.iter().filter(|column| first_types::gets_type(input, column));
    Ok(LoadPlan {
        typed: typed.map(|column| column.name.clone()).collect(),
        cut_moments: cut_moments(input, &columns),
        notices_of_duplicates: keys::notices_of_duplicates(input, &key_columns),
        rows: RowPlan { header, decode_as, chain, columns },
        keys,
        filled,
        discarded,
        notices,
        creates_table,
    })
}

fn cut_moments(input: &PlanInput<'_>, columns: &[PlannedColumn]) -> u64 {
    let moments = columns.iter().filter(|column| column.lands_in == Some(ColumnType::Timestamp));
    moments.filter_map(|column| Some(input.profile.columns[column.origin?].cut)).sum()
}

fn missing_table(target: &TableName) -> Error {
    let fact = format!("there is no table {target}, and only --schema-policy evolve makes one");
    Error::new(Kind::SchemaConflict, fact)
}
