//! The report of a run, printed once to stdout however the run ended. Its JSON form is an
//! interface: programs read it, so its keys do not change.

pub mod exports;

pub mod log;

pub mod memory;

pub(crate) mod paint;

pub mod recorder;

mod remarks;

mod source;

use std::borrow::Cow;
use std::collections::BTreeMap;

use loader_aws::data_api::DataApi;
use loader_aws::s3::Store;
use loader_model::choices::ReportFormat;
use loader_model::error::Error;
use loader_warehouse::evolution::script::ViewChange;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::plugin_identity::PluginIdentity;
use crate::report::paint::{Tone, paint};
pub use crate::report::source::{FileReport, RowCounts, SourceReport};
use crate::words::{count, wrapped};

/// What a run did. The recorder fills it in as the run goes on. A field that the run never came to
/// keeps its default: for example, `rows` is all zeros when the file was not found.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Report {
    pub run_id: String,
    /// The run's number in the audit table. A text in JSON: many readers of JSON take numbers for
    /// floats, which do not hold so many digits.
    #[serde(with = "as_text")]
    pub run_number: i64,
    pub status: Status,
    pub exit_code: u8,
    pub error: Option<String>,
    pub source: SourceReport,
    pub target: String,
    pub rows: RowCounts,
    /// Decimals that were rounded to the scale of their columns: `20.255` becomes `20.26` in a
    /// DECIMAL(12,2). By the host, and by plugins as far as they count them. Also moments that lost
    /// digits past the microsecond.
    pub values_rounded: u64,
    /// Columns of the file that were left out.
    pub columns_discarded: Vec<String>,
    /// Columns of the table that the file lacks.
    pub columns_filled: Vec<String>,
    /// SQL of the schema changes made, in order, with the statements for views.
    pub schema_changes: Vec<String>,
    /// Views that were dropped and made again, or made for the first time.
    pub views: Vec<ViewChange>,
    /// Views that an earlier run had left dropped.
    pub views_recovered: Vec<String>,
    /// Sentences about things that a person should look at.
    pub notices: Vec<String>,
    pub plugins: Vec<PluginIdentity>,
    pub calls: CallCounts,
    pub steps: Vec<StepTime>,
    /// Where the source object is now, when it was moved.
    pub archived_to: Option<String>,
    /// Where the rejected rows are, if there are any.
    pub rejected_to: Option<String>,
    /// How many rows were rejected for each reason, by its code; of many rows, as far as they were
    /// kept.
    pub rejected_because: Tally,
    /// The files, where several small ones of one shape were loaded as one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileReport>,
    /// The manifest, when nothing more than staging was asked for. The JSON form leaves it out; the
    /// log has it.
    #[serde(skip)]
    pub staged_only: Option<String>,
}

/// A whole number as text.
pub(crate) mod as_text {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(number: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// How the run ended.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Success,
    #[default]
    Failed,
    /// The ledger has this file already; nothing was loaded.
    AlreadyLoaded,
}

impl Status {
    /// The status as the JSON report writes it.
    pub fn word(self) -> &'static str {
        match self {
            Status::Success => "success",
            Status::Failed => "failed",
            Status::AlreadyLoaded => "already_loaded",
        }
    }
}

/// The number of requests by operation, such as `GetObject` or `BatchExecuteStatement`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct CallCounts {
    pub s3: Tally,
    pub redshift_data: Tally,
}

/// Counts by name.
pub type Tally = BTreeMap<Cow<'static, str>, u64>;

/// How long a step took.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct StepTime {
    pub name: Cow<'static, str>,
    pub seconds: f64,
}

impl CallCounts {
    /// The requests so far.
    pub(crate) fn of(store: &Store, api: &DataApi) -> CallCounts {
        let owned = |tally: BTreeMap<&'static str, u64>| {
            tally.into_iter().map(|(operation, n)| (operation.into(), n)).collect()
        };
        CallCounts { s3: owned(store.calls().tally()), redshift_data: owned(api.calls().tally()) }
    }
}

impl Report {
    /// The report of a run that never began.
    pub fn of_error(error: &Error) -> Report {
        let mut report = Report::default();
        report.conclude(Err(error));
        report
    }

    /// The report of one of the files of a load of several.
    pub(crate) fn of_file(&self, file: &FileReport) -> Report {
        let FileReport { source, rows, archived_to, rejected_to } = file.clone();
        let of_all = self.clone();
        Report { source, rows, archived_to, rejected_to, files: Vec::new(), ..of_all }
    }

    /// The statements that have changed something. A lock only keeps others from doing so meanwhile.
    pub(crate) fn changes(&self) -> impl Iterator<Item = &String> + Clone {
        self.schema_changes.iter().filter(|statement| !statement.starts_with("LOCK "))
    }

    /// Sets how the run ended.
    pub fn conclude(&mut self, outcome: Result<Status, &Error>) {
        match outcome {
            Ok(status) => (self.status, self.exit_code) = (status, 0),
            Err(error) => {
                (self.status, self.exit_code) = (Status::Failed, error.kind().exit_code());
                self.error = Some(error.to_string());
            }
        }
    }

    /// The text for stdout, with its last line end.
    pub fn render(&self, format: ReportFormat) -> String {
        match format {
            ReportFormat::Json => indented_json(self),
            ReportFormat::Human => self.human(),
        }
    }

    fn human(&self) -> String {
        let mut lines = vec![("result", self.headline())];
        lines.extend(self.about_rows());
        lines.extend(self.about_table());
        lines.extend(self.about_run());
        // A line without text is about something that did not happen, so it is not printed.
        let known = lines.into_iter().filter(|(_, text)| !text.is_empty());
        known.map(|(name, text)| labelled(&self.painted(name), &text)).collect()
    }

    /// A label, aligned to the right; that of the outcome in its colour.
    fn painted(&self, label: &str) -> String {
        let aligned = format!("{label:>10}");
        match (label, self.status) {
            ("result", Status::Failed) => paint(&aligned, Tone::Bad),
            ("result", Status::Success | Status::AlreadyLoaded) => paint(&aligned, Tone::Good),
            _ => aligned,
        }
    }

    fn headline(&self) -> String {
        let uri = &self.source.uri;
        match (self.status, &self.staged_only) {
            (Status::Success, None) if !self.files.is_empty() => {
                format!("loaded {} into {} as one", count(self.files.len(), "file"), self.target)
            }
            (Status::Success, None) => format!("loaded {uri} into {}", self.target),
            (Status::Success, Some(manifest)) => format!("staged {uri} as {manifest}"),
            (Status::AlreadyLoaded, _) => format!("{uri} was loaded before; nothing changed"),
            (Status::Failed, _) => {
                format!("failed: {}", self.error.as_deref().unwrap_or("for an unknown reason"))
            }
        }
    }

    /// The run's id, and its number in the audit table. `None`: no run began.
    fn both_ids(&self) -> Option<String> {
        let Report { run_id, run_number, .. } = self;
        (*run_number != 0).then(|| format!("{run_id}, in job_sts {run_number}"))
    }

    fn about_rows(&self) -> Vec<HumanLine> {
        let RowCounts { read, staged, rejected, inserted, updated, duplicates } = self.rows;
        let mut lines = Vec::new();
        if read > 0 {
            lines.push(("rows", format!("{read} read = {staged} staged + {rejected} rejected")));
        }
        if self.status == Status::Success && self.staged_only.is_none() {
            let in_table = format!(
                "{inserted} inserted + {updated} updated + {duplicates} of a key already in the \
                 file"
            );
            lines.push(("", in_table));
        }
        if self.values_rounded > 0 {
            let rounded = format!("{} values, to the digits of their columns", self.values_rounded);
            lines.push(("rounded", rounded));
        }
        lines
    }

    fn about_table(&self) -> Vec<HumanLine> {
        let mut lines = vec![
            ("left out", self.columns_discarded.join(", ")),
            ("filled", self.columns_filled.join(", ")),
        ];
        lines.extend(self.changes().map(|change| ("schema", shortened(change))));
        lines.push(("recovered", self.views_recovered.join(", ")));
        lines
    }

    fn about_run(&self) -> Vec<HumanLine> {
        let plugin = |plugin: &PluginIdentity| {
            format!("{} {} sha256 {:.12}…", plugin.name, plugin.version, plugin.sha256)
        };
        let step = |step: &StepTime| format!("{} {:.2}", step.name, step.seconds);
        let steps: Vec<String> = self.steps.iter().map(step).collect();
        let mut lines: Vec<HumanLine> = Vec::new();
        lines.extend(self.notices.iter().map(|notice| ("notice", notice.clone())));
        lines.extend(self.plugins.iter().map(|one| ("plugin", plugin(one))));
        lines.push(("seconds", listed(&steps)));
        lines.push(("S3", tally(&self.calls.s3)));
        lines.push(("Data API", tally(&self.calls.redshift_data)));
        let file = |file: &FileReport| {
            let name = file.source.uri.rsplit_once("/data/in/").map_or("", |(_, name)| name);
            let rows = usize::try_from(file.rows.read).unwrap_or(usize::MAX);
            ("file", format!("{name}  {}", count(rows, "row")))
        };
        lines.extend(self.files.iter().map(file));
        lines.extend(self.archived_to.iter().map(|uri| ("file", format!("now {uri}"))));
        lines.extend(self.rejected_to.iter().map(|uri| ("rejects", uri.clone())));
        lines.extend(self.both_ids().map(|ids| ("run", ids)));
        lines
    }
}

/// A line of the report for people: its label and its text. A line without text is left out.
type HumanLine = (&'static str, String);

/// Columns before the text of a line: the label, aligned to the right, and two spaces.
const LABEL_COLUMNS: usize = 12;

/// Columns for the text, on a terminal of 80.
const TEXT_COLUMNS: usize = 80 - LABEL_COLUMNS;

/// A line with its label. A text that is too long goes on below itself; lines that are broken
/// already stay so.
fn labelled(label: &str, text: &str) -> String {
    let fits = text.lines().all(|line| line.trim_start().chars().count() <= TEXT_COLUMNS);
    let lines = if fits { vec![text.to_owned()] } else { wrapped(text, TEXT_COLUMNS) };
    format!("{label}  {}\n", lines.join(&format!("\n{:LABEL_COLUMNS$}", "")))
}

/// A value as indented JSON, with its last line end.
pub fn indented_json(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or(Value::Null);
    format!("{value:#}\n")
}

/// The start of a statement, on one line. The JSON report has all of it.
fn shortened(sql: &str) -> String {
    let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    // The limit is in characters, and `end` is a byte between two of them: cutting at a byte would
    // panic in the middle of a letter such as `ß`.
    match sql.char_indices().nth(TEXT_COLUMNS - 1) {
        Some((end, _)) => format!("{}…", &sql[..end]),
        None => sql,
    }
}

fn tally(calls: &Tally) -> String {
    listed(&calls.iter().map(|(operation, n)| format!("{n} {operation}")).collect::<Vec<_>>())
}

/// A list on as many lines as a terminal of 80 columns needs, below each other behind the label.
fn listed(items: &[String]) -> String {
    let (mut text, mut width) = (String::new(), 0);
    for (i, item) in items.iter().enumerate() {
        // 2 for the comma and the space before the item.
        let fits = width + 2 + item.len() <= TEXT_COLUMNS;
        match (i, fits) {
            (0, _) => {}
            (_, true) => text.push_str(", "),
            (_, false) => text.push_str(&format!(",\n{:LABEL_COLUMNS$}", "")),
        }
        width = if i == 0 || !fits { item.len() } else { width + 2 + item.len() };
        text.push_str(item);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_goes_on_below_its_first_line() {
        let items: Vec<String> = ["recover 0.00", "plugins 0.02", "source 0.00", "catalog 0.06"]
            .into_iter()
            .chain(["infer 0.00", "check_evolution 0.00"])
            .map(str::to_owned)
            .collect();
        assert_eq!(
            listed(&items),
            "recover 0.00, plugins 0.02, source 0.00, catalog 0.06, infer 0.00,\n            \
             check_evolution 0.00"
        );
        assert_eq!(listed(&[]), "");
    }

    #[test]
    fn the_json_report_has_exactly_the_promised_keys() {
        let report: Value =
            serde_json::from_str(&Report::default().render(ReportFormat::Json)).expect("is JSON");
        let keys: Vec<&String> = report.as_object().expect("an object").keys().collect();
        let promised = [
            "run_id",
            "run_number",
            "status",
            "exit_code",
            "error",
            "source",
            "target",
            "rows",
            "values_rounded",
            "columns_discarded",
            "columns_filled",
            "schema_changes",
            "views",
            "views_recovered",
            "notices",
            "plugins",
            "calls",
            "steps",
            "archived_to",
            "rejected_to",
            "rejected_because",
        ];
        assert_eq!(keys, promised);
        assert_eq!(report["rows"].as_object().expect("an object").len(), 6);
        assert_eq!(report["status"], "failed");
    }
}
