//! What is pending, at work, held and put aside, and what can be done about it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use loader_model::error::Result;
use loader_model::names::utc;
use loader_warehouse::past_runs::{self, PastRun};
use serde_json::{Value, json};

use crate::backlog::held::{self, Held};
use crate::backlog::outcome::{address, claimed_by};
use crate::backlog::pending::{self, PendingFile};
use crate::backlog::place::Place;
use crate::commands::sql::select;
use crate::feeds::{Feeds, Owner};
use crate::job::Project;
use crate::report::indented_json;
use crate::report::paint::{Tone, paint};
use crate::words::{count, grouped, shortened, size, wrapped};

const ASIDE: &str = "data/unprocessed/";
const STAGING: &str = "data/staging/";
/// Files that were put aside, and are shown of each table: the last ones.
const SHOWN_ASIDE: usize = 10;
/// Runs that are looked through for the reasons of failures.
const LOOKED_THROUGH: u32 = 500;
const WIDTH: usize = 80;
const NAME: usize = 36;
/// Columns before a reason.
const REASON: usize = 11;

/// What is there of the tables.
pub(crate) struct Status {
    bucket: String,
    entries: Vec<Entry>,
    at_work: Vec<AtWork>,
    unclaimed: Vec<String>,
}

/// A file that is not loaded.
struct Entry {
    table: String,
    name: String,
    what: What,
    at: Option<Timestamp>,
}

enum What {
    Pending {
        size_bytes: u64,
    },
    Held(Held),
    /// Refused for what is in it. The reason is that of the audit table.
    Aside {
        key: String,
        reason: Option<String>,
    },
    /// These tables take it.
    Claimed(Vec<String>),
}

/// A run that has staged parts: it is at work, or it was killed.
struct AtWork {
    run_id: String,
    /// The folder of its parts: the table with the stem of the file.
    what: String,
    since: Option<Timestamp>,
}

/// Looks at the bucket, and into the audit tables for the reasons of refusals.
pub(crate) async fn look(
    project: &Project,
    place: &Place,
    of_table: Option<&str>,
) -> Result<Status> {
    let feeds = Feeds::of(project)?;
    let backlog = pending::list(place, &feeds).await?.of_table(of_table);
    let mut held = held::read_all(place, &backlog).await?;
    let mut entries = Vec::new();
    for queue in backlog.queues {
        for file in queue.files {
            entries.push(of_pending(&queue.table, held.remove(&file.name), file));
        }
    }
    entries.extend(backlog.claimed.into_iter().map(|(file, tables)| Entry {
        table: "several tables".to_owned(),
        name: file.name,
        at: file.arrived_at,
        what: What::Claimed(tables),
    }));
    entries.extend(put_aside(project, place, &feeds, of_table).await?);
    entries.sort_by(|one, other| (&one.table, &one.name).cmp(&(&other.table, &other.name)));
    let unclaimed = backlog.unclaimed.into_iter().map(|file| file.name).collect();
    let (bucket, at_work) = (place.bucket.clone(), at_work(place).await?);
    Ok(Status { bucket, entries, at_work, unclaimed })
}

fn of_pending(table: &str, held: Option<Held>, file: PendingFile) -> Entry {
    let what = match held {
        Some(held) => What::Held(held),
        None => What::Pending { size_bytes: file.size_bytes },
    };
    Entry { table: table.to_owned(), name: file.name, at: file.arrived_at, what }
}

/// The files in `data/unprocessed/` that a table takes, the last ones of each.
async fn put_aside(
    project: &Project,
    place: &Place,
    feeds: &Feeds,
    of_table: Option<&str>,
) -> Result<Vec<Entry>> {
    let mut by_table: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for object in place.store.list_objects(&place.at(ASIDE)).await? {
        // Behind the prefix stand year and month.
        let below = object.uri.key.strip_prefix(ASIDE).and_then(|key| key.splitn(3, '/').nth(2));
        let Some(name) = below else { continue };
        let Owner::Table(table) = feeds.owner(name) else { continue };
        if of_table.is_none_or(|wanted| wanted == table) {
            let what = What::Aside { key: object.uri.key.clone(), reason: None };
            let (name, at) = (name.to_owned(), object.last_modified);
            let entry = Entry { table: table.to_owned(), name, at, what };
            by_table.entry(table.to_owned()).or_default().push(entry);
        }
    }
    let schemas: BTreeSet<String> =
        by_table.keys().filter_map(|table| Some(project.target_of(table).ok()?.schema)).collect();
    let reasons = reasons(place, schemas).await;
    let mut last = Vec::new();
    for (_, mut entries) in by_table {
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.at));
        entries.truncate(SHOWN_ASIDE);
        for entry in &mut entries {
            if let What::Aside { reason, .. } = &mut entry.what {
                *reason = reasons.get(&entry.name).cloned();
            }
        }
        last.extend(entries);
    }
    Ok(last)
}

/// What the audit tables say of files that failed last. Where there is none to ask, nothing.
async fn reasons(place: &Place, schemas: BTreeSet<String>) -> BTreeMap<String, String> {
    let mut reasons = BTreeMap::new();
    for schema in schemas {
        let query = past_runs::runs(&schema, None, LOOKED_THROUGH);
        let rows = select(&place.api, &query).await.ok().flatten().unwrap_or_default();
        for run in rows.decode::<PastRun>().unwrap_or_default() {
            if let Some(error) = run.error {
                reasons.entry(run.file_name).or_insert(error);
            }
        }
    }
    reasons
}

async fn at_work(place: &Place) -> Result<Vec<AtWork>> {
    let mut runs: BTreeMap<String, AtWork> = BTreeMap::new();
    for object in place.store.list_objects(&place.at(STAGING)).await? {
        let below = object.uri.key.strip_prefix(STAGING).unwrap_or_default();
        let mut parts = below.split('/');
        if let (Some(what), Some(run_id)) = (parts.next(), parts.next()) {
            let (what, since) = (what.to_owned(), object.last_modified);
            let run = AtWork { run_id: run_id.to_owned(), what, since };
            runs.entry(run_id.to_owned()).or_insert(run);
        }
    }
    Ok(runs.into_values().collect())
}

impl Status {
    /// The status as JSON, with its last line end.
    pub(crate) fn json(&self) -> String {
        let at = |at: Option<Timestamp>| at.map(|at| utc(at, "%Y-%m-%dT%H:%M:%SZ"));
        let entry = |entry: &Entry| {
            let mut value = json!({
                "state": entry.word(),
                "uri": address(&self.bucket, &entry.name).to_string(),
                "table": entry.table,
                "since": at(entry.at),
                "reason": entry.reason(),
            });
            if let What::Aside { key, .. } = &entry.what {
                value["uri"] = json!(format!("s3://{}/{key}", self.bucket));
            }
            value
        };
        let run = |run: &AtWork| json!({"run_id": run.run_id, "parts_of": run.what, "since": at(run.since)});
        indented_json(&json!({
            "files": self.entries.iter().map(entry).collect::<Vec<Value>>(),
            "with_staged_parts": self.at_work.iter().map(run).collect::<Vec<Value>>(),
            "unclaimed": self.unclaimed,
        }))
    }

    /// The status for people.
    pub(crate) fn human(&self) -> String {
        let mut out = String::new();
        let headline = wrapped(&self.headline(), WIDTH);
        headline.iter().for_each(|line| {
            out.push_str(&format!("{}\n", paint(line, Tone::Strong)));
        });
        let tables: BTreeSet<&str> = self.entries.iter().map(|entry| &*entry.table).collect();
        for table in tables {
            out.push_str(&format!("\n{table}\n"));
            let of_table = self.entries.iter().filter(|entry| entry.table == table);
            out.extend(of_table.map(Entry::lines));
        }
        if !self.at_work.is_empty() {
            out.push_str(
                "\nruns with staged parts: at work, or killed (then their files are pending)\n",
            );
            let line = |run: &AtWork| format!("  {}  {}\n", run.run_id, shortened(&run.what, NAME));
            out.extend(self.at_work.iter().map(line));
        }
        if !self.unclaimed.is_empty() {
            out.push_str("\nno table takes\n");
            let lines = wrapped(&self.unclaimed.join(", "), WIDTH - 2);
            out.extend(lines.iter().map(|line| format!("  {line}\n")));
        }
        out
    }

    fn headline(&self) -> String {
        let n = |word: &str| self.entries.iter().filter(|entry| entry.word() == word).count();
        let said = [
            (n("pending"), "pending"),
            (n("held"), "failed before"),
            (n("several"), "taken by several tables"),
            (n("aside"), "put aside"),
        ];
        let said = said.into_iter().filter(|(n, _)| *n > 0);
        let said: Vec<String> =
            said.map(|(n, what)| format!("{} {what}", grouped(n as u64))).collect();
        match self.entries.len() {
            0 => "nothing is pending".to_owned(),
            files => format!("{}: {}", count(files, "file"), said.join(", ")),
        }
    }
}

impl Entry {
    fn word(&self) -> &'static str {
        match self.what {
            What::Pending { .. } => "pending",
            What::Held(_) => "held",
            What::Aside { .. } => "aside",
            What::Claimed(_) => "several",
        }
    }

    /// The line of the file, and what can be done below it.
    fn lines(&self) -> String {
        let tone = match self.what {
            What::Pending { .. } => Tone::Good,
            What::Held(_) | What::Claimed(_) => Tone::Bad,
            What::Aside { .. } => Tone::Waiting,
        };
        let since = self.at.map(|at| utc(at, "since %Y-%m-%d %H:%M:%S")).unwrap_or_default();
        let size = match self.what {
            What::Pending { size_bytes } => format!("{}, ", size(size_bytes)),
            What::Held(_) | What::Aside { .. } | What::Claimed(_) => String::new(),
        };
        let word = paint(&format!("{:<7}", self.word()), tone);
        let first = format!("  {word}  {}  {size}{since}\n", shortened(&self.name, NAME));
        let reason = self.reason().map(|reason| wrapped(&reason, WIDTH - REASON));
        let reason = reason.into_iter().flatten().map(|line| format!("{:REASON$}{line}\n", ""));
        first + &reason.collect::<String>()
    }

    /// Why the file is not loaded, and what can be done.
    fn reason(&self) -> Option<String> {
        let name = &self.name;
        match &self.what {
            What::Pending { .. } => None,
            What::Held(held) => Some(format!(
                "exit code {}: {}; {}",
                held.exit_code,
                held.error,
                Held::advice(name)
            )),
            What::Claimed(tables) => Some(claimed_by(tables)),
            What::Aside { key, reason } => {
                let reason = reason.as_ref().map_or(String::new(), |reason| format!("{reason}; "));
                Some(format!(
                    "{reason}it is {key}: deliver it corrected, or take it back as it is by `loader \
                     retry {name}`"
                ))
            }
        }
    }
}
