//! Traces and metrics for OpenTelemetry, by the variables that its programs have in common.
//!
//! A load is a trace: the span of its run, with one for each step. Nothing is sent unless
//! `OTEL_EXPORTER_OTLP_ENDPOINT` or another variable asks for it, and no load waits for it or fails by
//! it.
//! Sources: <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>,
//! <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>

mod client;
pub(crate) mod parent;
mod variables;

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, MetricExporter, SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::PeriodicReader;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Layer;
use uuid::Uuid;

use crate::figures;
use crate::report::log::TraceLayer;
use crate::telemetry::client::Client;
use crate::telemetry::variables::is_wanted;

/// How long the program waits at its end for what is still to be sent.
const PATIENCE: Duration = Duration::from_secs(10);
/// The name under which the spans are made, and the service that they are of where no variable has
/// another.
const NAME: &str = "loader";
const INSTANCE: &str = "service.instance.id";

/// What is sent.
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
    /// What is wrong with the variables.
    mistakes: Vec<String>,
}

impl Telemetry {
    /// Starts what the variables ask for. Must be called within the runtime, which sends it.
    pub fn start() -> Telemetry {
        let mut mistakes = Vec::new();
        let mut wanted = |signal: &str| {
            is_wanted(signal, variables::variable).unwrap_or_else(|mistake| {
                mistakes.push(format!("{}: {mistake}", signal.to_lowercase()));
                false
            })
        };
        let (traces, metrics) = (wanted("TRACES"), wanted("METRICS"));
        // The text of an error has the address, in which there may be a password.
        let mut built = |signal: &str, built: Result<(), ExporterBuildError>| {
            let fact = || format!("{signal}: a variable of its exporter cannot be read");
            mistakes.extend(built.err().map(|_| fact()));
        };
        let (resource, mut started) = (resource(), None);
        if traces {
            let exporter = SpanExporter::builder().with_http();
            let exporter = exporter.with_http_client(Client::new("TRACES")).build();
            let provider = SdkTracerProvider::builder().with_resource(resource.clone());
            built(
                "traces",
                exporter.map(|exporter| {
                    started = Some(provider.with_batch_exporter(exporter).build());
                }),
            );
        }
        if metrics {
            let exporter = MetricExporter::builder().with_http();
            let exporter = exporter.with_http_client(Client::new("METRICS")).build();
            let reader = exporter.map(|exporter| PeriodicReader::builder(exporter).build());
            built("metrics", reader.map(|reader| figures::start(reader, resource)));
        }
        Telemetry { traces: started, mistakes }
    }

    /// The part of the log that makes spans of the trace.
    pub fn layer(&self) -> Option<TraceLayer> {
        let tracer = self.traces.as_ref()?.tracer(NAME);
        let layer = tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_level(false)
            .with_tracked_inactivity(false);
        Some(layer.with_filter(filter_fn(is_of_traces)).boxed())
    }

    /// Logs what is wrong with the variables.
    pub fn say_what_is_wrong(&self) {
        for mistake in &self.mistakes {
            tracing::warn!("not sent to OpenTelemetry: {mistake}");
        }
    }

    /// Sends what there is now, and gives it up after a time. (A function of Lambda stands still
    /// between two invocations.)
    pub async fn flush(&self, patience: Duration) {
        let traces = self.traces.clone();
        let flush = || traces.map_or(Ok(()), |traces| traces.force_flush()).and(figures::flush());
        in_time(patience.min(PATIENCE), flush).await;
    }

    /// Sends what is left, before the program ends.
    pub async fn finish(self) {
        let traces = self.traces;
        let finish = || traces.map_or(Ok(()), |traces| traces.shutdown()).and(figures::flush());
        in_time(PATIENCE, finish).await;
    }
}

/// The loader's spans with their warnings, and no other library's. An error that is logged would
/// make its span a failed one, and the spans say by themselves whether they have failed. (For
/// example, cleanup logs why a run has.)
fn is_of_traces(of: &Metadata<'_>) -> bool {
    of.target().starts_with(NAME) && (of.is_span() || *of.level() == Level::WARN)
}

/// Who it is that sends.
fn resource() -> Resource {
    let of_variables = Resource::builder().build();
    let has_name = of_variables
        .get(&"service.name".into())
        .is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    let mut builder = Resource::builder()
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    if !has_name {
        builder = builder.with_service_name(NAME);
    }
    // Or else the counters of several processes would be one series.
    if of_variables.get(&INSTANCE.into()).is_none() {
        builder = builder.with_attribute(KeyValue::new(INSTANCE, Uuid::now_v7().to_string()));
    }
    builder.build()
}

/// Does what blocks on a thread of its own, and gives it up when it takes long. What failed was
/// logged by the client.
async fn in_time(patience: Duration, work: impl FnOnce() -> OTelSdkResult + Send + 'static) {
    let sent = tokio::time::timeout(patience, tokio::task::spawn_blocking(work)).await;
    if sent.is_err() {
        let seconds = patience.as_secs();
        tracing::warn!("traces and metrics were given up: they took longer than {seconds} s");
    }
}
