//! Every misdeed that `plugins/hostile` knows, each with its whole message: in the sandbox, and in
//! the real program.
//!
//! The plugin lists its words in its config schema, so a new one is tried without being named here.
//! What needs a guest that no compiler makes is in `host/sandbox/tests/sandbox`.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use loader_sandbox::{CacheLocation, ChainPlan, HostValues, Limits, Plugin, PluginError, Runtime};
use loader_tests::{Place, Report, plugin, program, run};
use serde_json::{Value, json};

/// Misdeeds that there have to be at least, so that none gets lost.
const AT_LEAST: usize = 110;

/// Limits at which a test for time ends soon. Memory is as small as honest plugins can bear.
const SETTINGS: &str = "[limits]\nplan_seconds = 1\nopen_seconds = 1\nprocess_seconds = \
                        1\nfinish_seconds = 1\nmemory_bytes = 100000000\n";

fn limits() -> Limits {
    Limits {
        plan_seconds: 1,
        open_seconds: 1,
        process_seconds: 1,
        finish_seconds: 1,
        memory_bytes: 100_000_000,
        ..Limits::default()
    }
}

fn load(runtime: &Runtime, name: &str) -> Plugin {
    let path = plugin(name);
    runtime.load(&path, std::fs::read(&path).expect("it can be read")).expect("it loads")
}

/// What the plugin can be asked to do, in its own order.
fn words(hostile: &Plugin) -> Vec<String> {
    let schema = hostile.config_schema().expect("it answers").expect("it has one");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let words = schema["properties"]["do"]["enum"].as_array().expect("a list");
    words.iter().map(|word| word.as_str().expect("a word").to_owned()).collect()
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

/// The kind of the error and its whole message, or what came out.
fn fate(plugin: &Plugin, word: &str) -> String {
    let text = match outcome(plugin, json!({"do": word})) {
        Ok(text) => format!("harmless: {text}"),
        Err(error) => format!("{:?}: {error}", error.kind()),
    };
    assert!(!text.chars().any(char::is_control), "{word}: {text:?}");
    assert!(text.len() < 6000, "{word}: a message of {} bytes", text.len());
    cut(&without_frames(&without_digest(&text)))
}

/// The digest changes with the tools that build the guest.
fn without_digest(text: &str) -> String {
    match text.split_once("(sha256 ") {
        Some((before, after)) => format!("{before}(sha256 …{}", &after[8..]),
        None => text.to_owned(),
    }
}

/// Which functions a trap shows depends on what the guest's compiler made of them; that there are
/// some does not.
fn without_frames(text: &str) -> String {
    match text
        .split_once(" (in ")
        .and_then(|(before, after)| Some((before, after.split_once(')')?)))
    {
        Some((before, (_, after))) => format!("{before} (in …){after}"),
        None => text.to_owned(),
    }
}

/// Long repetitions in the middle are left out.
fn cut(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    match chars.len() > 900 {
        true => format!(
            "{} [{} more] {}",
            chars[..120].iter().collect::<String>(),
            chars.len() - 320,
            chars[chars.len() - 200..].iter().collect::<String>()
        ),
        false => text.to_owned(),
    }
}

#[test]
fn every_misdeed_is_named_in_full_and_the_process_goes_on() {
    let runtime = Runtime::new(limits(), CacheLocation::Default).expect("the engine starts");
    let (hostile, good) = (load(&runtime, "hostile"), load(&runtime, "default"));
    let words = words(&hostile);
    let honest = outcome(&good, json!({"metadata": false})).expect("it is honest");
    let mut fates = String::new();
    for word in &words {
        let _ = writeln!(fates, "{word} → {}", fate(&hostile, word));
        assert_eq!(
            outcome(&good, json!({"metadata": false})).expect("it still runs"),
            honest,
            "after {word}"
        );
    }
    let bad = fates.lines().filter(|line| !line.contains("→ harmless: ")).count();
    assert!(bad >= AT_LEAST, "{bad} misdeeds were refused, which is fewer than {AT_LEAST}");
    insta::assert_snapshot!("misdeeds", fates);
}

/// `loader transform` on five rows; its code.
fn transform(dir: &Path, word: &str) -> i32 {
    let (config, output) = (dir.join(format!("{word}.json")), dir.join(format!("{word}.csv")));
    std::fs::write(&config, json!({"hostile": {"do": word}}).to_string()).expect("writes");
    let mut command = Command::new(program());
    command
        .arg("transform")
        .arg(dir.join("x.csv"))
        .arg("-o")
        .arg(&output)
        .arg("--plugins")
        .arg(plugin("hostile"));
    let ended = run(command
        .arg("--plugin-config")
        .arg(config)
        .arg("--config")
        .arg(dir.join("limits.toml")));
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(
        !said.contains("panicked at host/") && !said.contains("RUST_BACKTRACE"),
        "{word}: {said}"
    );
    assert!(
        !said.contains('\u{1b}') && !said.contains('\u{7}') && !said.contains('\u{202e}'),
        "{word}: {said:?}"
    );
    // The largest is what a flood of lines leaves of itself: 64 KiB of text, in many short lines.
    assert!(said.len() < 1_000_000, "{word}: it says {} bytes", said.len());
    assert_eq!(output.exists(), ended.code == 0, "{word}: {said}");
    ended.code
}

#[test]
fn every_misdeed_ends_the_program_in_order_or_not_at_all() {
    let runtime = Runtime::new(limits(), CacheLocation::Default).expect("the engine starts");
    let words = words(&load(&runtime, "hostile"));
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("x.csv"), "id,name\n1,A\n2,\n3,C\n4,\"\"\n5,E\n")
        .expect("writes");
    std::fs::write(dir.path().join("limits.toml"), SETTINGS).expect("writes");
    let (next, codes) = (Mutex::new(words.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some(word) = next.lock().expect("nobody panicked").next() else { return };
                    let code = transform(dir.path(), word);
                    codes.lock().expect("nobody panicked").push((code, word.as_str()));
                }
            });
        }
    });
    let mut codes = codes.into_inner().expect("nobody panicked");
    codes.sort_unstable();
    assert_eq!(codes.len(), words.len());
    let of = |code: i32| {
        codes.iter().filter(|(ended, _)| *ended == code).map(|(_, word)| *word).collect::<Vec<_>>()
    };
    insta::assert_snapshot!(of(0).join(" "), @"count-rows counters-past-counting counters-with-silly-names flood-log flood-log-in-plan host-values leak literal log-control-characters long-log-line lowercase-text made-up-metadata none panic-at-null panic-in-second-batch panic-without-rows quote-in-name total-of-batch total-of-session");
    insta::assert_snapshot!(of(3).join(" "), @"name-of-the-host refuse-plan refuse-plan-at-length refuse-plan-with-control-characters refuse-plan-without-code reject-all-at-length reject-odd-rows reject-with-control-characters");
    assert_eq!(of(2).len(), words.len() - of(0).len() - of(3).len(), "{codes:?}");
}

/// What reaches the warehouse: names and texts that mean something to SQL or to a terminal.
#[test]
fn names_of_a_plugin_are_names_in_the_warehouse_too() {
    let place = Place::new("misdeeds");
    let dir = tempfile::tempdir().expect("a folder");
    let load = |word: &str, table: &str| {
        place.put("x.csv", "id,name\n1,A\n2,B\n");
        let config = dir.path().join("config.json");
        std::fs::write(&config, json!({"hostile": {"do": word}}).to_string()).expect("writes");
        let mut command = place.command("run", "x.csv", table);
        Report::of(run(command
            .arg("--plugins")
            .arg(plugin("hostile"))
            .arg("--plugin-config")
            .arg(config)))
    };
    place.execute("CREATE TABLE {s}.t (kept integer)");
    let report = load("quote-in-name", "quoted").succeeded();
    assert_eq!(report.rows("inserted"), 2);
    let columns = place.select(
        "SELECT column_name FROM svv_columns WHERE table_schema = '{s}' AND table_name = \
                 'quoted' ORDER BY 1",
    );
    let names: Vec<&str> = columns.iter().filter_map(|row| row["column_name"].as_str()).collect();
    assert_eq!(names, [r#"id"; drop table t; --"#, r#"name"; drop table t; --"#]);
    assert_eq!(place.value("SELECT count(*) FROM {s}.t"), "0");

    let report = load("counters-with-silly-names", "counted").succeeded();
    insta::assert_snapshot!(report.json["plugins"][0]["counters"].to_string(), @r#"{"":7,"'; DROP TABLE t; --":7,"cast.rounded":7,"longlonglonglonglonglonglonglonglonglonglonglonglonglonglonglong…":7,"�[2J":7}"#);
    let report = load("counters-past-counting", "most").succeeded();
    assert_eq!(report.json["plugins"][0]["counters"], json!({"most": u64::MAX}));
    let refused = |word| {
        let report = load(word, "other");
        format!("{}: {}", report.ended.code, without_digest(report.error()))
    };
    insta::assert_snapshot!(refused("name-of-the-host"), @"3: `_loader_row` is a name that Redshift or loader keeps for itself; rename the column in the header (uri s3://misdeeds/data/in/x.csv)");
    insta::assert_snapshot!(refused("direction-mark-in-name"), @r#"2: plugin hostile 0.1.0 (sha256 …): make-plan: the plan's schema: column 1 has a control character in its name, "id\u{202e}gpj.exe"; this is a mistake in the plugin: report it to its author"#);
    insta::assert_snapshot!(refused("reject-with-control-characters"), @"3: 1 row was rejected, none is: line 2: line one  line two��[2J�� (hostile re�[31mfused); correct the file, or allow rejects with --max-rejects (uri s3://misdeeds/data/in/x.csv)");
    assert!(
        place
            .select("SELECT 1 FROM svv_columns WHERE table_schema = '{s}' AND table_name = 'other'")
            .is_empty()
    );
}
