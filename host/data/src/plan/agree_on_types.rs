//! How the file's columns are decoded and what the plugins plan, until both agree with the target.
//!
//! In: what a plan is made of. Out: a type for each column of the file, and the plugins' plan for
//! these types. Which column of the target a column lands in says how it is to be read, and how it
//! is read says what the plugins make of it; so both are asked again until neither changes. (A
//! column of `1` and `2` that lands in a VARCHAR is read as text after all, and a plugin that would
//! add it up must plan for text.)

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

/// How often expectations may change the plan: one pass learns what lands where, the next ones
/// settle it.
const MAX_PASSES: usize = 4;

/// Errors: `Plugin`.
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

/// Asks every plugin for its plan. Errors: `Plugin`; `Config` when a plugin refuses its config;
/// `Data` when it refuses the file's columns.
fn plan_chain(input: &PlanInput<'_>, schema: SchemaRef) -> Result<ChainPlan> {
    let target = input.existing.map(existing_schema);
    let chain = ChainPlan::make(input.plugins, &input.target.table, input.keys, target, schema);
    chain.map_err(|error| match error.kind() {
        // A plan sees the file's header and the config, nothing else; a plugin says which of them
        // it means.
        PluginErrorKind::Refused if error.code() != Some("bad-config") => {
            Error::new(Kind::Data, error.to_string())
        }
        _ => plugin_failure(error),
    })
}

/// The target as plugins see it; columns that staged files cannot carry are text.
fn existing_schema(columns: &[CatalogColumn]) -> SchemaRef {
    let fields = columns.iter().map(|column| {
        let data_type = column.column_type.staged_as().unwrap_or(DataType::Utf8);
        Field::new(&column.name, data_type, column.nullable)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// How the file's columns are to be read so that they become what their columns in the target
/// expect, where their values allow it.
fn expect(input: &PlanInput<'_>, chain: &ChainPlan, decode_as: &[DecodeAs]) -> Vec<DecodeAs> {
    let mut expected = decode_as.to_vec();
    for (i, field) in chain.output.fields().iter().enumerate() {
        let existing = input.existing.and_then(|columns| {
            columns.iter().find(|column| column.name == field.name().to_lowercase())
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
