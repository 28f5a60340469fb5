//! What has started the program, where that has a trace of its own: `TRACEPARENT` and `TRACESTATE`.
//! (For example, a task of an orchestrator.)
//! Source: <https://opentelemetry.io/docs/specs/otel/context/env-carriers/>

use std::collections::HashMap;

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::variables::variable;

/// Puts a span below the one that has started the program, if one has.
pub(crate) fn adopt(span: &Span) {
    let names = ["TRACEPARENT", "TRACESTATE"];
    let carried = names.into_iter().filter_map(|name| Some((name.to_lowercase(), variable(name)?)));
    let carried: HashMap<String, String> = carried.collect();
    if !carried.is_empty() {
        // It fails where no span is made.
        let _ = span.set_parent(TraceContextPropagator::new().extract(&carried));
    }
}
