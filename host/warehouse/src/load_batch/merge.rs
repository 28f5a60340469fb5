//! How the staged rows get into the target: DELETE removes the rows that they replace, or UPDATE
//! changes those rows in place, and INSERT adds the rest.

use loader_model::choices::{Duplicates, Strategy};
use loader_model::column_type::ColumnType;
use loader_model::target_column::{Fill, ROW_COLUMN, TargetColumn};

use crate::guard::guard;
use crate::load_batch::batch::LoadBatch;
use crate::load_batch::files;
use crate::load_batch::names::{COUNTS, STAGE};
use crate::load_batch::stage;
use crate::sql::{equal_keys, ident, idents, table};

/// Whether rows of the target whose key is in the file are updated and not replaced, so that they
/// keep what the file lacks.
fn keeps(batch: &LoadBatch<'_>) -> bool {
    batch.keep_filled && batch.strategy == Strategy::Merge && !batch.filled.is_empty()
}

/// Refuses a load of rows with new keys, where one of their columns is NOT NULL and nothing fills
/// it; `None` when every column is filled.
// It is a guard because no plan knows which keys of the file are new.
pub(super) fn new_key_guard(batch: &LoadBatch<'_>) -> Option<String> {
    refuses_new(batch).then(|| guard("SUM(inserted) = 0", "no_new_keys", COUNTS))
}

fn refuses_new(batch: &LoadBatch<'_>) -> bool {
    batch.filled.iter().any(|filled| filled.fill == Fill::Nothing)
}

/// The DELETE of the rows that the file replaces; `None` when no row goes.
pub(super) fn delete(batch: &LoadBatch<'_>) -> Option<String> {
    let target = table(batch.target);
    match batch.strategy {
        Strategy::Append => None,
        Strategy::Replace => Some(format!("DELETE FROM {target}")),
        Strategy::Merge if keeps(batch) => None,
        // Redshift's DELETE takes no alias for its target, so the condition names it in full.
        Strategy::Merge => {
            let equal = equal_keys(batch.keys, &target, STAGE);
            Some(format!("DELETE FROM {target} USING {STAGE} WHERE {equal}"))
        }
    }
}

/// The UPDATE of the rows that keep what the file lacks; `None` when rows are replaced, and when
/// the file has no columns beside the keys.
pub(super) fn update(batch: &LoadBatch<'_>) -> Option<String> {
    let columns = batch.columns.iter().filter(|column| !batch.keys.contains(&column.name));
    let set: Vec<String> = columns
        .map(|column| format!("{} = {}", ident(&column.name), value(column, "ranked.")))
        .collect();
    // Rank 1 leaves one staged row for each key, so each row is updated from that row alone.
    (keeps(batch) && !set.is_empty()).then(|| {
        let target = table(batch.target);
        let (set, ranked, equal) =
            (set.join(", "), ranked(batch), equal_keys(batch.keys, &target, "ranked"));
        format!("UPDATE {target} SET {set} FROM {ranked} WHERE \"_loader_rank\" = 1 AND {equal}")
    })
}

/// The INSERT of the staged rows that the target gets; `None` when rows with new keys are refused,
/// so that none is left for it.
pub(super) fn insert(batch: &LoadBatch<'_>) -> Option<String> {
    (!refuses_new(batch)).then(|| insert_all(batch))
}

// Columns with `Fill::Default` are not in the list: Redshift fills a column that INSERT does not
// name with its DEFAULT or with the next number of its IDENTITY. With `keeps` the UPDATE has dealt
// with every key that the target knows, so only rows with new keys are inserted.
fn insert_all(batch: &LoadBatch<'_>) -> String {
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
        return format!("{into} FROM {}", files::staged(batch));
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

/// The staged rows, each with a rank among the rows of its key. The row with rank 1 is loaded: the
/// last one of the file, or the first one with `--duplicates first`. (For example, if order_id 42
/// stands in rows 3 and 7, row 7 has rank 1.)
fn ranked(batch: &LoadBatch<'_>) -> String {
    let row = ident(ROW_COLUMN);
    let order = match (batch.duplicates, batch.files) {
        (Duplicates::First, None) => format!("{row} ASC"),
        // A later file goes before an earlier one, whichever row of it counts.
        (Duplicates::First, Some(_)) => format!("{} DESC, {row} ASC", stage::of_row()),
        // With `error` a guard has made sure that every rank is 1, and `keep` loads all ranks.
        (Duplicates::Last | Duplicates::Error | Duplicates::Keep, _) => format!("{row} DESC"),
    };
    format!(
        "(SELECT *, ROW_NUMBER() OVER (PARTITION BY {} ORDER BY {order}) AS \"_loader_rank\" FROM \
         {}) AS ranked",
        idents(batch.keys),
        files::staged(batch),
    )
}

/// A staged column as a value of the target's type. `from`: the alias before its name with the dot,
/// such as `ranked.`, or nothing.
fn value(column: &TargetColumn, from: &str) -> String {
    let name = format!("{from}{}", ident(&column.name));
    match &column.column_type {
        _ if !column.staged_as_text => name,
        ColumnType::Super => format!("JSON_PARSE({name})"),
        // Hexadecimal digits, as COPY reads a VARBYTE from a CSV file.
        ColumnType::Varbyte { .. } => format!("FROM_HEX({name})"),
        column_type => format!("CAST({name} AS {column_type})"),
    }
}
