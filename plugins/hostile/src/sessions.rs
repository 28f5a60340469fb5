//! Misdeeds of `open` and `finish`, and those of `process` that need a session's earlier batches.

use std::cell::Cell;

use loader_sdk::arrow_array::cast::AsArray;
use loader_sdk::arrow_array::types::{Int32Type, Int64Type};
use loader_sdk::arrow_array::{Array, ArrayRef, Int64Array, RecordBatch};
use loader_sdk::arrow_schema::SchemaRef;
use loader_sdk::bindings::exports::loader::plugin::transform as wire;
use loader_sdk::ipc;

use crate::answers::{control_characters, counter, output, refusal};
use crate::batches;
use crate::endless::{allocate_forever, spin};
use crate::messages;
use crate::words::TOTALS;

pub(crate) struct HostileSession {
    what: String,
    inputs: SchemaRef,
    rows: Cell<u64>,
    total: Cell<i64>,
}

impl wire::GuestSession for HostileSession {
    fn open(state: Vec<u8>, schema: Vec<u8>) -> Result<wire::Session, wire::Error> {
        loader_sdk::component::report_panics();
        let what = String::from_utf8_lossy(&state).into_owned();
        match what.as_str() {
            "loop-in-open" => spin(),
            "panic-in-open" => panic!("asked to panic in open"),
            "allocate-in-open" => allocate_forever(),
            "refuse-open" => return Err(refusal("refused", "asked to refuse the session")),
            _ => {}
        }
        let inputs = ipc::trusted::decode_schema(&schema)
            .map_err(|error| refusal("bad-message", &error.to_string()))?;
        Ok(wire::Session::new(Self {
            what,
            inputs: inputs.into(),
            rows: Cell::new(0),
            total: Cell::new(0),
        }))
    }

    fn process(&self, batch: Vec<u8>) -> Result<wire::Output, wire::Error> {
        let batch = ipc::trusted::decode_batch(batch, &self.inputs)
            .map_err(|error| refusal("bad-message", &error.to_string()))?;
        self.rows.set(self.rows.get() + batch.num_rows() as u64);
        match self.what.as_str() {
            what if TOTALS.contains(&what) => Ok(self.running_total(&batch)),
            "panic-in-second-batch" => {
                assert_eq!(self.rows.get(), batch.num_rows() as u64, "only one batch was expected");
                batches::make("honest", &batch)
            }
            "leak" => {
                std::mem::forget(std::hint::black_box(vec![1_u8; 8 << 20]));
                batches::make("honest", &batch)
            }
            what => batches::make(what, &batch),
        }
    }

    fn finish(&self) -> Result<Vec<wire::Counter>, wire::Error> {
        match self.what.as_str() {
            "loop-in-finish" => spin(),
            "panic-in-finish" => panic!("asked to panic in finish"),
            "allocate-in-finish" => allocate_forever(),
            "many-counters" => Ok(vec![counter("many", 1); 100_000]),
            "counters-past-counting" => Ok(vec![counter("most", u64::MAX); 3]),
            "counters-with-silly-names" => Ok(silly_counters()),
            "refuse-finish-with-control-characters" => Err(control_characters()),
            "refuse-finish" => Err(refusal("refused", "asked to refuse to finish")),
            "count-rows" => Ok(vec![counter("seen", self.rows.get())]),
            _ => Ok(Vec::new()),
        }
    }
}

impl HostileSession {
    fn running_total(&self, batch: &RecordBatch) -> wire::Output {
        // Wrong on purpose: the total shows where a batch begins.
        let numbers = batch.column(0);
        match self.what.as_str() {
            "total-of-batch" => self.total.set(0),
            "panic-without-rows" => assert!(batch.num_rows() > 0, "a batch has rows"),
            "panic-at-null" => assert_eq!(numbers.null_count(), 0, "a number is not NULL"),
            _ => {}
        }
        let keeps_count = self.what.starts_with("total-");
        let totals = (0..batch.num_rows()).map(|row| {
            let total = number(numbers, row) + if keeps_count { self.total.get() } else { 0 };
            self.total.set(total);
            total
        });
        output(messages::encoded(totals.collect::<Int64Array>()))
    }
}

fn number(numbers: &ArrayRef, row: usize) -> i64 {
    // NULL counts as 0. It comes first, because the value behind a NULL can be any number.
    match (numbers.as_primitive_opt::<Int32Type>(), numbers.as_primitive_opt::<Int64Type>()) {
        _ if numbers.is_null(row) => 0,
        (Some(numbers), _) => i64::from(numbers.value(row)),
        (_, Some(numbers)) => numbers.value(row),
        _ => 0,
    }
}

fn silly_counters() -> Vec<wire::Counter> {
    let long = "long".repeat(1 << 20);
    ["", "\u{1b}[2J\n", "'; DROP TABLE t; --", "cast.rounded", &long]
        .map(|name| counter(name, 7))
        .to_vec()
}
