//! Plan: what every column of the file becomes, decided before a single row is decoded.
//!
//! Comes in: the file's profile, the target's columns as the catalog has them, the plugins. Goes out: how to decode,
//! the plugins' plan, and the staged columns with their types. A column that lands in the target takes the target's
//! type as its expectation: text for a VARCHAR whatever it looks like, exact numbers for the rest, or a refusal that
//! names every column that does not fit. No I/O, and nothing is changed.

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use loader_csv::{ColumnProfile, DecodeAs, FileProfile, Header, LOGICAL_KEY, LogicalType, Position};
use loader_plugins::ChainPlan;
use loader_plugins::cast::can_cast;

use crate::error::{Error, Kind, Result};
use crate::names::TableName;
use crate::plugins::Configured;
use crate::redshift::catalog::CatalogColumn;
use crate::redshift::types::{ColumnType, MAX_VARCHAR_BYTES};

/// The most columns of a Redshift table. Source: c_redshift-limits.
pub const MAX_COLUMNS: usize = 1600;
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

/// A staged column, in the order of the staging table.
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
            format!("the header has {n} columns, a Redshift table holds {MAX_COLUMNS}; split the file"),
        ));
    }
    let (decode_as, chain) = settle(wanted)?;
    check_keys(wanted, &chain)?;
    let columns = match wanted.existing {
        None => new_columns(wanted, &chain)?,
        Some(existing) => Reconciliation { wanted, chain: &chain, existing }.columns()?,
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
        let existing = wanted.existing.and_then(|columns| columns.iter().find(|column| column.name == *field.name()));
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

fn check_keys(wanted: &Wanted<'_>, chain: &ChainPlan) -> Result<()> {
    let names: Vec<&str> = chain.output.fields().iter().map(|field| field.name().as_str()).collect();
    match wanted.keys.iter().find(|key| !names.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => {
            let fact = format!("upsert key `{key}` is no column of the transformed file; it has: {}", names.join(", "));
            Err(Error::new(Kind::Config, fact))
        }
    }
}

fn new_columns(wanted: &Wanted<'_>, chain: &ChainPlan) -> Result<Vec<PlannedColumn>> {
    if chain.output.fields().len() > MAX_COLUMNS {
        let n = chain.output.fields().len();
        return Err(Error::new(
            Kind::Data,
            format!("the plugins make {n} columns, a Redshift table holds {MAX_COLUMNS}"),
        ));
    }
    chain.output.fields().iter().map(|field| new_column(wanted, field)).collect()
}

fn new_column(wanted: &Wanted<'_>, field: &arrow::datatypes::Field) -> Result<PlannedColumn> {
    check_name(field.name())?;
    let unconverted = field.metadata().contains_key(LOGICAL_KEY);
    let staged = if unconverted { DataType::Float64 } else { field.data_type().clone() };
    if ColumnType::for_new_column(&staged, 0).is_none() {
        let fact = format!("column `{}` has the type {staged}, which has no counterpart in Redshift", field.name());
        return Err(Error::new(Kind::Plugin, fact));
    }
    let is_key = wanted.keys.contains(field.name());
    Ok(PlannedColumn {
        name: field.name().clone(),
        cast: staged != *field.data_type(),
        staged,
        existing: None,
        required: is_key,
        is_key,
        max_text_bytes: MAX_VARCHAR_BYTES,
    })
}

/// Names end up in DDL. Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_names.html>
fn check_name(name: &str) -> Result<()> {
    const SYSTEM: [&str; 9] = ["oid", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid", "deletexid", "insertxid"];
    let fact = if name.trim().is_empty() {
        "a column has no name; give the header one, or use the default plugin, which does".to_string()
    } else if name.len() > 127 {
        let start: String = name.chars().take(20).collect();
        format!("the column name `{start}…` has {} bytes, Redshift takes 127; shorten it in the header", name.len())
    } else if SYSTEM.contains(&name.to_lowercase().as_str()) || name == crate::redshift::load_batch::ROW_COLUMN {
        format!("`{name}` is a name that Redshift or loader keeps for itself; rename the column in the header")
    } else {
        return Ok(());
    };
    Err(Error::new(Kind::Data, fact))
}

/// Holds the planned output against an existing table.
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
    /// All staged columns, or one error with all that differs.
    fn columns(&self) -> Result<Vec<PlannedColumn>> {
        let (mut columns, mut differences) = (Vec::new(), Vec::new());
        for (i, field) in self.chain.output.fields().iter().enumerate() {
            match self.column(i, field) {
                Ok(column) => columns.push(column),
                Err(found) => differences.push(found),
            }
        }
        for missing in self.existing.iter().filter(|column| columns.iter().all(|planned| planned.name != column.name)) {
            if self.chain.output.column_with_name(&missing.name).is_none() {
                differences.push(Difference::Schema(format!("column `{}` is missing in the file", missing.name)));
            }
        }
        if differences.is_empty() { Ok(columns) } else { Err(refusal(self.wanted.target, differences)) }
    }

    fn column(&self, i: usize, field: &arrow::datatypes::Field) -> std::result::Result<PlannedColumn, Difference> {
        let name = field.name();
        let Some(existing) = self.existing.iter().find(|column| column.name == *name) else {
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
        let is_key = self.wanted.keys.contains(name);
        Ok(PlannedColumn {
            name: name.clone(),
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
