//! Files that failed for a reason that lasts. They are not tried again until the file, its table or
//! its settings have changed, or somebody says so (`loader retry`).
//!
//! What is remembered of such a file is an object of its own, `data/held/<name>.json`. Where it is
//! missing, the file is tried again, which is never wrong.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use loader_aws::data_api::DataApi;
use loader_model::error::{Context, Kind, Result};
use loader_model::names::{S3Uri, TableName, hex, utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::backlog::pending::{Backlog, PendingFile};
use crate::backlog::place::Place;
use crate::redshift::catalog;
use crate::report::Report;
use crate::settings::Settings;
use crate::settings::plugin_entry::Digest;
use crate::words::quoted;

const HELD: &str = "data/held/";
const ENDING: &str = ".json";
/// After it a file is tried again in any case.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// The largest such object that is read.
const MAX_BYTES: usize = 1 << 20;

/// What is remembered of a file that failed.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) table: String,
    pub(crate) run_id: String,
    pub(crate) failed_at: String,
    pub(crate) exit_code: u8,
    pub(crate) error: String,
    etag: String,
    /// Digests of the table's settings and of its columns.
    settings: String,
    columns: String,
}

/// What is remembered of the files of a backlog, by their names.
pub(crate) type HeldFiles = BTreeMap<String, Held>;

/// Reads what is remembered of files that are pending. What cannot be read is not remembered.
pub(crate) async fn read_all(place: &Place, backlog: &Backlog) -> Result<HeldFiles> {
    let listed: BTreeSet<String> = place.store.list(&place.at(HELD)).await?.into_iter().collect();
    let pending = backlog.queues.iter().flat_map(|queue| &queue.files);
    let pending = pending.filter(|file| listed.contains(&key(&file.name)));
    let pending: Vec<&PendingFile> = pending.collect();
    let mut held = HeldFiles::new();
    for file in pending {
        let content = place.store.read_whole(&uri(place, &file.name), MAX_BYTES).await?;
        let read = content.and_then(|content| serde_json::from_slice(&content).ok());
        if let Some(read) = read {
            held.insert(file.name.clone(), read);
        }
    }
    Ok(held)
}

/// Whether a way to fail lasts: the same file into the same table with the same settings will fail
/// again. (A file that was refused for what is in it is no longer in `data/in/`.)
pub(crate) fn lasts(report: &Report) -> bool {
    let codes = [Kind::Config, Kind::SchemaConflict].map(Kind::exit_code);
    codes.contains(&report.exit_code) && report.source.etag.is_some()
}

impl Held {
    /// What makes the file be tried again.
    pub(crate) fn advice(name: &str) -> String {
        format!(
            "it is tried again when the file, its table or its settings change, after a day, or by \
             `loader retry {}`",
            quoted(name)
        )
    }

    /// Whether nothing has changed since the file failed, as far as that can be told without the
    /// warehouse. Not everything can be told (a permission that is given since, for example), so a
    /// file is tried again after a day.
    pub(crate) fn is_of(&self, file: &PendingFile, settings: &str) -> bool {
        let is_same = self.etag == bare(&file.etag) && self.settings == settings;
        is_same && self.is_of_this_day()
    }

    fn is_of_this_day(&self) -> bool {
        let failed_at = self.failed_at.parse::<jiff::Timestamp>();
        failed_at.is_ok_and(|at| jiff::Timestamp::now().duration_since(at) < DAY)
    }

    /// Whether the table is the one that the file failed at.
    pub(crate) fn is_for(&self, columns: &str) -> bool {
        self.columns == columns
    }
}

/// Remembers a file that failed. An error is only logged: the file is tried again then.
pub(crate) async fn remember(
    place: &Place,
    file: &PendingFile,
    table: &TableName,
    settings: &str,
    report: &Report,
) {
    let written = async {
        let held = Held {
            table: table.to_string(),
            run_id: report.run_id.clone(),
            failed_at: utc(jiff::Timestamp::now(), "%Y-%m-%dT%H:%M:%SZ"),
            exit_code: report.exit_code,
            error: report.error.clone().unwrap_or_default(),
            // Of what was read, which may have come after the list.
            etag: bare(report.source.etag.as_ref().unwrap_or(&file.etag)),
            settings: settings.to_owned(),
            columns: columns_of(&place.api, table).await?,
        };
        let content = serde_json::to_vec_pretty(&held);
        let content = content.context(Kind::Internal, "a held file is no JSON")?;
        place.store.to_the_end().write(&uri(place, &file.name), content).await
    };
    if let Err(error) = written.await {
        tracing::warn!(%error, "that the file failed could not be written down; it is tried again");
    }
}

/// Forgets a file that is loaded or taken away. An error is only logged.
pub(crate) async fn forget(place: &Place, name: &str) {
    if let Err(error) = place.store.to_the_end().delete(&uri(place, name)).await {
        tracing::warn!(%error, "what was remembered of the file was left behind");
    }
}

/// A digest of the table's columns as they are now.
pub(crate) async fn columns_of(api: &DataApi, table: &TableName) -> Result<String> {
    let state = catalog::read_table(api, table).await?;
    Ok(digest(format!("{:?}", state.map(|state| state.columns)).as_bytes()))
}

/// A digest of everything that decides how a table's files are read and loaded, with the files of
/// its plugins and the version of the program.
pub(crate) fn settings_of(settings: &Settings, table: &TableName) -> Result<String> {
    let entries = settings.entries_of(table).into_iter().map(|(_, entry)| entry.of_its_files());
    let entries = serde_json::to_string(&entries.collect::<Vec<_>>());
    let entries = entries.context(Kind::Internal, "settings are no JSON")?;
    let plugins = settings.chain(Some(table)).plugins.unwrap_or_default();
    let plugins = plugins.iter().filter_map(|plugin| std::fs::read(&plugin.path).ok());
    let plugins: Vec<String> = plugins.map(|bytes| Digest::of(&bytes).to_string()).collect();
    let config = settings.plugin_config.as_ref().and_then(|path| std::fs::read(path).ok());
    let config = config.map(|bytes| digest(&bytes));
    let column = settings.column.clone();
    let settings = Settings {
        job_id: None,
        job_name: None,
        local: None,
        plugin_config: None,
        plugin_cache: None,
        source_file_name: None,
        hooks: None,
        queue_url: None,
        look_every: None,
        ledger_days: None,
        lambda_largest_file: None,
        lambda_too_large_queue_url: None,
        http: None,
        workers: None,
        engine: None,
        split_bytes: None,
        parallel: None,
        file_order: None,
        on_refusal: None,
        progress: None,
        report: None,
        tables: None,
        profiles: None,
        ..settings.clone()
    };
    let said = serde_json::to_string(&settings).context(Kind::Internal, "settings are no JSON")?;
    let version = env!("CARGO_PKG_VERSION");
    Ok(digest(format!("{version} {said} {column:?} {config:?} {entries} {plugins:?}").as_bytes()))
}

/// An ETag without its quotes, as reports have it.
fn bare(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}

fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn uri(place: &Place, name: &str) -> S3Uri {
    place.at(key(name))
}

fn key(name: &str) -> String {
    format!("{HELD}{name}{ENDING}")
}
