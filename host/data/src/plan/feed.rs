//! Whether the file is one of the table's at all.
//!
//! In: the names of the output's columns, and the table's columns. Out: a refusal of a file that
//! was read with the wrong delimiter, that has no header, or that belongs to another table.
//!
//! Columns that plugins add do not count, on either side: `run_date` is in every file's output, and
//! would make every file fit.

use loader_csv::{FieldForm, Header};
use loader_model::catalog_column::CatalogColumn;
use loader_model::choices::AnotherFeed;
use loader_model::error::{Error, Kind, Result};
use loader_names::Columns;
use loader_sandbox::ChainPlan;

use super::header::{has_moved, is_written};
use super::input::PlanInput;
use super::names::header;
use crate::listing::some_of;

/// Refuses a file that has no column of the table, and one that lacks more than half of the table's
/// columns and brings new ones.
///
/// Errors: `SchemaConflict`, naming what is missing.
pub(super) fn check(input: &PlanInput<'_>, chain: &ChainPlan, names: &[String]) -> Result<()> {
    let Some(existing) = input.existing else { return Ok(()) };
    let sides = Sides::of(input, chain, names, existing);
    let is_allowed = input.another_feed == AnotherFeed::Allow;
    match sides.known {
        0 => Err(sides.refusal(input)),
        _ if is_allowed || sides.new.is_empty() || !sides.lacks_most() => Ok(()),
        _ => Err(sides.refusal(input)),
    }
}

/// The columns of the file and of the table, by where they are.
struct Sides<'a> {
    /// How many columns of the file the table has.
    known: usize,
    /// Columns of the table that only a file can have.
    own: Vec<&'a CatalogColumn>,
    /// Those of them that this file lacks.
    missing: Vec<&'a str>,
    /// Columns of the file that the table lacks, as the file spells them.
    new: Vec<&'a str>,
}

impl<'a> Sides<'a> {
    fn of(
        input: &'a PlanInput<'_>,
        chain: &'a ChainPlan,
        names: &[String],
        existing: &'a [CatalogColumn],
    ) -> Sides<'a> {
        let (mut of_file, mut added, mut new) = (Vec::new(), Vec::new(), Vec::new());
        for (place, name) in names.iter().enumerate() {
            if !chain.is_from_input(place) {
                added.push(name);
                continue;
            }
            of_file.push(name);
            if existing.iter().all(|column| column.name != *name) {
                new.push(header(input, chain, place));
            }
        }
        let is_own = |column: &&CatalogColumn| {
            is_written(column) && !added.iter().any(|name| **name == column.name)
        };
        let own: Vec<&CatalogColumn> = existing.iter().filter(is_own).collect();
        let is_missing =
            |column: &&&CatalogColumn| of_file.iter().all(|name| **name != column.name);
        let missing = own.iter().filter(is_missing).map(|column| column.name.as_str()).collect();
        Sides { known: of_file.len() - new.len(), own, missing, new }
    }

    fn lacks_most(&self) -> bool {
        self.missing.len() * 2 > self.own.len()
    }

    fn refusal(&self, input: &PlanInput<'_>) -> Error {
        let fact = format!(
            "the file does not belong to {}: it lacks {} of the table's {} columns ({}) and has {} \
             that the table lacks ({}); {}",
            input.target,
            self.missing.len(),
            self.own.len(),
            some_of(&self.missing),
            self.new.len(),
            some_of(&self.new),
            self.remedy(input)
        );
        Error::new(Kind::SchemaConflict, fact)
    }

    fn remedy(&self, input: &PlanInput<'_>) -> String {
        let allow = match self.known {
            0 => "",
            _ => ", or load it all the same with --another-feed allow",
        };
        if let Some((flag, fields)) = self.other_delimiter(input) {
            return format!(
                "with --delimiter '{flag}' its columns are {}{allow}",
                some_of(&fields)
            );
        }
        match (input.column_names, input.dialect.header) {
            (None, false) => self.remedy_without_header(input, allow),
            (Some(_), _) => format!("check --column-names and --target-table{allow}"),
            (None, true) => format!(
                "check --source-file-name and --target-table, or give its columns the table's \
                 names with {}{allow}",
                input.naming()
            ),
        }
    }

    fn remedy_without_header(&self, input: &PlanInput<'_>, allow: &str) -> String {
        let (columns, own) = (input.header.names.len(), self.own.len());
        let moved = match input.existing.is_some_and(has_moved) {
            true => ", which do not stand as they were made",
            false => "",
        };
        format!(
            "the file has no header and {columns} columns, the table has {own} of its own{moved}; \
             say with --column-names which they are{allow}"
        )
    }

    /// The delimiter with which the header has most of the table's columns, as it is written on the
    /// command line, and the header's fields with it. For example, `;` for the header `id;name`,
    /// which was read with commas as one column.
    fn other_delimiter(&self, input: &PlanInput<'_>) -> Option<(&'static str, Vec<String>)> {
        let is_csv = input.dialect.field_form == FieldForm::Csv;
        if !is_csv || !input.dialect.header || input.column_names.is_some() {
            return None;
        }
        let others = [(b',', ","), (b';', ";"), (b'\t', r"\t"), (b'|', "|")];
        let others = others.into_iter().filter(|(byte, _)| *byte != input.dialect.delimiter);
        let fields = others.map(|(byte, flag)| (flag, fields(input.header, input, byte)));
        let fitting = fields.map(|(flag, fields)| (self.lacking(&fields), flag, fields));
        let best = fitting.min_by_key(|(lacking, ..)| *lacking);
        best.filter(|(lacking, ..)| *lacking < self.own.len() && lacking * 2 <= self.own.len())
            .map(|(_, flag, fields)| (flag, fields))
    }

    /// How many of the table's columns are not among the fields.
    fn lacking(&self, fields: &[String]) -> usize {
        let own = self.own.iter().map(|column| column.name.as_str());
        let table = Columns::new(own);
        let mut found: Vec<usize> =
            fields.iter().filter_map(|field| table.find(field, field).place()).collect();
        found.sort_unstable();
        found.dedup();
        self.own.len() - found.len()
    }
}

/// The header, cut at another delimiter than it was.
fn fields(header: &Header, input: &PlanInput<'_>, delimiter: u8) -> Vec<String> {
    let line = header.names.join(&char::from(input.dialect.delimiter).to_string());
    let fields = line.split(char::from(delimiter));
    fields.map(|field| field.trim().trim_matches('"').to_owned()).collect()
}
