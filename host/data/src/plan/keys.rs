//! Keys: which columns of the file they come from, and whether the table keeps them apart.
//!
//! In: the plugins' plan and the file's profile. Out: the file's column of each key, or a refusal
//! of keys that the table's column would round.

use loader_csv::{ColumnProfile, DecodeAs, Position, ValueForm};
use loader_model::column_type::ColumnType;
use loader_model::error::{Error, Kind, Result};
use loader_sandbox::ChainPlan;

use super::input::PlanInput;
use super::names;
use crate::column_spec::ColumnSpec;

/// A REAL tells all numbers of so many digits apart.
const DIGITS_OF_A_REAL: u32 = 6;

/// A key, as the target spells it, and the column of the file that becomes it.
pub(super) struct KeyColumn {
    pub(super) name: String,
    pub(super) column: usize,
}

/// The keys that come from one column of the file each. `plan`: asks the plugins for a plan.
// A plugin tells which column it passes through, and not what it computes a column from, such as a
// DECIMAL from the text of numbers. Where a key is computed, the plugins are asked once more what
// they would do with the texts alone: then they mostly pass the column through.
pub(super) fn of_file(
    input: &PlanInput<'_>,
    chain: &ChainPlan,
    decode_as: &[DecodeAs],
    plan: impl Fn(&[DecodeAs]) -> Result<ChainPlan>,
) -> Result<Vec<KeyColumn>> {
    let found = passed_through(input, chain)?;
    if found.len() == input.keys.len() {
        return Ok(found);
    }
    let as_text = |decode_as: &DecodeAs| match decode_as {
        DecodeAs::Decimal { .. } | DecodeAs::Double => DecodeAs::Text,
        other => *other,
    };
    let texts: Vec<DecodeAs> = decode_as.iter().map(as_text).collect();
    passed_through(input, &plan(&texts)?)
}

fn passed_through(input: &PlanInput<'_>, chain: &ChainPlan) -> Result<Vec<KeyColumn>> {
    let names = names::find(input, chain)?.in_target;
    let found = names::places_of_keys(input.keys, &names, &chain.output);
    let key = |place: usize| {
        let column = chain.origin(place)?;
        Some(KeyColumn { name: names.get(place)?.clone(), column })
    };
    Ok(found.into_iter().flatten().filter_map(key).collect())
}

/// Refuses keys that the table's column would round, since two of them could become one.
///
/// Errors: `SchemaConflict`.
pub(super) fn check_stay_apart(input: &PlanInput<'_>, keys: &[KeyColumn]) -> Result<()> {
    for KeyColumn { name, column } in keys {
        check_not_respelt(input, name, *column)?;
        let Some(column_type) = type_of(input, name, *column) else { continue };
        let values = &input.profile.columns[*column];
        if let Some(at) = rounded_at(values, column_type) {
            let place = at.place();
            let fact = format!(
                "upsert key `{name}` is {column_type}, which would round the key in {place}, and \
                 rounded keys may become one; give the column a type that holds all digits, or \
                 correct the file"
            );
            return Err(Error::new(Kind::SchemaConflict, fact));
        }
    }
    Ok(())
}

/// Refuses text keys that the settings would have spelt anew: `007` would be another key than the
/// table's `007`.
fn check_not_respelt(input: &PlanInput<'_>, name: &str, column: usize) -> Result<()> {
    let known = input.column(name).map(|existing| &existing.column_type);
    let is_text = matches!(known, Some(ColumnType::Varchar { .. } | ColumnType::Char { .. }));
    let is_respelt = |spec: &&ColumnSpec| {
        spec.rule.form.as_ref().is_some_and(|form| !matches!(form, ValueForm::Text { .. }))
    };
    match (known.filter(|_| is_text), input.spec(column).filter(is_respelt)) {
        (Some(known), Some(spec)) => Err(Error::new(
            Kind::Config,
            format!(
                "upsert key `{name}` is {known} in the table, and {spec} would spell its values \
                 anew, so rows would be added twice; leave the type away, or give the type text"
            ),
        )),
        _ => Ok(()),
    }
}

/// The type of a key in the target, as far as it is known before the file is.
fn type_of<'a>(input: &'a PlanInput<'_>, name: &str, column: usize) -> Option<&'a ColumnType> {
    input.column(name).map(|existing| &existing.column_type).or_else(|| input.given_type(column))
}

fn rounded_at<'a>(values: &'a ColumnProfile, column_type: &ColumnType) -> Option<&'a Position> {
    match column_type {
        ColumnType::Decimal { scale, .. } => {
            let scale = u32::from(scale.max(&0).unsigned_abs());
            values.finest_at.as_ref().filter(|_| values.max_fraction_digits > scale)
        }
        ColumnType::Double => values.imprecise_at.as_ref(),
        // The digits that are cut are those of the longest texts.
        ColumnType::Timestamp => values.longest_at.as_ref().filter(|_| values.cut > 0),
        ColumnType::Real => {
            let digits = values.max_integer_digits.saturating_add(values.max_fraction_digits);
            let longest = values.finest_at.as_ref().or(values.widest_at.as_ref());
            longest.filter(|_| digits > DIGITS_OF_A_REAL)
        }
        _ => None,
    }
}

/// What a user should hear when rows of the file lost to others of their key: keys that the file
/// spells otherwise are one key where the column holds numbers.
pub(super) fn notices_of_duplicates(input: &PlanInput<'_>, keys: &[KeyColumn]) -> Vec<String> {
    let notice = |key: &KeyColumn| {
        let column_type = type_of(input, &key.name, key.column)?;
        let is_text = matches!(column_type, ColumnType::Varchar { .. } | ColumnType::Char { .. });
        let at = input.profile.columns[key.column].respelt_number().filter(|_| !is_text)?;
        Some(format!(
            "rows lost to another row of their key, and the numbers in `{}` are spelt in more than \
             one way, such as in {}: in {column_type} `3.1` and `3.10` are one key",
            key.name,
            at.line_or_row()
        ))
    };
    keys.iter().filter_map(notice).collect()
}
