//! `loader retry` takes up what killed and failed runs left. It brings back views that they left
//! dropped. With `--source-file-name` it then loads that file once more, also when an earlier run
//! put the file aside below `data/unprocessed/`.

use std::collections::BTreeSet;

use loader_aws::connect as aws;
use loader_aws::data_api::DataApi;
use loader_aws::s3::Store;
use loader_aws::stop::Stop;
use loader_model::choices::ReportFormat;
use loader_model::error::{Error, Kind, Result};
use loader_warehouse::bookkeeping::DROPPED_VIEWS;
use serde_json::{Value, json};

use crate::backlog::bring_in::name_here;
use crate::backlog::chosen::{Chosen, chosen};
use crate::backlog::doing::{Again, Doing};
use crate::backlog::place::Place;
use crate::cli::LoadArgs;
use crate::commands::{fail, print, run};
use crate::job::{self, Job, Project, WarehouseSettings};
use crate::layout::{Layout, RunId};
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
    recover_and_return(&settings, &job, &stop).await?;
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
    let again = match &chosen {
        Chosen::Pending { .. } => Again::Only,
        Chosen::Files { files, .. } => {
            let place = Place::connect(project, &stop).await?;
            for word in files {
                if let Some(name) = name_here(&place, word)? {
                    let layout = Layout::new(&place.bucket, &name, "", &RunId::new());
                    bring_back(&place.store, &layout).await?;
                }
            }
            Again::Always
        }
    };
    Ok(run::many(project, chosen, Doing::Load(again), stop, logs).await)
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

/// Recovers views, and moves the file back to `data/in/`. A view that cannot come back is in the
/// log and does not stop the load, which does not read views.
async fn recover_and_return(settings: &Settings, job: &Job, stop: &Stop) -> Result<()> {
    let left = take_up(settings, stop).await?;
    bring_back(&left.store, &job.layout).await
}

/// What was left behind.
struct Left {
    store: Store,
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
    let store = Store::new(&aws);
    let api = DataApi::new(&aws, &warehouse.database, "loader retry", stop.clone());
    let left = journals::read_all(&api, &schema).await?;
    let wait = warehouse.lock_timeout;
    let recovered = journals::recover(&api, &left, wait, RecoverScope::All).await?;
    let notices = match settings.src_bucket.as_deref().filter(|bucket| !bucket.is_empty()) {
        Some(bucket) => old_journals::notices(&store, bucket).await,
        None => Vec::new(),
    };
    Ok(Left { store, recovered, notices })
}

/// Moves the file back from `data/unprocessed/`, if it is there. When several runs have put a file
/// of this name aside, the last one counts.
///
/// A file that has come to `data/in/` since then is newer, so it stays and nothing is moved. (For
/// example, the producer has already sent a corrected `orders.csv`.)
async fn bring_back(store: &Store, layout: &Layout) -> Result<()> {
    let source = layout.source();
    if store.head(&source).await?.is_some() {
        return Ok(());
    }
    let aside = store.list_objects(&layout.unprocessed_prefix()).await?;
    let ours = aside.into_iter().filter(|object| layout.was_put_aside_as(&object.uri));
    let Some(last) = ours.max_by_key(|object| object.last_modified) else { return Ok(()) };
    // The object may be gone by now.
    let Some(info) = store.head(&last.uri).await? else { return Ok(()) };
    if store.move_object(&last.uri, &info, &source).await? {
        tracing::info!(from = %last.uri, "the file was brought back to data/in/");
    }
    Ok(())
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
