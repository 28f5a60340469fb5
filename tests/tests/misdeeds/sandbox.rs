//! A misdeed in the sandbox: the kind of the error and its whole message, and whether other plugins
//! of the process go on as before.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use loader_sandbox::{CacheLocation, ChainPlan, HostValues, Limits, Plugin, PluginError, Runtime};
use loader_tests::plugin;
use serde_json::{Value, json};

use crate::outcome::{cut, without_digest, without_frames};

/// The hostile plugin and an honest one, loaded once for all tests.
pub(crate) struct Sandbox {
    hostile: Plugin,
    /// The same plugin with time limits of a second, for the misdeeds that never end.
    hurried: Plugin,
    honest: Plugin,
    /// What the honest plugin gives as long as it is left in peace.
    honest_outcome: String,
}

impl Sandbox {
    pub(crate) fn new() -> Sandbox {
        let start = |limits| Runtime::new(limits, CacheLocation::Default).expect("it starts");
        let (patient, hurried) = (start(limits(Limits::default())), start(limits(one_second())));
        let honest = load(&patient, "default");
        let honest_outcome = outcome(&honest, json!({"metadata": false})).expect("it is honest");
        Sandbox {
            hostile: load(&patient, "hostile"),
            hurried: load(&hurried, "hostile"),
            honest,
            honest_outcome,
        }
    }

    /// What the plugin can be asked to do, in its own order.
    pub(crate) fn words(&self) -> Vec<String> {
        let schema = self.hostile.config_schema().expect("it answers").expect("it has one");
        let schema: Value = serde_json::from_str(&schema).expect("JSON");
        let words = schema["properties"]["do"]["enum"].as_array().expect("a list");
        words.iter().map(|word| word.as_str().expect("a word").to_owned()).collect()
    }

    /// The kind of the error and its whole message, or what came out.
    pub(crate) fn fate(&self, word: &str) -> String {
        let plugin = if word.starts_with("loop-") { &self.hurried } else { &self.hostile };
        let text = match outcome(plugin, json!({"do": word})) {
            Ok(text) => format!("harmless: {text}"),
            Err(error) => format!("{:?}: {error}", error.kind()),
        };
        assert!(!text.chars().any(char::is_control), "{word}: {text:?}");
        assert!(text.len() < 6000, "{word}: a message of {} bytes", text.len());
        let honest = outcome(&self.honest, json!({"metadata": false})).expect("it still runs");
        assert_eq!(honest, self.honest_outcome, "after {word}");
        cut(&without_frames(&without_digest(&text)))
    }
}

/// Memory as small as honest plugins can bear.
fn limits(limits: Limits) -> Limits {
    Limits { memory_bytes: 100_000_000, ..limits }
}

fn one_second() -> Limits {
    Limits {
        plan_seconds: 1,
        open_seconds: 1,
        process_seconds: 1,
        finish_seconds: 1,
        ..Limits::default()
    }
}

fn load(runtime: &Runtime, name: &str) -> Plugin {
    let path = plugin(name);
    runtime.load(&path, std::fs::read(&path).expect("it can be read")).expect("it loads")
}

fn batch() -> RecordBatch {
    let columns: [(&str, ArrayRef); 2] = [
        ("id", Arc::new(Int64Array::from(vec![Some(1), Some(2), Some(3), None, Some(5)]))),
        (
            "name",
            Arc::new(StringArray::from(vec![Some("A"), None, Some("C"), Some(""), Some("E")])),
        ),
    ];
    RecordBatch::try_from_iter(columns).expect("a batch")
}

/// Two batches through one plugin; what came out of it, in words.
fn outcome(plugin: &Plugin, config: Value) -> Result<String, PluginError> {
    let batch = batch();
    let values = HostValues {
        run_started_at_micros: 1_700_000_000_000_000,
        run_id: "run-1".into(),
        source_file_name: "x.csv".into(),
        source_uri: "s3://bucket/x.csv".into(),
    };
    let plan = ChainPlan::make(&[(plugin.clone(), config)], "target", &[], None, batch.schema())?;
    let mut session = plan.open(Arc::new(values))?;
    let mut text = String::new();
    for first in [1, 6] {
        let transformed = session.process(&batch, &(first..first + 5).collect())?;
        assert!(
            transformed
                .batch
                .columns()
                .iter()
                .all(|column| column.to_data().validate_full().is_ok())
        );
        let _ = write!(text, "{} rows, ", transformed.batch.num_rows());
        for reject in transformed.rejects.iter().take(1) {
            assert!(reject.message.len() <= 4100 && reject.code.len() <= 70, "{reject:?}");
            let _ = write!(
                text,
                "the first rejected as {} because {}, ",
                cut(&reject.code),
                cut(&reject.message)
            );
        }
    }
    let fields = plan
        .output
        .fields()
        .iter()
        .map(|field| format!("{:?} {}", field.name(), field.data_type()));
    let _ = write!(text, "columns {}", fields.collect::<Vec<_>>().join(", "));
    for plugin in session.finish()? {
        assert!(plugin.peak_memory_bytes <= 100_000_000);
        if !plugin.counters.is_empty() {
            let _ = write!(text, ", counted {:?}", plugin.counters);
        }
        if plugin.log_lines_dropped > 0 {
            text.push_str(", log lines were dropped");
        }
    }
    Ok(text)
}
