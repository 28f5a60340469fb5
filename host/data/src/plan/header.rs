//! The names of the file's columns, before any plugin plans with them.
//!
//! In: the header as it stands in the file, the names that the user gives, the table's columns.
//! Out: the header that is planned with.

use loader_csv::Header;
use loader_model::catalog_column::{CatalogColumn, ColumnDefault};
use loader_model::error::{Error, Kind, Result};
use loader_names::Columns;

use super::agree_on_types::first_chain;
use super::input::PlanInput;
use crate::column_spec::ColumnSpec;
use crate::failures::wrong_column_names;
use crate::listing::some_of;

/// The header that is planned with, with a notice where the places of columns decide.
///
/// Errors: as of [`numbered`].
pub(super) fn named(input: &PlanInput<'_>) -> Result<(Header, Option<String>)> {
    let (header, notice) = numbered(input)?;
    let said = |place: usize| input.spec(place).and_then(|spec| spec.rename.as_ref());
    let names = header.names.iter().enumerate();
    let names: Vec<String> =
        names.map(|(place, name)| said(place).unwrap_or(name).clone()).collect();
    check_renames(input, &names)?;
    Ok((header.renamed(names), notice))
}

/// Refuses a new name that another column of the file has.
fn check_renames(input: &PlanInput<'_>, names: &[String]) -> Result<()> {
    for (place, name) in names.iter().enumerate() {
        let Some(spec) = input.spec(place).filter(|spec| spec.rename.is_some()) else { continue };
        let is_same =
            |(other, known): (usize, &String)| other != place && known.eq_ignore_ascii_case(name);
        if names.iter().enumerate().any(is_same) {
            let fact = format!(
                "{spec} renames a column to `{name}`, and another column of the file has that name; \
                 give it another one"
            );
            return Err(Error::new(Kind::Config, fact));
        }
    }
    Ok(())
}

/// Refuses a file whose columns get their names from the table only now, when the settings say how
/// one of these columns is read: it has been read without them.
fn check_unplaced(input: &PlanInput<'_>, names: &[String]) -> Result<()> {
    let columns = Columns::new(names.iter().map(String::as_str));
    let is_there = |spec: &&ColumnSpec| columns.find(&spec.name, &spec.name).place().is_some();
    match input.unplaced.iter().find(is_there) {
        None => Ok(()),
        Some(spec) => Err(Error::new(
            Kind::Config,
            format!(
                "{spec} says how a column is read, and the file has no header that names it; name \
                 the columns with --column-names '{}'",
                serde_json::Value::from(names)
            ),
        )),
    }
}

/// The header with the names of `--column-names`; else, for a file without a header, with those of
/// the table's columns, by their places; else as it is in the file. With a notice where places
/// decide.
///
/// Errors: `Config` when `--column-names` has more or fewer names than the file has columns.
fn numbered(input: &PlanInput<'_>) -> Result<(Header, Option<String>)> {
    if let Some(names) = input.column_names {
        return given(input, names).map(|header| (header, None));
    }
    let Some(header) = by_position(input) else { return Ok((input.header.clone(), None)) };
    let names = &header.names;
    check_unplaced(input, names)?;
    let notice = format!(
        "the file has no header, so its columns are loaded into those of the table by their \
         places: {}; --column-names '{}' says so, also when columns of the table move",
        some_of(names),
        serde_json::Value::from(names.as_slice())
    );
    Ok((header, Some(notice)))
}

fn given(input: &PlanInput<'_>, names: &[String]) -> Result<Header> {
    if names.len() != input.header.names.len() {
        return Err(wrong_column_names(names.len(), &input.header.names));
    }
    Ok(input.header.renamed(names.to_vec()))
}

/// The table's first columns as a header for a file without one. `None` where the table has not
/// exactly as many, apart from columns at its end that plugins add.
// A table with a column `column_1` was made of such files, and is loaded by that name. A plugin
// that refuses the names says that they do not fit: the default plugin does, when a fourth column
// of the file would be `run_date`, which it adds itself.
fn by_position(input: &PlanInput<'_>) -> Option<Header> {
    let existing = input.existing.filter(|_| !input.dialect.header)?;
    let columns = input.header.names.len();
    let is_numbered = existing.iter().any(|column| input.header.names.contains(&column.name));
    if is_numbered || has_moved(existing) {
        return None;
    }
    let own: Vec<&str> =
        existing.iter().filter(|column| is_written(column)).map(|column| &*column.name).collect();
    let (of_file, rest) = own.split_at_checked(columns)?;
    let names = of_file.iter().map(|name| (*name).to_owned()).collect();
    let header = input.header.renamed(names);
    let chain = first_chain(&PlanInput { header: &header, ..*input }).ok()?;
    let there = Columns::new(rest.iter().copied());
    let fields = chain.output.fields().iter().enumerate();
    let added = fields.filter(|(place, _)| !chain.is_from_input(*place));
    let mut added: Vec<usize> =
        added.filter_map(|(_, field)| there.find(field.name(), field.name()).place()).collect();
    added.sort_unstable();
    added.dedup();
    (added.len() == rest.len()).then_some(header)
}

/// Whether a column of the table was dropped, or replaced by a wider one at the table's end, so
/// that the places of the others are not those that its files have.
pub(super) fn has_moved(existing: &[CatalogColumn]) -> bool {
    existing.iter().zip(1..).any(|(column, number)| column.number != number)
}

/// Whether a load writes values into a column. Redshift makes those of an IDENTITY itself.
pub(super) fn is_written(column: &CatalogColumn) -> bool {
    column.default != (ColumnDefault::Identity { by_default: false })
}
