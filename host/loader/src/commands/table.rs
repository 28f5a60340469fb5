//! Tables of text, as commands print them.

use comfy_table::{ContentArrangement, Row, Table, presets};

/// A table in Markdown's form without rows yet. Its columns are as wide as their widest cells,
/// however wide the terminal is, so that output in a pipe and on a terminal is the same.
pub(crate) fn table(header: impl Into<Row>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header);
    table
}
