//! Whether the catalog spells types as loads expect it.

use loader_model::error::Kind;
use loader_warehouse::checkup::spelling::{self, Spelt, TYPES};

use super::finding::{Ailment, Probed, Verdict};
use super::findings::Findings;
use super::patient::Patient;
use super::scratch::Scratch;
use crate::cli::Part;

/// Asks for the spelling of every type.
pub(super) async fn examine(patient: &Patient, scratch: &Scratch, findings: &mut Findings<'_>) {
    findings.probe(Part::Loads, "names of types", names(patient, scratch)).await;
}

async fn names(patient: &Patient, scratch: &Scratch) -> Probed {
    let table = scratch.table("names_of_types");
    patient.execute("making a table with every type", &spelling::create_table(&table)).await?;
    let query = spelling::query(&table);
    let spelt: Vec<Spelt> = patient.rows("reading its types", &query).await?.decode()?;
    let others: Vec<String> = TYPES
        .iter()
        .enumerate()
        .map(|(place, column_type)| (column_type, spelt.get(place)))
        .filter(|(column_type, spelt)| !spelling::is_known(column_type, *spelt))
        .map(|(column_type, spelt)| format!("{column_type} as {:?}", shown(spelt)))
        .collect();
    match others.is_empty() {
        true => Ok(Verdict::passed("the catalog spells each type as a load expects it")),
        false => Err(Ailment::new(
            Kind::Internal,
            format!(
                "the catalog spells {}, and a load does not know them again in a column that it \
                 made, added or widened",
                others.join(", ")
            ),
            "report it to the project, with the file of --save; columns that are there before a \
             load, and stay as they are, are not concerned",
        )),
    }
}

fn shown(spelt: Option<&Spelt>) -> &str {
    spelt.map_or("", |spelt| &spelt.0)
}
