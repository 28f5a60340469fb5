//! `loader retry` takes up what killed and failed runs left. It brings back views that they left
//! dropped, and then loads once more what failed, or the files that are named, also when an earlier
//! run put them aside below `data/unprocessed/`.

use std::collections::BTreeSet;

use loader_aws::connect as aws;
use loader_aws::data_api::DataApi;
use loader_aws::s3::Store;
use loader_aws::stop::Stop;
use loader_model::choices::ReportFormat;
use loader_model::error::{Error, Kind, Result};
use loader_warehouse::bookkeeping::DROPPED_VIEWS;
use serde_json::{Value, json};

use crate::backlog::aside::{self, TakenBack};
use crate::backlog::bring_in::name_here;
use crate::backlog::chosen::{Chosen, chosen};
use crate::backlog::doing::{Again, Doing};
use crate::backlog::place::Place;
use crate::cli::LoadArgs;
use crate::commands::{fail, print, run};
use crate::feeds::{Feeds, Owner};
use crate::job::{self, Job, Project, WarehouseSettings};
use crate::layout::IN;
use crate::old_journals;
use crate::redshift::journals::{self, RecoverScope, Recovered};
use crate::report::log::Logs;
use crate::settings::Settings;

/// Recovers, then loads. Prints the report of the loads; where there is none to do it prints what
/// was recovered instead.
pub async fn run(args: LoadArgs, stop: Stop, logs: &Logs) -> u8 {
    match Box::pin(retry(args, stop, logs)).await {
        Ok(exit_code) => exit_code,
        Err(error) => fail(&error),
    }
}

async fn retry(args: LoadArgs, stop: Stop, logs: &Logs) -> Result<u8> {
    let project = Project::read(args.run)?;
    let settings = project.settings()?;
    let format = job::report_format(&settings);
    let chosen = chosen(&project, &args.words)?;
    if args.dry_run {
        let fact = "`retry` changes things; `loader run --dry-run` says what loads would do";
        return Err(Error::new(Kind::Config, fact));
    }
    if let Some(chosen) = chosen {
        return retry_many(&project, chosen, stop, logs).await;
    }
    if settings.source_file_name.is_none() {
        return only_recover(&settings, format, &stop).await.map(|()| 0);
    }
    // The job is decided first, so that a mistake in its settings ends the command before a view is
    // made or a file is moved.
    let job = Job::decide(settings.clone())?;
    take_up(&settings, &stop).await?;
    let place = Place::connect(&project, &stop).await?;
    let (schema, name) = (&job.target.schema, job.layout.source_name());
    if let TakenBack::Succeeded(why) = aside::take_back(&place, schema, name, job.force).await? {
        return Err(Error::new(Kind::Config, why));
    }
    let report = run::load_job(job, stop, logs).await;
    Ok(run::show(&report, format))
}

/// The files that failed, or those that are named.
async fn retry_many(project: &Project, chosen: Chosen, stop: Stop, logs: &Logs) -> Result<u8> {
    let settings = project.settings()?;
    for schema in schemas(project, &settings)? {
        let settings = Settings { schema_name: Some(schema), ..settings.clone() };
        take_up(&settings, &stop).await?;
    }
    let Chosen::Files { table, files } = chosen else {
        let doing = Doing::Load(Again::Only);
        return Ok(run::many(project, chosen, doing, stop, logs).await);
    };
    let files = brought_back(project, table.as_deref(), files, &stop).await?;
    let chosen = Chosen::Files { table, files };
    Ok(run::many(project, chosen, Doing::Load(Again::Always), stop, logs).await)
}

/// The files that the words of a command line stand for, those among them that were put aside being
/// back in `data/in/`. A word with wildcards stands for every file that it fits.
async fn brought_back(
    project: &Project,
    table: Option<&str>,
    words: Vec<String>,
    stop: &Stop,
) -> Result<Vec<String>> {
    let place = Place::connect(project, stop).await?;
    let feeds = Feeds::of(project)?;
    let is_forced = project.settings()?.force.unwrap_or(false);
    let (mut files, mut left) = (Vec::new(), Vec::new());
    for word in words {
        let is_pattern = word.contains(['*', '?', '[']) && !word.contains("://");
        let names = match name_here(&place, &word)? {
            Some(_) if is_pattern => aside::fitting(&place, &word).await?,
            Some(name) => vec![name],
            None => {
                files.push(word);
                continue;
            }
        };
        for name in names {
            let table = table.or_else(|| match feeds.owner(&name) {
                Owner::Table(table) => Some(table),
                Owner::Nobody | Owner::Several(_) => None,
            });
            let schema = match table {
                Some(table) => project.target_of(table)?.schema,
                None => project.schema()?,
            };
            match aside::take_back(&place, &schema, &name, is_forced).await? {
                TakenBack::Done => {}
                // Of the files that a pattern fits, those that have none are loaded.
                TakenBack::Succeeded(why) if is_pattern => {
                    tracing::warn!("{why}");
                    left.push(why);
                    continue;
                }
                TakenBack::Succeeded(why) => return Err(Error::new(Kind::Config, why)),
            }
            // The whole key: the name itself may be that of a file of this machine.
            files.push(place.at(format!("{IN}{name}")).to_string());
        }
    }
    match left.into_iter().next().filter(|_| files.is_empty()) {
        Some(why) => Err(Error::new(Kind::Config, why)),
        None => Ok(files),
    }
}

/// The schemas of all tables of the project.
fn schemas(project: &Project, settings: &Settings) -> Result<BTreeSet<String>> {
    let of_all = settings.table_named(DROPPED_VIEWS)?.schema;
    let of_tables = project.tables().filter_map(|table| table.split_once('.'));
    let of_tables = of_tables.map(|(schema, _)| schema.to_ascii_lowercase());
    Ok(std::iter::once(of_all).chain(of_tables).collect())
}

async fn only_recover(settings: &Settings, format: ReportFormat, stop: &Stop) -> Result<()> {
    let left = take_up(settings, stop).await?;
    print(&render(&left, format));
    match left.recovered.into_iter().find_map(|one| one.failure) {
        Some(failure) => {
            let fact = "not all views could be brought back; the journal keeps the others";
            Err(Error::new(failure.kind(), fact).caused_by(failure))
        }
        None if left.notices.is_empty() => Ok(()),
        None => {
            let fact = "journals of an earlier version are in the bucket; bring back their views by \
                        hand, and delete them";
            Err(Error::new(Kind::Config, fact))
        }
    }
}

/// What was left behind.
struct Left {
    recovered: Vec<Recovered>,
    /// Journals of earlier versions, as sentences.
    notices: Vec<String>,
}

/// Brings back the views of the schema's journal. Where a bucket is named, journals of earlier
/// versions are looked for in it.
async fn take_up(settings: &Settings, stop: &Stop) -> Result<Left> {
    let warehouse = WarehouseSettings::decide_for_queries(settings.clone())?;
    let schema = settings.table_named(DROPPED_VIEWS)?.schema;
    let aws = aws::connect(&warehouse.access).await?;
    let store = Store::new(&aws, stop.clone());
    let api = DataApi::new(&aws, &warehouse.database, "loader retry", stop.clone());
    let left = journals::read_all(&api, &schema).await?;
    let wait = warehouse.lock_timeout;
    let recovered = journals::recover(&api, &left, wait, RecoverScope::All).await?;
    let notices = match settings.src_bucket.as_deref().filter(|bucket| !bucket.is_empty()) {
        Some(bucket) => old_journals::notices(&store, bucket).await,
        None => Vec::new(),
    };
    Ok(Left { recovered, notices })
}

fn render(left: &Left, format: ReportFormat) -> String {
    match format {
        ReportFormat::Json => {
            let recovered: Vec<Value> = left.recovered.iter().map(as_json).collect();
            format!("{:#}\n", json!({ "recovered": recovered, "notices": left.notices }))
        }
        ReportFormat::Human if left.recovered.is_empty() && left.notices.is_empty() => {
            "nothing was left behind\n".to_owned()
        }
        ReportFormat::Human => {
            let notices = left.notices.iter().map(|notice| format!("{notice}\n"));
            left.recovered.iter().map(human).chain(notices).collect()
        }
    }
}

fn as_json(one: &Recovered) -> Value {
    let left_by = one.left_by.as_ref();
    json!({
        "target": left_by.map(|left_by| left_by.target.to_string()),
        "run_id": left_by.map(|left_by| &left_by.run_id),
        "views": view_names(one),
        "failure": one.failure.as_ref().map(ToString::to_string),
    })
}

fn human(one: &Recovered) -> String {
    let what = match &one.failure {
        Some(failure) => format!("not restored: {failure}"),
        None => format!("restored {}", view_names(one).join(", ")),
    };
    match &one.left_by {
        Some(left_by) => format!("{}, run {}: {what}\n", left_by.target, left_by.run_id),
        None => format!("{what}\n"),
    }
}

fn view_names(one: &Recovered) -> Vec<String> {
    one.views.iter().map(ToString::to_string).collect()
}
