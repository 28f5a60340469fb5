//! How the staged rows get into the target: what they replace goes, what they update changes, the
//! rest is added.

use loader_model::choices::{Duplicates, Strategy};
use loader_model::column_type::ColumnType;
use loader_model::target_column::{Fill, ROW_COLUMN, TargetColumn};

use crate::load_batch::batch::LoadBatch;
use crate::load_batch::stage::STAGE;
use crate::sql::{equal_keys, ident, idents, table};

/// Rows of the target whose key is known keep what the file does not have: they are updated, not
/// replaced.
fn keeps(batch: &LoadBatch<'_>) -> bool {
    batch.keep_filled && batch.strategy == Strategy::Merge && !batch.filled.is_empty()
}

pub(super) fn delete(batch: &LoadBatch<'_>) -> Option<String> {
    let target = table(batch.target);
    match batch.strategy {
        Strategy::Append => None,
        Strategy::Replace => Some(format!("DELETE FROM {target}")),
        Strategy::Merge if keeps(batch) => None,
        // DELETE knows no alias for its target: it is named in full.
        Strategy::Merge => {
            let equal = equal_keys(batch.keys, &target, STAGE);
            Some(format!("DELETE FROM {target} USING {STAGE} WHERE {equal}"))
        }
    }
}

pub(super) fn update(batch: &LoadBatch<'_>) -> Option<String> {
    let columns = batch.columns.iter().filter(|column| !batch.keys.contains(&column.name));
    let set: Vec<String> = columns
        .map(|column| format!("{} = {}", ident(&column.name), value(column, "ranked.")))
        .collect();
    (keeps(batch) && !set.is_empty()).then(|| {
        let target = table(batch.target);
        let (set, ranked, equal) =
            (set.join(", "), ranked(batch), equal_keys(batch.keys, &target, "ranked"));
        format!("UPDATE {target} SET {set} FROM {ranked} WHERE \"_loader_rank\" = 1 AND {equal}")
    })
}

pub(super) fn insert(batch: &LoadBatch<'_>) -> String {
    let target = table(batch.target);
    let mut list: Vec<String> = batch.columns.iter().map(|column| ident(&column.name)).collect();
    let mut values: Vec<String> = batch.columns.iter().map(|column| value(column, "")).collect();
    for filled in batch.filled {
        if let Fill::Literal(literal) = filled.fill {
            list.push(ident(&filled.name));
            values.push(literal.to_owned());
        }
    }
    let into = format!("INSERT INTO {target} ({}) SELECT {}", list.join(", "), values.join(", "));
    if batch.keys.is_empty() || batch.duplicates == Duplicates::Keep {
        return format!("{into} FROM {STAGE}");
    }
    let new_only = if keeps(batch) {
        format!(
            " AND NOT EXISTS (SELECT 1 FROM {target} AS t WHERE {})",
            equal_keys(batch.keys, "t", "ranked")
        )
    } else {
        String::new()
    };
    format!("{into} FROM {} WHERE \"_loader_rank\" = 1{new_only}", ranked(batch))
}

/// The staged rows with a rank among those of their key. Rank 1 is loaded: the last row of the
/// file, or the first with `--duplicates first`.
fn ranked(batch: &LoadBatch<'_>) -> String {
    let order = match batch.duplicates {
        Duplicates::First => "ASC",
        Duplicates::Last | Duplicates::Error | Duplicates::Keep => "DESC",
    };
    format!(
        "(SELECT *, ROW_NUMBER() OVER (PARTITION BY {} ORDER BY {} {order}) AS \"_loader_rank\" \
         FROM {STAGE}) AS ranked",
        idents(batch.keys),
        ident(ROW_COLUMN),
    )
}

/// A staged column as a value of the target's type. `from`: what its name stands behind, with its
/// dot.
fn value(column: &TargetColumn, from: &str) -> String {
    let name = format!("{from}{}", ident(&column.name));
    match &column.column_type {
        _ if !column.staged_as_text => name,
        ColumnType::Super => format!("JSON_PARSE({name})"),
        // What COPY reads for a VARBYTE in a CSV file.
        ColumnType::Varbyte { .. } => format!("FROM_HEX({name})"),
        column_type => format!("CAST({name} AS {column_type})"),
    }
}
