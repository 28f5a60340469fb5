//! The staging table: it is made for the parts, filled by COPY, and checked before its rows move.

use loader_model::target_column::{ROW_COLUMN, ROWS_OF_A_FILE, TargetColumn};

use crate::guard::guard;
use crate::load_batch::batch::{Copy, CopyFormat, LoadBatch};
use crate::load_batch::names::STAGE;
use crate::sql::{ident, idents, text};

/// The file of a staged row, as an expression.
pub(super) fn of_row() -> String {
    format!("{} / {ROWS_OF_A_FILE}", ident(ROW_COLUMN))
}

/// The end of a query for the keys that several rows of one file have.
pub(super) fn of_several_rows(batch: &LoadBatch<'_>) -> String {
    let file = batch.files.map_or(String::new(), |_| format!(", {}", of_row()));
    format!(" GROUP BY {}{file} HAVING COUNT(*) > 1", idents(batch.keys))
}

/// Makes the staging table, with the types in which the columns are staged (`stage_type`).
// The types come from the plan and not from the target, so that filling the stage takes no lock on
// the target. Whether the target still has these types is asked when its rows are merged, by
// `target::column_guard`.
//
// No column is NOT NULL: the INSERT says what is missing, with the name of the target's column.
pub(super) fn create_stage(columns: &[TargetColumn]) -> String {
    let column = |column: &TargetColumn| format!("{} {}", ident(&column.name), column.stage_type());
    let mut list: Vec<String> = columns.iter().map(column).collect();
    list.push(format!("{} BIGINT", ident(ROW_COLUMN)));
    format!("CREATE TEMP TABLE {STAGE} ({})", list.join(", "))
}

/// The COPY of all parts of the manifest.
// COPY maps columns by position, so the list must be in the order of the parts, with the row's
// number last. (For example, parts written b,a for a list a,b load without an error and swap the
// values.)
pub(super) fn copy_statement(copy: &Copy<'_>, columns: &[TargetColumn]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    copy_into(STAGE, &format!("{}, {}", idents(&names), ident(ROW_COLUMN)), copy)
}

/// A COPY into a temporary table. `columns`: as they stand in the statement.
pub(super) fn copy_into(into: &str, columns: &str, copy: &Copy<'_>) -> String {
    let role = match copy.iam_role {
        // `default` is a keyword of COPY. In quotes COPY would take it for the name of a role.
        "default" => "default".to_owned(),
        arn => text(arn),
    };
    let format = copy_format(copy.format);
    let manifest = text(&copy.manifest.to_string());
    format!("COPY {into} ({columns}) FROM {manifest} IAM_ROLE {role} {format}")
}

fn copy_format(format: CopyFormat<'_>) -> String {
    match format {
        CopyFormat::Parquet => "FORMAT AS PARQUET MANIFEST".to_owned(),
        CopyFormat::Csv { null, region } => format!(
            "FORMAT AS CSV GZIP IGNOREHEADER 1 NULL AS {} TIMEFORMAT 'auto' MANIFEST COMPUPDATE OFF \
             STATUPDATE OFF{}",
            text(null),
            of_region(region)
        ),
        CopyFormat::List { null, region } => format!(
            "FORMAT AS CSV NULL AS {} MANIFEST COMPUPDATE OFF STATUPDATE OFF{}",
            text(null),
            of_region(region)
        ),
    }
}

fn of_region(region: Option<&str>) -> String {
    region.map(|region| format!(" REGION {}", text(region))).unwrap_or_default()
}

/// Refuses a load unless COPY brought in exactly `rows_staged` rows.
pub(super) fn row_guard(rows_staged: u64) -> String {
    guard(&format!("COUNT(*) = {rows_staged}"), "all_rows_staged", STAGE)
}

/// Refuses a file that has several rows of one key.
pub(super) fn duplicate_guard(batch: &LoadBatch<'_>) -> String {
    let from = format!("(SELECT 1 AS twice FROM {STAGE}{}) AS d", of_several_rows(batch));
    guard("COUNT(*) = 0", "no_duplicate_keys", &from)
}
