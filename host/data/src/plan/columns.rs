//! Planned columns: the staged column for each column of the target, and the target's column once
//! the file is loaded.
//!
//! In: a column of the chain's output that the target does not have yet. Out: its planned column.
//! `reconcile` plans the columns that the target has.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use loader_csv::{ColumnProfile, LOGICAL_KEY, MAX_COLUMNS};
use loader_model::choices::StagingFormat;
use loader_model::column_type::{ColumnType, MAX_SUPER_BYTES, MAX_VARCHAR_BYTES, UNTYPED};
use loader_model::error::{Error, Kind, Result};
use loader_model::target_column::{ROW_COLUMN, TargetColumn};
use loader_model::widening::{Extent, widened};
use loader_sandbox::ChainPlan;
use serde::{Deserialize, Serialize};

use super::given;
use super::input::PlanInput;
use super::why;

/// A staged column.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct PlannedColumn {
    pub name: String,
    /// The column's place in the chain's output.
    pub(crate) source: usize,
    /// The file's column that passes through to it. `None` where plugins compute the column.
    pub(crate) origin: Option<usize>,
    /// Why a column gets its type now. `None` for columns of the table that have one.
    pub why: Option<String>,
    /// The column's type in the staged file.
    #[serde(with = "super::data_type")]
    pub staged: DataType,
    /// The host casts the chain's output to `staged`.
    pub(crate) cast: bool,
    /// The type of the column in an existing target, widened as far as the file is known to need;
    /// that of a new column where the user or the file gives it. `None`: it follows from `staged`.
    pub(crate) lands_in: Option<ColumnType>,
    /// The target does not have the column yet.
    pub(crate) is_new: bool,
    /// NULL is refused: the column is a merge key, or NOT NULL in the target. (A DEFAULT would not
    /// help: it is only for columns that an INSERT does not name.)
    pub(crate) required: bool,
    pub(crate) is_key: bool,
    /// The most bytes that a text may have.
    pub(crate) max_text_bytes: u32,
    /// The longest text of the file's column, in bytes; 0 where plugins compute the texts.
    pub(crate) longest_in_file: u32,
    /// Text that the INSERT makes a value of the target's type.
    pub(crate) staged_as_text: bool,
    /// The column is new and has no value, so nothing tells yet what it holds.
    pub(crate) is_untyped: bool,
}

impl PlannedColumn {
    /// The column of the target, wide enough for a text of so many bytes. For example, a new column
    /// whose longest text has 320 bytes is VARCHAR(1024).
    pub(crate) fn in_target(&self, longest: u32) -> TargetColumn {
        // A type that the user gives to a new column is not widened: longer texts are rejected.
        let max_bytes = if self.is_new { 0 } else { longest };
        let extent = Extent { max_bytes, range: None };
        let is_untyped = self.is_untyped && longest == 0;
        // The fallback is never used: `staged_type` has refused types without a counterpart.
        let new = || match is_untyped {
            true => UNTYPED,
            false => ColumnType::for_new_column(&self.staged, longest)
                .unwrap_or(ColumnType::Varchar { bytes: 256 }),
        };
        TargetColumn {
            name: self.name.clone(),
            column_type: self
                .lands_in
                .as_ref()
                .map_or_else(new, |lands_in| widened(lands_in, extent)),
            // Redshift adds a NOT NULL column only with a DEFAULT, so a column that is to give its
            // place to another one is not NOT NULL.
            not_null: self.is_key && self.is_new && !is_untyped,
            staged_as_text: self.staged_as_text,
        }
    }
}

/// What becomes of a column's texts on their way into the target.
pub(super) struct Landing {
    pub(super) staged_as_text: bool,
    /// The most bytes that a staged text may have.
    pub(super) most_bytes: u32,
}

impl Landing {
    // COPY parses JSON that it reads from a CSV into a SUPER. What it reads from Parquet stays one
    // string there, so that JSON is staged as text, and a VARCHAR holds no more than 65535 bytes.
    // Source: <https://docs.aws.amazon.com/redshift/latest/dg/copy_json.html>
    pub(super) fn of(
        input: &PlanInput<'_>,
        staged: &DataType,
        lands_in: &Option<ColumnType>,
    ) -> Landing {
        let is_text = *staged == DataType::Utf8;
        match lands_in {
            Some(ColumnType::Super) if is_text && input.staging_format == StagingFormat::Csv => {
                Landing { staged_as_text: false, most_bytes: MAX_SUPER_BYTES }
            }
            lands_in => Landing {
                staged_as_text: is_text
                    && lands_in.as_ref().is_some_and(ColumnType::is_staged_as_text),
                most_bytes: MAX_VARCHAR_BYTES,
            },
        }
    }
}

/// The staged columns, then the row number. All staged columns are nullable: `conform` has already
/// refused the rows with a NULL where none is allowed.
pub fn staged_schema(columns: &[PlannedColumn]) -> SchemaRef {
    let fields = columns.iter().map(|column| Field::new(&column.name, column.staged.clone(), true));
    Arc::new(Schema::new(
        fields.chain([Field::new(ROW_COLUMN, DataType::Int64, false)]).collect::<Vec<_>>(),
    ))
}

/// The columns of a table that is still to be made.
pub(super) fn all_new(
    input: &PlanInput<'_>,
    chain: &ChainPlan,
    names: &[String],
) -> Result<Vec<PlannedColumn>> {
    if names.len() > MAX_COLUMNS {
        let n = names.len();
        return Err(Error::new(
            Kind::Data,
            format!("the plugins make {n} columns, a load takes {MAX_COLUMNS}"),
        ));
    }
    let fields = chain.output.fields().iter().zip(names).enumerate();
    fields.map(|(i, (field, name))| new(input, chain, i, field, name)).collect()
}

/// Plans a column that the target does not have yet.
pub(super) fn new(
    input: &PlanInput<'_>,
    chain: &ChainPlan,
    source: usize,
    field: &Field,
    name: &str,
) -> Result<PlannedColumn> {
    let is_key = input.is_key(name);
    let values = input.values(chain, source);
    let given = given::type_of(input, chain, source, field);
    if let Some(given) = given.as_ref().filter(|given| is_key && given.is_staged_as_text()) {
        let fact = format!(
            "upsert key `{name}` is to be of the type {given}, whose values are not told apart by \
             their text; give it another type"
        );
        return Err(Error::new(Kind::Config, fact));
    }
    let staged = match given.as_ref().and_then(ColumnType::staged_as) {
        Some(staged) => staged,
        None => staged_type(field, values, is_key, name)?,
    };
    let (most_bytes, landing) =
        (given.as_ref().and_then(ColumnType::text_bytes), Landing::of(input, &staged, &given));
    Ok(PlannedColumn {
        name: name.to_owned(),
        source,
        origin: chain.origin(source),
        why: why::of_column(input, chain, source, is_key),
        cast: staged != *field.data_type(),
        longest_in_file: longest_in_file(input, chain, source, &staged),
        is_untyped: given.is_none() && staged == DataType::Utf8 && values.is_some_and(is_untyped),
        staged,
        lands_in: given,
        is_new: true,
        required: is_key,
        is_key,
        max_text_bytes: most_bytes.unwrap_or(landing.most_bytes),
        staged_as_text: landing.staged_as_text,
    })
}

/// The type in Redshift of a column of the output that the target does not have. `None`: neither a
/// value nor the user tells.
pub(super) fn new_type(
    input: &PlanInput<'_>,
    chain: &ChainPlan,
    source: usize,
    is_key: bool,
) -> Result<Option<ColumnType>> {
    let (field, values) = (chain.output.field(source), input.values(chain, source));
    if let Some(given) = given::type_of(input, chain, source, field) {
        return Ok(Some(given));
    }
    if values.is_some_and(is_untyped) {
        return Ok(None);
    }
    let staged = staged_type(field, values, is_key, field.name())?;
    Ok(ColumnType::for_new_column(&staged, 0))
}

/// Whether neither a value nor the user nor the file says what a column of the file holds.
fn is_untyped(values: &ColumnProfile) -> bool {
    values.is_empty() && !values.is_given() && !values.is_typed()
}

/// The staged type of a new column. `values`: those of the file that pass through to it.
///
/// Errors: `Plugin` when Redshift has no such type.
fn staged_type(
    field: &Field,
    values: Option<&ColumnProfile>,
    is_key: bool,
    name: &str,
) -> Result<DataType> {
    // A column of numbers travels as text, and this one no plugin has converted. As a new column it
    // holds numbers, and not text.
    let unconverted = field.metadata().contains_key(LOGICAL_KEY);
    let staged = match values.filter(|_| unconverted) {
        Some(values) => numbers_type(values, is_key),
        None => field.data_type().clone(),
    };
    if ColumnType::for_new_column(&staged, 0).is_none() {
        let fact =
            format!("column `{name}` has the type {staged}, which has no counterpart in Redshift");
        return Err(Error::new(Kind::Plugin, fact));
    }
    Ok(staged)
}

/// The type of numbers that no plugin has converted: a float only where it gives every number back
/// and no row is merged by it.
fn numbers_type(values: &ColumnProfile, is_key: bool) -> DataType {
    match values.new_type(is_key).decimal {
        Some((precision, scale)) if is_key || scale == 0 || values.imprecise_at.is_some() => {
            DataType::Decimal128(precision, i8::try_from(scale).unwrap_or(i8::MAX))
        }
        Some(_) | None => DataType::Float64,
    }
}

/// The longest text that the file has in the column, in bytes. 0 where plugins compute the column,
/// or where it is not text.
pub(super) fn longest_in_file(
    input: &PlanInput<'_>,
    chain: &ChainPlan,
    source: usize,
    staged: &DataType,
) -> u32 {
    let values = input.values(chain, source).filter(|_| *staged == DataType::Utf8);
    values.map_or(0, |values| values.max_bytes.min(MAX_VARCHAR_BYTES))
}
