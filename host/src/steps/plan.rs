//! Plan: what every column of the file becomes, decided before a single row is decoded.
//!
//! Comes in: the file's profile, the target's columns as the catalog has them, the plugins. Goes out: how to decode,
//! the plugins' plan, and the staged columns with their types. A column that lands in the target takes the target's
//! type as its expectation: text for a VARCHAR whatever it looks like, exact numbers for the rest, or a refusal that
//! names every column that does not fit. No I/O, and nothing is changed.

mod names;
mod reconcile;

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use loader_csv::{ColumnProfile, DecodeAs, FileProfile, Header, LOGICAL_KEY, LogicalType, Position};
use loader_plugins::ChainPlan;

use crate::error::{Error, Kind, Result};
use crate::names::TableName;
use crate::plugins::Configured;
use crate::redshift::catalog::CatalogColumn;
use crate::redshift::types::{ColumnType, MAX_VARCHAR_BYTES};

/// The most columns of a load: one less than a Redshift table holds, since the staging table has the row number too.
/// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_usage.html>
pub const MAX_COLUMNS: usize = 1599;
/// How often expectations may change the plan: one pass learns what lands where, the next ones settle it.
const MAX_PASSES: usize = 4;

/// How the rows of a file become the columns of the staging table.
pub struct LoadPlan {
    pub decode_as: Vec<DecodeAs>,
    pub chain: ChainPlan,
    pub columns: Vec<PlannedColumn>,
    /// The target is missing.
    pub creates_table: bool,
}

/// A staged column. There is one for each column of the chain's output, in its order.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedColumn {
    pub name: String,
    /// What the staged file holds.
    pub staged: DataType,
    /// The chain's output is cast to `staged` by the host.
    pub cast: bool,
    /// The column's type in an existing target; a new column's type follows from its longest text.
    pub existing: Option<ColumnType>,
    /// NULL is refused: a merge key, or a NOT NULL column without default.
    pub required: bool,
    pub is_key: bool,
    /// The most bytes that a text may have.
    pub max_text_bytes: u32,
}

/// What a plan is made of.
pub struct Wanted<'a> {
    pub header: &'a Header,
    pub profile: &'a FileProfile,
    pub target: &'a TableName,
    pub existing: Option<&'a [CatalogColumn]>,
    pub keys: &'a [String],
    pub plugins: &'a [Configured],
}

/// Makes the plan. Errors: `Config` (a key that is no column), `Plugin`, `Data` (values that the target cannot take,
/// impossible columns), `SchemaConflict` (the table would have to change).
pub fn run(wanted: &Wanted<'_>) -> Result<LoadPlan> {
    if wanted.profile.columns.len() > MAX_COLUMNS {
        let n = wanted.profile.columns.len();
        return Err(Error::new(
            Kind::Data,
            format!("the header has {n} columns, a load takes {MAX_COLUMNS}; split the file"),
        ));
    }
    let (decode_as, chain) = settle(wanted)?;
    let names = names::folded(&chain.output)?;
    check_keys(wanted, &names)?;
    let columns = match wanted.existing {
        None => new_columns(wanted, &chain, &names)?,
        Some(existing) => reconcile::columns(wanted, &chain, &names, existing)?,
    };
    Ok(LoadPlan { decode_as, chain, columns, creates_table: wanted.existing.is_none() })
}

/// Plans until what the target expects of each column and how the column is decoded agree.
fn settle(wanted: &Wanted<'_>) -> Result<(Vec<DecodeAs>, ChainPlan)> {
    let narrowest = wanted.profile.columns.iter().map(|column| DecodeAs::from_logical(column.logical()));
    let mut decode_as: Vec<DecodeAs> = narrowest.collect();
    for _ in 0..MAX_PASSES {
        let chain = plan_chain(wanted, loader_csv::arrow_schema(wanted.header, &decode_as))?;
        let expected = expect(wanted, &chain, &decode_as);
        if expected == decode_as {
            return Ok((decode_as, chain));
        }
        decode_as = expected;
    }
    Err(Error::new(Kind::Plugin, "the plugins' plan changes whenever the types of their input do; a plan must settle"))
}

fn plan_chain(wanted: &Wanted<'_>, input: SchemaRef) -> Result<ChainPlan> {
    let target = wanted.existing.map(existing_schema);
    crate::plugins::plan_chain(wanted.plugins, wanted.target, wanted.keys, target, input)
}

/// The target as plugins see it; columns that staged files cannot carry are text.
fn existing_schema(columns: &[CatalogColumn]) -> SchemaRef {
    let fields = columns.iter().map(|column| {
        let data_type = column.column_type.staged_as().unwrap_or(DataType::Utf8);
        arrow::datatypes::Field::new(&column.name, data_type, column.nullable)
    });
    Arc::new(arrow::datatypes::Schema::new(fields.collect::<Vec<_>>()))
}

/// How the file's columns are to be read so that they become what their columns in the target expect, where their
/// values allow it.
fn expect(wanted: &Wanted<'_>, chain: &ChainPlan, decode_as: &[DecodeAs]) -> Vec<DecodeAs> {
    let mut expected = decode_as.to_vec();
    for (i, field) in chain.output.fields().iter().enumerate() {
        let existing = wanted
            .existing
            .and_then(|columns| columns.iter().find(|column| column.name == field.name().to_lowercase()));
        if let (Some(existing), Some(origin)) = (existing, chain.origin(i))
            && accepts(&wanted.profile.columns[origin], &existing.column_type).is_ok()
        {
            expected[origin] = decode_for(&existing.column_type);
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
        ColumnType::Varchar { .. } | ColumnType::Char { .. } | ColumnType::Varbyte | ColumnType::Other(_) => {
            DecodeAs::Text
        }
    }
}

/// Whether all values of a file's column are of the kind that a column of the target takes; its range is another matter.
fn accepts<'a>(column: &'a ColumnProfile, column_type: &ColumnType) -> std::result::Result<(), &'a Position> {
    match column_type {
        ColumnType::SmallInt | ColumnType::Integer | ColumnType::BigInt => column.accepts(LogicalType::Int64),
        ColumnType::Decimal { precision, scale } => {
            let room = i32::from(*precision) - i32::from(*scale);
            column.accepts_integer_digits(room.max(0).unsigned_abs())
        }
        ColumnType::Real | ColumnType::Double => column.accepts(LogicalType::Double),
        ColumnType::Boolean => column.accepts_boolean_literals(),
        ColumnType::Date => column.accepts(LogicalType::Date),
        ColumnType::Timestamp => column.accepts(LogicalType::Timestamp),
        ColumnType::Varchar { .. } | ColumnType::Char { .. } | ColumnType::Varbyte | ColumnType::Other(_) => Ok(()),
    }
}

fn check_keys(wanted: &Wanted<'_>, names: &[String]) -> Result<()> {
    match wanted.keys.iter().find(|key| !names.contains(key)) {
        None => Ok(()),
        Some(key) => {
            let fact = format!("upsert key `{key}` is no column of the transformed file; it has: {}", names.join(", "));
            Err(Error::new(Kind::Config, fact))
        }
    }
}

fn new_columns(wanted: &Wanted<'_>, chain: &ChainPlan, names: &[String]) -> Result<Vec<PlannedColumn>> {
    if names.len() > MAX_COLUMNS {
        let n = names.len();
        return Err(Error::new(Kind::Data, format!("the plugins make {n} columns, a load takes {MAX_COLUMNS}")));
    }
    chain.output.fields().iter().zip(names).map(|(field, name)| new_column(wanted, field, name)).collect()
}

fn new_column(wanted: &Wanted<'_>, field: &arrow::datatypes::Field, name: &str) -> Result<PlannedColumn> {
    let unconverted = field.metadata().contains_key(LOGICAL_KEY);
    let staged = if unconverted { DataType::Float64 } else { field.data_type().clone() };
    if ColumnType::for_new_column(&staged, 0).is_none() {
        let fact = format!("column `{name}` has the type {staged}, which has no counterpart in Redshift");
        return Err(Error::new(Kind::Plugin, fact));
    }
    let is_key = wanted.keys.iter().any(|key| key == name);
    Ok(PlannedColumn {
        name: name.to_string(),
        cast: staged != *field.data_type(),
        staged,
        existing: None,
        required: is_key,
        is_key,
        max_text_bytes: MAX_VARCHAR_BYTES,
    })
}
