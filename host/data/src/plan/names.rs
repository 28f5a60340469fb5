//! Names of the target's columns: those of an existing table are found, new ones are folded to
//! lower case as Redshift does, and refused where Redshift would refuse them. In: the chain's
//! output and the table's columns. Out: a name for each column of the output.

use arrow::datatypes::Schema;
use loader_model::catalog_column::CatalogColumn;
use loader_model::error::{Error, Kind, Result};
use loader_model::target_column::ROW_COLUMN;
use loader_names::{Columns, Found, Reserved, called, clean, refused};
use loader_sandbox::ChainPlan;

use super::input::PlanInput;
use crate::listing::some_of;

/// The names in the target of the columns of the output.
pub(super) struct Names {
    /// That of the table's column which a column means, or its own. For example, `order_id` lands
    /// in `order id` when the table has no `order_id`.
    pub(super) in_target: Vec<String>,
    /// What a person should look at.
    pub(super) notices: Vec<String>,
}

/// Finds the names.
///
/// Errors: `Data` for names that cannot be those of columns, `SchemaConflict` where the table does
/// not say which column is meant.
pub(super) fn find(input: &PlanInput<'_>, chain: &ChainPlan) -> Result<Names> {
    let folded = folded(input, chain)?;
    let mut names = Names { in_target: folded.clone(), notices: nameless(input, chain, &folded) };
    let Some(existing) = input.existing else { return Ok(names) };
    let columns = columns(existing);
    names.in_target.clear();
    for (place, name) in folded.iter().enumerate() {
        let found = columns.find(name, header(input, chain, place));
        let landed = landed(input, existing, &found, name)?;
        if let Some(other) = names.in_target.iter().position(|before| *before == landed) {
            let other = &folded[other];
            let fact = format!(
                "the columns `{other}` and `{name}` of the file both mean the column `{landed}` \
                 of {}; name one of them otherwise with {}, or add to the table a column for \
                 each, spelt as in the file",
                input.target,
                input.naming()
            );
            return Err(Error::new(Kind::SchemaConflict, fact));
        }
        if let Found::AsGlue(_) = found {
            names.notices.push(format!(
                "the column `{name}` of the file is loaded into `{landed}`, which the Glue job \
                 made of such a header; ALTER TABLE … RENAME COLUMN \"{landed}\" TO \"{name}\" \
                 ends this notice"
            ));
        }
        names.in_target.push(landed);
    }
    Ok(names)
}

/// A notice for each column that has no name in the file and got one from a plugin.
fn nameless(input: &PlanInput<'_>, chain: &ChainPlan, folded: &[String]) -> Vec<String> {
    let named = folded.iter().enumerate().filter_map(|(place, name)| {
        let origin = chain.origin(place)?;
        let is_nameless = clean(&input.header.names[origin]).is_empty() && !clean(name).is_empty();
        is_nameless.then(|| {
            format!(
                "column {} of the file has no name in the header and is loaded as `{name}`, by its \
                 place; {} names it",
                origin + 1,
                input.naming()
            )
        })
    });
    named.collect()
}

/// The table's columns, to be found by name.
pub(super) fn columns(existing: &[CatalogColumn]) -> Columns {
    Columns::new(existing.iter().map(|column| column.name.as_str()))
}

/// The file's header for a column of the output; its own name where a plugin makes the column.
pub(super) fn header<'a>(input: &'a PlanInput<'_>, chain: &'a ChainPlan, place: usize) -> &'a str {
    match chain.origin(place) {
        Some(origin) => &input.header.names[origin],
        None => chain.output.field(place).name(),
    }
}

fn landed(
    input: &PlanInput<'_>,
    existing: &[CatalogColumn],
    found: &Found,
    name: &str,
) -> Result<String> {
    match found {
        Found::At(place) | Found::AsGlue(place) => Ok(existing[*place].name.clone()),
        Found::Nowhere => Ok(name.to_owned()),
        Found::Several(places) => {
            let alike = places.iter().map(|place| format!("`{}`", existing[*place].name));
            let fact = format!(
                "the column `{name}` of the file may mean {} of {}; spell it as the table does, in \
                 the header or with {}",
                alike.collect::<Vec<_>>().join(" or "),
                input.target,
                input.naming()
            );
            Err(Error::new(Kind::SchemaConflict, fact))
        }
    }
}

/// The columns that the merge keys mean, in the target. A key is spelt as the table or the file
/// spells it: `order_id`, `Order ID` and `order id` may all be one column.
///
/// Errors: `Config` for a key that is no column, or that two keys mean.
pub(super) fn keys(keys: &[String], names: &[String], output: &Schema) -> Result<Vec<String>> {
    let mut found: Vec<String> = Vec::with_capacity(keys.len());
    for (key, place) in keys.iter().zip(places_of_keys(keys, names, output)) {
        let Some(name) = place.and_then(|place| names.get(place)) else {
            let fact = format!(
                "--upsert-keys names `{key}`, which is no column of the transformed file; it has: \
                 {}",
                some_of(names)
            );
            return Err(Error::new(Kind::Config, fact));
        };
        if found.contains(name) {
            let fact = format!("--upsert-keys names the column `{name}` twice, once as `{key}`");
            return Err(Error::new(Kind::Config, fact));
        }
        found.push(name.clone());
    }
    Ok(found)
}

/// The column of the output that each key means, if one is meant. `names`: those of the target.
pub(super) fn places_of_keys(
    keys: &[String],
    names: &[String],
    output: &Schema,
) -> Vec<Option<usize>> {
    let here = Columns::new(names.iter().map(String::as_str));
    let there = Columns::new(output.fields().iter().map(|field| field.name().as_str()));
    let place = |key: &String| here.find(key, key).place().or_else(|| there.find(key, key).place());
    keys.iter().map(place).collect()
}

/// The columns' names, with ASCII letters in lower case. For example, `OrderId` becomes `orderid`,
/// so a file with both `OrderId` and `orderid` is refused. Redshift leaves other letters as they
/// are: `Änderung` stays `Änderung`, and `änderung` is another column.
///
/// Errors: `Data`, with every column that cannot have its name.
fn folded(input: &PlanInput<'_>, chain: &ChainPlan) -> Result<Vec<String>> {
    let fields = chain.output.fields().iter();
    let folded: Vec<String> = fields.map(|field| field.name().to_ascii_lowercase()).collect();
    let called = |place: usize| match chain.origin(place) {
        Some(origin) => called(&input.header.names[origin], origin),
        None => format!("the column {} of the plugins", place + 1),
    };
    let ours = Reserved { name: ROW_COLUMN, owner: "one that the loader keeps for itself" };
    let facts = refused(&folded, called, &[ours]);
    if facts.is_empty() {
        return Ok(folded);
    }
    let by_plugin = match input.plugins {
        [] => "",
        _ => " or, where a plugin has named them, in its config",
    };
    let (facts, naming) = (facts.join("; "), input.naming());
    let fact = format!(
        "{facts}; name the columns with {naming}{by_plugin}, or correct the header in the file"
    );
    Err(Error::new(Kind::Data, fact))
}
