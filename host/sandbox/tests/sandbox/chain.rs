//! What chains do with rows: columns put together, rejected rows gone from all of them, nothing
//! called in vain.

use std::path::Path;
use std::sync::{Arc, Mutex};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use loader_sandbox::{CacheLocation, ChainPlan, Limits, Metering, Reject, Runtime};
use serde_json::Value;

use crate::guest::{Batch, Guest, Out, Says};
use crate::{batch, host_values, limits, load, load_with, open, plan, rows, schema};

/// `id` goes through the sandbox and back, `name` does not.
fn echo() -> Guest {
    Guest::new().plans(
        &[0],
        vec![
            ("id", DataType::Int64, Out::Computed(0)),
            ("name", DataType::Utf8, Out::Passthrough(1)),
        ],
    )
}

const ODD: Says =
    Says { code: "odd", message: "odd ones\nare not loaded", column: Some("id"), row: None };

fn ids(batch: &RecordBatch) -> Vec<i64> {
    batch.column(0).as_primitive::<Int64Type>().values().to_vec()
}

#[test]
fn rows_come_through_the_sandbox_unchanged() {
    let mut session = open(&[load(echo())]);
    for ids in [&[1, 2, 3][..], &[], &[4]] {
        let out = session.process(&batch(ids), &rows(ids)).unwrap();
        assert_eq!(out.batch, batch(ids));
        assert_eq!(out.rows, rows(ids));
        assert_eq!(out.rejects, []);
    }
    let counters = &session.finish().unwrap()[0];
    assert_eq!((counters.plugin.as_str(), counters.batches, counters.rows), ("test", 3, 4));
    assert_eq!(counters.bytes_in, counters.bytes_out);
    assert!(counters.bytes_in > 0 && counters.sandbox.as_nanos() > 0);
    assert_eq!(counters.peak_memory_bytes, 4 * 65_536);
}

#[test]
fn a_batch_too_large_for_one_call_is_split_and_put_together_again() {
    let ids: Vec<i64> = (0..1000).collect();
    for limits in [Limits { batch_rows: 7, ..limits() }, Limits { batch_bytes: 700, ..limits() }] {
        let mut session = open(&[load_with(limits, echo()).unwrap()]);
        let out = session.process(&batch(&ids), &rows(&ids)).unwrap();
        assert_eq!(out.batch, batch(&ids));
        let counters = session.finish().unwrap();
        assert_eq!(counters[0].batches, 1);
        // Every call has a header of its own.
        let in_one =
            loader_ipc::encode_columns(1000, &batch(&ids).columns()[..1]).unwrap().len() as u64;
        assert!(counters[0].bytes_in > in_one + 1000);
    }
}

#[test]
fn an_observer_sees_what_each_plugin_gets() {
    let rejecting = echo().returns(Batch::Echo, &[1, 3], &[0, 0], &[ODD]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&seen);
    let chain = plan(&[load(rejecting), load(echo())]).unwrap().observed_by(Arc::new(
        move |place, batch, rows| {
            heard.lock().unwrap().push((place, batch.clone(), rows.clone()));
        },
    ));
    let mut session = chain.open(host_values()).unwrap();
    session.process(&batch(&[10, 11, 12, 13]), &rows(&[10, 11, 12, 13])).unwrap();
    let expected = [
        (0, batch(&[10, 11, 12, 13]), rows(&[10, 11, 12, 13])),
        (1, batch(&[10, 12]), rows(&[10, 12])),
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[test]
fn rejected_rows_leave_all_columns_and_the_next_plugin() {
    let rejecting = echo().returns(Batch::Echo, &[1, 3], &[0, 0], &[ODD]);
    let mut session = open(&[load(rejecting), load(echo())]);
    let all = [10, 11, 12, 13, 14];
    let out = session.process(&batch(&all), &rows(&all)).unwrap();
    assert_eq!(out.batch, batch(&[10, 12, 14]));
    assert_eq!(out.rows, rows(&[10, 12, 14]));
    let reject = |row| Reject {
        row,
        plugin: "test".into(),
        code: "odd".into(),
        message: "odd ones are not loaded".into(),
        column: Some("id".into()),
    };
    assert_eq!(out.rejects, [reject(111), reject(113)]);
    assert!(
        Arc::ptr_eq(&out.rejects[0].message, &out.rejects[1].message),
        "each row has its own copy"
    );
    let counters = session.finish().unwrap();
    assert_eq!((counters[0].rows, counters[0].rejected), (5, 2));
    assert_eq!((counters[1].rows, counters[1].rejected), (3, 0));
}

#[test]
fn rows_of_a_split_batch_are_rejected_at_their_place() {
    let rejecting = echo().returns(Batch::Echo, &[0], &[0], &[ODD]);
    let mut session = open(&[load_with(Limits { batch_rows: 2, ..limits() }, rejecting).unwrap()]);
    let out = session.process(&batch(&[1, 2, 3, 4]), &rows(&[1, 2, 3, 4])).unwrap();
    assert_eq!(ids(&out.batch), [2, 4]);
    assert_eq!(out.rejects.iter().map(|reject| reject.row).collect::<Vec<_>>(), [101, 103]);
}

#[test]
fn a_plugin_without_work_is_never_opened() {
    let idle = Guest::new()
        .plans(
            &[],
            vec![
                ("name", DataType::Utf8, Out::Passthrough(1)),
                ("id", DataType::Int64, Out::Passthrough(0)),
            ],
        )
        .open("unreachable");
    let mut session = open(&[load(idle)]);
    let out = session.process(&batch(&[1, 2]), &rows(&[1, 2])).unwrap();
    assert_eq!(out.batch.column(1).as_primitive::<Int64Type>().values(), &[1, 2]);
    let counters = &session.finish().unwrap()[0];
    assert_eq!((counters.rows, counters.bytes_in, counters.sandbox.as_nanos()), (2, 0, 0));
}

#[test]
fn a_plugin_that_only_judges_needs_no_columns_of_its_own() {
    let judge = Guest::new()
        .plans(&[0], vec![("id", DataType::Int64, Out::Passthrough(0))])
        .returns(Batch::Bytes(Vec::new()), &[0], &[0], &[ODD]);
    let mut session = open(&[load(judge)]);
    let out = session.process(&batch(&[1, 2]), &rows(&[1, 2])).unwrap();
    assert_eq!(ids(&out.batch), [2]);
}

#[test]
fn the_host_supplies_constants_its_own_values_and_casts() {
    let timestamp = DataType::Timestamp(TimeUnit::Microsecond, None);
    let one = Arc::new(Schema::new(vec![Field::new("x", DataType::Int64, true)]));
    let literal = RecordBatch::try_new(one, vec![Arc::new(Int64Array::from(vec![42]))]).unwrap();
    let guest = Guest::new().plans(
        &[],
        vec![
            ("id", DataType::Int32, Out::Cast(0)),
            ("answer", DataType::Int64, Out::Literal(loader_ipc::encode_batch(&literal).unwrap())),
            ("run_date", timestamp, Out::HostValue("run.started-at")),
            ("run", DataType::Utf8, Out::HostValue("run.id")),
            ("file", DataType::Utf8, Out::HostValue("source.file-name")),
            ("uri", DataType::Utf8, Out::HostValue("source.uri")),
            ("row", DataType::Int64, Out::HostValue("source.row")),
        ],
    );
    let ids = [1, i64::MAX - 100, 3];
    let mut session = open(&[load(guest)]);
    let out = session.process(&batch(&ids), &rows(&ids)).unwrap();
    assert_eq!(out.batch.num_rows(), 2);
    let column = |index: usize| out.batch.column(index);
    assert_eq!(column(1).as_primitive::<Int64Type>().values(), &[42, 42]);
    assert_eq!(
        column(2).as_primitive::<TimestampMicrosecondType>().value(1),
        host_values().run_started_at_micros
    );
    let text = |index: usize| column(index).as_string::<i32>().value(1).to_owned();
    assert_eq!([text(3), text(4), text(5)], ["run-1", "file.csv", "s3://bucket/file.csv"]);
    assert_eq!(column(6).as_primitive::<Int64Type>().values(), &[101, 103]);
    assert_eq!(
        out.rejects,
        [Reject {
            row: i64::MAX as u64,
            plugin: "test".into(),
            code: "cast-failed".into(),
            message: "value of \"id\" does not fit Int32 exactly".into(),
            column: Some("id".into()),
        }]
    );
}

#[test]
fn the_origin_of_a_column_is_known_when_no_plugin_made_it() {
    let swap = || {
        Guest::new().plans(
            &[0],
            vec![
                ("name", DataType::Utf8, Out::Passthrough(1)),
                ("id", DataType::Int64, Out::Cast(0)),
                ("made", DataType::Int64, Out::Computed(0)),
            ],
        )
    };
    let back = Guest::new().plans(
        &[],
        vec![
            ("id", DataType::Int64, Out::Passthrough(1)),
            ("name", DataType::Utf8, Out::Passthrough(0)),
            ("made", DataType::Int64, Out::Passthrough(2)),
        ],
    );
    let plan = plan(&[load(swap()), load(back)]).unwrap();
    assert_eq!([0, 1, 2, 3].map(|column| plan.origin(column)), [Some(0), Some(1), None, None]);
    assert_eq!(plan.output.field(0).name(), "id");
    assert_eq!(plan.plugins().len(), 2);
}

#[test]
fn no_plugins_change_nothing() {
    let mut session = open(&[]);
    let out = session.process(&batch(&[1]), &rows(&[1])).unwrap();
    assert_eq!((out.batch, out.rows), (batch(&[1]), rows(&[1])));
    assert_eq!(plan(&[]).unwrap().output, schema());
    assert_eq!(session.finish().unwrap(), []);
}

#[test]
fn what_a_plugin_counts_and_says_is_reported() {
    let mut guest = echo();
    let line = guest.log(3, "a line of thirty bytes, or so..");
    let guest = guest.before_process(&line).counts("rounded", "(i64.const 7)");
    let mut session = open(&[load_with(Limits { log_bytes: 70, ..limits() }, guest).unwrap()]);
    for _ in 0..5 {
        session.process(&batch(&[1]), &rows(&[1])).unwrap();
    }
    let counters = &session.finish().unwrap()[0];
    assert_eq!(counters.counters, [("rounded".to_owned(), 7)]);
    assert_eq!(counters.log_lines_dropped, 3);
}

#[test]
fn columns_that_are_passed_on_cost_nothing_in_the_sandbox() {
    let counted = |others: u32| {
        let names: Vec<String> = (0..others).map(|index| format!("c{index}")).collect();
        let passed = names
            .iter()
            .zip(1..)
            .map(|(name, from)| (name.as_str(), DataType::Utf8, Out::Passthrough(from)));
        let columns = std::iter::once(("id", DataType::Int64, Out::Computed(0))).chain(passed);
        let runtime = Runtime::metered(limits(), CacheLocation::Off, Metering::Fuel).unwrap();
        // Memory enough for either plan, so that they can be compared.
        let guest = Guest::new().pages(16).plans(&[0], columns.collect()).build();
        let plugin = runtime.load(Path::new("plugins/test.wasm"), guest).unwrap();
        let text: ArrayRef = Arc::new(StringArray::from(vec!["some text"; 1000]));
        let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1000));
        let others = names.iter().map(|name| (name.as_str(), Arc::clone(&text)));
        let batch = RecordBatch::try_from_iter(std::iter::once(("id", ids)).chain(others)).unwrap();
        let configured = [(plugin, Value::Null)];
        let plan = ChainPlan::make(&configured, "orders", &[], None, batch.schema()).unwrap();
        let mut session = plan.open(host_values()).unwrap();
        let out = session.process(&batch, &Int64Array::from_iter_values(0..1000)).unwrap().batch;
        assert_eq!(out.columns(), batch.columns());
        // What is passed on is the same memory, not a copy.
        assert!(out.columns().iter().skip(1).all(|column| Arc::ptr_eq(column, &text)));
        let counters = session.finish().unwrap().remove(0);
        (counters.bytes_in, counters.bytes_out, counters.fuel, counters.peak_memory_bytes)
    };
    assert_eq!(counted(1), counted(199));
    assert!(counted(1).0 > 8000);
}
