//! Columns of the table that were made for a file without a value in them, and get their type from
//! this file.
//!
//! In: the table's columns as they are. Out: the same columns, where those that have no value yet
//! are of the type that they would get as new columns. All of the plan then goes by these types, and
//! the evolution makes the table so.

use loader_model::catalog_column::CatalogColumn;
use loader_model::choices::SchemaPolicy;
use loader_model::column_type::ColumnType;
use loader_model::error::Result;
use loader_sandbox::ChainPlan;

use super::agree_on_types::{self, Agreed};
use super::columns::{self, PlannedColumn};
use super::input::PlanInput;
use super::{names, why};

/// The table's columns with the types that the file gives. `None`: it gives none, or the table must
/// not change.
///
/// Errors: as of a plan for a new table.
// A column of texts stays the VARCHAR that it is, and grows as any other does.
pub(super) fn given(input: &PlanInput<'_>) -> Result<Option<Vec<CatalogColumn>>> {
    let Some(existing) = input.existing else { return Ok(None) };
    if input.schema_policy != SchemaPolicy::Evolve || input.without_values.is_empty() {
        return Ok(None);
    }
    let typed = |column: &&CatalogColumn| !input.lacks_values(&column.name);
    let others: Vec<CatalogColumn> = existing.iter().filter(typed).cloned().collect();
    let as_new = &PlanInput { existing: Some(&others), ..*input };
    let Agreed { chain, keys, .. } = agree_on_types::run(as_new)?;
    let (columns, mut typed) = (names::columns(existing), existing.to_vec());
    for (place, field) in chain.output.fields().iter().enumerate() {
        let found = columns.find(field.name(), names::header(input, &chain, place)).place();
        let Some(column) = found.map(|found| &mut typed[found]) else { continue };
        if !input.lacks_values(&column.name) {
            continue;
        }
        let is_key = keys.iter().any(|key| Some(key.column) == chain.origin(place));
        let new = columns::new_type(input, &chain, place, is_key)?;
        if let Some(new) = new.filter(|new| !matches!(new, ColumnType::Varchar { .. })) {
            column.type_text = new.to_string().to_lowercase();
            column.column_type = new;
        }
    }
    Ok(Some(typed))
}

/// Whether a planned column is one of the table's that gets its type now.
pub(super) fn gets_type(input: &PlanInput<'_>, column: &PlannedColumn) -> bool {
    let is_text = matches!(column.lands_in, Some(ColumnType::Varchar { .. }) | None);
    !is_text && input.lacks_values(&column.name)
}

/// The planned columns, those with the reason that get their type now.
pub(super) fn with_reasons(
    input: &PlanInput<'_>,
    chain: &ChainPlan,
    columns: Vec<PlannedColumn>,
) -> Vec<PlannedColumn> {
    let reason = |column: PlannedColumn| match gets_type(input, &column) {
        true => {
            let why = why::of_column(input, chain, column.source, column.is_key);
            PlannedColumn { why, ..column }
        }
        false => column,
    };
    columns.into_iter().map(reason).collect()
}
