//! Traces and metrics reach a real collector, by the variables that programs have in common for it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use loader_tests::{Place, program, run, world};
use tempfile::TempDir;

/// What a wait may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A collector, which writes down what it gets. It ends with the value.
struct Collector {
    child: Child,
    endpoint: String,
    folder: TempDir,
}

/// A span as the collector has it.
#[derive(Clone, Debug, Default)]
struct Span {
    id: String,
    parent: String,
    trace: String,
    name: String,
    status: String,
    attributes: BTreeMap<String, String>,
}

impl Collector {
    fn start() -> Collector {
        let rotel = std::env::var_os("LOADER_TEST_ROTEL");
        let folder = tempfile::tempdir().expect("a folder");
        let file = || std::fs::File::create(folder.path().join("got")).expect("a file");
        let [http, grpc] = [free_port(), free_port()];
        let child = Command::new(rotel.expect("`cargo xtask test` names the collector"))
            .args(["start", "--exporter", "blackhole", "--debug-log", "traces"])
            .args(["--debug-log", "metrics", "--debug-log-verbosity", "detailed"])
            .args(["--otlp-http-endpoint", &format!("127.0.0.1:{http}")])
            .args(["--otlp-grpc-endpoint", &format!("127.0.0.1:{grpc}")])
            .current_dir(folder.path())
            .stdout(file())
            .stderr(Stdio::null())
            .spawn()
            .expect("the collector starts");
        let collector = Collector { child, endpoint: format!("http://127.0.0.1:{http}"), folder };
        collector.until("it listens", |got| got.contains("Starting Rotel"));
        collector
    }

    fn got(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("got")).expect("it is there")
    }

    fn until(&self, what: &str, is_so: impl Fn(&str) -> bool) {
        let started = Instant::now();
        while !is_so(&self.got()) {
            assert!(started.elapsed() < PATIENCE, "{what}: not in time\n{}", self.got());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn spans(&self) -> Vec<Span> {
        let got = self.got();
        let of_spans = got.split("ResourceMetrics #").next().unwrap_or_default();
        of_spans.split("\nSpan #").skip(1).map(span).collect()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn span(text: &str) -> Span {
    let mut span = Span::default();
    for line in text.split("\nEvents:").next().unwrap_or_default().lines() {
        if let Some((name, value)) = line.trim().trim_start_matches("-> ").split_once(':') {
            let value = value.trim().to_owned();
            match name.trim() {
                "Trace ID" => span.trace = value,
                "Parent ID" => span.parent = value,
                "ID" => span.id = value,
                "Name" => span.name = value,
                "Status code" => span.status = value,
                name if line.contains("->") => drop(span.attributes.insert(name.into(), value)),
                _ => {}
            }
        }
    }
    span
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port()
}

fn load(place: &Place, folder: &TempDir, variables: &[(&str, &str)]) -> loader_tests::Ended {
    let (bucket, schema) = (&place.name, place.schema());
    let settings = format!(
        "src-bucket = {bucket:?}\nschema-name = {schema:?}\n[tables.orders]\nfiles = '*.csv'\n"
    );
    std::fs::write(folder.path().join("loader.toml"), settings).expect("writes");
    let mut command = Command::new(program());
    command.arg("run").current_dir(folder.path()).env("LOADER_LOCAL", world().dir());
    run(command.envs(variables.iter().copied()))
}

#[test]
fn a_load_is_a_trace_with_a_span_for_each_step() {
    let place = Place::new("telemetry");
    let (collector, folder) = (Collector::start(), tempfile::tempdir().expect("a folder"));
    place.put("a.csv", "id,n\n1,1\n");
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("00-{trace}-b7ad6b7169203331-01");
    let all = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.endpoint),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test"),
        ("TRACEPARENT", &parent),
    ];
    let ended = load(&place, &folder, &all);
    assert_eq!(ended.code, 0, "{ended:?}");
    collector.until("traces and metrics have come", |got| got.contains("loader.step.duration"));
    let spans = collector.spans();
    let root = spans.iter().find(|span| span.name == "load telemetry.orders").expect("a root");
    assert_eq!((&*root.trace, &*root.parent), (trace, "b7ad6b7169203331"), "{root:?}");
    let has = |name: &str, value: &str| {
        assert_eq!(root.attributes.get(name).map(String::as_str), Some(value), "{root:?}");
    };
    has("table", "Str(telemetry.orders)");
    has("file", "Str(s3://telemetry/data/in/a.csv)");
    has("status", "Str(success)");
    has("rows.inserted", "Int(1)");
    let steps: BTreeSet<&str> = spans
        .iter()
        .filter(|span| span.parent == root.id)
        .inspect(|span| {
            for name in ["run_id", "table", "file"] {
                assert_eq!(span.attributes.get(name), root.attributes.get(name), "{span:?}");
            }
        })
        .map(|span| &*span.name)
        .collect();
    let expected = [
        "catalog",
        "check_evolution",
        "cleanup",
        "evolve",
        "infer",
        "load",
        "plan",
        "plugins",
        "recover",
        "source",
        "stage",
    ];
    assert_eq!(steps, BTreeSet::from(expected));
    let step = spans.iter().find(|span| span.name == "load").expect("the step");
    let executions = spans.iter().filter(|span| span.parent == step.id).collect::<Vec<_>>();
    assert!(
        executions.iter().any(|span| span.attributes.contains_key("statement_id")),
        "{spans:?}"
    );
    assert!(spans.iter().all(|span| span.trace == trace && span.status.ends_with("UNSET")));
    let got = collector.got();
    for part in ["service.name: Str(loader)", "deployment.environment.name: Str(test)"] {
        assert!(got.contains(part), "{got}");
    }
    assert!(got.contains("outcome: Str(loaded)") && got.contains("loader.rows"), "{got}");
}

#[test]
fn a_refused_file_is_an_error_in_its_trace() {
    let place = Place::new("telemetry-refused");
    let (collector, folder) = (Collector::start(), tempfile::tempdir().expect("a folder"));
    place.put("a.csv", "id\n1\n2,3\n");
    let ended = load(&place, &folder, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint)]);
    assert_eq!(ended.code, 3, "{ended:?}");
    collector.until("metrics have come", |got| got.contains("loader.step.duration"));
    let spans = collector.spans();
    let failed = spans.iter().filter(|span| span.status.ends_with("ERROR"));
    let failed: BTreeSet<&str> = failed.map(|span| &*span.name).collect();
    assert_eq!(failed, BTreeSet::from(["infer", "load telemetry_refused.orders"]), "{spans:?}");
    assert!(collector.got().contains("outcome: Str(failed)"), "{}", collector.got());
}

#[test]
fn no_load_fails_where_nobody_collects() {
    let place = Place::new("telemetry-nobody");
    let folder = tempfile::tempdir().expect("a folder");
    place.put("a.csv", "id\n1\n");
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let ended = load(&place, &folder, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &nobody)]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let said = "traces or metrics did not reach OpenTelemetry's collector";
    assert!(ended.stderr.contains(said), "{ended:?}");
    place.put("b.csv", "id\n2\n");
    let grpc = [("OTEL_TRACES_EXPORTER", "otlp"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")];
    let ended = load(&place, &folder, &grpc);
    assert_eq!(ended.code, 0, "{ended:?}");
    let said = "not sent to OpenTelemetry: traces: OTEL_EXPORTER_OTLP_PROTOCOL is grpc";
    assert!(ended.stderr.contains(said), "{ended:?}");
}
