//! Settle: how the file's columns are decoded and what the plugins plan, until both agree with the
//! target.
//!
//! What a column lands in says how it is to be read, and how it is read says what plugins make of
//! it; so both are asked again until nothing moves.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use loader_csv::{DecodeAs, arrow_schema};
use loader_sandbox::ChainPlan;

use super::Wanted;
use super::reconcile::{accepts, extent};
use crate::error::{Error, Kind, Result};
use crate::evolution::column::widened;
use crate::redshift::catalog::CatalogColumn;
use crate::redshift::types::ColumnType;

/// How often expectations may change the plan: one pass learns what lands where, the next ones
/// settle it.
const MAX_PASSES: usize = 4;

/// Errors: `Plugin`.
pub(super) fn run(wanted: &Wanted<'_>) -> Result<(Vec<DecodeAs>, ChainPlan)> {
    let narrowest =
        wanted.profile.columns.iter().map(|column| DecodeAs::from_logical(column.logical()));
    let mut decode_as: Vec<DecodeAs> = narrowest.collect();
    for _ in 0..MAX_PASSES {
        let chain = plan_chain(wanted, arrow_schema(wanted.header, &decode_as))?;
        let expected = expect(wanted, &chain, &decode_as);
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

fn plan_chain(wanted: &Wanted<'_>, input: SchemaRef) -> Result<ChainPlan> {
    let target = wanted.existing.map(existing_schema);
    crate::plugins::plan_chain(wanted.plugins, wanted.target, wanted.keys, target, input)
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
fn expect(wanted: &Wanted<'_>, chain: &ChainPlan, decode_as: &[DecodeAs]) -> Vec<DecodeAs> {
    let mut expected = decode_as.to_vec();
    for (i, field) in chain.output.fields().iter().enumerate() {
        let existing = wanted.existing.and_then(|columns| {
            columns.iter().find(|column| column.name == field.name().to_lowercase())
        });
        if let (Some(existing), Some(origin)) = (existing, chain.origin(i))
            && accepts(&wanted.profile.columns[origin], &existing.column_type).is_ok()
        {
            let becomes = widened(&existing.column_type, extent(&wanted.profile.columns[origin]));
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
