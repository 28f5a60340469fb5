//! Rejects: decides whether there are too many, and reports them so that users can mend the file.
//!
//! In: the totals of the transformation. Out: an error when there are more rejects than allowed;
//! otherwise a CSV file with each rejected row as it stands in the source, its line and the reason.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};

use loader_csv::Position;
use loader_model::error::Result;
use loader_model::max_rejects::MaxRejects;
use loader_sandbox::Reject;
use serde::Serialize;

use crate::infer::{SourceRecord, Spool};
use crate::refusals::HOST;
use crate::temporary::not_written;
use crate::too_many::too_many;
use crate::transform::Totals;

/// The most rejects that an error message quotes.
const QUOTED: usize = 5;

/// Refuses the file when more rows were rejected than are allowed.
// The transformation stops early once there are too many rejects. Then not all rows were read, and
// the message says "at least".
pub fn judge(totals: &Totals, spool: &Spool, max_rejects: MaxRejects) -> Result<()> {
    let rejected = totals.rows_rejected;
    if rejected <= max_rejects.of(spool.profile.records) {
        return Ok(());
    }
    let first = first(totals, QUOTED);
    let records = spool.records(&rows_of(first));
    let sentences: Vec<String> = first.iter().map(|reject| sentence(reject, &records)).collect();
    let is_partial = totals.rows_read < spool.profile.records;
    Err(too_many(&sentences, rejected, max_rejects, is_partial))
}

/// A row that was, or would be, rejected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RejectedRow {
    pub record: u64,
    pub line: Option<u64>,
    /// Where the row begins in the file.
    pub byte: Option<u64>,
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
        line: place(&records, reject).map(|position| position.line),
        byte: place(&records, reject).map(|position| position.byte),
        column: reject.column.as_deref().map(str::to_owned),
        plugin: reject.plugin.to_string(),
        code: reject.code.to_string(),
        message: reject.message.to_string(),
    });
    rejected.collect()
}

/// Where a row stands; `None` where it is not found, or the file has no lines.
fn place<'a>(records: &'a BTreeMap<u64, SourceRecord>, reject: &Reject) -> Option<&'a Position> {
    let position = &records.get(&reject.row)?.position;
    (position.line > 0).then_some(position)
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
        Some(record) => record.position.line_or_row(),
        None => format!("record {}", reject.row),
    };
    // Most plugins name the column in their message already; the loader's own messages do not.
    let is_named = |column: &str| &*reject.plugin != HOST && reject.message.contains(column);
    let column = reject.column.as_ref().filter(|column| !is_named(column));
    let column = column.map_or(String::new(), |column| format!(", column `{column}`"));
    format!("{place}{column}: {} ({} {})", reject.message, reject.plugin, reject.code)
}

/// The longest row of the source that is written out as it stands.
const MOST_ROW_BYTES: usize = 1024 * 1024;

/// Writes the rejected rows as CSV: record, line and byte, the plugin that rejected the row, its
/// reason, and the row itself as it stands in the source, also where it is not UTF-8.
///
/// Memory: the rows of one chunk. Errors: those of a file that cannot be written.
pub fn write_csv(totals: &Totals, spool: &Spool, to: File) -> Result<()> {
    let mut to = BufWriter::new(to);
    let mut written = to.write_all(b"record,line,byte,plugin,code,column,message,row\n");
    let mut line = Vec::new();
    for rejects in totals.rejects.chunk_by(|a, b| spool.is_one_chunk(a.row, b.row)) {
        let records = spool.records(&rows_of(rejects));
        for reject in rejects {
            line.clear();
            push_line(&mut line, reject, &records);
            written = written.and_then(|()| to.write_all(&line));
        }
    }
    written
        .and_then(|()| to.flush())
        .map_err(|error| not_written("the file of rejected rows", error))
}

fn push_line(out: &mut Vec<u8>, reject: &Reject, records: &BTreeMap<u64, SourceRecord>) {
    let text = records.get(&reject.row).map_or(&[][..], |record| &record.text);
    let place = place(records, reject);
    let place = place.map_or(",".to_owned(), |at| format!("{},{}", at.line, at.byte));
    out.extend_from_slice(format!("{},{place},", reject.row).as_bytes());
    let column = reject.column.as_deref().unwrap_or_default();
    let (row, message) = shortened(text, &reject.message);
    let fields = [reject.plugin.as_bytes(), reject.code.as_bytes(), column.as_bytes()];
    for field in fields.into_iter().chain([message.as_bytes(), row]) {
        push_bytes(out, field);
        out.push(b',');
    }
    out.pop();
    out.push(b'\n');
}

/// The row and its reason; the beginning of a row that is too long, and a reason that says so.
fn shortened<'a>(row: &'a [u8], message: &'a str) -> (&'a [u8], Cow<'a, str>) {
    match row.get(..MOST_ROW_BYTES) {
        Some(start) if row.len() > MOST_ROW_BYTES => {
            let cut =
                format!("{message}; here are the first {MOST_ROW_BYTES} of {} bytes", row.len());
            (start, cut.into())
        }
        _ => (row, message.into()),
    }
}

/// Appends a field, quoted where it must be. The empty field stays empty.
fn push_bytes(out: &mut Vec<u8>, field: &[u8]) {
    if !field.iter().any(|byte| matches!(byte, b'"' | b',' | b'\n' | b'\r')) {
        out.extend_from_slice(field);
        return;
    }
    out.push(b'"');
    for byte in field {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}
