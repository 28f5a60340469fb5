//! `loader retry` takes up what killed and failed runs left. It brings back views that they left
//! dropped. With `--source-file-name` it then loads that file once more, also when an earlier run
//! put the file aside below `data/unprocessed/`.

use loader_aws::connect as aws;
use loader_aws::data_api::DataApi;
use loader_aws::s3::Store;
use loader_aws::stop::Stop;
use loader_model::choices::ReportFormat;
use loader_model::error::{Error, Kind, Result};
use loader_model::names::S3Uri;
use serde_json::{Value, json};

use crate::cli::RunArgs;
use crate::commands::{fail, print, run};
use crate::job::{self, Job, WarehouseSettings};
use crate::layout::Layout;
use crate::redshift::journals::{self, RecoverScope, Recovered};
use crate::report::log::RunLog;
use crate::settings::Settings;

/// Recovers, then loads. Prints the report of the load; without `--source-file-name` it prints what
/// was recovered instead.
pub async fn run(args: RunArgs, stop: Stop, log: &RunLog) -> u8 {
    match retry(args, stop, log).await {
        Ok(exit_code) => exit_code,
        Err(error) => fail(&error),
    }
}

async fn retry(args: RunArgs, stop: Stop, log: &RunLog) -> Result<u8> {
    let settings = job::settings(args)?;
    let format = job::report_format(&settings);
    if settings.source_file_name.is_none() {
        return only_recover(&settings, format, &stop).await.map(|()| 0);
    }
    // The job is decided first, so that a mistake in its settings ends the command before a view is
    // made or a file is moved.
    let job = Job::decide(settings.clone())?;
    recover_and_return(&settings, &job, &stop).await?;
    let report = run::load_job(job, stop, log).await;
    Ok(run::show(&report, format))
}

async fn only_recover(settings: &Settings, format: ReportFormat, stop: &Stop) -> Result<()> {
    let (_, recovered) = recover(settings, stop).await?;
    print(&render(&recovered, format));
    match recovered.into_iter().find_map(|one| one.failure.map(|failure| (one.journal, failure))) {
        None => Ok(()),
        Some((journal, failure)) => {
            let fact =
                format!("not all views could be brought back; {journal} has their definitions");
            Err(Error::new(failure.kind(), fact).caused_by(failure))
        }
    }
}

/// Recovers views, and moves the file back to `data/in/`. A view that cannot come back is in the
/// log and does not stop the load, which does not read views.
async fn recover_and_return(settings: &Settings, job: &Job, stop: &Stop) -> Result<()> {
    let (store, _) = recover(settings, stop).await?;
    if let Some(from) = bring_back(&store, &job.layout).await? {
        tracing::info!(from = %from, "the file was brought back to data/in/");
    }
    Ok(())
}

async fn recover(settings: &Settings, stop: &Stop) -> Result<(Store, Vec<Recovered>)> {
    let warehouse = WarehouseSettings::decide_for_queries(settings.clone())?;
    let bucket =
        settings.src_bucket.as_deref().filter(|bucket| !bucket.is_empty()).ok_or_else(|| {
            Error::new(
                Kind::Config,
                "--src-bucket is missing; the journals of killed runs are in it",
            )
        })?;
    let aws = aws::connect(&warehouse.access).await?;
    let store = Store::new(&aws);
    let api = DataApi::new(&aws, &warehouse.database, "loader retry", stop.clone());
    let recovered = journals::recover(&store, &api, bucket, RecoverScope::All).await?;
    Ok((store, recovered))
}

/// Moves the file back from `data/unprocessed/`, and returns where it was. When several runs have
/// put a file of this name aside, the last one counts.
///
/// A file that has come to `data/in/` since then is newer, so it stays and nothing is moved. (For
/// example, the producer has already sent a corrected `orders.csv`.)
async fn bring_back(store: &Store, layout: &Layout) -> Result<Option<S3Uri>> {
    let source = layout.source();
    if store.head(&source).await?.is_some() {
        return Ok(None);
    }
    let aside = store.list_objects(&layout.unprocessed_prefix()).await?;
    let ours = aside.into_iter().filter(|object| layout.was_put_aside_as(&object.uri));
    let Some(last) = ours.max_by_key(|object| object.last_modified) else { return Ok(None) };
    // The listing has no size, which the move needs. The object may also be gone by now.
    let Some(info) = store.head(&last.uri).await? else { return Ok(None) };
    store.move_object(&last.uri, &info, &source).await?;
    Ok(Some(last.uri))
}

fn render(recovered: &[Recovered], format: ReportFormat) -> String {
    match format {
        ReportFormat::Json => {
            let list: Vec<Value> = recovered.iter().map(as_json).collect();
            format!("{:#}\n", json!({ "recovered": list }))
        }
        ReportFormat::Human if recovered.is_empty() => "nothing was left behind\n".to_owned(),
        ReportFormat::Human => recovered.iter().map(human).collect(),
    }
}

fn as_json(one: &Recovered) -> Value {
    json!({
        "journal": one.journal.to_string(),
        "run_id": one.run_id,
        "views": view_names(one),
        "failure": one.failure.as_ref().map(ToString::to_string),
    })
}

fn human(one: &Recovered) -> String {
    let views = view_names(one);
    let what = match &one.failure {
        Some(failure) => format!("not restored: {failure}"),
        None if views.is_empty() => "no view was missing".to_owned(),
        None => format!("restored {}", views.join(", ")),
    };
    format!("run {}: {what}\n", one.run_id)
}

fn view_names(one: &Recovered) -> Vec<String> {
    one.views.iter().map(ToString::to_string).collect()
}
