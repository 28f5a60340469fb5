//! Each limit is run into, says so, and stands in `docs/limits.md`, which is written from what is
//! said here.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use loader_sandbox::{ChainPlan, Limits, Plugin, PluginCounters};
use serde_json::{Value, json};

use crate::guest::{Batch, Guest, Out, Says};
use crate::{batch, host_values, limits, load_with, message, open, plan, rows};

const FOREVER: &str = "(loop $again br $again) unreachable";
const NO: Says = Says { code: "no", message: "0123456789", column: None, row: None };

fn honest() -> Guest {
    Guest::new().plans(&[0], vec![("id", DataType::Int64, Out::Computed(0))])
}

fn ready(limits: Limits, guest: Guest) -> Plugin {
    load_with(limits, guest).expect("the plugin loads")
}

fn planning(limits: Limits, guest: Guest) -> String {
    message(plan(&[ready(limits, guest)]))
}

fn opening(limits: Limits, guest: Guest) -> String {
    message(plan(&[ready(limits, guest)]).expect("there is a plan").open(host_values()))
}

fn processing(limits: Limits, guest: Guest) -> String {
    message(open(&[ready(limits, guest)]).process(&batch(&[1, 2, 3]), &rows(&[1, 2, 3])))
}

fn loading(limits: Limits) -> String {
    message(load_with(limits, honest()))
}

/// What is counted when one batch went through.
fn counted(limits: Limits, guest: Guest) -> PluginCounters {
    let mut session = open(&[ready(limits, guest)]);
    session.process(&batch(&[1]), &rows(&[1])).expect("it goes through");
    session.finish().expect("it ends").remove(0)
}

/// Runs into this limit and gives the message, or says what happens instead of one.
fn hit(key: &str) -> String {
    let limits = limits();
    match key {
        "plugin_bytes" => loading(Limits { plugin_bytes: 1000, ..limits }),
        "compile_seconds" => loading(Limits { compile_seconds: 0, ..limits }),
        "memory_bytes" => planning(Limits { memory_bytes: 100_000, ..limits }, honest()),
        "memories" => planning(Limits { memories: 0, ..limits }, honest()),
        "tables" => planning(Limits { tables: 0, ..limits }, honest()),
        "table_elements" => planning(limits, honest().functions("(table 20001 funcref)")),
        "core_instances" => planning(Limits { core_instances: 1, ..limits }, honest()),
        "stack_bytes" => processing(
            limits,
            honest()
                .functions("(func $dive (call $dive) (call $dive))")
                .process("(call $dive) unreachable"),
        ),
        "returned_bytes" => {
            let much = Batch::At { pointer: 0, length: 200_000 };
            processing(
                Limits { returned_bytes: 100_000, ..limits },
                honest().returns(much, &[], &[], &[]),
            )
        }
        "handles" => opening(
            limits,
            honest().open("(loop $more (drop (call $new (i32.const 1))) (br $more)) unreachable"),
        ),
        "plan_seconds" => planning(limits, honest().make_plan(FOREVER)),
        "open_seconds" => opening(limits, honest().open(FOREVER)),
        "process_seconds" => processing(limits, honest().process(FOREVER)),
        "session_seconds" => processing(Limits { session_seconds: 0, ..limits }, honest()),
        "finish_seconds" => message(open(&[ready(limits, honest().finish(FOREVER))]).finish()),
        "batch_rows" | "log_line_bytes" | "log_bytes" | "message_bytes" => {
            without_message(key, limits)
        }
        "batch_bytes" => processing(Limits { batch_bytes: 64, ..limits }, honest()),
        "output_bytes" => {
            let much = Batch::At { pointer: 0, length: 200_000 };
            processing(
                Limits { output_bytes: 100_000, ..limits },
                honest().returns(much, &[], &[], &[]),
            )
        }
        "columns" => planning(Limits { columns: 0, ..limits }, honest()),
        "state_bytes" => stating(limits),
        "config_schema_bytes" => {
            let schema = json!({"description": "x".repeat(300)}).to_string();
            planning(Limits { config_schema_bytes: 100, ..limits }, honest().config_schema(&schema))
        }
        "messages" => {
            let guest = honest().returns(Batch::Echo, &[0, 1], &[0, 1], &[NO, NO]);
            processing(Limits { messages: 1, ..limits }, guest)
        }
        "counters" => {
            let plugin =
                ready(Limits { counters: 0, ..limits }, honest().counts("one", "(i64.const 1)"));
            message(open(&[plugin]).finish())
        }
        other => panic!("{other} is a limit that nothing here runs into"),
    }
}

/// A plan whose state is longer than it may be: `make-plan`'s answer is nine words, the last two of
/// which are the state.
fn stating(limits: Limits) -> String {
    let answer = [0, 0, 0, 0, 0, 0, 0, 2048, 100].into_iter().enumerate();
    let stores: String = answer
        .map(|(index, word)| {
            format!("(i32.store (i32.const {}) (i32.const {word}))", 16 + 4 * index)
        })
        .collect();
    planning(
        Limits { state_bytes: 64, ..limits },
        honest().make_plan(&format!("{stores} (i32.const 16)")),
    )
}

/// Limits that end nothing.
fn without_message(key: &str, limits: Limits) -> String {
    match key {
        "batch_rows" => {
            let ids: Vec<i64> = (0..10).collect();
            let mut session = open(&[ready(Limits { batch_rows: 3, ..limits }, honest())]);
            assert_eq!(
                session.process(&batch(&ids), &rows(&ids)).expect("it is split").batch.num_rows(),
                10
            );
            "nothing: the batch is split".to_owned()
        }
        "message_bytes" => {
            let guest = honest().returns(Batch::Echo, &[0], &[0], &[NO]);
            let mut session = open(&[ready(Limits { message_bytes: 4, ..limits }, guest)]);
            let rejects =
                session.process(&batch(&[1]), &rows(&[1])).expect("it goes through").rejects;
            assert_eq!(&*rejects[0].message, "0123…");
            "nothing: the message ends with …".to_owned()
        }
        "log_line_bytes" => {
            let mut guest = honest();
            let body = guest.log(3, "0123456789");
            let counters = counted(
                Limits { log_line_bytes: 4, log_bytes: 7, ..limits },
                guest.before_process(&body),
            );
            assert_eq!(counters.log_lines_dropped, 0, "the line was not cut");
            "nothing: the line ends with …".to_owned()
        }
        _ => {
            let mut guest = honest();
            let body = guest.log(3, "0123456789");
            let counters =
                counted(Limits { log_bytes: 15, ..limits }, guest.before_process(&body.repeat(3)));
            assert_eq!(counters.log_lines_dropped, 2);
            "nothing: the report counts the lines that were dropped".to_owned()
        }
    }
}

/// The page: all limits with the messages that they have just given.
fn page() -> String {
    let mut page = String::from(
        "# Limits

Written by a test (`UPDATE=1 cargo test -p loader-sandbox --test sandbox bounds`) from `host/sandbox/src/limits.rs` and
from the messages that the test gets when it runs into each limit.

## Plugins

A plugin that runs into one of these ends the load with exit code 2: nothing is loaded, and the file stays where it is.
Each is raised, or lowered, by its name in the settings file (`--config`):

```toml
[limits]
process_seconds = 30
memory_bytes = 536870912
```

Sizes are in bytes, times in whole seconds. A worker has an instance of each plugin, so the memory of plugins is at most
`memory_bytes` times plugins times workers.

| limit | default | what it bounds | why that much |
|---|---|---|---|
",
    );
    for limit in Limits::ALL {
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            limit.key,
            limit.default_text(),
            limit.bounds.trim(),
            limit.reason
        );
    }
    page.push_str("\nWhat is said when one is hit; the numbers are those of the test:\n\n");
    for limit in Limits::ALL {
        let said = hit(limit.key);
        let said = said
            .replace("plugin test 0 (sha256 …): ", "")
            .replace("plugin plugins/test.wasm: ", "");
        let (_, said) =
            said.split_once(": ").filter(|_| !said.starts_with("nothing")).unwrap_or(("", &said));
        let shown =
            if said.starts_with("nothing") { said.to_owned() } else { format!("“{said}”") };
        let _ = writeln!(page, "- `{}`: {shown}", limit.key);
    }
    page.push_str(OTHERS);
    page
}

/// The limits of a load beside its plugins; `host/loader/tests/limits_page.rs` holds these numbers
/// to the program's.
const OTHERS: &str = "
## Files and the warehouse

These cannot be raised: they are Redshift's, or keep memory in bounds for a file of any size.

| what | at most | what happens beyond it |
|---|---|---|
| one row of a file | 4 MiB | the file is refused (exit code 3) |
| columns of a file | 1599 | the file is refused (exit code 3), as soon as its header is read |
| blank lines before the first row of a file without header | 4194304 bytes | the file is refused (exit code 3) |
| columns of a table | 1600 | the plan is refused |
| name of a column | 127 bytes | the plan is refused |
| text, `VARCHAR` | 65535 bytes | the row is rejected |
| binary, `VARBYTE` | 1024000 bytes | the plan's batch is refused |
| decimals | 38 digits | the row is rejected |
| one statement of the Data API | 100000 bytes | it is cut into several where that is possible, otherwise refused |
| statements of one transaction | 40 | views are brought back in several transactions |
| rejected rows that are kept for the report | 100000 for each worker | later ones are only counted |
| rows that cannot be read, where rejects are allowed | 1000000 | the file is refused |
| a quote that is never closed | 4 MiB to a place from which rows can be read again | the file is refused |
| a footer (`--skip-footer`, `--footer`) | 256 KiB; 20 lines with `--footer` | the file is refused; the text is not looked for |
| a key of JSON Lines | 4096 bytes | the row is rejected |
";

#[test]
fn the_page_of_limits_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/limits.md");
    let page = page();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &page).expect("it can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/limits.md is stale: UPDATE=1 cargo test -p loader-sandbox --test sandbox bounds"
    );
}

/// The key of each limit is what a settings file says, and its default what holds without one.
#[test]
fn limits_are_set_by_their_names() {
    for limit in Limits::ALL {
        let raised = json!({limit.key: limit.default + 1});
        let limits: Limits = serde_json::from_value(raised).expect("it is a setting");
        assert_ne!(limits, Limits::default(), "{} changes nothing", limit.key);
        let same: Limits =
            serde_json::from_value(json!({limit.key: limit.default})).expect("it is a setting");
        assert_eq!(same, Limits::default(), "{} is not {}", limit.key, limit.default_text());
    }
}

/// A misbehaving plugin in a chain does not get at what stands in the rows that it was not given.
#[test]
fn only_the_columns_of_the_plan_cross_the_sandbox() {
    let secret = Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, true),
        Field::new("secret", DataType::Int64, true),
    ]));
    let columns: Vec<ArrayRef> =
        vec![Arc::new(Int64Array::from(vec![1])), Arc::new(Int64Array::from(vec![0x5ec2e7]))];
    let batch = RecordBatch::try_new(secret.clone(), columns).unwrap();
    let plugin = ready(limits(), honest());
    let plan = ChainPlan::make(&[(plugin, Value::Null)], "target", &[], None, secret).unwrap();
    let mut session = plan.open(host_values()).unwrap();
    session.process(&batch, &rows(&[1])).unwrap();
    let alone = loader_ipc::encode_columns(1, &batch.columns()[..1]).unwrap().len() as u64;
    assert_eq!(session.finish().unwrap()[0].bytes_in, alone);
}
