//! What the variables ask for.

/// The only protocol that is spoken.
const SPOKEN: &str = "http/protobuf";

/// A variable that is set, and not to nothing.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// How long a request may take, in milliseconds.
pub(super) fn timeout(signal: &str, variable: impl Fn(&str) -> Option<String>) -> u64 {
    let of_signal = variable(&format!("OTEL_EXPORTER_OTLP_{signal}_TIMEOUT"));
    let given = of_signal.or_else(|| variable("OTEL_EXPORTER_OTLP_TIMEOUT"));
    given.and_then(|given| given.parse().ok()).unwrap_or(10_000)
}

/// Whether a signal, `TRACES` or `METRICS`, is sent. Errors: what is asked for and cannot be had.
pub(super) fn is_wanted(
    signal: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<bool, String> {
    if variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(false);
    }
    let exporter = format!("OTEL_{signal}_EXPORTER");
    let is_wanted = match variable(&exporter).as_deref() {
        Some("otlp") => true,
        Some("none") => false,
        // `loader watch --http` shows them, with or without this.
        Some("prometheus") if signal == "METRICS" => false,
        Some(other) => {
            return Err(format!("{exporter} is {other}, and must be otlp or none"));
        }
        None => {
            let of_signal = format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT");
            let named = ["OTEL_EXPORTER_OTLP_ENDPOINT", &of_signal];
            named.iter().any(|name| variable(name).is_some())
        }
    };
    let of_signal = format!("OTEL_EXPORTER_OTLP_{signal}_PROTOCOL");
    for name in [&*of_signal, "OTEL_EXPORTER_OTLP_PROTOCOL"] {
        match variable(name).as_deref() {
            None => {}
            Some(SPOKEN) => break,
            Some(other) if is_wanted => {
                return Err(format!(
                    "{name} is {other}, and must be {SPOKEN}, which most collectors take at port 4318"
                ));
            }
            Some(_) => break,
        }
    }
    Ok(is_wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of traces and metrics: `+`, `-`, or the mistake.
    fn wanted(variables: &[(&str, &str)]) -> String {
        let variable = |name: &str| {
            let found = variables.iter().find(|(given, _)| *given == name)?;
            Some(found.1.to_owned())
        };
        let of = |signal| match is_wanted(signal, variable) {
            Ok(true) => "+".to_owned(),
            Ok(false) => "-".to_owned(),
            Err(mistake) => mistake,
        };
        format!("{} {}", of("TRACES"), of("METRICS"))
    }

    #[test]
    fn nothing_is_sent_unless_it_is_asked_for() {
        const ALL: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318");
        const OF_TRACES: (&str, &str) =
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c/v1/traces");
        assert_eq!(wanted(&[]), "- -");
        assert_eq!(wanted(&[ALL]), "+ +");
        assert_eq!(wanted(&[OF_TRACES]), "+ -");
        assert_eq!(wanted(&[("OTEL_METRICS_EXPORTER", "otlp")]), "- +");
        assert_eq!(wanted(&[ALL, ("OTEL_TRACES_EXPORTER", "none")]), "- +");
        assert_eq!(wanted(&[ALL, ("OTEL_METRICS_EXPORTER", "prometheus")]), "+ -");
        assert_eq!(wanted(&[ALL, ("OTEL_SDK_DISABLED", "True")]), "- -");
    }

    #[test]
    fn the_time_of_a_request_is_that_of_its_signal() {
        let variables =
            [("OTEL_EXPORTER_OTLP_TIMEOUT", "7"), ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "9")];
        let variable = |name: &str| {
            let found = variables.iter().find(|(given, _)| *given == name)?;
            Some(found.1.to_owned())
        };
        assert_eq!((timeout("TRACES", variable), timeout("METRICS", variable)), (9, 7));
        assert_eq!(timeout("TRACES", |_| None), 10_000);
    }

    #[test]
    fn what_cannot_be_had_is_said() {
        const ALL: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317");
        let both = wanted(&[ALL, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]);
        let must = "OTEL_EXPORTER_OTLP_PROTOCOL is grpc, and must be http/protobuf, which most \
                    collectors take at port 4318";
        assert_eq!(both, format!("{must} {must}"));
        let own = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf");
        assert_eq!(
            wanted(&[ALL, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), own]),
            format!("+ {must}")
        );
        // Who wants nothing, hears of nothing.
        assert_eq!(wanted(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]), "- -");
        let zipkin = wanted(&[("OTEL_TRACES_EXPORTER", "zipkin")]);
        assert_eq!(zipkin, "OTEL_TRACES_EXPORTER is zipkin, and must be otlp or none -");
    }
}
