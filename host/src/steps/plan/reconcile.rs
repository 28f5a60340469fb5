//! Reconcile: the planned output beside an existing table, column by column.
//!
//! Everything that differs goes into one refusal: what a change of the table would solve is a schema conflict, a value
//! that no change would help is the file's fault.

use arrow::datatypes::Field;
use loader_csv::ColumnProfile;
use loader_plugins::ChainPlan;
use loader_plugins::cast::can_cast;

use super::{PlannedColumn, Wanted, accepts};
use crate::error::{Error, Kind, Result};
use crate::names::TableName;
use crate::redshift::catalog::CatalogColumn;
use crate::redshift::types::{ColumnType, MAX_VARCHAR_BYTES};

/// All staged columns, or one error with everything that differs.
pub(super) fn columns(
    wanted: &Wanted<'_>,
    chain: &ChainPlan,
    names: &[String],
    existing: &[CatalogColumn],
) -> Result<Vec<PlannedColumn>> {
    let reconciliation = Reconciliation { wanted, chain, existing };
    let (mut columns, mut differences) = (Vec::new(), Vec::new());
    for (i, (field, name)) in chain.output.fields().iter().zip(names).enumerate() {
        match reconciliation.column(i, field, name) {
            Ok(column) => columns.push(column),
            Err(found) => differences.push(found),
        }
    }
    for missing in existing.iter().filter(|column| !names.contains(&column.name)) {
        differences.push(Difference::Schema(format!("column `{}` is missing in the file", missing.name)));
    }
    if differences.is_empty() { Ok(columns) } else { Err(refusal(wanted.target, differences)) }
}

/// The planned output beside an existing table.
struct Reconciliation<'a> {
    wanted: &'a Wanted<'a>,
    chain: &'a ChainPlan,
    existing: &'a [CatalogColumn],
}

/// Why a column does not fit.
enum Difference {
    /// The table would have to change.
    Schema(String),
    /// No change of the table would help.
    Value(String),
}

impl Reconciliation<'_> {
    fn column(&self, i: usize, field: &Field, name: &str) -> std::result::Result<PlannedColumn, Difference> {
        let Some(existing) = self.existing.iter().find(|column| column.name == name) else {
            return Err(Difference::Schema(format!("column `{name}` is new")));
        };
        if let Some(origin) = self.chain.origin(i) {
            check_values(&self.wanted.profile.columns[origin], name, &existing.column_type)?;
        }
        let unfit = || {
            Difference::Schema(format!(
                "column `{name}` is {} in the table, the file has {}",
                existing.column_type,
                field.data_type()
            ))
        };
        let staged = existing.column_type.staged_as().ok_or_else(unfit)?;
        let cast = staged != *field.data_type();
        if cast && !can_cast(field.data_type(), &staged) {
            return Err(unfit());
        }
        let is_key = self.wanted.keys.iter().any(|key| key == name);
        Ok(PlannedColumn {
            name: name.to_string(),
            staged,
            cast,
            required: is_key || (!existing.nullable && !existing.has_default),
            is_key,
            max_text_bytes: existing.column_type.text_bytes().unwrap_or(MAX_VARCHAR_BYTES),
            existing: Some(existing.column_type.clone()),
        })
    }
}

/// Holds all values of a file's column against the column where they land.
fn check_values(column: &ColumnProfile, name: &str, column_type: &ColumnType) -> std::result::Result<(), Difference> {
    if let Err(position) = accepts(column, column_type) {
        let zeros = column.leading_zeros_at.as_ref().is_some_and(|zeros| zeros.line == position.line);
        let hint = if zeros { " (it has leading zeros: --leading-zeros number)" } else { "" };
        let fact = format!("column `{name}` is {column_type}, the value in line {} is not{hint}", position.line);
        return Err(Difference::Value(fact));
    }
    let (low, high) = match column_type {
        ColumnType::SmallInt => (i64::from(i16::MIN), i64::from(i16::MAX)),
        ColumnType::Integer => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    };
    if let (Some(min), Some(max)) = (column.min_int, column.max_int)
        && (min < low || max > high)
    {
        let fact = format!("column `{name}` is {column_type}, the file has whole numbers from {min} to {max}");
        return Err(Difference::Schema(fact));
    }
    match (column_type.text_bytes(), &column.longest_at) {
        (Some(bytes), Some(longest_at)) if column.max_bytes > bytes => {
            let (longest, line) = (column.max_bytes, longest_at.line);
            Err(Difference::Schema(format!(
                "column `{name}` is {column_type}, the text in line {line} has {longest} bytes"
            )))
        }
        _ => Ok(()),
    }
}

fn refusal(target: &TableName, differences: Vec<Difference>) -> Error {
    let schema = differences.iter().any(|difference| matches!(difference, Difference::Schema(_)));
    let facts: Vec<String> = differences
        .into_iter()
        .map(|difference| match difference {
            Difference::Schema(fact) | Difference::Value(fact) => fact,
        })
        .collect();
    let facts = facts.join("; ");
    if schema {
        let remedy = "change the table or the file so that they agree";
        Error::new(Kind::SchemaConflict, format!("the file does not fit {target}: {facts}; {remedy}"))
    } else {
        Error::new(
            Kind::Data,
            format!("the file has values that {target} cannot take: {facts}; correct them in the file"),
        )
    }
}
