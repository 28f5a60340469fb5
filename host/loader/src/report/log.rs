//! The logs of runs: to stderr for people or as JSON lines, and kept for each run, to be exported
//! to S3 at its end.
//!
//! JSON lines have the Glue job's shape: level, ts, run_id, msg, then the event's fields. For
//! example, `{"level":"INFO","ts":"2025-01-19T10:30:00Z","run_id":"…","msg":"staged","parts":2}`.
//! The kept copy lives in a temporary file, so that a long run does not grow in memory. Cell values
//! are logged only in what an error says of them, and secrets never.
//!
//! This module writes the lines itself, because the JSON of `tracing_subscriber::fmt` has other
//! names (`timestamp`, `message`, `WARN`) and no run id. Renaming them would take a formatter with
//! all of this code in it, and a writer for the kept copy besides.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{IsTerminal, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use loader_model::names::utc;
use serde_json::{Map, Value, json};
use tracing::field::{self, Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Span, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry};

use crate::job::Job;
use crate::progress;
use crate::report::Report;
use crate::telemetry::parent;

/// The logs of the process: one for each run that goes on, and one for what belongs to none. Clones
/// share them.
#[derive(Clone, Default)]
pub struct Logs(Arc<Mutex<HashMap<String, Arc<KeptLines>>>>);

/// The lines of one run so far. A line belongs to a run when it is written inside of
/// the span of [`RunLog`].
pub struct RunLog {
    run_id: String,
    lines: Arc<KeptLines>,
    all: Logs,
}

#[derive(Default)]
struct KeptLines(Mutex<Option<File>>);

/// The message of a run that failed. It has the error, as the report has.
pub(crate) const RUN_FAILED: &str = "run failed";

/// The message of the line with a run's report, and the field that has it.
pub(crate) const REPORT: &str = "report";

/// The name of the span of a run.
const RUN: &str = "run";

impl Logs {
    /// Begins the log of a run, which ends when the value is dropped.
    pub fn of_run(&self, run_id: &str) -> RunLog {
        let lines = Arc::<KeptLines>::default();
        self.runs().insert(run_id.to_owned(), Arc::clone(&lines));
        RunLog { run_id: run_id.to_owned(), lines, all: self.clone() }
    }

    fn keep(&self, run_id: &str, line: &str) {
        let lines = self.runs().get(run_id).cloned();
        if let Some(lines) = lines {
            lines.push(line);
        }
    }

    fn runs(&self) -> MutexGuard<'_, HashMap<String, Arc<KeptLines>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunLog {
    /// The span of the run, which does something, such as `load`, for a job. What is empty here is
    /// filled in when the run has ended.
    // On the level of errors, so that no setting of the log keeps a line from its run.
    pub(crate) fn span(&self, does: &str, job: &Job) -> Span {
        let (table, file) = (&job.target, job.layout.source());
        let span = tracing::error_span!(
            RUN,
            otel.name = %format_args!("{does} {table}"),
            run_id = self.run_id,
            %table,
            %file,
            files = field::Empty,
            status = field::Empty,
            exit_code = field::Empty,
            rows.read = field::Empty,
            rows.inserted = field::Empty,
            rows.updated = field::Empty,
            rows.rejected = field::Empty,
            otel.status_code = field::Empty,
            otel.status_description = field::Empty,
        );
        parent::adopt(&span);
        span
    }

    /// Writes the report of the run as a line, which is the last one.
    pub fn keep_report(&self, report: &Report) {
        let line = json!({
            "level": "INFO",
            "ts": utc(Timestamp::now(), "%Y-%m-%dT%H:%M:%SZ"),
            "run_id": self.run_id,
            "msg": REPORT,
            (REPORT): report,
        });
        self.lines.push(&line.to_string());
    }

    /// All lines so far.
    pub fn read(&self) -> std::io::Result<Vec<u8>> {
        let mut file = self.lines.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = Vec::new();
        if let Some(file) = file.as_mut() {
            file.seek(SeekFrom::Start(0))?;
            file.read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    }
}

impl Drop for RunLog {
    fn drop(&mut self) {
        self.all.runs().remove(&self.run_id);
    }
}

impl KeptLines {
    fn push(&self, line: &str) {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if file.is_none() {
            *file = tempfile::tempfile().ok();
        }
        if let Some(file) = file.as_mut() {
            // An error is ignored: a full disk must not stop a load because of its log.
            let _ = file.write_all(line.as_bytes()).and_then(|()| file.write_all(b"\n"));
        }
    }
}

/// A part of the log: it gets the spans and warnings of which traces are made.
pub type TraceLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Who sees the log while it is written. It is kept for the export in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// People or programs at stderr.
    Stderr,
    /// The export alone: the command tells what happens in its own way.
    LogOnly,
}

/// Starts logging for the process. `verbose`: 0 info, 1 debug, 2 trace; `RUST_LOG` overrides it.
/// `traces`: what makes traces of it.
pub fn start(verbose: u8, audience: Audience, traces: Option<TraceLayer>) -> Logs {
    let kept = Logs::default();
    let level = ["info", "debug", "trace"][usize::from(verbose.min(2))];
    // `loader` stands for all targets that begin so: `loader_data`, `loader_aws`, ….
    let quiet = format!("warn,loader={level}");
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(quiet));
    let people = std::io::stderr().is_terminal();
    let lines = Lines { kept: kept.clone(), verbose, people, audience };
    // A second start in one process (tests) keeps the first subscriber.
    let _ = tracing_subscriber::registry().with(traces).with(lines.with_filter(filter)).try_init();
    kept
}

struct Lines {
    kept: Logs,
    verbose: u8,
    people: bool,
    audience: Audience,
}

/// What the span of a run carries.
struct RunOfSpan(String);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let (Some(span), RUN) = (context.span(id), attributes.metadata().name()) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(Value::String(run_id)) = fields.others.remove("run_id") {
            span.extensions_mut().insert(RunOfSpan(run_id));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let spans = context.event_scope(event).into_iter().flatten();
        let run_id = spans
            .into_iter()
            .find_map(|span| span.extensions().get::<RunOfSpan>().map(|run| run.0.clone()));
        let run_id = run_id.unwrap_or_default();
        let now = Timestamp::now();
        let line = json(&run_id, event.metadata().level(), now, &fields);
        self.kept.keep(&run_id, &line);
        if self.audience == Audience::LogOnly {
            return;
        }
        // A person sees by the bars what goes on.
        let is_loud = *event.metadata().level() <= Level::WARN || self.verbose > 0;
        if self.people && !is_loud && progress::has_bars() {
            return;
        }
        // The report, which is on the same terminal, says why.
        if self.people && fields.message == RUN_FAILED && std::io::stdout().is_terminal() {
            return;
        }
        let shown =
            if self.people { for_people(event.metadata().level(), now, &fields) } else { line };
        progress::above_bars(|| {
            let _ = writeln!(std::io::stderr(), "{shown}");
        });
    }
}

fn json(run_id: &str, level: &Level, now: Timestamp, fields: &Fields) -> String {
    let mut line = Map::new();
    let level = if *level == Level::WARN { "WARNING" } else { level.as_str() };
    line.insert("level".into(), level.into());
    line.insert("ts".into(), utc(now, "%Y-%m-%dT%H:%M:%SZ").into());
    line.insert("run_id".into(), run_id.into());
    line.insert("msg".into(), fields.message.clone().into());
    line.extend(fields.others.clone());
    Value::Object(line).to_string()
}

fn for_people(level: &Level, now: Timestamp, fields: &Fields) -> String {
    let mark = match *level {
        Level::ERROR => "error: ",
        Level::WARN => "warning: ",
        _ => "",
    };
    let mut line = format!("{} {mark}{}", utc(now, "%H:%M:%S"), fields.message);
    for (name, value) in &fields.others {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        line.push_str(&format!("  {name}={}", escape_control(&text)));
    }
    line
}

/// Keeps foreign text from steering the terminal: an escape sequence in a header, such as
/// `\x1b[2J`, would clear the screen.
fn escape_control(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() })
        .collect()
}

#[derive(Default)]
struct Fields {
    message: String,
    others: Map<String, Value>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        self.others.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // `tracing` gives the message of an event as a field called `message`, and formatted
        // messages come here: the Debug form of `format_args!` is the text without quotes.
        let text = format!("{value:?}");
        if field.name() == "message" {
            self.message = text;
        } else {
            self.put(field, text.into());
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message = value.to_owned();
        } else {
            self.put(field, value.into());
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_the_glue_jobs_shape() {
        let others = Map::from_iter([("count".to_owned(), Value::from(500))]);
        let fields = Fields { message: "records read".into(), others };
        let at = "2025-01-19T10:30:00Z".parse().expect("an instant");
        let line = json("abc123", &Level::WARN, at, &fields);
        assert_eq!(
            line,
            r#"{"level":"WARNING","ts":"2025-01-19T10:30:00Z","run_id":"abc123","msg":"records read","count":500}"#
        );
    }

    #[test]
    fn foreign_text_cannot_steer_the_terminal() {
        assert_eq!(escape_control("a\x1b[2Jb\n"), "a\\u{1b}[2Jb\\n");
    }
}
