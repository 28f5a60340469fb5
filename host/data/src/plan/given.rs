//! The type that the user or the file gives to a column.
//!
//! In: a column of the chain's output. Out: the type that the column of the file has which becomes
//! it, if one is given and no plugin has made another of it.

use arrow::datatypes::{DataType, Field};
use loader_csv::LOGICAL_KEY;
use loader_model::column_type::ColumnType;
use loader_sandbox::ChainPlan;

use super::input::PlanInput;

/// The given type. `None`: there is none, or a plugin has cast the column to a type of its own.
// There is no decoder for 16 bits or for short floats, and numbers with a point are decoded as text.
// These are cast to the given type only later.
pub(super) fn type_of(
    input: &PlanInput<'_>,
    chain: &ChainPlan,
    source: usize,
    field: &Field,
) -> Option<ColumnType> {
    let given = input.given_type(chain.origin(source)?)?.clone();
    let is_unconverted = field.metadata().contains_key(LOGICAL_KEY);
    let staged = given.staged_as()?;
    let is_as_given = match (field.data_type(), &staged) {
        (DataType::Int32, DataType::Int16) | (DataType::Float64, DataType::Float32) => true,
        (made, staged) => made == staged,
    };
    (is_unconverted || is_as_given).then_some(given)
}
