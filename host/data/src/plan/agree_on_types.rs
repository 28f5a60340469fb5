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
use loader_csv::{DecodeAs, arrow_schema};
use loader_model::catalog_column::CatalogColumn;
use loader_model::column_type::ColumnType;
use loader_model::error::{Error, Kind, Result};
use loader_model::widening::widened;
use loader_sandbox::{ChainPlan, PluginErrorKind};

use super::file_values::{accepts, extent};
use super::input::PlanInput;
use crate::failures::plugin_failure;

/// How often the plugins are asked for a plan. The first pass learns which column lands where, and
/// the next ones settle the types.
const MAX_PASSES: usize = 4;

/// Decides how to decode, together with the plugins' plan.
///
/// Errors: `Plugin` when the plan does not settle, and those of `plan_chain`.
// A fixed point: a pass that expects the types that it was planned for ends the loop. Nothing makes
// sure that there is such a pass. For example, a plugin may rename its output by the type of its
// input, so that the column lands in another type each time. Hence the limit.
pub(super) fn run(input: &PlanInput<'_>) -> Result<(Vec<DecodeAs>, ChainPlan)> {
    let narrowest =
        input.profile.columns.iter().map(|column| DecodeAs::from_logical(column.logical()));
    let mut decode_as: Vec<DecodeAs> = narrowest.collect();
    for _ in 0..MAX_PASSES {
        let chain = plan_chain(input, arrow_schema(input.header, &decode_as))?;
        let expected = expect(input, &chain, &decode_as);
        if expected == decode_as {
            return Ok((decode_as, chain));
        }
        decode_as = expected;
    }
    Err(Error::new(
        Kind::Plugin,
        "the plugins' plan changes whenever the types of their input do; a plan must settle",
    ))
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
/// stays as it is when the target has no such column, or when its values do not allow the type.
// The type is that of the column after a possible widening. For example, `3000000000` for an
// INTEGER column widens it to BIGINT, so the file's column is read as 64 bits.
fn expect(input: &PlanInput<'_>, chain: &ChainPlan, decode_as: &[DecodeAs]) -> Vec<DecodeAs> {
    let mut expected = decode_as.to_vec();
    for (i, field) in chain.output.fields().iter().enumerate() {
        let existing = input.existing.and_then(|columns| {
            columns.iter().find(|column| column.name == field.name().to_ascii_lowercase())
        });
        if let (Some(existing), Some(origin)) = (existing, chain.origin(i))
            && accepts(&input.profile.columns[origin], &existing.column_type).is_ok()
        {
            let becomes = widened(&existing.column_type, extent(&input.profile.columns[origin]));
            expected[origin] = decode_for(&becomes);
        }
    }
    expected
}

fn decode_for(column_type: &ColumnType) -> DecodeAs {
    match column_type {
        ColumnType::SmallInt | ColumnType::Integer => DecodeAs::Int32,
        ColumnType::BigInt => DecodeAs::Int64,
        ColumnType::Decimal { .. } => DecodeAs::Decimal,
        ColumnType::Real | ColumnType::Double => DecodeAs::Double,
        ColumnType::Boolean => DecodeAs::Boolean,
        ColumnType::Date => DecodeAs::Date32,
        ColumnType::Timestamp => DecodeAs::TimestampMicros,
        ColumnType::Varchar { .. }
        | ColumnType::Char { .. }
        | ColumnType::TimestampTz
        | ColumnType::Time
        | ColumnType::TimeTz
        | ColumnType::Super
        | ColumnType::Varbyte { .. }
        | ColumnType::Other(_) => DecodeAs::Text,
    }
}
