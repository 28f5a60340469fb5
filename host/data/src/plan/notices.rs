//! What a user should hear of the types of new columns: where few of the values have decided, and
//! where none has.
//!
//! In: the planned columns and the file's profile. Out: sentences for the report.

use loader_csv::{Because, Cause, ColumnProfile, LogicalType};
use loader_model::column_type::{ColumnType, UNTYPED};

use super::columns::PlannedColumn;
use super::input::PlanInput;
use super::why::fact;

/// A notice is due when fewer than one in so many values made a column what it is.
const ONE_IN: u64 = 100;

/// What a user should hear of new columns. `columns`: all that are planned.
pub(super) fn of_new_columns(input: &PlanInput<'_>, columns: &[PlannedColumn]) -> Vec<String> {
    let new = columns.iter().filter(|column| column.why.is_some());
    let decided = new.filter_map(|column| {
        let values = &input.profile.columns[column.origin?];
        let new = values.new_type(column.is_key);
        let because = new.because?;
        let is_float = new.logical == LogicalType::Double;
        let is_due =
            is_float || because.cause == Cause::PastFloats || few_decided(values, &because);
        is_due.then(|| notice(column, values, &because))
    });
    let mixed = columns.iter().filter_map(|column| of_mixed(input, column));
    decided.chain(mixed).chain(without_values(columns)).collect()
}

/// A notice of a new column that is text because a few or many of its values are strings.
fn of_mixed(input: &PlanInput<'_>, column: &PlannedColumn) -> Option<String> {
    let places = input.mixed.get(column.origin.filter(|_| column.why.is_some())?)?.as_ref()?;
    let column_type = column.in_target(column.longest_in_file).column_type;
    let is_text = matches!(column_type, ColumnType::Varchar { .. });
    let name = &column.name;
    is_text.then(|| {
        format!(
            "column `{name}` is made {column_type}: the file has strings and other values in it: \
             {places}"
        )
    })
}

/// A notice of all new columns that have no value: nobody knows yet what they hold.
fn without_values(columns: &[PlannedColumn]) -> Option<String> {
    let untyped = columns.iter().filter(|column| column.is_untyped);
    let names: Vec<String> = untyped.map(|column| format!("`{}`", column.name)).collect();
    (!names.is_empty()).then(|| {
        format!(
            "the file has no value in {}, so nothing tells what they hold: they are made {UNTYPED}, \
             and the first file with values in them decides their type",
            names.join(", ")
        )
    })
}

fn few_decided(values: &ColumnProfile, because: &Because) -> bool {
    because.count.is_some_and(|count| count > 0 && count * ONE_IN < values.values)
}

fn notice(column: &PlannedColumn, values: &ColumnProfile, because: &Because) -> String {
    let column_type = column.in_target(column.longest_in_file).column_type;
    let few = because
        .count
        .map_or(String::new(), |count| format!(" ({count} of {} values)", values.values));
    let (name, place, fact) = (&column.name, because.at.line_or_row(), fact(because.cause));
    format!("column `{name}` is made {column_type}: {place} {fact}{few}")
}
