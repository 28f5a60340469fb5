//! Misdeeds of `open`, `process` and `finish`, and the honest transforms.

use std::cell::Cell;
use std::sync::Arc;

use arrow_ipc::{MessageHeader, MetadataVersion};
use loader_sdk::arrow_array::cast::AsArray;
use loader_sdk::arrow_array::types::{Int32Type, Int64Type};
use loader_sdk::arrow_array::{
    Array, ArrayRef, BinaryArray, Date32Array, Decimal128Array, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray,
};
use loader_sdk::arrow_schema::SchemaRef;
use loader_sdk::{Level, ipc, log};

use crate::messages::{self, Message};
use crate::words::TOTALS;
use crate::{refusal, spin, wire};

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
                run("honest", &batch)
            }
            "leak" => {
                std::mem::forget(std::hint::black_box(vec![1_u8; 8 << 20]));
                run("honest", &batch)
            }
            what => run(what, &batch),
        }
    }

    fn finish(&self) -> Result<Vec<wire::Counter>, wire::Error> {
        match self.what.as_str() {
            "loop-in-finish" => spin(),
            "panic-in-finish" => panic!("asked to panic in finish"),
            "allocate-in-finish" => allocate_forever(),
            "many-counters" => Ok(vec![counter("many", 1); 100_000]),
            "counters-past-counting" => Ok(vec![counter("most", u64::MAX); 3]),
            "counters-with-silly-names" => Ok([
                "",
                "\u{1b}[2J\n",
                "'; DROP TABLE t; --",
                "cast.rounded",
                &"long".repeat(1 << 20),
            ]
            .map(|name| counter(name, 7))
            .to_vec()),
            "refuse-finish-with-control-characters" => Err(control_characters()),
            "refuse-finish" => Err(refusal("refused", "asked to refuse to finish")),
            "count-rows" => {
                Ok(vec![wire::Counter { name: "seen".to_owned(), value: self.rows.get() }])
            }
            _ => Ok(Vec::new()),
        }
    }
}

impl HostileSession {
    /// Each row's total of the first column so far, NULL counting as nothing.
    fn running_total(&self, batch: &RecordBatch) -> wire::Output {
        let numbers = batch.column(0);
        match self.what.as_str() {
            "total-of-batch" => self.total.set(0),
            "panic-without-rows" => assert!(batch.num_rows() > 0, "a batch has rows"),
            "panic-at-null" => assert_eq!(numbers.null_count(), 0, "a number is not NULL"),
            _ => {}
        }
        let keeps_count = self.what.starts_with("total-");
        let number = |row: usize| match (
            numbers.as_primitive_opt::<Int32Type>(),
            numbers.as_primitive_opt::<Int64Type>(),
        ) {
            _ if numbers.is_null(row) => 0,
            (Some(numbers), _) => i64::from(numbers.value(row)),
            (_, Some(numbers)) => numbers.value(row),
            _ => 0,
        };
        let totals = (0..batch.num_rows()).map(|row| {
            let total = number(row) + if keeps_count { self.total.get() } else { 0 };
            self.total.set(total);
            total
        });
        output(messages::encoded(&(Arc::new(totals.collect::<Int64Array>()) as ArrayRef)))
    }
}

fn run(what: &str, batch: &RecordBatch) -> Result<wire::Output, wire::Error> {
    let rows = batch.num_rows();
    let good = || messages::encoded(&(Arc::new(Int64Array::from(vec![1; rows])) as ArrayRef));
    Ok(match what {
        "loop-in-process" => spin(),
        "panic-in-process" => panic!("asked to panic in process"),
        "refuse-batch" => {
            return Err(wire::Error {
                row: Some(3),
                ..refusal("refused", "asked to refuse the batch")
            });
        }
        "overflow-stack" => output(vec![overflow(1) as u8]),
        #[cfg(target_arch = "wasm32")]
        "unreachable" => core::arch::wasm32::unreachable(),
        "allocate-forever" => allocate_forever(),
        "divide-by-zero" => output(vec![(1 / std::hint::black_box(0_i32).wrapping_mul(2)) as u8]),
        "panic-at-length" => panic!("{}", "very ".repeat(1 << 20)),
        "panic-with-control-characters" => panic!("\u{1b}[2J\nline two\u{7}\u{202e}"),
        "allocate-too-much-at-once" => output(vec![std::hint::black_box(vec![1_u8; 1 << 30])[7]]),
        "refuse-batch-with-control-characters" => return Err(control_characters()),
        "refuse-batch-at-length" => {
            let code = "code ".repeat(1 << 18);
            return Err(wire::Error { column: Some(code.clone()), ..refusal(&code, &code) });
        }
        "refuse-a-row-that-is-not-there" => {
            return Err(wire::Error {
                row: Some(u32::MAX),
                ..refusal("refused", "asked to refuse the batch")
            });
        }
        "flood-log" => {
            flood_log();
            output(good())
        }
        "log-control-characters" => {
            log(Level::Info, "\u{1b}]0;owned\u{7}\u{1b}[2J\r\nERROR made up\u{202e}\0");
            output(good())
        }
        "log-more-than-may-cross" => {
            log(Level::Info, &"x".repeat(80 << 20));
            output(good())
        }
        "long-log-line" => {
            log(Level::Warning, &format!("\u{1b}[2J{}", "long ".repeat(1 << 16)));
            output(good())
        }
        "few-rows" => output(ones(rows.saturating_sub(1))),
        "many-rows" => output(ones(rows + 1)),
        "no-batch" => output(Vec::new()),
        "not-a-message" => output(b"this is not a record batch".to_vec()),
        "trailing-bytes" => output([good(), vec![0; 64]].concat()),
        "schema-instead" => output(ipc::encode_schema(&batch.schema())),
        "huge-output" => output(vec![0; 200 << 20]),
        "extra-column" => {
            let column: ArrayRef = Arc::new(Int64Array::from(vec![1; rows]));
            output(ipc::encode_columns(rows, &[column.clone(), column]).unwrap_or_default())
        }
        "decimal-too-big" => {
            let array =
                Decimal128Array::from(vec![i128::MAX; rows]).with_precision_and_scale(38, 18);
            output(
                array
                    .map(|array| messages::encoded(&(Arc::new(array) as ArrayRef)))
                    .unwrap_or_default(),
            )
        }
        "date-too-far" => output(messages::encoded(
            &(Arc::new(Date32Array::from(vec![i32::MAX; rows])) as ArrayRef),
        )),
        "text-too-long" => {
            let text = "x".repeat(70_000);
            let texts = (0..rows).map(|row| (row == 0).then_some(text.as_str()));
            output(messages::encoded(&(Arc::new(texts.collect::<StringArray>()) as ArrayRef)))
        }
        "timestamp-too-early" => {
            let array = TimestampMicrosecondArray::from(vec![i64::MIN; rows]);
            output(messages::encoded(&(Arc::new(array) as ArrayRef)))
        }
        "binary-too-long" => {
            let bytes = vec![0; 1_100_000];
            let values = (0..rows).map(|row| (row == 0).then_some(bytes.as_slice()));
            output(messages::encoded(&(Arc::new(values.collect::<BinaryArray>()) as ArrayRef)))
        }
        "null-where-none-may-be" => {
            output(messages::encoded(&(Arc::new(Int64Array::from(vec![None; rows])) as ArrayRef)))
        }
        "reject-out-of-range" => rejecting(good(), vec![rows as u32], vec![0], 1),
        "reject-twice" => rejecting(good(), vec![0, 0], vec![0, 0], 1),
        "rejects-descending" => rejecting(good(), vec![1, 0], vec![0, 0], 1),
        "reject-more-than-there-are" => rejecting(good(), vec![0; 1 << 20], vec![0; 1 << 20], 1),
        "reject-with-control-characters" => {
            let messages = vec![control_characters()];
            wire::Output { messages, ..rejecting(good(), vec![0], vec![0], 0) }
        }
        "reject-all-at-length" => {
            let long = "x".repeat(1 << 20);
            let messages =
                vec![wire::Error { column: Some(long.clone()), ..refusal(&long, &long) }];
            wire::Output {
                messages,
                ..rejecting(good(), (0..rows as u32).collect(), vec![0; rows], 0)
            }
        }
        "reason-out-of-range" => rejecting(good(), vec![0], vec![9], 1),
        "reasons-missing" => rejecting(good(), vec![0], Vec::new(), 1),
        "reasons-without-rows" => rejecting(good(), Vec::new(), vec![0], 1),
        "many-messages" => rejecting(good(), vec![0], vec![0], 10_000),
        "lowercase-text" => lowercase(batch),
        "reject-odd-rows" => {
            let odd: Vec<u32> = (0..rows as u32).filter(|row| row % 2 == 1).collect();
            let reasons = vec![0; odd.len()];
            rejecting(Vec::new(), odd, reasons, 1)
        }
        "count-rows" => output(Vec::new()),
        _ => output(crafted(what, rows as i64).unwrap_or_else(good)),
    })
}

fn output(batch: Vec<u8>) -> wire::Output {
    wire::Output { batch, rejected: Vec::new(), reasons: Vec::new(), messages: Vec::new() }
}

fn rejecting(
    batch: Vec<u8>,
    rejected: Vec<u32>,
    reasons: Vec<u16>,
    messages: usize,
) -> wire::Output {
    let messages = vec![refusal("odd", "the row is not wanted"); messages];
    wire::Output { batch, rejected, reasons, messages }
}

fn ones(rows: usize) -> Vec<u8> {
    messages::encoded(&(Arc::new(Int64Array::from(vec![1; rows])) as ArrayRef))
}

fn lowercase(batch: &RecordBatch) -> wire::Output {
    let lower = |column: &ArrayRef| {
        let texts = column.as_string::<i32>().iter().map(|text| text.map(str::to_lowercase));
        Arc::new(texts.collect::<StringArray>()) as ArrayRef
    };
    let columns: Vec<ArrayRef> = batch.columns().iter().map(lower).collect();
    match columns.is_empty() {
        true => output(Vec::new()),
        false => output(ipc::encode_columns(batch.num_rows(), &columns).unwrap_or_default()),
    }
}

/// Messages that no honest encoder writes: one column of 64 bits, or of texts.
fn crafted(what: &str, rows: i64) -> Option<Vec<u8>> {
    let (honest, bytes) = (Message::honest(rows), 8 * rows);
    let places: Vec<i32> = (0..=rows as i32).collect();
    Some(messages::crafted(&match what {
        "other-column-lengths" => Message { node_rows: rows + 5, ..honest },
        "endless-rows" => Message { rows: 1 << 40, node_rows: 1 << 40, ..honest },
        "negative-rows" => Message { rows: -1, ..honest },
        "negative-null-count" => Message { nulls: -1, ..honest },
        "made-up-null-count" => Message { nulls: 1, buffers: vec![(0, 8), (64, bytes)], ..honest },
        "compressed" => Message { compressed: true, ..honest },
        "variadic-buffers" => Message { variadic: true, ..honest },
        "older-metadata" => Message { version: MetadataVersion::V4, ..honest },
        "dictionary-instead" => Message { header_type: MessageHeader::DictionaryBatch, ..honest },
        "nothing-instead" => Message { header_type: MessageHeader::NONE, ..honest },
        "endless-body" => Message { body_length: i64::MAX, ..honest },
        "too-few-buffers" => Message { buffers: vec![(0, 0)], ..honest },
        "very-many-buffers" => Message { buffers: vec![(0, 0); 50_000], ..honest },
        "short-buffer" => Message { buffers: vec![(0, 0), (0, bytes - 8)], ..honest },
        "negative-offset" => Message { buffers: vec![(0, 0), (-64, bytes)], ..honest },
        "offset-out-of-range" => Message { buffers: vec![(0, 0), (1 << 40, bytes)], ..honest },
        "offset-past-counting" => Message { buffers: vec![(0, 0), (i64::MAX, i64::MAX)], ..honest },
        "aliased-buffers" => Message { buffers: vec![(0, bytes), (0, bytes)], ..honest },
        "offsets-descending" => Message::texts(
            &places.iter().rev().copied().collect::<Vec<_>>(),
            vec![b'x'; rows as usize],
        ),
        "offsets-past-the-end" => Message::texts(
            &places.iter().map(|place| place * 1_000_000).collect::<Vec<_>>(),
            vec![b'x'; rows as usize],
        ),
        "incomplete-utf8" => Message::texts(&places, "é".repeat(rows as usize).into_bytes()),
        "bad-utf8" => Message::texts(&places, vec![0xff; rows as usize]),
        _ => return None,
    }))
}

fn counter(name: &str, value: u64) -> wire::Counter {
    wire::Counter { name: name.to_owned(), value }
}

/// An error that would clear a terminal, ring its bell and turn its lines around.
fn control_characters() -> wire::Error {
    let text = "line one\r\nline two\u{7}\u{1b}[2J\u{202e}\0";
    wire::Error { column: Some(text.to_owned()), ..refusal("re\u{1b}[31mfused", text) }
}

pub(crate) fn flood_log() {
    (0..100_000).for_each(|line| log(Level::Info, &format!("line {line} of a flood")));
}

pub(crate) fn allocate_forever() -> ! {
    let mut hoard = Vec::new();
    loop {
        hoard.push(std::hint::black_box(vec![1_u8; 1 << 20]));
    }
}

#[expect(unconditional_recursion, reason = "that is the misdeed")]
fn overflow(depth: u64) -> u64 {
    std::hint::black_box(overflow(std::hint::black_box(depth + 1)) + depth)
}
