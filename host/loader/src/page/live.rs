//! What a service does now, above what it has done.

use jiff::Timestamp;
use loader_model::names::utc;

use super::html::escaped;
use super::tables::{moment, name, section};
use crate::words::{count, grouped};

/// What a service does now.
pub(crate) struct Live {
    pub(crate) started_at: Timestamp,
    /// Messages in hand, where there is a queue.
    pub(crate) messages: Option<usize>,
    /// Why it cannot do its work.
    pub(crate) trouble: Option<String>,
    pub(crate) at_work: Vec<AtWork>,
}

/// A table whose files are being loaded.
pub(crate) struct AtWork {
    pub(crate) table: String,
    pub(crate) since: Timestamp,
    pub(crate) files: usize,
    /// The first of the files.
    pub(crate) first: String,
}

/// What goes on now, as a part of the page.
pub(super) fn shown(live: &Live) -> String {
    let since = utc(live.started_at, "%Y-%m-%d %H:%M:%S UTC");
    let messages = live.messages.map(|n| format!(", {} in hand", count(n, "message")));
    let trouble = live
        .trouble
        .iter()
        .map(|trouble| format!("<p class=\"trouble\">{}</p>\n", escaped(trouble)));
    format!(
        "{}<p class=\"live\">watching since {since}{}</p>\n{}",
        trouble.collect::<String>(),
        messages.unwrap_or_default(),
        of_at_work(&live.at_work),
    )
}

/// The tables whose files are being loaded.
fn of_at_work(tables: &[AtWork]) -> String {
    let rows = tables.iter().map(|table| {
        vec![
            ("", escaped(&table.table)),
            ("", moment(table.since)),
            ("n", grouped(table.files as u64)),
            ("wrap", name(&table.first)),
        ]
    });
    section("At work", tables.len(), &["table", "since", "files", "first"], rows.collect())
}
