//! What would become of each column: the table's columns, the file's new columns, and the columns
//! that the load would leave out.

use loader_data::plan::LoadPlan;
use loader_model::catalog_column::CatalogColumn;
use loader_model::target_column::{Fill, TargetColumn};
use loader_model::widening::wider;
use serde::Serialize;

/// A column of the table or of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ColumnPreview {
    pub name: String,
    pub action: ColumnAction,
    /// Its type in the table now, such as `VARCHAR(256)`.
    pub before: Option<String>,
    /// Its type in the table after the load.
    pub after: Option<String>,
    /// What the rows get when the file lacks the column: `DEFAULT`, or a literal such as `''` or
    /// `0`; nothing in a column that refuses new rows.
    pub filled_with: Option<String>,
    /// Why a column gets its type from the file, with the line of the value that decided.
    pub because: Option<String>,
    /// Whether the file lacks the column, and only rows with new keys get `filled_with`.
    pub kept_in_known_rows: bool,
}

/// What happens to a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColumnAction {
    Keep,
    Create,
    Add,
    Widen,
    /// It has no value yet, and gets its type from the file.
    GiveType,
    /// The file lacks it.
    Fill,
    /// The table lacks it, and it is left out.
    Discard,
}

/// All columns: the table's in their order, then the file's new columns, then columns that are left
/// out.
/// `keeps_known`: whether known rows keep what they have in columns that the file lacks.
pub(super) fn preview(
    plan: &LoadPlan,
    wanted: &[TargetColumn],
    existing: Option<&[CatalogColumn]>,
    keeps_known: bool,
) -> Vec<ColumnPreview> {
    let existing = existing.unwrap_or_default();
    let known = existing.iter().map(|column| {
        let known = known_column(plan, wanted, column);
        ColumnPreview {
            kept_in_known_rows: keeps_known && known.action == ColumnAction::Fill,
            ..known
        }
    });
    let is_new = |column: &&TargetColumn| existing.iter().all(|known| known.name != column.name);
    let new = wanted.iter().filter(is_new).map(|column| new_column(plan, column));
    let discarded = plan.discarded.iter().map(|name| ColumnPreview {
        name: name.clone(),
        action: ColumnAction::Discard,
        before: None,
        after: None,
        filled_with: None,
        because: None,
        kept_in_known_rows: false,
    });
    known.chain(new).chain(discarded).collect()
}

fn new_column(plan: &LoadPlan, column: &TargetColumn) -> ColumnPreview {
    let planned = plan.rows.columns.iter().find(|planned| planned.name == column.name);
    ColumnPreview {
        name: column.name.clone(),
        action: if plan.creates_table { ColumnAction::Create } else { ColumnAction::Add },
        before: None,
        after: Some(column.column_type.to_string()),
        filled_with: None,
        because: planned.and_then(|planned| planned.why.clone()),
        kept_in_known_rows: false,
    }
}

// `wanted` has the columns that the file fills. Any other column of the table is not among them and
// keeps its type.
fn known_column(plan: &LoadPlan, wanted: &[TargetColumn], column: &CatalogColumn) -> ColumnPreview {
    let before = column.column_type.to_string();
    let filled = plan.filled.iter().find(|filled| filled.name == column.name);
    let planned = plan.rows.columns.iter().find(|planned| planned.name == column.name);
    let because = planned.and_then(|planned| planned.why.clone());
    let after =
        wanted.iter().find(|wanted| wanted.name == column.name).map(|wanted| &wanted.column_type);
    let is_given = after.is_some_and(|after| wider(&column.column_type, after).is_none());
    let after = after.map_or(before.clone(), ToString::to_string);
    ColumnPreview {
        name: column.name.clone(),
        action: match filled {
            Some(_) => ColumnAction::Fill,
            None if after == before => ColumnAction::Keep,
            None if is_given => ColumnAction::GiveType,
            None => ColumnAction::Widen,
        },
        before: Some(before),
        after: Some(after),
        filled_with: filled.and_then(|filled| match filled.fill {
            Fill::Default => Some("DEFAULT".to_owned()),
            Fill::Literal(literal) => Some(literal.to_owned()),
            Fill::Nothing => None,
        }),
        because,
        kept_in_known_rows: false,
    }
}
