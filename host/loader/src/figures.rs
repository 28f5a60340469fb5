//! What the process counts and measures, for Prometheus and for OpenTelemetry's collector.
//!
//! One meter of OpenTelemetry counts, and its readers write: the names here are those of the meter,
//! and Prometheus spells them in its own way (`loader.files` is `loader_files_total`).

use std::collections::BTreeSet;
use std::sync::OnceLock;

use loader_model::error::{Context, Kind, Result};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter, MeterProvider};
use opentelemetry_otlp::MetricExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::{Instrument, PeriodicReader, SdkMeterProvider, Stream};
use prometheus::{Registry, TextEncoder};

use crate::backlog::outcome::{FileOutcome, word_of};
use crate::report::{Report, memory};

/// Ends of the classes of seconds: loads take from a tenth of a second to hours.
const SECONDS: [f64; 12] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0];

/// The attribute that says of which table something is.
pub(crate) const TABLE: &str = "table";
/// Series that an instrument may have: several of each table.
const SERIES: usize = 100_000;

/// The counters of the process.
pub(crate) struct Figures {
    registry: Registry,
    provider: SdkMeterProvider,
    /// What makes further instruments.
    pub(crate) meter: Meter,
    files: Counter<u64>,
    rows: Counter<u64>,
    loads: Histogram<f64>,
    steps: Histogram<f64>,
    messages: Counter<u64>,
}

static FIGURES: OnceLock<Figures> = OnceLock::new();

/// Those of the process.
pub(crate) fn of_process() -> &'static Figures {
    FIGURES.get_or_init(|| Figures::new(None, Resource::builder().build()))
}

/// Begins to count, for a collector, too. Later calls change nothing.
pub(crate) fn start(collector: PeriodicReader<MetricExporter>, resource: Resource) {
    FIGURES.get_or_init(|| Figures::new(Some(collector), resource));
}

/// Sends what was counted to the collector, if there is one.
pub(crate) fn flush() -> OTelSdkResult {
    FIGURES.get().map_or(Ok(()), |figures| figures.provider.force_flush())
}

impl Figures {
    fn new(collector: Option<PeriodicReader<MetricExporter>>, resource: Resource) -> Figures {
        let registry = Registry::new();
        // The usual limit is 2,000 series of an instrument; beyond it, all tables would be one.
        let wide = |_: &Instrument| Stream::builder().with_cardinality_limit(SERIES).build().ok();
        let mut provider = SdkMeterProvider::builder().with_resource(resource).with_view(wide);
        let prometheus = opentelemetry_prometheus::exporter().with_registry(registry.clone());
        match prometheus.without_target_info().build() {
            Ok(reader) => provider = provider.with_reader(reader),
            Err(error) => tracing::warn!(%error, "there are no metrics for Prometheus"),
        }
        if let Some(reader) = collector {
            provider = provider.with_reader(reader);
        }
        let provider = provider.build();
        let meter = provider.meter("loader");
        let seconds = |name: &'static str, what: &'static str| {
            let histogram = meter.f64_histogram(name).with_unit("s").with_description(what);
            histogram.with_boundaries(SECONDS.to_vec()).build()
        };
        let counter = |name: &'static str, what: &'static str| {
            meter.u64_counter(name).with_description(what).build()
        };
        let peak = meter.u64_observable_gauge("loader.memory.peak").with_unit("By");
        peak.with_description("The most memory that the process has taken.")
            .with_callback(|gauge| {
                if let Some(bytes) = memory::peak_bytes() {
                    gauge.observe(bytes, &[]);
                }
            })
            .build();
        Figures {
            files: counter("loader.files", "Files that were taken up, by what became of them."),
            rows: counter("loader.rows", "Rows, by what became of them."),
            loads: seconds("loader.load.duration", "How long loads took."),
            steps: seconds("loader.step.duration", "How long the steps of loads took."),
            messages: counter("loader.messages", "Messages, by what became of them."),
            registry,
            provider,
            meter,
        }
    }

    /// Counts files that were taken up, and each load once: several files may have one.
    pub(crate) fn ended(&self, files: &[FileOutcome]) {
        let mut counted: BTreeSet<&str> = BTreeSet::new();
        for file in files {
            let table = file.table.as_deref().unwrap_or_default();
            self.file(table, file.word());
            if let Some(report) = file.report() {
                self.rows(table, report);
                if counted.insert(&report.run_id) {
                    self.times(table, report);
                }
            }
        }
    }

    /// Counts the load of the one file that was named.
    pub(crate) fn loaded(&self, report: &Report) {
        self.file(&report.target, word_of(report.status));
        self.rows(&report.target, report);
        self.times(&report.target, report);
    }

    fn file(&self, table: &str, outcome: &'static str) {
        self.files.add(1, &[of_table(table), KeyValue::new("outcome", outcome)]);
    }

    fn rows(&self, table: &str, report: &Report) {
        for (word, rows) in rows(report) {
            self.rows.add(rows, &[of_table(table), KeyValue::new("what", word)]);
        }
    }

    fn times(&self, table: &str, report: &Report) {
        let seconds: f64 = report.steps.iter().map(|step| step.seconds).sum();
        self.loads.record(seconds, &[of_table(table)]);
        for step in &report.steps {
            self.steps.record(step.seconds, &[KeyValue::new("step", step.name.to_string())]);
        }
    }

    /// Counts a message by a word for what became of it.
    pub(crate) fn settled(&self, verdict: &'static str) {
        self.messages.add(1, &[KeyValue::new("verdict", verdict)]);
    }

    /// All of them as Prometheus reads them. Errors: `Internal`.
    pub(crate) fn text(&self) -> Result<String> {
        let text = TextEncoder::new().encode_to_string(&self.registry.gather());
        text.context(Kind::Internal, "the metrics cannot be written")
    }
}
fn of_table(table: &str) -> KeyValue {
    KeyValue::new(TABLE, table.to_owned())
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
