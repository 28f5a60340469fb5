//! What the user says of single columns, and which columns of the file are meant.
//!
//! In: the specs of a table and the file's header. Out: a spec for each column of the header that
//! has one, and a notice for each that finds no column.

use loader_csv::Header;
use loader_model::error::{Error, Kind, Result};
use loader_names::{Columns, Found};

use crate::column_spec::{ColumnSpec, SpecSource};
use crate::listing::some_of;

/// The specs by the places of the columns in the header, and what a user should hear.
#[derive(Debug, Default)]
pub(super) struct Placed {
    pub(super) by_place: Vec<Option<ColumnSpec>>,
    /// Those of all tables that find no column in the header.
    pub(super) unplaced: Vec<ColumnSpec>,
    pub(super) notices: Vec<String>,
}

/// Finds the column of each spec. `names`: those of the header, or those that take their place.
/// `are_known`: the names say what the columns are, and not only where they stand.
///
/// Errors: `Config` for a spec that means several columns or that of another spec, and for
/// one of the command line that means none; `Data` for a required column that the file lacks.
pub(super) fn place(specs: &[ColumnSpec], names: &[String], are_known: bool) -> Result<Placed> {
    let columns = Columns::new(names.iter().map(String::as_str));
    let mut placed = Placed { by_place: vec![None; names.len()], ..Placed::default() };
    for spec in specs {
        let place = match columns.find(&spec.name, &spec.name) {
            Found::At(place) | Found::AsGlue(place) => place,
            Found::Several(places) => return Err(ambiguous(spec, &places, names)),
            Found::Nowhere if matches!(spec.source, SpecSource::AllTables(_)) => {
                placed.unplaced.push(spec.clone());
                continue;
            }
            Found::Nowhere => {
                placed.notices.extend(absent(spec, names, are_known)?);
                continue;
            }
        };
        if let Some(other) = placed.by_place[place].replace(spec.clone()) {
            let fact = format!(
                "{other} and {spec} both mean the column `{}` of the file; keep one of them",
                names[place]
            );
            return Err(Error::new(Kind::Config, fact));
        }
    }
    Ok(placed)
}

/// The header with the rules of its columns.
pub(super) fn ruled(header: &Header, by_place: &[Option<ColumnSpec>]) -> Header {
    let rules = by_place.iter().map(|spec| spec.as_ref().map(|spec| spec.rule.clone()));
    header.with_rules(rules.collect())
}

/// A notice of a column that the file lacks, where one is due.
fn absent(spec: &ColumnSpec, names: &[String], are_known: bool) -> Result<Option<String>> {
    let there = || some_of(names);
    match &spec.source {
        _ if !are_known => {
            let fact = format!(
                "{} cannot be found: the file has no header, and its columns are {}; name them \
                 with --column-names",
                spec,
                there()
            );
            Err(Error::new(Kind::Config, fact))
        }
        SpecSource::Flag => {
            let fact = format!(
                "{} is no column of the file, which has: {}; spell it as the header does",
                spec,
                there()
            );
            Err(Error::new(Kind::Config, fact))
        }
        SpecSource::Table(place) if spec.rule.required => {
            let fact = format!(
                "the file lacks the column `{}`, which is required ({place}); it has: {}",
                spec.name,
                there()
            );
            Err(Error::new(Kind::Data, fact))
        }
        SpecSource::Table(place) | SpecSource::AllTables(place) => {
            let name = &spec.name;
            Ok(Some(format!(
                "the file has no column `{name}`, of which the settings speak ({place})"
            )))
        }
    }
}

fn ambiguous(spec: &ColumnSpec, places: &[usize], names: &[String]) -> Error {
    let alike: Vec<String> = places.iter().map(|place| format!("`{}`", names[*place])).collect();
    let fact = format!("{} may mean {}; spell it as the header does", spec, alike.join(" or "));
    Error::new(Kind::Config, fact)
}
