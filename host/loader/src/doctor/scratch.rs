//! The schema that loads are tried in: one that is made for the examination, or an empty one that
//! the user names.

use loader_model::error::{Kind, Result};
use loader_model::names::TableName;
use loader_warehouse::checkup::rights;
use loader_warehouse::checkup::scratch::{self, Relation, SchemaExists};

use super::finding::{Ailment, Remedy, Verdict};
use super::findings::Findings;
use super::patient::Patient;
use super::scene::Scene;
use crate::cli::Part;

/// How often a schema is emptied: a view may be found that a dropped table has taken with it.
const MAX_ROUNDS: usize = 3;

/// A schema to work in.
pub(super) struct Scratch {
    pub(super) schema: String,
    /// Whether the user has named it, so that it stays.
    pub(super) is_given: bool,
}

/// Makes the schema, or takes the one that is named. `None`: there is none.
pub(super) async fn open(
    scene: &Scene<'_>,
    given: Option<&str>,
    findings: &mut Findings<'_>,
) -> Option<Scratch> {
    let opened = async {
        match given {
            Some(schema) => taken(scene.patient, schema).await,
            None => made(scene).await,
        }
    };
    findings.find(Part::Loads, "schema to work in", opened).await
}

async fn made(scene: &Scene<'_>) -> Result<(Scratch, Verdict), Ailment> {
    let (patient, user) = (scene.patient, &scene.connection.user);
    let schema = patient.name.clone();
    let database = &patient.checkup.warehouse.database.name;
    let remedy = format!(
        "{}; or name an empty schema of the user's own with --scratch-schema",
        rights::grant_on_database("CREATE", database, user)
    );
    let made = patient.execute("making a schema", &scratch::create_schema(&schema)).await;
    made.or_do(remedy)?;
    let seen = format!("{schema} is made, and dropped at the end");
    Ok((Scratch { schema, is_given: false }, Verdict::passed(seen)))
}

async fn taken(patient: &Patient, given: &str) -> Result<(Scratch, Verdict), Ailment> {
    // The name as Redshift folds it.
    let schema = TableName::new(given, "t")?.schema;
    let doing = "looking for the schema to work in";
    let SchemaExists(is_there) = patient.first(doing, &scratch::schema_query(&schema)).await?;
    if !is_there {
        let make = scratch::create_schema(&schema);
        return Err(Ailment::new(Kind::Config, format!("there is no schema {schema}"), make));
    }
    let relations = relations(patient, &schema).await?;
    if let Some(relation) = relations.first() {
        return Err(Ailment::new(
            Kind::Config,
            format!("{schema} is not empty: it has {}", relation.name.table),
            "name an empty schema with --scratch-schema; all that is in it would be dropped",
        ));
    }
    let seen = format!("{schema} is empty, and is again at the end");
    Ok((Scratch { schema, is_given: true }, Verdict::passed(seen)))
}

async fn relations(patient: &Patient, schema: &str) -> Result<Vec<Relation>> {
    let doing = "looking for tables in the schema to work in";
    patient.rows(doing, &scratch::relations_query(schema)).await?.decode()
}

impl Scratch {
    /// A table's name in the schema.
    pub(super) fn table(&self, name: &str) -> TableName {
        TableName { schema: self.schema.clone(), table: name.to_owned() }
    }

    /// Drops all that is in the schema.
    pub(super) async fn empty(&self, patient: &Patient) -> Result<()> {
        for _ in 0..MAX_ROUNDS {
            let drops = scratch::drop_relations(&relations(patient, &self.schema).await?);
            if drops.is_empty() {
                return Ok(());
            }
            for drop in drops {
                patient.execute("emptying the schema to work in", &drop).await?;
            }
        }
        Ok(())
    }
}
