//! A column that both the output and the table have.
//!
//! In: the column's values and its type in the table. Out: the staged column, with the type to
//! which the table's column must be widened; or the reason why it does not fit.

use arrow::datatypes::{DataType, Field};
use loader_csv::{ColumnProfile, LogicalType, Position};
use loader_model::catalog_column::{CatalogColumn, ColumnDefault};
use loader_model::choices::SchemaPolicy;
use loader_model::column_type::ColumnType;
use loader_model::widening::widened;
use loader_sandbox::ChainPlan;
use loader_sandbox::cast::can_cast;

use super::mismatch::Mismatch;
use crate::plan::columns::{Landing, PlannedColumn, longest_in_file};
use crate::plan::file_values::{accepts, extent};
use crate::plan::input::PlanInput;

/// Plans column `source` of the output for the table's column of this name.
pub(super) fn plan(
    input: &PlanInput<'_>,
    chain: &ChainPlan,
    source: usize,
    field: &Field,
    existing: &CatalogColumn,
) -> Result<PlannedColumn, Mismatch> {
    check_takes_values(existing)?;
    let may_widen = input.schema_policy == SchemaPolicy::Evolve;
    let lands_in = match input.values(chain, source) {
        Some(values) => type_for(values, existing, may_widen)?,
        None => existing.column_type.clone(),
    };
    let staged = staged_type(field.data_type(), &lands_in, existing)?;
    let is_key = input.is_key(&existing.name);
    if is_key {
        check_key(&existing.name, &lands_in)?;
    }
    let most_bytes = if grows(&lands_in, may_widen) { None } else { lands_in.text_bytes() };
    let lands_in = Some(lands_in);
    let landing = Landing::of(input, &staged, &lands_in);
    Ok(PlannedColumn {
        name: existing.name.clone(),
        source,
        origin: chain.origin(source),
        why: None,
        cast: staged != *field.data_type(),
        longest_in_file: longest_in_file(input, chain, source, &staged),
        staged,
        lands_in,
        is_new: false,
        required: is_key || !existing.nullable,
        is_key,
        max_text_bytes: most_bytes.unwrap_or(landing.most_bytes),
        staged_as_text: landing.staged_as_text,
        is_untyped: false,
    })
}

fn check_takes_values(existing: &CatalogColumn) -> Result<(), Mismatch> {
    let name = &existing.name;
    if existing.default == (ColumnDefault::Identity { by_default: false }) {
        let fact = format!("column `{name}` is an IDENTITY column, whose values Redshift makes");
        return Err(Mismatch::Schema(fact));
    }
    Ok(())
}

fn check_key(name: &str, lands_in: &ColumnType) -> Result<(), Mismatch> {
    if lands_in.is_staged_as_text() {
        let fact = format!(
            "upsert key `{name}` is {lands_in}, whose values are not told apart by their text"
        );
        return Err(Mismatch::Schema(fact));
    }
    Ok(())
}

/// Whether a text that is too long makes the column longer; otherwise the text is refused. (For
/// example, a VARCHAR grows under `--schema-policy evolve`; a CHAR never does.)
fn grows(column_type: &ColumnType, may_widen: bool) -> bool {
    may_widen && matches!(column_type, ColumnType::Varchar { .. })
}

/// The staged type for a column whose output has the type `made`. `Err`: the host has no cast.
fn staged_type(
    made: &DataType,
    lands_in: &ColumnType,
    existing: &CatalogColumn,
) -> Result<DataType, Mismatch> {
    // VARBYTE is staged as hexadecimal text, since a CSV has no bytes. Bytes that a plugin made are
    // staged as they are.
    let is_bytes = matches!(lands_in, ColumnType::Varbyte { .. }) && *made == DataType::Binary;
    let staged = if is_bytes { Some(DataType::Binary) } else { lands_in.staged_as() };
    staged.filter(|staged| can_cast(made, staged)).ok_or_else(|| {
        let (name, column_type) = (&existing.name, &existing.column_type);
        Mismatch::Schema(format!(
            "column `{name}` is {column_type} in the table, the file has {made}"
        ))
    })
}

/// The type that the table's column must have for the file's values: its own, or a wider one.
/// `Err`: no type will do, or the column must not be widened to it.
// The order of the checks matters: `check_texts_fit` refuses a VARCHAR that must not grow, so the
// last check only meets integers. (For example, `70000` for a SMALLINT column under
// `--schema-policy freeze`.)
fn type_for(
    values: &ColumnProfile,
    existing: &CatalogColumn,
    may_widen: bool,
) -> Result<ColumnType, Mismatch> {
    let now = &existing.column_type;
    accepts(values, now).map_err(|position| wrong_value(values, existing, position))?;
    let becomes = widened(now, extent(values));
    let widens = becomes != *now;
    if widens {
        check_not_identity(existing, &becomes)?;
    }
    if !grows(&becomes, may_widen) {
        check_texts_fit(values, existing)?;
    }
    if widens && !may_widen {
        check_whole_numbers_fit(values, existing)?;
    }
    Ok(becomes)
}

/// Redshift cannot change the type of an IDENTITY column.
fn check_not_identity(existing: &CatalogColumn, becomes: &ColumnType) -> Result<(), Mismatch> {
    let (name, column_type) = (&existing.name, &existing.column_type);
    match existing.default {
        ColumnDefault::Identity { .. } => Err(Mismatch::Schema(format!(
            "column `{name}` is an IDENTITY column of {column_type}, which cannot be made {becomes}"
        ))),
        ColumnDefault::None | ColumnDefault::Expression(_) => Ok(()),
    }
}

fn wrong_value(values: &ColumnProfile, existing: &CatalogColumn, position: &Position) -> Mismatch {
    let (name, column_type) = (&existing.name, &existing.column_type);
    if is_integer(column_type) && values.accepts(LogicalType::Double).is_ok() {
        let place = position.place();
        let fact = format!("column `{name}` is {column_type}, the number in {place} is not whole");
        return Mismatch::Schema(fact);
    }
    let (place, hint) = (position.place(), hint(values, existing, position));
    Mismatch::Value(format!("column `{name}` is {column_type}, the value in {place} is not{hint}"))
}

/// How values of a type are written, and how a user says that they are written otherwise.
// Positions of one column and one line are those of one value. A value with leading zeros (`02139`)
// is text by default; no flag is advised that would load 2139 for a postcode.
fn hint(values: &ColumnProfile, existing: &CatalogColumn, position: &Position) -> String {
    let (name, column_type) = (&existing.name, &existing.column_type);
    let zeros =
        values.leading_zeros_at.as_ref().is_some_and(|zeros| zeros.record == position.record);
    match column_type {
        number if zeros && is_number(number) => format!(
            " (it has leading zeros, which only a VARCHAR column keeps; [columns.{name:?}] of the \
             settings can say that they mean nothing)"
        ),
        ColumnType::Decimal { precision, scale } if values.accepts(LogicalType::Double).is_ok() => {
            let digits = i16::from(*precision) - i16::from(*scale);
            format!(" (a {column_type} has {digits} digits before its point)")
        }
        number if is_number(number) => {
            format!(" (numbers are written 1234.56, or as [columns.{name:?}] of the settings says)")
        }
        ColumnType::Date => {
            format!(" (days are written 2024-01-31, or as --column '{name}=date:%d.%m.%Y' says)")
        }
        ColumnType::Timestamp | ColumnType::TimestampTz => format!(
            " (moments are written 2024-01-31 10:30:00, or as --column \
             '{name}={}:%d.%m.%Y %H:%M' says)",
            column_type.to_string().to_lowercase()
        ),
        _ => String::new(),
    }
}

fn is_integer(column_type: &ColumnType) -> bool {
    matches!(column_type, ColumnType::SmallInt | ColumnType::Integer | ColumnType::BigInt)
}

fn is_number(column_type: &ColumnType) -> bool {
    let fraction =
        matches!(column_type, ColumnType::Decimal { .. } | ColumnType::Real | ColumnType::Double);
    fraction || is_integer(column_type)
}

fn check_texts_fit(values: &ColumnProfile, existing: &CatalogColumn) -> Result<(), Mismatch> {
    let (name, column_type) = (&existing.name, &existing.column_type);
    let longest = values.max_bytes;
    match (&values.longest_at, column_type.text_bytes()) {
        (Some(longest_at), Some(most)) if longest > most => Err(Mismatch::Schema(format!(
            "column `{name}` is {column_type}, the text in {} has {longest} bytes",
            longest_at.place()
        ))),
        _ => Ok(()),
    }
}

/// Refuses a column that would have to be widened for the file's whole numbers.
fn check_whole_numbers_fit(
    values: &ColumnProfile,
    existing: &CatalogColumn,
) -> Result<(), Mismatch> {
    let (name, column_type) = (&existing.name, &existing.column_type);
    match extent(values).range {
        Some((least, greatest)) => Err(Mismatch::Schema(format!(
            "column `{name}` is {column_type}, the file has whole numbers from {least} to \
             {greatest}"
        ))),
        None => Ok(()),
    }
}
