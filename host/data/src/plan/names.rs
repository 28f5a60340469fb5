//! Names of the target's columns: those of an existing table are found, new ones are folded to
//! lower case as Redshift does, and refused where Redshift would refuse them. In: the chain's
//! output and the table's columns. Out: a name for each column of the output.
//!
//! Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_names.html>

use arrow::datatypes::Schema;
use loader_model::catalog_column::CatalogColumn;
use loader_model::error::{Error, Kind, Result};
use loader_model::names::TableName;
use loader_model::target_column::ROW_COLUMN;
use loader_names::{Columns, Found};
use loader_sandbox::ChainPlan;

use super::input::PlanInput;

const MAX_NAME_BYTES: usize = 127;
const SYSTEM: [&str; 9] =
    ["oid", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid", "deletexid", "insertxid"];

/// The name in the target of each column of the output: that of the table's column which it means,
/// or its own. For example, `order_id` lands in `order id` when the table has no `order_id`.
///
/// Errors: `Data` for a name that cannot be a column's, `SchemaConflict` where the table does not
/// say which column is meant.
pub(super) fn in_target(input: &PlanInput<'_>, chain: &ChainPlan) -> Result<Vec<String>> {
    let folded = folded(&chain.output)?;
    let Some(existing) = input.existing else { return Ok(folded) };
    let columns = columns(existing);
    let mut names: Vec<String> = Vec::with_capacity(folded.len());
    for (place, name) in folded.iter().enumerate() {
        let found = columns.find(name, header(input, chain, place));
        let landed = landed(input.target, existing, found, name)?;
        if let Some(other) = names.iter().position(|before| *before == landed) {
            let other = &folded[other];
            let fact = format!(
                "the columns `{other}` and `{name}` of the file both mean the column `{landed}` \
                 of {}; rename one in the header, or add a column to the table that is spelt like \
                 it",
                input.target
            );
            return Err(Error::new(Kind::SchemaConflict, fact));
        }
        names.push(landed);
    }
    Ok(names)
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
    target: &TableName,
    existing: &[CatalogColumn],
    found: Found,
    name: &str,
) -> Result<String> {
    match found {
        Found::At(place) => Ok(existing[place].name.clone()),
        Found::Nowhere => Ok(name.to_owned()),
        Found::Several(places) => {
            let alike = places.iter().map(|place| format!("`{}`", existing[*place].name));
            let fact = format!(
                "the column `{name}` of the file may mean {} of {target}; spell it in the header \
                 as the table does, or rename the others in the table",
                alike.collect::<Vec<_>>().join(" or ")
            );
            Err(Error::new(Kind::SchemaConflict, fact))
        }
    }
}

/// The first names of a list, which may have 1600 of them.
pub(super) fn some_of(names: &[impl AsRef<str>]) -> String {
    const SHOWN: usize = 20;
    let shown: Vec<&str> = names.iter().take(SHOWN).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
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
                "upsert key `{key}` is no column of the transformed file; it has: {}",
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
/// Errors: `Data`, with the name of the column.
fn folded(output: &Schema) -> Result<Vec<String>> {
    let mut folded: Vec<String> = Vec::with_capacity(output.fields().len());
    for field in output.fields() {
        let name = field.name().to_ascii_lowercase();
        if let Some(fact) = unusable(&name) {
            return Err(Error::new(Kind::Data, fact));
        }
        if folded.contains(&name) {
            let fact = format!(
                "two columns are named `{name}` (Redshift does not tell case apart); rename one in \
                 the header"
            );
            return Err(Error::new(Kind::Data, fact));
        }
        folded.push(name);
    }
    Ok(folded)
}

fn unusable(name: &str) -> Option<String> {
    if name.trim().is_empty() {
        Some(
            "a column has no name; name it in the header, or use the default plugin, which names it"
                .into(),
        )
    } else if name.len() > MAX_NAME_BYTES {
        let start: String = name.chars().take(20).collect();
        let bytes = name.len();
        Some(format!(
            "the column name `{start}…` has {bytes} bytes, Redshift takes {MAX_NAME_BYTES}; \
             shorten it in the header"
        ))
    } else if SYSTEM.contains(&name) || name == ROW_COLUMN {
        Some(format!(
            "`{name}` is a name that Redshift or loader keeps for itself; rename the column in the \
             header"
        ))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field};

    use super::*;

    fn check(names: &[&str]) -> std::result::Result<Vec<String>, String> {
        let fields: Vec<Field> =
            names.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
        folded(&Schema::new(fields)).map_err(|error| error.to_string())
    }

    #[test]
    fn names_fold_and_clashes_are_the_files_fault() {
        assert_eq!(check(&["Id", "ÄB"]), Ok(vec!["id".into(), "Äb".into()]));
        insta::assert_snapshot!(check(&["a", "A"]).unwrap_err(), @"two columns are named `a` (Redshift does not tell case apart); rename one in the header");
        insta::assert_snapshot!(check(&["ctid"]).unwrap_err(), @"`ctid` is a name that Redshift or loader keeps for itself; rename the column in the header");
        insta::assert_snapshot!(check(&[" "]).unwrap_err(), @"a column has no name; name it in the header, or use the default plugin, which names it");
    }
}
