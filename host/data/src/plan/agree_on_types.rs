//! How the file's columns are decoded and what the plugins plan, until both agree with the target.
//!
//! In: the parts of a plan. Out: a type for each column of the file, and the plugins' plan for
//! these types.
//!
//! The two depend on each other. The column of the target in which a file's column lands decides
//! how the file's column is read, and how it is read decides what the plugins make of it. So both
//! are repeated until neither changes. (For example, a column of `1` and `2` that lands in a
//! VARCHAR is read as text after all, and a plugin that would add it up must plan for text.)

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use loader_csv::{DecodeAs, LogicalType, arrow_schema};
use loader_model::catalog_column::CatalogColumn;
use loader_model::column_type::ColumnType;
use loader_model::error::{Error, Kind, Result};
use loader_model::widening::widened;
use loader_sandbox::{ChainPlan, PluginErrorKind};

use super::file_values::{accepts, extent};
use super::input::PlanInput;
use super::keys::{self, KeyColumn};
use super::names;
use crate::failures::plugin_failure;

/// How often the plugins are asked for a plan. The first pass learns which column lands where, and
/// the next ones settle the types.
const MAX_PASSES: usize = 4;

/// What file, target and plugins agree on.
pub(super) struct Agreed {
    pub(super) decode_as: Vec<DecodeAs>,
    pub(super) chain: ChainPlan,
    pub(super) keys: Vec<KeyColumn>,
}

/// Decides how to decode, together with the plugins' plan.
///
/// Errors: `Plugin` when the plan does not settle, and those of `plan_chain`.
// A fixed point: a pass that expects the types that it was planned for ends the loop. Nothing makes
// sure that there is such a pass. For example, a plugin may rename its output by the type of its
// input, so that the column lands in another type each time. Hence the limit.
pub(super) fn run(input: &PlanInput<'_>) -> Result<Agreed> {
    let mut decode_as = as_new(input);
    let plan = |decode_as: &[DecodeAs]| plan_chain(input, arrow_schema(input.header, decode_as));
    let mut chain = plan(&decode_as)?;
    let keys = keys::of_file(input, &chain, &decode_as, plan)?;
    for _ in 0..MAX_PASSES {
        let expected = expect(input, &chain, &keys, &decode_as);
        if expected == decode_as {
            return Ok(Agreed { decode_as, chain, keys });
        }
        decode_as = expected;
        chain = plan(&decode_as)?;
    }
    Err(Error::new(
        Kind::Plugin,
        "the plugins' plan changes whenever the types of their input do; a plan must settle",
    ))
}

/// The plugins' plan for the columns as they are in the file, whatever the table has.
///
/// Errors: as of `plan_chain`.
pub(super) fn first_chain(input: &PlanInput<'_>) -> Result<ChainPlan> {
    plan_chain(input, arrow_schema(input.header, &as_new(input)))
}

/// Each column of the file as a new column that is no key.
fn as_new(input: &PlanInput<'_>) -> Vec<DecodeAs> {
    let columns = input.profile.columns.iter().enumerate();
    let as_new = columns.map(|(place, column)| match input.given_type(place) {
        Some(ColumnType::Super) => DecodeAs::Json,
        _ => DecodeAs::of_new(&column.new_type(false)),
    });
    as_new.collect()
}

/// Asks every plugin for its plan.
///
/// Errors: `Plugin`; `Config` when a plugin refuses its config; `Data` when it refuses the file's
/// columns.
fn plan_chain(input: &PlanInput<'_>, schema: SchemaRef) -> Result<ChainPlan> {
    let target = input.existing.map(existing_schema);
    let chain = ChainPlan::make(input.plugins, &input.target.table, input.keys, target, schema);
    chain.map_err(|error| match error.kind() {
        // A plan sees the file's header, the config and the target, but no rows. The plugin's code
        // `bad-config` blames the config; any other refusal counts as the file's fault.
        PluginErrorKind::Refused if error.code() != Some("bad-config") => {
            Error::new(Kind::Data, error.to_string())
        }
        _ => plugin_failure(error),
    })
}

/// The target's schema as plugins see it. Columns that staged files cannot carry are text: for
/// example, a SUPER column is `Utf8`.
fn existing_schema(columns: &[CatalogColumn]) -> SchemaRef {
    let fields = columns.iter().map(|column| {
        let data_type = column.column_type.staged_as().unwrap_or(DataType::Utf8);
        Field::new(&column.name, data_type, column.nullable)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// How each column of the file is to be read so that it fits its column in the target. A column
/// stays as it is when its values do not allow the type. Where the target has no such column, only
/// a key is read otherwise: as text, unless it is one of the numbers of which no two become one.
// The type is that of the column after a possible widening. For example, `3000000000` for an
// INTEGER column widens it to BIGINT, so the file's column is read as 64 bits.
fn expect(
    input: &PlanInput<'_>,
    chain: &ChainPlan,
    keys: &[KeyColumn],
    decode_as: &[DecodeAs],
) -> Vec<DecodeAs> {
    let mut expected = decode_as.to_vec();
    for KeyColumn { column, .. } in keys.iter().filter(|key| input.column(&key.name).is_none()) {
        expected[*column] = DecodeAs::of_new(&input.profile.columns[*column].new_type(true));
    }
    let Some(existing) = input.existing else { return expected };
    let columns = names::columns(existing);
    for (i, field) in chain.output.fields().iter().enumerate() {
        let found = columns.find(field.name(), names::header(input, chain, i)).place();
        let (Some(place), Some(origin)) = (found, chain.origin(i)) else { continue };
        let (existing, values) = (&existing[place], &input.profile.columns[origin]);
        if accepts(values, &existing.column_type).is_ok() {
            expected[origin] = decode_for(&widened(&existing.column_type, extent(values)));
        } else if is_decimal(&existing.column_type) && values.accepts(LogicalType::Double).is_ok() {
            // Numbers of which some are too long. A plugin may reject their rows alone.
            expected[origin] = decode_for(&existing.column_type);
        }
    }
    expected
}

fn is_decimal(column_type: &ColumnType) -> bool {
    matches!(column_type, ColumnType::Decimal { .. })
}

fn decode_for(column_type: &ColumnType) -> DecodeAs {
    match column_type {
        ColumnType::SmallInt | ColumnType::Integer => DecodeAs::Int32,
        ColumnType::BigInt => DecodeAs::Int64,
        ColumnType::Decimal { precision, scale } => {
            let scale = scale.max(&0).unsigned_abs();
            DecodeAs::Decimal { precision: *precision, scale, is_given: false }
        }
        ColumnType::Real | ColumnType::Double => DecodeAs::Double,
        ColumnType::Boolean => DecodeAs::Boolean,
        ColumnType::Date => DecodeAs::Date32,
        ColumnType::Timestamp => DecodeAs::TimestampMicros,
        ColumnType::Super => DecodeAs::Json,
        ColumnType::Varchar { .. }
        | ColumnType::Char { .. }
        | ColumnType::TimestampTz
        | ColumnType::Time
        | ColumnType::TimeTz
        | ColumnType::Varbyte { .. }
        | ColumnType::Other(_) => DecodeAs::Text,
    }
}
