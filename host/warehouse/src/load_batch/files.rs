//! Several files in one load: the list of them, which comes as a part of its own, and what follows
//! from it for the statements that concern single files.
//!
//! A thousand files do not fit into a statement, so their rows for fence, ledger and audit table
//! come by COPY into a temporary table, and get to where they belong by INSERT … SELECT. Which file
//! a staged row is of, its number tells ([`ROWS_OF_A_FILE`]).

use loader_model::choices::{Duplicates, Strategy};
use loader_model::target_column::{ROW_COLUMN, ROWS_OF_A_FILE};

use crate::guard::guard;
use crate::load_batch::batch::{Copy, CopyFormat, Files, LoadBatch};
use crate::load_batch::names::{COUNTS, FILES, STAGE};
use crate::load_batch::stage::{self, of_row};
use crate::sql::{equal_keys, ident, idents, table};

/// The columns of the list of files, in the order of its fields, with their types.
pub const COLUMNS: [(&str, &str); 10] = [
    ("file", "INTEGER"),
    ("load_id", "VARCHAR(64)"),
    ("source_uri", "VARCHAR(2048)"),
    ("etag", "VARCHAR(256)"),
    ("version_id", "VARCHAR(1024)"),
    ("size_bytes", "BIGINT"),
    ("file_name", "VARCHAR(1024)"),
    ("rows_read", "BIGINT"),
    ("rows_rejected", "BIGINT"),
    ("rows_staged", "BIGINT"),
];

/// Makes the list, fills it, and checks that it is whole.
pub(super) fn fill(files: &Files<'_>) -> [String; 3] {
    let columns = COLUMNS.map(|(name, column_type)| format!("{name} {column_type}")).join(", ");
    let format = CopyFormat::List { null: files.null, region: files.region };
    let copy = Copy { manifest: files.manifest, iam_role: files.iam_role, format };
    let names = COLUMNS.map(|(name, _)| name).join(", ");
    [
        format!("CREATE TEMP TABLE {FILES} ({columns})"),
        stage::copy_into(FILES, &names, &copy),
        guard(&format!("COUNT(*) = {}", files.count), "all_files_listed", FILES),
    ]
}

/// What the merge reads: of several files that replace the table the last one, as if they were
/// loaded one after another.
pub(super) fn staged(batch: &LoadBatch<'_>) -> String {
    match batch.files {
        Some(files) if batch.strategy == Strategy::Replace => {
            let first = (files.count.saturating_sub(1) as i64).saturating_mul(ROWS_OF_A_FILE);
            format!("(SELECT * FROM {STAGE} WHERE {} >= {first}) AS last_file", ident(ROW_COLUMN))
        }
        Some(_) if batch.duplicates == Duplicates::Keep && !batch.keys.is_empty() => format!(
            "(SELECT * FROM (SELECT *, {file} AS \"_loader_file\", MAX({file}) OVER (PARTITION BY {}) AS \
             \"_loader_last\" FROM {STAGE}) AS s WHERE \"_loader_file\" = \"_loader_last\") AS \
             last_of_key",
            idents(batch.keys),
            file = of_row(),
        ),
        Some(_) | None => STAGE.to_owned(),
    }
}

/// Counts for each file what loading one after another would have counted.
// `n` are the rows of a key in a file, and `v` those of them that count: all of them where all are
// loaded, else one. A key is known when the table has it, or a file before had it.
pub(super) fn count(batch: &LoadBatch<'_>) -> String {
    let file = of_row();
    if batch.keys.is_empty() {
        return format!(
            "CREATE TEMP TABLE {COUNTS} AS SELECT f.file, COUNT(s.file) AS inserted, 0 AS updated, 0 \
             AS duplicates FROM {FILES} AS f LEFT JOIN (SELECT {file} AS file FROM {STAGE}) AS s ON \
             s.file = f.file GROUP BY f.file"
        );
    }
    let keys = idents(batch.keys);
    let v = if batch.duplicates == Duplicates::Keep { "g.n" } else { "1" };
    let (known, join) = match batch.strategy {
        // Each file takes the place of all rows, so none is updated.
        Strategy::Replace => ("0".to_owned(), String::new()),
        Strategy::Merge | Strategy::Append => {
            let first_key = batch.keys.first().map(|key| ident(key)).unwrap_or_default();
            let join = format!(
                " LEFT JOIN (SELECT DISTINCT {} FROM {} AS t JOIN (SELECT DISTINCT {keys} FROM \
                 {STAGE}) AS r ON {}) AS k ON {}",
                batch
                    .keys
                    .iter()
                    .map(|key| format!("t.{}", ident(key)))
                    .collect::<Vec<_>>()
                    .join(", "),
                table(batch.target),
                equal_keys(batch.keys, "t", "r"),
                equal_keys(batch.keys, "k", "g"),
            );
            let known = format!(
                "CASE WHEN k.{first_key} IS NOT NULL OR g.first_file < g.file THEN 1 ELSE 0 END"
            );
            (known, join)
        }
    };
    format!(
        "CREATE TEMP TABLE {COUNTS} AS SELECT f.file, COALESCE(SUM(CASE WHEN c.is_known = 0 THEN c.v \
         END), 0) AS inserted, COALESCE(SUM(CASE WHEN c.is_known = 1 THEN c.v END), 0) AS updated, \
         COALESCE(SUM(c.n - c.v), 0) AS duplicates FROM {FILES} AS f LEFT JOIN (SELECT g.file, g.n, \
         {v} AS v, {known} AS is_known FROM (SELECT {keys}, file, COUNT(*) AS n, MIN(file) OVER \
         (PARTITION BY {keys}) AS first_file FROM (SELECT {keys}, {file} AS file FROM {STAGE}) AS s \
         GROUP BY {keys}, file) AS g{join}) AS c ON c.file = f.file GROUP BY f.file"
    )
}
