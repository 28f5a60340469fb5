//! The audit table as it is. Most tables have the Glue job's columns; a table that a person made
//! may have a `run_id INTEGER`, a short `error_message`, a NOT NULL column of its own, or lack
//! columns.
//!
//! In: the table's columns from the catalog, and what a run has to say. Out: the list of columns
//! and values of an INSERT that the table takes, and a notice of what does not get in. A load must
//! not fail for its audit row.

mod spelling;

use loader_model::catalog_column::{CatalogColumn, ColumnDefault};
use loader_model::column_type::ColumnType;
use loader_model::names::TableName;

use crate::sql::ident;

use spelling::{
    MAX_ERROR_BYTES, RUN_DIGITS, SECOND_DIGITS, Value, digits, filler, is_needed, spelt,
};

/// The audit table: one row for each run, in the columns of the Glue job's table of the same name.
pub(crate) const AUDIT: &str = "job_sts";

/// The names of the columns with the types in which the loader makes them.
pub(crate) const COLUMNS: [(&str, &str); 11] = [
    ("run_id", "BIGINT"),
    ("job_id", "VARCHAR(256)"),
    ("run_start_ts", "TIMESTAMP"),
    ("run_end_ts", "TIMESTAMP"),
    ("source_filename", "VARCHAR(256)"),
    ("target_table_name", "VARCHAR(256)"),
    ("records_read", "INTEGER"),
    ("records_updated", "INTEGER"),
    ("records_inserted", "INTEGER"),
    ("status", "VARCHAR(50)"),
    ("error_message", "VARCHAR(MAX)"),
];

/// The columns of an audit table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditTable {
    columns: Vec<CatalogColumn>,
}

/// What the audit table says of a run, beside the counts.
#[derive(Clone, Debug)]
pub struct AuditRow<'a> {
    pub run_number: i64,
    pub job_id: &'a str,
    pub started_at: jiff::Timestamp,
    pub file: AuditedFile<'a>,
    /// For a column `loader_run_id`, if the table has one.
    pub run_id: &'a str,
}

/// What the audit table says of a file.
#[derive(Clone, Copy, Debug)]
pub enum AuditedFile<'a> {
    One {
        name: &'a str,
        rows_read: u64,
        /// For a column `records_rejected`, if the table has one.
        rows_rejected: u64,
    },
    /// It is in the list of the load's files, in the columns `file_name`, `rows_read` and
    /// `rows_rejected`.
    Listed,
}

/// How a run has ended, as its audit row says it.
pub(crate) enum Outcome<'a> {
    /// The counts are expressions over the counts of the load.
    Success {
        updated: &'a str,
        inserted: &'a str,
    },
    Failed {
        error: &'a str,
    },
}

impl AuditTable {
    /// A table with these columns, as the catalog has them.
    pub fn new(columns: Vec<CatalogColumn>) -> AuditTable {
        AuditTable { columns }
    }

    /// The table as the loader makes it, and as the Glue job's is.
    pub fn own() -> AuditTable {
        let column = |(name, ddl): (&str, &str)| CatalogColumn {
            name: name.to_owned(),
            column_type: match ddl {
                "BIGINT" => ColumnType::BigInt,
                "INTEGER" => ColumnType::Integer,
                "TIMESTAMP" => ColumnType::Timestamp,
                "VARCHAR(50)" => ColumnType::Varchar { bytes: 50 },
                "VARCHAR(256)" => ColumnType::Varchar { bytes: 256 },
                _ => ColumnType::Varchar { bytes: MAX_ERROR_BYTES },
            },
            type_text: ddl.to_owned(),
            nullable: true,
            number: 0,
            default: ColumnDefault::None,
        };
        AuditTable::new(COLUMNS.map(column).to_vec())
    }

    /// What a person should know of a table that takes less than a run has to say. A text column
    /// that is shorter than the loader's own counts, since a long text is cut there.
    pub fn notice(&self, target: &TableName) -> Option<String> {
        let own = AuditTable::own();
        let lacking = own.columns.iter().filter_map(|own| self.lacks(own));
        let differences: Vec<String> = lacking.chain(self.foreign()).collect();
        (!differences.is_empty()).then(|| {
            format!(
                "the audit table {} has another shape than the loader makes it, and is used as far \
                 as it goes: {}",
                target.sibling(AUDIT),
                differences.join("; ")
            )
        })
    }

    /// What the table does not take of what the loader's own column does.
    fn lacks(&self, own: &CatalogColumn) -> Option<String> {
        let name = &own.name;
        let Some(column) = self.columns.iter().find(|column| column.name == *name) else {
            return Some(format!("{name} is missing"));
        };
        less(&own.column_type, column).map(|less| format!("{name} {less}"))
    }

    /// What becomes of columns that are not the loader's and must have a value.
    fn foreign(&self) -> impl Iterator<Item = String> {
        let is_own = |name: &str| COLUMNS.iter().any(|(own, _)| *own == name);
        let foreign = self.columns.iter().filter(move |column| !is_own(&column.name));
        foreign.filter(|column| is_needed(column)).map(|column| match filler(column) {
            Some(value) => format!("{} is NOT NULL, and gets {value}", column.name),
            None => format!("{} is NOT NULL, so that no row gets in", column.name),
        })
    }

    /// The columns and the values of a run's row; `None` when the table takes no row at all.
    pub(crate) fn row(
        &self,
        target: &TableName,
        audit: &AuditRow<'_>,
        outcome: &Outcome<'_>,
    ) -> Option<(String, String)> {
        let (mut names, mut values) = (Vec::new(), Vec::new());
        for column in &self.columns {
            let said = said(&column.name, target, audit, outcome);
            let value = match said.and_then(|value| spelt(&value, column)) {
                None if is_needed(column) => Some(filler(column)?),
                value => value,
            };
            if let Some(value) = value {
                names.push(ident_of(&column.name));
                values.push(value);
            }
        }
        (!names.is_empty()).then(|| (names.join(", "), values.join(", ")))
    }
}

/// What a column takes less than the loader's own of its name.
fn less(own: &ColumnType, column: &CatalogColumn) -> Option<String> {
    let type_text = &column.type_text;
    match (own, &column.column_type) {
        (own, is) if own == is => None,
        (ColumnType::Varchar { bytes }, is) => match is.text_bytes() {
            Some(is) if is >= *bytes => None,
            Some(is) => Some(format!("takes {is} bytes, and longer texts are cut")),
            None => Some(format!("is {type_text}, which takes no text")),
        },
        (ColumnType::BigInt, is) if digits(is) >= RUN_DIGITS => None,
        (ColumnType::BigInt, is) if digits(is) >= SECOND_DIGITS => {
            Some(format!("is {type_text}, and gets the second of the run's start"))
        }
        (ColumnType::Integer, is) if digits(is) >= SECOND_DIGITS => None,
        (ColumnType::Timestamp, ColumnType::TimestampTz) => None,
        _ => Some(format!("is {type_text}, and gets as much as that takes")),
    }
}

/// The loader's own names stand without quotes.
fn ident_of(name: &str) -> String {
    let is_own = COLUMNS.iter().any(|(own, _)| *own == name);
    if is_own { name.to_owned() } else { ident(name) }
}

/// What a run says in a column; `None` for a column that is not the loader's.
fn said<'a>(
    name: &str,
    target: &'a TableName,
    audit: &AuditRow<'a>,
    outcome: &Outcome<'a>,
) -> Option<Value<'a>> {
    let (updated, inserted, status, error) = match outcome {
        Outcome::Success { updated, inserted } => {
            (Value::Count(updated), Value::Count(inserted), "SUCCESS", None)
        }
        Outcome::Failed { error } => (Value::Rows(0), Value::Rows(0), "FAILED", Some(*error)),
    };
    let started_at = audit.started_at;
    Some(match name {
        "run_id" => Value::Run { number: audit.run_number, second: started_at.as_second() },
        "job_id" => Value::Text(audit.job_id),
        "run_start_ts" => Value::Moment(started_at),
        "run_end_ts" => Value::Now,
        "source_filename" => match audit.file {
            AuditedFile::One { name, .. } => Value::Text(name),
            AuditedFile::Listed => Value::TextOf("file_name"),
        },
        "target_table_name" => Value::Text(&target.table),
        "records_read" => match audit.file {
            AuditedFile::One { rows_read, .. } => Value::Rows(rows_read),
            AuditedFile::Listed => Value::Count("rows_read"),
        },
        "records_rejected" => match audit.file {
            AuditedFile::One { rows_rejected, .. } => Value::Rows(rows_rejected),
            AuditedFile::Listed => Value::Count("rows_rejected"),
        },
        "loader_run_id" => Value::Text(audit.run_id),
        "records_updated" => updated,
        "records_inserted" => inserted,
        "status" => Value::Text(status),
        "error_message" => error.map_or(Value::Nothing, Value::Text),
        _ => return None,
    })
}
