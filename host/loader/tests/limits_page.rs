//! `docs/limits.md` has the limits of the crates that its writer does not know.

use loader_csv::{MAX_COLUMNS, MAX_ROW_BYTES};
use loader_data::transform::MAX_KEPT_REJECTS;
use loader_model::column_type::MAX_VARCHAR_BYTES;
use loader_warehouse::sql::{MAX_BATCH_STATEMENTS, MAX_STATEMENT_BYTES};

/// The page is written by `host/sandbox/tests/sandbox/bounds.rs`, which knows none of these crates.
#[test]
fn the_page_of_limits_has_these_numbers() {
    let page = include_str!("../../../docs/limits.md");
    for row in [
        format!("| one statement of the Data API | {MAX_STATEMENT_BYTES} bytes |"),
        format!("| statements of one transaction | {MAX_BATCH_STATEMENTS} |"),
        format!("| text, `VARCHAR` | {} bytes |", MAX_VARCHAR_BYTES),
        format!("| columns of a file | {MAX_COLUMNS} |"),
        format!("| one row of a file | {} MiB |", MAX_ROW_BYTES >> 20),
        format!(
            "| rejected rows that are kept for the report | {MAX_KEPT_REJECTS} for each worker \
             |"
        ),
    ] {
        assert!(page.contains(&row), "docs/limits.md does not say: {row}");
    }
}
