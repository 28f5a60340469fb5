//! `loader doctor`: proves on the user's own account what a load rests on, with the user's own
//! settings, and leaves nothing behind.
//!
//! In: the decided [`Checkup`]. Out: an [`Examination`]: one finding for each question. This file
//! says in which order questions are asked, and which are pointless after which failure; each file
//! below it has the questions about one part.

mod answers;

mod bucket;

mod cleanup;

mod database;

pub mod finding;

mod findings;

mod foreign_writer;

mod loads;

mod patient;

mod refusals;

mod rights;

mod scene;

mod scratch;

mod spelling;

mod trial_load;

mod types;

mod warehouse;

pub mod paper;

pub mod saved;

use std::time::Instant;

use loader_aws::connect;
use loader_aws::stop::Stop;
use loader_model::error::{Error, Kind};
use serde::Serialize;

use crate::cli::Part;
use crate::job::checkup::Checkup;
use finding::{Finding, Outcome};
use findings::Findings;
use patient::Patient;
use scene::Scene;
use scratch::Scratch;
use warehouse::Connection;

/// Why everything after it is skipped.
const NO_CONNECTION: &str = "the Data API did not answer";

/// All that was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Examination {
    /// The version of this program.
    pub loader: &'static str,
    /// The warehouse's own version, once it was asked.
    pub warehouse: Option<String>,
    /// The database user, whose name a saved examination must not have.
    #[serde(skip)]
    pub user: Option<String>,
    pub exit_code: u8,
    /// Why nothing could be examined.
    pub error: Option<String>,
    pub seconds: f64,
    pub findings: Vec<Finding>,
}

/// What the user wants of an examination.
pub struct Wishes<'a> {
    /// The parts to examine; empty for all.
    pub only: &'a [Part],
    /// An empty schema to work in.
    pub scratch_schema: Option<&'a str>,
}

impl Examination {
    /// An examination that could not begin.
    pub fn refused(error: &Error) -> Examination {
        Examination {
            loader: env!("CARGO_PKG_VERSION"),
            exit_code: error.kind().exit_code(),
            error: Some(error.to_string()),
            ..Examination::default()
        }
    }

    /// How many probes ended so.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.findings.iter().filter(|finding| finding.outcome == outcome).count()
    }
}

/// Asks everything. `show` gets each finding as it comes.
pub async fn examine(
    checkup: Checkup,
    wishes: &Wishes<'_>,
    stop: Stop,
    show: &mut dyn FnMut(&Finding),
) -> Examination {
    let started = Instant::now();
    let aws = match connect::connect(&checkup.warehouse.access).await {
        Ok(aws) => aws,
        Err(error) => return Examination::refused(&error),
    };
    let patient = Patient::new(checkup, aws, stop.clone());
    let mut findings = Findings::new(wishes.only, stop.clone(), show);
    let connection = rounds(&patient, wishes, &mut findings).await;
    let findings = findings.into_list();
    Examination {
        loader: env!("CARGO_PKG_VERSION"),
        exit_code: exit_code(&stop, &findings),
        error: None,
        seconds: started.elapsed().as_secs_f64(),
        findings,
        warehouse: connection.as_ref().map(|connection| connection.version.clone()),
        user: connection.map(|connection| connection.user),
    }
}

/// That of the signal, or else of the first failure.
fn exit_code(stop: &Stop, findings: &[Finding]) -> u8 {
    let stopped = stop.check().err().map(|error| error.kind());
    let failed = findings.iter().find_map(|finding| finding.kind);
    stopped.or(failed).map_or(0, Kind::exit_code)
}

/// The order of the questions.
// What is made is removed at the end, also after a signal: probes end early then, and none begins.
async fn rounds(
    patient: &Patient,
    wishes: &Wishes<'_>,
    findings: &mut Findings<'_>,
) -> Option<Connection> {
    let bucket_works = bucket::examine(patient, findings).await;
    let connection = warehouse::examine(patient, findings).await;
    let mut scratch = None;
    if let Some(connection) = &connection {
        if findings.wants(Part::Rights) {
            rights::examine(patient, connection, findings).await;
        }
        let scene = Scene { patient, connection, bucket_works };
        scratch = try_out(&scene, wishes.scratch_schema, findings).await;
    } else {
        let parts = [Part::Rights, Part::Loads, Part::Refusals, Part::Answers];
        parts.iter().for_each(|part| findings.skip(*part, "all", NO_CONNECTION));
    }
    cleanup::last(patient, connection.is_some(), scratch.as_ref(), findings).await;
    connection
}

/// Everything that needs a schema to work in. Returns that schema.
async fn try_out(
    scene: &Scene<'_>,
    given: Option<&str>,
    findings: &mut Findings<'_>,
) -> Option<Scratch> {
    let parts = [Part::Loads, Part::Refusals, Part::Answers];
    if !parts.iter().any(|part| findings.wants(*part)) {
        return None;
    }
    let Some(scratch) = scratch::open(scene, given, findings).await else {
        let why = "there is no schema to work in";
        parts.iter().for_each(|part| findings.skip(*part, "all", why));
        return None;
    };
    if findings.wants(Part::Loads) {
        spelling::examine(scene.patient, &scratch, findings).await;
        loads::examine(scene, &scratch, findings).await;
    }
    if findings.wants(Part::Refusals) {
        refusals::examine(scene, &scratch, findings).await;
    }
    if findings.wants(Part::Answers) {
        answers::examine(scene, &scratch, findings).await;
    }
    Some(scratch)
}
