//! Why a new column has its type, in words: for `loader plan`, and as notices of a load where few of
//! the values have decided.
//!
//! In: a column's profile. Out: sentences with the line of the value that decided.

use loader_csv::{Because, Cause, ColumnProfile, LogicalType};

use super::columns::PlannedColumn;
use super::input::PlanInput;

/// A notice is due when fewer than one in so many values made a column what it is.
const ONE_IN: u64 = 100;

/// Why a column of the file has this type in a table that did not have it. For example, `line 20001
/// is no number and no date`.
pub(super) fn why(values: &ColumnProfile, is_key: bool) -> String {
    let new = values.new_type(is_key);
    match (&new.because, new.logical) {
        (Some(because), _) => format!("line {} {}", because.at.line, fact(because.cause)),
        (None, _) if values.values == 0 => "it has no value".to_owned(),
        (None, LogicalType::Boolean) => "true and false alone".to_owned(),
        (None, LogicalType::Int16 | LogicalType::Int32 | LogicalType::Int64) => {
            let (least, greatest) = values.min_int.zip(values.max_int).unwrap_or_default();
            format!("whole numbers from {least} to {greatest}")
        }
        (None, LogicalType::Decimal | LogicalType::Double) => format!(
            "numbers of up to {} digits before the point and {} behind it",
            values.max_integer_digits, values.max_fraction_digits
        ),
        (None, LogicalType::Date) => "dates".to_owned(),
        (None, LogicalType::Timestamp) => "dates with times".to_owned(),
        (None, LogicalType::Text) => "texts".to_owned(),
    }
}

fn fact(cause: Cause) -> &'static str {
    match cause {
        Cause::Odd => "is no number and no date",
        Cause::LeadingZeros => "has leading zeros, which a number would lose",
        Cause::Respelt => "has a sign that a number would lose (`+5`, `-0`)",
        Cause::Exponents => {
            "has an exponent as part numbers have it (`12E4`; a number has `1.2e5`)"
        }
        Cause::TooManyDigits => "has more digits than the 38 of a DECIMAL",
        Cause::Key => "has a key that another text may equal as a number (`3.1`, `3.10`)",
        Cause::Vanishing => "has a number of which a DECIMAL would lose most digits",
        Cause::PastFloats => "has a number that neither a DECIMAL nor a float gives back",
    }
}

/// What a user should hear of new columns. `columns`: all that are planned.
pub(super) fn notices(input: &PlanInput<'_>, columns: &[PlannedColumn]) -> Vec<String> {
    let new = columns.iter().filter(|column| column.lands_in.is_none());
    let decided = new.filter_map(|column| {
        let values = &input.profile.columns[column.origin?];
        let new = values.new_type(column.is_key);
        let because = new.because?;
        let is_float = new.logical == LogicalType::Double;
        let is_due =
            is_float || because.cause == Cause::PastFloats || few_decided(values, &because);
        is_due.then(|| notice(column, values, &because))
    });
    decided.chain(without_values(input, columns)).collect()
}

/// A notice of all new columns that have no value: nobody knows yet what they hold.
fn without_values(input: &PlanInput<'_>, columns: &[PlannedColumn]) -> Option<String> {
    let is_empty = |column: &&PlannedColumn| {
        let values = column.origin.map(|origin| &input.profile.columns[origin]);
        let is_empty = |values: &ColumnProfile| values.values == 0 && values.quoted_empty == 0;
        column.lands_in.is_none() && values.is_some_and(is_empty)
    };
    let names: Vec<String> =
        columns.iter().filter(is_empty).map(|column| format!("`{}`", column.name)).collect();
    (!names.is_empty()).then(|| {
        format!(
            "the file has no value in {}, so nothing tells what they hold: they are made \
             VARCHAR(256), and stay so",
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
    let (name, line, fact) = (&column.name, because.at.line, fact(because.cause));
    format!("column `{name}` is made {column_type}: line {line} {fact}{few}")
}
