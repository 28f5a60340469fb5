//! What the service measures, for Prometheus.
//!
//! One meter of OpenTelemetry counts, and its readers write: the names here are those of the meter,
//! and Prometheus spells them in its own way (`loader.files` is `loader_files_total`).

use std::collections::BTreeSet;
use std::time::Duration;

use loader_model::error::{Context, Kind, Result};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge, Histogram, MeterProvider};
use opentelemetry_sdk::metrics::{Instrument, SdkMeterProvider, Stream};
use prometheus::{Registry, TextEncoder};

use crate::backlog::outcome::FileOutcome;
use crate::report::{Report, memory};
use crate::service::now::Now;
use crate::service::verdict::Verdict;

/// Ends of the classes of seconds: loads take from a tenth of a second to hours.
const SECONDS: [f64; 12] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0];

const TABLE: &str = "table";
/// Series that an instrument may have: several of each table.
const SERIES: usize = 100_000;

/// The counters and gauges.
pub(crate) struct Figures {
    registry: Registry,
    /// Counts as long as it lives.
    _provider: SdkMeterProvider,
    files: Counter<u64>,
    rows: Counter<u64>,
    loads: Histogram<f64>,
    steps: Histogram<f64>,
    messages: Counter<u64>,
    in_hand: Gauge<u64>,
    pending: Gauge<u64>,
    oldest: Gauge<f64>,
    at_work: Gauge<u64>,
    listed: Gauge<f64>,
    memory: Gauge<u64>,
}

impl Figures {
    /// Errors: `Internal` where the reader does not start.
    pub(crate) fn new() -> Result<Figures> {
        let registry = Registry::new();
        let reader = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .without_target_info()
            .build()
            .context(Kind::Internal, "the metrics cannot be read")?;
        // The usual limit is 2,000 series of an instrument; beyond it, all tables would be one.
        let wide = |_: &Instrument| Stream::builder().with_cardinality_limit(SERIES).build().ok();
        let provider = SdkMeterProvider::builder().with_reader(reader).with_view(wide).build();
        let meter = provider.meter("loader");
        let seconds = |name: &'static str, what: &'static str| {
            let histogram = meter.f64_histogram(name).with_unit("s").with_description(what);
            histogram.with_boundaries(SECONDS.to_vec()).build()
        };
        let counter = |name: &'static str, what: &'static str| {
            meter.u64_counter(name).with_description(what).build()
        };
        let gauge = |name: &'static str, what: &'static str| {
            meter.u64_gauge(name).with_description(what).build()
        };
        let seconds_now = |name: &'static str, what: &'static str| {
            meter.f64_gauge(name).with_unit("s").with_description(what).build()
        };
        Ok(Figures {
            files: counter("loader.files", "Files that were taken up, by what became of them."),
            rows: counter("loader.rows", "Rows, by what became of them."),
            loads: seconds("loader.load.duration", "How long loads took."),
            steps: seconds("loader.step.duration", "How long the steps of loads took."),
            messages: counter("loader.messages", "Messages, by what became of them."),
            in_hand: gauge("loader.messages.in_hand", "Messages that are worked on."),
            pending: gauge("loader.files.pending", "Files that are to be loaded."),
            oldest: seconds_now("loader.files.oldest", "Age of the oldest pending file."),
            at_work: gauge("loader.tables.at_work", "Tables whose files are being loaded."),
            listed: seconds_now("loader.listing.age", "Time since the bucket was last listed."),
            memory: meter
                .u64_gauge("loader.memory.peak")
                .with_unit("By")
                .with_description("The most memory that the process has taken.")
                .build(),
            registry,
            _provider: provider,
        })
    }

    /// Counts the files of a turn, and each load once: several files may have one.
    pub(super) fn ended(&self, files: &[FileOutcome]) {
        let mut counted: BTreeSet<&str> = BTreeSet::new();
        for file in files {
            let table = file.table.clone().unwrap_or_default();
            let of = |name: &'static str, value: String| {
                [KeyValue::new(TABLE, table.clone()), KeyValue::new(name, value)]
            };
            self.files.add(1, &of("outcome", file.word().to_owned()));
            let Some(report) = file.report() else { continue };
            for (word, rows) in rows(report) {
                self.rows.add(rows, &of("what", word.to_owned()));
            }
            if counted.insert(&report.run_id) {
                let seconds: f64 = report.steps.iter().map(|step| step.seconds).sum();
                self.loads.record(seconds, &[KeyValue::new(TABLE, table.clone())]);
                for step in &report.steps {
                    self.steps
                        .record(step.seconds, &[KeyValue::new("step", step.name.to_string())]);
                }
            }
        }
    }

    pub(super) fn settled(&self, verdict: Verdict) {
        self.messages.add(1, &[KeyValue::new("verdict", verdict.word())]);
    }

    /// Takes over what goes on now. `in_hand`: messages.
    pub(super) fn observe(&self, now: &Now, in_hand: usize) {
        self.in_hand.record(in_hand as u64, &[]);
        self.at_work.record(now.at_work.len() as u64, &[]);
        let at = jiff::Timestamp::now();
        for (table, pending) in &now.pending {
            let of_table = [KeyValue::new(TABLE, table.clone())];
            self.pending.record(pending.files as u64, &of_table);
            let age = pending.oldest.filter(|_| pending.files > 0);
            let age = age.map_or(0.0, |oldest| at.duration_since(oldest).as_secs_f64());
            self.oldest.record(age.max(0.0), &of_table);
        }
        let age = now.looked_at.map_or(Duration::ZERO, |listed| listed.elapsed());
        self.listed.record(age.as_secs_f64(), &[]);
        if let Some(bytes) = memory::peak_bytes() {
            self.memory.record(bytes, &[]);
        }
    }

    /// All of them as Prometheus reads them.
    pub(super) fn text(&self) -> Result<String> {
        let text = TextEncoder::new().encode_to_string(&self.registry.gather());
        text.context(Kind::Internal, "the metrics cannot be written")
    }
}

/// The rows that a load has read, by what became of them. Those of a file that failed are in no
/// table.
fn rows(report: &Report) -> Vec<(&'static str, u64)> {
    let rows = report.rows;
    match report.exit_code {
        0 => vec![
            ("inserted", rows.inserted),
            ("updated", rows.updated),
            ("rejected", rows.rejected),
            ("duplicate", rows.duplicates),
        ],
        _ => vec![("refused", rows.read)],
    }
}
