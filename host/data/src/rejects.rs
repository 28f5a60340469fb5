//! Rejects: decides whether there are too many, and reports them so that users can mend the file.
//!
//! In: the totals of the transformation. Out: an error when there are more rejects than allowed;
//! otherwise a CSV file with each rejected row as it stands in the source, its line and the reason.

use std::collections::BTreeMap;

use loader_model::error::{Error, Kind, Result};
use loader_sandbox::Reject;
use serde::Serialize;

use crate::infer::{SourceRecord, Spool};
use crate::parts::csv::push_text;
use crate::refusals::HOST;
use crate::transform::Totals;

/// The most rejects that an error message quotes.
const QUOTED: usize = 5;

/// Refuses the file when more rows were rejected than are allowed.
// The transformation stops early once there are too many rejects. Then not all rows were read, and
// the message says "at least".
pub fn judge(totals: &Totals, spool: &Spool, max_rejects: u64) -> Result<()> {
    if totals.rows_rejected <= max_rejects {
        return Ok(());
    }
    let n = totals.rows_rejected;
    let at_least = if totals.rows_read < spool.profile.records { "at least " } else { "" };
    let rows = if n == 1 { "row was" } else { "rows were" };
    let allowed = match max_rejects {
        0 => "none is allowed".to_owned(),
        most => format!("at most {most} are allowed"),
    };
    let fact = format!(
        "{at_least}{n} {rows} rejected, {allowed}: {}; correct the file, or allow rejects with \
         --max-rejects",
        quoted(totals, spool)
    );
    Err(Error::new(Kind::Data, fact))
}

/// The first rejects in words.
fn quoted(totals: &Totals, spool: &Spool) -> String {
    let first = first(totals, QUOTED);
    let records = spool.records(&rows_of(first));
    let sentences: Vec<String> = first.iter().map(|reject| sentence(reject, &records)).collect();
    let more = if totals.rows_rejected > QUOTED as u64 { "; …" } else { "" };
    format!("{}{more}", sentences.join("; "))
}

/// A row that was, or would be, rejected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RejectedRow {
    pub record: u64,
    pub line: Option<u64>,
    pub column: Option<String>,
    /// The plugin that rejected it, or the loader.
    pub plugin: String,
    pub code: String,
    pub message: String,
}

/// The first rejects, each with its line.
pub fn list(totals: &Totals, spool: &Spool, at_most: usize) -> Vec<RejectedRow> {
    let first = first(totals, at_most);
    let records = spool.records(&rows_of(first));
    let rejected = first.iter().map(|reject| RejectedRow {
        record: reject.row,
        line: records.get(&reject.row).map(|record| record.line),
        column: reject.column.as_deref().map(str::to_owned),
        plugin: reject.plugin.to_string(),
        code: reject.code.to_string(),
        message: reject.message.to_string(),
    });
    rejected.collect()
}

fn first(totals: &Totals, at_most: usize) -> &[Reject] {
    &totals.rejects[..totals.rejects.len().min(at_most)]
}

/// The rejected rows' numbers, ascending, each once, as `Spool::records` needs them. (The sandbox
/// rejects a row only once, but this function does not depend on it.)
fn rows_of(rejects: &[Reject]) -> Vec<u64> {
    let mut rows: Vec<u64> = rejects.iter().map(|reject| reject.row).collect();
    rows.dedup();
    rows
}

fn sentence(reject: &Reject, records: &BTreeMap<u64, SourceRecord>) -> String {
    let place = match records.get(&reject.row) {
        Some(record) => format!("line {}", record.line),
        None => format!("record {}", reject.row),
    };
    // Most plugins name the column in their message already; the loader's own messages do not.
    let is_named = |column: &str| &*reject.plugin != HOST && reject.message.contains(column);
    let column = reject.column.as_ref().filter(|column| !is_named(column));
    let column = column.map_or(String::new(), |column| format!(", column `{column}`"));
    format!("{place}{column}: {} ({} {})", reject.message, reject.plugin, reject.code)
}

/// The rejected rows as CSV: record, line, the plugin that rejected the row, its reason, and the
/// row itself.
pub fn to_csv(totals: &Totals, spool: &Spool) -> Vec<u8> {
    let mut out = String::from("record,line,plugin,code,column,message,row\n");
    let records = spool.records(&rows_of(&totals.rejects));
    for reject in &totals.rejects {
        let SourceRecord { line, text: row } =
            records.get(&reject.row).cloned().unwrap_or_default();
        out.push_str(&format!("{},{line},", reject.row));
        let column = reject.column.as_deref().unwrap_or_default();
        for (i, text) in
            [&*reject.plugin, &reject.code, column, &reject.message, &row].into_iter().enumerate()
        {
            if i > 0 {
                out.push(',');
            }
            if !text.is_empty() {
                push_text(&mut out, text);
            }
        }
        out.push('\n');
    }
    out.into_bytes()
}
