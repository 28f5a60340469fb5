//! Reconcile: the planned output beside an existing table, column by column.
//!
//! What the table can become for the file is planned; everything else goes into one refusal. What a
//! change of the table would solve is a schema conflict, a value that no change would help is the
//! file's fault.

use arrow::datatypes::{DataType, Field};
use loader_csv::{ColumnProfile, LogicalType, Position};
use loader_sandbox::ChainPlan;
use loader_sandbox::cast::can_cast;

use super::columns::{self, PlannedColumn};
use super::input::{MAX_COLUMNS, PlanInput};
use loader_model::catalog_column::{CatalogColumn, ColumnDefault};
use loader_model::choices::{MissingColumns, SchemaPolicy};
use loader_model::column_type::{ColumnType, MAX_VARCHAR_BYTES};
use loader_model::error::{Error, Kind, Result};
use loader_model::names::TableName;
use loader_model::target_column::{Fill, FilledColumn};
use loader_model::widening::{Extent, widened};

/// Staged columns, columns that the file lacks, columns that are left out; or one error with
/// everything that differs.
pub(super) fn run(
    input: &PlanInput<'_>,
    chain: &ChainPlan,
    names: &[String],
    existing: &[CatalogColumn],
) -> Result<(Vec<PlannedColumn>, Vec<FilledColumn>, Vec<String>)> {
    let reconciliation = Reconciliation { input, chain, existing };
    let (mut columns, mut discarded, mut differences) = (Vec::new(), Vec::new(), Vec::new());
    for (i, (field, name)) in chain.output.fields().iter().zip(names).enumerate() {
        match reconciliation.column(i, field, name)? {
            Fit::Staged(column) => columns.push(*column),
            Fit::Discarded => discarded.push(name.clone()),
            Fit::Not(difference) => differences.push(difference),
        }
    }
    let mut filled = Vec::new();
    for missing in existing.iter().filter(|column| !names.contains(&column.name)) {
        match fill(missing, input.missing_columns) {
            Ok(fill) => filled.push(FilledColumn { name: missing.name.clone(), fill }),
            Err(difference) => differences.push(difference),
        }
    }
    if columns.is_empty() && differences.is_empty() {
        differences.push(Difference::Schema("the file has no column of it".into()));
    }
    let total = existing.len() + columns.iter().filter(|column| column.lands_in.is_none()).count();
    if total > MAX_COLUMNS + 1 {
        let fact =
            format!("with the file's new columns it would have {total} columns, Redshift has 1600");
        differences.push(Difference::Schema(fact));
    }
    if differences.is_empty() {
        Ok((columns, filled, discarded))
    } else {
        Err(refusal(input, differences))
    }
}

/// The planned output beside an existing table.
struct Reconciliation<'a> {
    input: &'a PlanInput<'a>,
    chain: &'a ChainPlan,
    existing: &'a [CatalogColumn],
}

/// How a column of the output fits.
enum Fit {
    Staged(Box<PlannedColumn>),
    Discarded,
    Not(Difference),
}

/// Why a column does not fit.
enum Difference {
    /// The table would have to change.
    Schema(String),
    /// No change of the table would help.
    Value(String),
}

impl Reconciliation<'_> {
    fn column(&self, i: usize, field: &Field, name: &str) -> Result<Fit> {
        if let Some(existing) = self.existing.iter().find(|column| column.name == name) {
            return Ok(match self.known_column(i, field, existing) {
                Ok(column) => Fit::Staged(Box::new(column)),
                Err(difference) => Fit::Not(difference),
            });
        }
        if self.input.keys.iter().any(|key| key == name) {
            let fact = format!(
                "upsert key `{name}` is no column of the table, so no row could be found by it"
            );
            return Ok(Fit::Not(Difference::Schema(fact)));
        }
        match self.input.schema_policy {
            SchemaPolicy::Freeze => {
                Ok(Fit::Not(Difference::Schema(format!("column `{name}` is new"))))
            }
            SchemaPolicy::DiscardColumns => Ok(Fit::Discarded),
            SchemaPolicy::Evolve => columns::new(self.input, self.chain, i, field, name)
                .map(|column| Fit::Staged(Box::new(column))),
        }
    }

    fn known_column(
        &self,
        i: usize,
        field: &Field,
        existing: &CatalogColumn,
    ) -> std::result::Result<PlannedColumn, Difference> {
        let name = &existing.name;
        if existing.default == (ColumnDefault::Identity { by_default: false }) {
            return Err(Difference::Schema(format!(
                "column `{name}` is an IDENTITY column, whose values Redshift makes"
            )));
        }
        let may_widen = self.input.schema_policy == SchemaPolicy::Evolve;
        let lands_in = match self.chain.origin(i).map(|origin| &self.input.profile.columns[origin])
        {
            Some(values) => landing(values, existing, may_widen)?,
            None => existing.column_type.clone(),
        };
        let unfit = || {
            Difference::Schema(format!(
                "column `{name}` is {} in the table, the file has {}",
                existing.column_type,
                field.data_type()
            ))
        };
        let is_bytes = matches!(lands_in, ColumnType::Varbyte { .. })
            && *field.data_type() == DataType::Binary;
        let staged =
            if is_bytes { DataType::Binary } else { lands_in.staged_as().ok_or_else(unfit)? };
        let cast = staged != *field.data_type();
        if cast && !can_cast(field.data_type(), &staged) {
            return Err(unfit());
        }
        let is_key = self.input.keys.iter().any(|key| key == name);
        if is_key && lands_in.is_staged_as_text() {
            let fact = format!(
                "upsert key `{name}` is {lands_in}, whose values are not told apart by their text"
            );
            return Err(Difference::Schema(fact));
        }
        let grows = may_widen && matches!(lands_in, ColumnType::Varchar { .. });
        Ok(PlannedColumn {
            name: name.clone(),
            source: i,
            longest_in_file: columns::longest_in_file(self.input, self.chain, i, &staged),
            staged,
            cast,
            required: is_key || !existing.nullable,
            is_key,
            max_text_bytes: lands_in.text_bytes().filter(|_| !grows).unwrap_or(MAX_VARCHAR_BYTES),
            lands_in: Some(lands_in),
        })
    }
}

/// What the column has to be for the file's values. `Err`: it cannot, or may not.
fn landing(
    values: &ColumnProfile,
    existing: &CatalogColumn,
    may_widen: bool,
) -> std::result::Result<ColumnType, Difference> {
    let (name, column_type) = (&existing.name, &existing.column_type);
    if let Err(position) = accepts(values, column_type) {
        let zeros =
            values.leading_zeros_at.as_ref().is_some_and(|zeros| zeros.line == position.line);
        let hint = if zeros { " (it has leading zeros: --leading-zeros number)" } else { "" };
        let fact = format!(
            "column `{name}` is {column_type}, the value in {} is not{hint}",
            place(position)
        );
        return Err(Difference::Value(fact));
    }
    let becomes = widened(column_type, extent(values));
    if matches!(existing.default, ColumnDefault::Identity { .. }) && becomes != *column_type {
        let fact = format!(
            "column `{name}` is an IDENTITY column of {column_type}, which cannot be made {becomes}"
        );
        return Err(Difference::Schema(fact));
    }
    let too_long = column_type.text_bytes().is_some_and(|bytes| values.max_bytes > bytes);
    let grows = may_widen && matches!(becomes, ColumnType::Varchar { .. });
    if let Some(longest_at) = values.longest_at.as_ref().filter(|_| too_long && !grows) {
        let (longest, place) = (values.max_bytes, place(longest_at));
        let fact =
            format!("column `{name}` is {column_type}, the text in {place} has {longest} bytes");
        return Err(Difference::Schema(fact));
    }
    if let (Some(least), Some(greatest)) = (values.min_int, values.max_int)
        && becomes != *column_type
        && !may_widen
    {
        let fact = format!(
            "column `{name}` is {column_type}, the file has whole numbers from {least} to \
             {greatest}"
        );
        return Err(Difference::Schema(fact));
    }
    Ok(becomes)
}

/// Whether all values of a file's column are of the kind that a column of the target takes; its
/// range is another matter.
pub(super) fn accepts<'a>(
    column: &'a ColumnProfile,
    column_type: &ColumnType,
) -> std::result::Result<(), &'a Position> {
    match column_type {
        ColumnType::SmallInt | ColumnType::Integer | ColumnType::BigInt => {
            column.accepts(LogicalType::Int64)
        }
        ColumnType::Decimal { precision, scale } => {
            let room = i32::from(*precision) - i32::from(*scale);
            column.accepts_integer_digits(room.max(0).unsigned_abs())
        }
        ColumnType::Real | ColumnType::Double => column.accepts(LogicalType::Double),
        ColumnType::Boolean => column.accepts_boolean_literals(),
        ColumnType::Date => column.accepts(LogicalType::Date),
        ColumnType::Timestamp | ColumnType::TimestampTz => column.accepts(LogicalType::Timestamp),
        ColumnType::Varchar { .. }
        | ColumnType::Char { .. }
        | ColumnType::Time
        | ColumnType::TimeTz
        | ColumnType::Super
        | ColumnType::Varbyte { .. }
        | ColumnType::Other(_) => Ok(()),
    }
}

/// The size of the file's values.
pub(super) fn extent(values: &ColumnProfile) -> Extent {
    Extent { max_bytes: values.max_bytes, range: values.min_int.zip(values.max_int) }
}

/// What a column gets that the file lacks.
fn fill(column: &CatalogColumn, missing: MissingColumns) -> std::result::Result<Fill, Difference> {
    let by_type = match &column.column_type {
        ColumnType::Varchar { .. } | ColumnType::Char { .. } => Some("''"),
        ColumnType::SmallInt
        | ColumnType::Integer
        | ColumnType::BigInt
        | ColumnType::Decimal { .. }
        | ColumnType::Real
        | ColumnType::Double => Some("0"),
        ColumnType::Boolean => Some("FALSE"),
        ColumnType::Varbyte { .. } => Some("CAST('' AS VARBYTE)"),
        _ => None,
    };
    match (&column.default, missing, by_type) {
        // Redshift numbers the rows, whatever is input.
        (ColumnDefault::Identity { .. }, ..) => Ok(Fill::Default),
        (ColumnDefault::Expression(_), MissingColumns::Default | MissingColumns::Keep, _) => {
            Ok(Fill::Default)
        }
        (ColumnDefault::Expression(_), MissingColumns::Null, _) if !column.nullable => {
            Ok(Fill::Default)
        }
        (_, MissingColumns::Default | MissingColumns::Keep, Some(literal)) => {
            Ok(Fill::Literal(literal))
        }
        _ if column.nullable => Ok(Fill::Literal("NULL")),
        _ => {
            let fact = format!(
                "column `{}` is {} NOT NULL and is missing in the file",
                column.name, column.column_type
            );
            Err(Difference::Schema(fact))
        }
    }
}

fn place(position: &Position) -> String {
    format!("line {}, byte {}", position.line, position.byte)
}

fn refusal(input: &PlanInput<'_>, differences: Vec<Difference>) -> Error {
    let target: &TableName = input.target;
    let schema = differences.iter().any(|difference| matches!(difference, Difference::Schema(_)));
    let facts: Vec<String> = differences
        .into_iter()
        .map(|difference| match difference {
            Difference::Schema(fact) | Difference::Value(fact) => fact,
        })
        .collect();
    let facts = facts.join("; ");
    if !schema {
        let fact = format!(
            "the file has values that {target} cannot take: {facts}; correct them in the file"
        );
        return Error::new(Kind::Data, fact);
    }
    let remedy = match input.schema_policy {
        SchemaPolicy::Evolve => "change the table or the file so that they agree",
        SchemaPolicy::Freeze => {
            "--schema-policy freeze keeps the table as it is, evolve would change it where it can"
        }
        SchemaPolicy::DiscardColumns => {
            "--schema-policy discard-columns keeps the table as it is, evolve would change it \
             where it can"
        }
    };
    Error::new(Kind::SchemaConflict, format!("the file does not fit {target}: {facts}; {remedy}"))
}
