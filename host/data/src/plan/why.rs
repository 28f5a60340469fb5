//! Why a new column has its type, in words.
//!
//! In: a column's profile, or the plugin that makes it. Out: a sentence with the line of the value
//! that decided.

use loader_csv::{Cause, ColumnProfile, LogicalType};
use loader_sandbox::ChainPlan;

use super::input::PlanInput;

/// Why a column of the chain's output has its type in a table that did not have it. `None`: nothing
/// tells.
pub(super) fn of_column(
    input: &PlanInput<'_>,
    chain: &ChainPlan,
    source: usize,
    is_key: bool,
) -> Option<String> {
    match input.values(chain, source) {
        Some(values) => Some(why(values, is_key)),
        None => Some(format!("plugin `{}` makes it", chain.maker(source)?.name())),
    }
}

/// Why a column of the file has this type in a table that did not have it. For example, `line 20001
/// is no number and no date`.
fn why(values: &ColumnProfile, is_key: bool) -> String {
    let new = values.new_type(is_key);
    match (&new.because, new.logical) {
        _ if new.is_given && !values.is_given() => "the file says so".to_owned(),
        _ if new.is_given => "the settings say so".to_owned(),
        (Some(because), _) => format!("{} {}", because.at.line_or_row(), fact(because.cause)),
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

pub(super) fn fact(cause: Cause) -> &'static str {
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
