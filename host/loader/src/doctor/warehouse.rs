//! The way to the database: whether the Data API answers, who the user is there, and whether a
//! session keeps what a load puts into it.

use std::collections::BTreeMap;

use loader_aws::data_api::requests::{Mode, Place, Request};
use loader_aws::data_api::{Compute, Outcome};
use loader_model::error::Kind;
use loader_warehouse::checkup::{connection, rights};
use loader_warehouse::refusal::{self, Refusal};

use super::database;
use super::finding::{Ailment, Probed, Remedy, Verdict};
use super::findings::Findings;
use super::patient::Patient;
use crate::cli::Part;

pub(super) use loader_warehouse::checkup::connection::Connection;

const PART: Part = Part::Warehouse;

/// Examines the way to the database. `None`: there is none, so nothing in it can be examined.
// The connection is asked for in any case, as most parts need it.
pub(super) async fn examine(patient: &Patient, findings: &mut Findings<'_>) -> Option<Connection> {
    let connection = findings.find(PART, "data api", connected(patient)).await?;
    if findings.wants(PART) {
        findings.probe(PART, "sessions", kept_in_session(patient, &connection)).await;
        findings.probe(PART, "waiting looks", waited(patient)).await;
        database::examine(patient, findings).await;
    }
    Some(connection)
}

async fn connected(patient: &Patient) -> Result<(Connection, Verdict), Ailment> {
    let doing = "asking for the version of the warehouse";
    let asked = patient.first::<Connection>(doing, &connection::query()).await;
    let connection = asked.map_err(|error| {
        let remedy = match error.kind() {
            Kind::Config => way_in(patient),
            _ => format!("check the network and the Region ({})", patient.store.own_region()),
        };
        Ailment { error, remedy }
    })?;
    let rank = if connection.superuser { ", a superuser" } else { "" };
    let seen = format!(
        "database {} as user {}{rank}: {}",
        patient.checkup.warehouse.database.name,
        connection.user,
        version(&connection.version)
    );
    Ok((connection, Verdict::passed(seen)))
}

/// What a wrong address or a missing permission may be.
fn way_in(patient: &Patient) -> String {
    let database = &patient.checkup.warehouse.database;
    let (flag, action) = match (&database.compute, &database.secret_arn) {
        (Compute::Workgroup(_), Some(_)) => ("--workgroup-name", "secretsmanager:GetSecretValue"),
        (Compute::Workgroup(_), None) => ("--workgroup-name", "redshift-serverless:GetCredentials"),
        (Compute::Cluster { .. }, Some(_)) => {
            ("--cluster-identifier", "secretsmanager:GetSecretValue")
        }
        (Compute::Cluster { db_user: Some(_), .. }, None) => {
            ("--cluster-identifier and --db-user", "redshift:GetClusterCredentials")
        }
        (Compute::Cluster { db_user: None, .. }, None) => {
            ("--cluster-identifier", "redshift:GetClusterCredentialsWithIAM")
        }
    };
    format!(
        "check {flag}, --database and --region, and allow redshift-data:ExecuteStatement and \
         {action} (docs/permissions.md)"
    )
}

/// The part of a version that tells warehouses apart: `Redshift 1.0.12345`, where there is one.
fn version(whole: &str) -> &str {
    whole
        .find("Redshift ")
        .map_or_else(|| whole.split(" on ").next().unwrap_or(whole), |at| &whole[at..])
}

/// A temporary table that one request makes and the next one finds.
async fn kept_in_session(patient: &Patient, connection: &Connection) -> Probed {
    let session = opened(patient, connection).await?;
    let sql = "SELECT COUNT(*) AS n FROM loader_doctor_kept";
    match patient.api.within_session(&session).execute(sql).await? {
        Outcome::Finished(_) => {
            Ok(Verdict::passed("a session keeps its temporary table from one request to the next"))
        }
        Outcome::Failed(failure) => match failure.refusal {
            Refusal::Missing(_) => Err(without_sessions("a session lost its temporary table")),
            _ => Err(refusal::explain("reading a temporary table in its session", &failure).into()),
        },
    }
}

/// Opens a session with a temporary table, and returns its id.
async fn opened(patient: &Patient, connection: &Connection) -> Result<String, Ailment> {
    let sql = "CREATE TEMP TABLE loader_doctor_kept (n INTEGER)";
    match patient.api.opening_session().execute(sql).await? {
        Outcome::Finished(executed) => {
            let fact = "the Data API opened no session";
            executed.session_id.ok_or_else(|| without_sessions(fact))
        }
        Outcome::Failed(failure) => {
            let database = &patient.checkup.warehouse.database.name;
            let grant = rights::grant_on_database("TEMP", database, &connection.user);
            Err(refusal::explain("making a temporary table", &failure)).or_do(grant)
        }
    }
}

fn without_sessions(fact: &str) -> Ailment {
    Ailment::new(
        Kind::Config,
        fact,
        "a load over --split-load-above needs a session; set that above the size of all files",
    )
}

/// Whether DescribeStatement waits for the end of a statement.
async fn waited(patient: &Patient) -> Probed {
    let requests = patient.api.requests();
    let statements = ["SELECT 1 AS one".to_owned()];
    let (parameters, place) = (&BTreeMap::new(), Place::default());
    let request = Request { statements: &statements, mode: Mode::Execute, parameters, place };
    let submitted = requests.submit(&request).await?;
    Ok(match requests.look_and_wait(&submitted.id, 1).await {
        Ok(()) => Verdict::told("DescribeStatement takes WaitTimeSeconds, so few looks are needed"),
        Err(error) => Verdict::told(format!(
            "DescribeStatement takes no WaitTimeSeconds ({error}); the loader looks every few \
             seconds instead"
        )),
    })
}
