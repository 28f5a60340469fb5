//! How a value of the audit row is spelt for a column, whatever its type.
//!
//! In: what a run says, and the column. Out: SQL that the column takes, or nothing.

use loader_model::catalog_column::{CatalogColumn, ColumnDefault};
use loader_model::column_type::ColumnType;
use loader_model::names::utc;

use crate::sql::{cut, text};

/// The longest error message in the audit table, in bytes. A statement may have 100 KB, and a
/// message grows when it is escaped.
pub(super) const MAX_ERROR_BYTES: u32 = 16 * 1024;
/// The longest key of an object in S3, in bytes.
const LONGEST_NAME: u32 = 1024;
/// Digits of the number of a run, and of the second of its start.
pub(super) const RUN_DIGITS: u32 = 19;
pub(super) const SECOND_DIGITS: u32 = 10;

/// What a column of the row says.
pub(super) enum Value<'a> {
    /// The run's number, and the second of its start, which the Glue job takes for one.
    Run {
        number: i64,
        second: i64,
    },
    Rows(u64),
    /// A count of rows, as an expression.
    Count(&'a str),
    Text(&'a str),
    /// A text, as an expression.
    TextOf(&'a str),
    Moment(jiff::Timestamp),
    Now,
    /// NULL.
    Nothing,
}

/// A value as the column takes it; `None` when the column takes none, or no such one.
pub(super) fn spelt(value: &Value<'_>, column: &CatalogColumn) -> Option<String> {
    let column_type = &column.column_type;
    let is_text = column_type.text_bytes().is_some();
    if column.default == (ColumnDefault::Identity { by_default: false }) {
        return None;
    }
    match value {
        Value::Run { number, second } => {
            let number = if digits(column_type) >= RUN_DIGITS { number } else { second };
            (digits(column_type) >= SECOND_DIGITS).then(|| in_type(number.to_string(), is_text))
        }
        Value::Rows(rows) => {
            let rows = (*rows).min(most(column_type)?);
            Some(in_type(rows.to_string(), is_text))
        }
        Value::Count(count) => counted(count, column_type),
        Value::Text(value) => {
            let bytes = column_type.text_bytes()?.min(MAX_ERROR_BYTES);
            Some(text(cut(value, bytes as usize)))
        }
        // In a column of so many bytes, as many letters may be too long: they are cut as if each
        // had the four bytes that a letter has at most, unless the column has room for every name.
        Value::TextOf(expression) => {
            let bytes = column_type.text_bytes()?;
            let letters = if bytes >= LONGEST_NAME { bytes } else { (bytes / 4).max(1) };
            Some(format!(
                "CASE WHEN OCTET_LENGTH({expression}) <= {bytes} THEN {expression} ELSE \
                 LEFT({expression}, {letters}) END"
            ))
        }
        Value::Moment(moment) => moment_in(&utc(*moment, "%Y-%m-%d %H:%M:%S"), column_type),
        Value::Now => now_in(column_type),
        Value::Nothing => (is_text && column.nullable).then(|| "CAST(NULL AS VARCHAR(256))".into()),
    }
}

fn in_type(digits: String, is_text: bool) -> String {
    if is_text { text(&digits) } else { digits }
}

// A count past what the column takes is written as the most that it takes.
fn counted(count: &str, column_type: &ColumnType) -> Option<String> {
    let most = most(column_type)?;
    let capped = format!("CASE WHEN {count} > {most} THEN {most} ELSE {count} END");
    let sql_type = match column_type {
        ColumnType::Varchar { .. } | ColumnType::Char { .. } => "VARCHAR(20)".to_owned(),
        other => other.to_string(),
    };
    Some(format!("CAST({capped} AS {sql_type})"))
}

fn moment_in(moment: &str, column_type: &ColumnType) -> Option<String> {
    match column_type {
        ColumnType::Timestamp | ColumnType::TimestampTz => {
            Some(format!("CAST('{moment}' AS TIMESTAMP)"))
        }
        ColumnType::Date => Some(format!("CAST('{}' AS DATE)", moment.get(..10)?)),
        other => (other.text_bytes()? as usize >= moment.len()).then(|| text(moment)),
    }
}

fn now_in(column_type: &ColumnType) -> Option<String> {
    match column_type {
        ColumnType::Timestamp | ColumnType::TimestampTz => Some("GETDATE()".to_owned()),
        ColumnType::Date => Some("CAST(GETDATE() AS DATE)".to_owned()),
        other => (other.text_bytes()? >= 19)
            .then(|| "TO_CHAR(GETDATE(), 'YYYY-MM-DD HH24:MI:SS')".to_owned()),
    }
}

/// Digits of whole numbers that a column takes; 0 when it takes none. The INTEGER takes all seconds
/// until 2038.
pub(super) fn digits(column_type: &ColumnType) -> u32 {
    match column_type {
        ColumnType::Integer => SECOND_DIGITS,
        ColumnType::BigInt => RUN_DIGITS,
        ColumnType::Decimal { precision, scale } => {
            u32::try_from(i16::from(*precision) - i16::from(*scale)).unwrap_or(0)
        }
        other => other.text_bytes().unwrap_or(0),
    }
}

/// The largest count that a column takes.
fn most(column_type: &ColumnType) -> Option<u64> {
    match column_type {
        ColumnType::SmallInt => Some(i16::MAX as u64),
        ColumnType::BigInt => Some(i64::MAX as u64),
        other => (digits(other) >= SECOND_DIGITS).then_some(i32::MAX as u64),
    }
}

/// Whether an INSERT must name the column.
pub(super) fn is_needed(column: &CatalogColumn) -> bool {
    !column.nullable && column.default == ColumnDefault::None
}

/// What a NOT NULL column gets of which a run says nothing. An `error_message` gets the word that
/// the Glue job writes there.
pub(super) fn filler(column: &CatalogColumn) -> Option<String> {
    match &column.column_type {
        ColumnType::Varchar { .. } if column.name == "error_message" => Some("'NULL'".to_owned()),
        ColumnType::Varchar { .. } | ColumnType::Char { .. } => Some("''".to_owned()),
        ColumnType::SmallInt
        | ColumnType::Integer
        | ColumnType::BigInt
        | ColumnType::Real
        | ColumnType::Double
        | ColumnType::Decimal { .. } => Some("0".to_owned()),
        ColumnType::Boolean => Some("FALSE".to_owned()),
        other => now_in(other),
    }
}
