//! Rejects: are they few enough to go on, and what do people need to mend them?
//!
//! Comes in: the totals of the transformation. Goes out: an error when there are more rejects than allowed; otherwise a
//! CSV file with each rejected row as it stands in the source, its line and the reason.

use loader_plugins::Reject;

use crate::error::{Error, Kind, Result};
use crate::files::csv::push_text;
use crate::steps::infer::Spool;
use crate::steps::transform::Totals;

/// Rejects that an error message quotes.
const QUOTED: usize = 5;

/// Refuses the file when more rows were rejected than are allowed.
pub fn judge(totals: &Totals, spool: &Spool, max_rejects: u64) -> Result<()> {
    if totals.rows_rejected <= max_rejects {
        return Ok(());
    }
    let quoted: Vec<String> = totals.rejects.iter().take(QUOTED).map(|reject| sentence(reject, spool)).collect();
    let more = if totals.rows_rejected > QUOTED as u64 { "; …" } else { "" };
    let n = totals.rows_rejected;
    let at_least = if totals.rows_read < spool.profile.records { "at least " } else { "" };
    let rows = if n == 1 { "row was" } else { "rows were" };
    let fact = format!(
        "{at_least}{n} {rows} rejected, {max_rejects} are allowed: {}{more}; correct the file, or allow rejects with --max-rejects",
        quoted.join("; ")
    );
    Err(Error::new(Kind::Data, fact))
}

fn sentence(reject: &Reject, spool: &Spool) -> String {
    let place =
        spool.record(reject.row).map_or_else(|| format!("record {}", reject.row), |(line, _)| format!("line {line}"));
    // Most plugins name the column in their words already.
    let column = reject.column.as_ref().filter(|column| !reject.message.contains(column.as_str()));
    let column = column.map_or(String::new(), |column| format!(", column `{column}`"));
    format!("{place}{column}: {} ({} {})", reject.message, reject.plugin, reject.code)
}

/// The rejected rows as CSV: record, line, who rejected it and why, and the row itself.
pub fn to_csv(totals: &Totals, spool: &Spool) -> Vec<u8> {
    let mut out = String::from("record,line,plugin,code,column,message,row\n");
    for reject in &totals.rejects {
        let (line, row) = spool.record(reject.row).unwrap_or_default();
        out.push_str(&format!("{},{line},", reject.row));
        let column = reject.column.as_deref().unwrap_or_default();
        for (i, text) in [&reject.plugin, &reject.code, column, &reject.message, &row].into_iter().enumerate() {
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
