//! Several tables in one file: a load takes one.
//!
//! In: the first mistake of a file, or its profile. Out: the refusal, with the lines in which
//! tables begin. A second table mostly has another number of fields, and a header. A table of the
//! same number would be loaded as rows of the first; it is told by a blank line in front of its
//! header.

use loader_csv::{
    ColumnProfile, CsvError, CsvErrorKind, Dialect, FieldForm, LogicalType, Oddity, RepeatedHeader,
    Splitter, count_lines, reads_as_header, tables,
};
use loader_model::error::{Error, Kind};

use super::spool::Spool;
use crate::content::Source;

/// The bytes behind a mistake that are looked at.
const LOOKED_AT: usize = 1024 * 1024;

/// The refusal of a file whose first mistake is the beginning of another table.
pub(super) fn refusal(mistake: &CsvError, source: &Source, dialect: &Dialect) -> Option<Error> {
    let CsvErrorKind::RaggedRow { expected, .. } = mistake.kind else { return None };
    // Where the first row does not fit, the header is what is wrong.
    if mistake.position.record <= 1 {
        return None;
    }
    let mut bytes = vec![0; LOOKED_AT];
    let length = source.copy().read_at(&mut bytes, mistake.position.byte).ok()?;
    let lines = tables(&bytes[..length], dialect, expected);
    let lines: Vec<String> =
        lines.iter().map(|line| (mistake.position.line + line).to_string()).collect();
    (!lines.is_empty()).then(|| several(&lines, ""))
}

/// The refusal of a file in which a row behind a blank line reads as the header of another table.
// Comments and headers that came again are left out between rows, too, so nothing is told there.
pub(super) fn of_same_width(spool: &Spool) -> Option<Error> {
    let Dialect { repeated_header, header, comment, field_form, .. } = spool.dialect;
    let is_kept = repeated_header == RepeatedHeader::Keep || !header || comment.is_some();
    let has_repeated = spool.profile.oddities.of(Oddity::RepeatedHeader).count > 0;
    if is_kept || has_repeated || field_form == FieldForm::Json || spool.header.names.len() < 2 {
        return None;
    }
    let mut odd: Vec<(u64, u64)> = spool.profile.columns.iter().filter_map(ends_type).collect();
    odd.sort_unstable();
    odd.dedup();
    // A header has rows behind it.
    odd.retain(|(record, _)| *record < spool.profile.records);
    let (_, line) = odd.into_iter().find(|(record, line)| begins_table(spool, *record, *line))?;
    Some(several(&[line.to_string()], ", or load that line as a row with --repeated-header keep"))
}

/// Whether a record stands behind a blank line, and reads as a header.
fn begins_table(spool: &Spool, record: u64, line: u64) -> bool {
    let mut records = spool.records(&[record - 1, record]);
    let (row, before) = (records.remove(&record), records.remove(&(record - 1)));
    let Some((row, before)) = row.zip(before) else { return false };
    let is_behind_blank = before.position.line + count_lines(&before.text) + 1 < line;
    let is_header = || {
        let names = fields(&row.text, &spool.dialect)?;
        let is_null = |name: &String| spool.dialect.null_tokens.contains(name);
        Some(reads_as_header(&names) && !names.iter().any(is_null))
    };
    is_behind_blank && is_header() == Some(true)
}

fn several(lines: &[String], otherwise: &str) -> Error {
    let begins = match lines {
        [line] => format!("another one begins in line {line}"),
        lines => format!("others begin in lines {}", lines.join(", ")),
    };
    let fact = format!(
        "the file has several tables: {begins}; deliver each table in a file of its own{otherwise}"
    );
    Error::new(Kind::Data, fact)
}

/// Record and line of the value that ended a type which all values before it have: the second table
/// begins there, if it does.
fn ends_type(values: &ColumnProfile) -> Option<(u64, u64)> {
    // Where the user gives the type, nothing is told by it.
    if values.is_given() {
        return None;
    }
    let ends = [LogicalType::Double, LogicalType::Timestamp, LogicalType::Boolean];
    let ends = ends.into_iter().filter_map(|logical| values.accepts(logical).err());
    let last = ends.max_by_key(|at| at.record)?;
    (last.record > 1 && last.line > 1).then_some((last.record, last.line))
}

/// The fields of a record.
fn fields(text: &[u8], dialect: &Dialect) -> Option<Vec<String>> {
    let dialect = Dialect { skip_rows: 0, header_rows: 1, ..dialect.clone() };
    let mut splitter = Splitter::new(&dialect, 1 << 20);
    splitter.push(text).ok()?;
    splitter.finish().ok()?;
    splitter.header().map(|header| header.names.clone())
}
