//! What the database user may do in the schema, with the tables that loads keep there, and with the
//! target. Each right is tried in a transaction that never commits.

use loader_aws::data_api::Outcome;
use loader_model::choices::{SchemaPolicy, Strategy};
use loader_model::error::{Error, Kind};
use loader_model::names::TableName;
use loader_warehouse::catalog::TableState;
use loader_warehouse::checkup::rights::{self, Kept, MayAlter, Owners, Right, Trialled, Writer};
use loader_warehouse::checkup::scratch::{self, SchemaExists};
use loader_warehouse::refusal::{self, Refusal};

use super::finding::{Ailment, Probed, Remedy, Verdict};
use super::findings::Findings;
use super::patient::Patient;
use super::warehouse::Connection;
use crate::cli::Part;
use crate::redshift::catalog;

const PART: Part = Part::Rights;

/// How a trial ended.
enum Trial {
    Allowed,
    /// There is no such table.
    Missing,
    Refused(Error),
    /// Another program holds a lock.
    Busy,
}

/// Examines the schema and, when a target is named, the target.
pub(super) async fn examine(
    patient: &Patient,
    connection: &Connection,
    findings: &mut Findings<'_>,
) {
    let trials = Trials { patient, user: &connection.user, is_superuser: connection.superuser };
    if !findings.probe(PART, "schema", trials.schema()).await {
        findings.skip(PART, "all tables", "the schema cannot be used");
        return;
    }
    findings.probe(PART, "new tables", trials.new_tables()).await;
    let evolves = patient.checkup.schema_policy == SchemaPolicy::Evolve;
    let mut kept = rights::shared(&patient.checkup.schema, evolves);
    kept.extend(patient.checkup.target.as_ref().map(rights::fence));
    for table in &kept {
        findings.probe(PART, &table.table.table, trials.kept(table)).await;
    }
    findings.probe(PART, "who else writes", trials.writers(&kept)).await;
    match &patient.checkup.target {
        Some(target) => trials.target(target, findings).await,
        None => findings.skip(PART, "target", "no --target-table is named"),
    }
}

/// The trials of one user.
struct Trials<'a> {
    patient: &'a Patient,
    user: &'a str,
    is_superuser: bool,
}

impl Trials<'_> {
    async fn trial(&self, doing: &str, statements: Vec<String>) -> Result<Trial, Ailment> {
        let trial = rights::trial(statements);
        Ok(match self.patient.api.execute_batch(&trial).await? {
            // The last statement divides by zero.
            Outcome::Finished(_) => Trial::Allowed,
            Outcome::Failed(failure) => match failure.refusal {
                Refusal::Guard => Trial::Allowed,
                Refusal::Missing(_) => Trial::Missing,
                Refusal::Cancelled | Refusal::Conflict => Trial::Busy,
                _ => Trial::Refused(refusal::explain(doing, &failure)),
            },
        })
    }

    async fn schema(&self) -> Probed {
        let schema = &self.patient.checkup.schema;
        let doing = "looking for the schema";
        let SchemaExists(is_there) =
            self.patient.first(doing, &scratch::schema_query(schema)).await?;
        if !is_there {
            return Err(Ailment::new(
                Kind::Config,
                format!("there is no schema {schema}"),
                format!("check --schema-name, or make it: {}", scratch::create_schema(schema)),
            ));
        }
        let missing = self.patient.table_in(schema);
        match self.trial("looking into the schema", vec![rights::look_into(&missing)]).await? {
            Trial::Refused(error) => {
                Err(error).or_do(rights::grant_on_schema("USAGE", schema, self.user))
            }
            Trial::Allowed | Trial::Missing => Ok(Verdict::passed("the user may use it")),
            Trial::Busy => Ok(busy()),
        }
    }

    async fn new_tables(&self) -> Probed {
        let schema = &self.patient.checkup.schema;
        let make = rights::make(&self.patient.table_in(schema));
        match self.trial("making a table", vec![make]).await? {
            Trial::Refused(error) => {
                Err(error).or_do(rights::grant_on_schema("CREATE", schema, self.user))
            }
            Trial::Allowed | Trial::Missing => {
                Ok(Verdict::passed("the user may make tables in the schema"))
            }
            Trial::Busy => Ok(busy()),
        }
    }

    /// A table that loads keep. The first load makes it where it is missing.
    async fn kept(&self, kept: &Kept) -> Probed {
        let (table, trialled) = (&kept.table, kept.trialled());
        for right in &kept.rights {
            let doing = format!("using {table}");
            match self.trial(&doing, trialled.statements(*right)).await? {
                Trial::Allowed => {}
                Trial::Missing => {
                    return Ok(Verdict::passed("it is missing, and the first load makes it"));
                }
                Trial::Busy => return Ok(busy()),
                Trial::Refused(error) => {
                    return Err(error).or_do(rights::grant(*right, table, self.user));
                }
            }
        }
        Ok(Verdict::passed("the user may use it as loads do"))
    }

    /// Who else could write what only loads should: a row in the ledger makes a file count as
    /// loaded.
    async fn writers(&self, kept: &[Kept]) -> Probed {
        let own = kept.iter().filter(|kept| !kept.is_for_others()).map(|kept| &kept.table);
        let query = rights::writers_query(&own.collect::<Vec<_>>(), self.user);
        let writers = self.patient.rows("asking who else may write", &query).await?;
        let mut writers: Vec<Writer> = writers.decode()?;
        writers.sort();
        writers.dedup();
        if writers.is_empty() {
            return Ok(Verdict::passed("only superusers, as far as the user can see"));
        }
        let writers = writers.iter().map(|writer| format!("{} ({})", writer.writer, writer.table));
        let seen = writers.collect::<Vec<_>>().join(", ");
        Ok(Verdict::told(format!(
            "{seen}; only loads should write these tables (a row in loader_loads makes a file \
             count as loaded), so REVOKE what is not meant"
        )))
    }

    async fn target(&self, target: &TableName, findings: &mut Findings<'_>) {
        let found = findings.find(PART, "target", self.columns(target)).await;
        let Some(state) = found.flatten() else { return };
        let trialled = Trialled::of_catalog(target, &state.columns);
        for (right, name, reason_to_skip) in self.rights() {
            match reason_to_skip {
                Some(why) => findings.skip(PART, name, why),
                None => {
                    findings.probe(PART, name, self.right(target, &trialled, right)).await;
                }
            }
        }
        match self.patient.checkup.schema_policy {
            SchemaPolicy::Evolve => {
                findings.probe(PART, "target: alter", self.alter(target)).await;
            }
            SchemaPolicy::Freeze | SchemaPolicy::DiscardColumns => {
                findings.skip(PART, "target: alter", "--schema-policy leaves the table as it is");
            }
        }
    }

    /// What loads do with the target, or why they do not.
    fn rights(&self) -> [(Right, &'static str, Option<&'static str>); 4] {
        let checkup = &self.patient.checkup;
        let deletes_none = (checkup.strategy == Strategy::Append)
            .then_some("rows are appended, so none is replaced");
        let updates_none = (!checkup.keeps_known)
            .then_some("only merges update rows, with --missing-columns keep, their default");
        [
            (Right::Select, "target: select", None),
            (Right::Insert, "target: insert", None),
            (Right::Delete, "target: delete", deletes_none),
            (Right::Update, "target: update", updates_none),
        ]
    }

    /// The target's columns, as a load finds them; `None`: there is no target.
    async fn columns(&self, target: &TableName) -> Result<(Option<TableState>, Verdict), Ailment> {
        let state = catalog::read_table(&self.patient.api, target).await;
        let state = state.or_do("name a table that a load can fill")?;
        let seen = match &state {
            Some(state) => format!("{target} has {} columns", state.columns.len()),
            None => format!("{target} is missing, and the first load makes it"),
        };
        Ok((state, Verdict::passed(seen)))
    }

    async fn right(&self, target: &TableName, trialled: &Trialled<'_>, right: Right) -> Probed {
        match self.trial(&format!("using {target}"), trialled.statements(right)).await? {
            Trial::Refused(error) => Err(error).or_do(rights::grant(right, target, self.user)),
            Trial::Allowed => Ok(Verdict::passed("the user may")),
            Trial::Missing => Ok(Verdict::told("the table was dropped meanwhile")),
            Trial::Busy => Ok(busy()),
        }
    }

    // Not tried: ALTER TABLE keeps every reader waiting, if only for a moment.
    async fn alter(&self, target: &TableName) -> Probed {
        let doing = "asking for the owner of the table";
        let Owners { owner, schema_owner } =
            self.patient.first(doing, &rights::owner_query(target)).await?;
        if self.is_superuser || owner == self.user || schema_owner == self.user {
            return Ok(Verdict::passed("the user owns the table, its schema, or everything"));
        }
        let MayAlter(may_alter) =
            self.patient.first(doing, &rights::alter_query(target, self.user)).await?;
        if may_alter {
            return Ok(Verdict::passed("the user has the privilege ALTER"));
        }
        Err(Ailment::new(
            Kind::Config,
            format!("{target} belongs to {owner}, so files with new columns or longer texts fail"),
            format!("{}; or load with --schema-policy freeze", rights::give(target, self.user)),
        ))
    }
}

fn busy() -> Verdict {
    Verdict::told("another program holds it at the moment; run again to see")
}
