//! The target while a load has it: the fence that keeps other loads off, and the check that its
//! columns are still those that the parts were made for.

use loader_model::catalog_column::CatalogColumn;
use loader_model::target_column::TargetColumn;

use crate::bookkeeping::fence;
use crate::catalog::spelling;
use crate::guard::{guard, same_columns};
use crate::load_batch::batch::LoadBatch;
use crate::load_batch::names::FILES;
use crate::sql::{table, text};

/// Refuses a load that the fence knows.
pub(super) fn fence_guard(batch: &LoadBatch<'_>) -> String {
    let fence = table(&fence(batch.target));
    let of_load = match batch.files {
        None => format!("= {}", text(batch.ledger.load_id)),
        Some(_) => format!("IN (SELECT load_id FROM {FILES})"),
    };
    guard("COUNT(*) = 0", "not_loaded_before", &format!("{fence} WHERE load_id {of_load}"))
}

/// Reads no row of the target. From here to the end of the transaction nobody can alter the table,
/// while others go on reading it.
pub(super) fn hold(batch: &LoadBatch<'_>) -> String {
    format!("SELECT COUNT(*) AS held FROM {} WHERE 1 = 0", table(batch.target))
}

/// Refuses a target whose columns have other types by now. An INSERT would round or cut the values
/// instead. (For example, amounts that were staged for DECIMAL(12,4) would lose two digits in a
/// column that is DECIMAL(12,2) by now.)
// `hold` keeps it true.
pub(super) fn column_guard(batch: &LoadBatch<'_>) -> String {
    let spelt = batch.columns.iter().flat_map(|column| spellings(column, batch.existing));
    same_columns(batch.target, &spelt.collect::<Vec<_>>(), batch.columns.len())
}

/// A column with its type as the catalog may spell it, such as `note character varying(256)`. A
/// column matches at most one of them.
// What the catalog said before the load is right for a column that the load did not change. A
// changed or added column gets the spellings that are known.
fn spellings(column: &TargetColumn, existing: &[CatalogColumn]) -> Vec<String> {
    let name = &column.name;
    let unchanged = existing
        .iter()
        .find(|other| other.name == *name && other.column_type == column.column_type);
    match unchanged {
        Some(unchanged) => vec![format!("{name} {}", unchanged.type_text)],
        None => spelling::of_type(&column.column_type)
            .into_iter()
            .map(|spelling| format!("{name} {spelling}"))
            .collect(),
    }
}
