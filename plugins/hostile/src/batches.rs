//! Misdeeds of `process` that need one batch only, and the honest transforms.

use std::hint::black_box;
use std::sync::Arc;

use loader_sdk::arrow_array::cast::AsArray;
use loader_sdk::arrow_array::{
    ArrayRef, BinaryArray, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use loader_sdk::bindings::exports::loader::plugin::transform as wire;
use loader_sdk::{Level, ipc, log};

use crate::answers::{control_characters, output, refusal, rejecting};
use crate::endless::{allocate_forever, flood_log, overflow, spin};
use crate::messages::{encoded, forged};

/// The output of one batch.
pub(crate) fn make(what: &str, batch: &RecordBatch) -> Result<wire::Output, wire::Error> {
    // With a word of another call, such as `panic-in-finish`, the batch is honest.
    if let Some(byte) = crash(what) {
        return Ok(output(vec![byte]));
    }
    if let Some(error) = refused(what) {
        return Err(error);
    }
    write_to_log(what);
    let rows = batch.num_rows();
    let rejecting = || wrong_rejects(what, rows).or_else(|| wrong_messages(what, rows));
    Ok(honest(what, batch).or_else(rejecting).unwrap_or_else(|| {
        let bytes = malformed(what, batch).or_else(|| out_of_bounds(what, rows));
        output(bytes.or_else(|| forged(what, rows as i64)).unwrap_or_else(|| ones(rows)))
    }))
}

/// Crashes when the word is one of these.
fn crash(what: &str) -> Option<u8> {
    // The byte keeps the compiler from removing the crash: its value goes into the output.
    Some(match what {
        "loop-in-process" => spin(),
        "panic-in-process" => panic!("asked to panic in process"),
        "panic-at-length" => panic!("{}", "very ".repeat(1 << 20)),
        "panic-with-control-characters" => panic!("\u{1b}[2J\nline two\u{7}\u{202e}"),
        "overflow-stack" => overflow(1) as u8,
        "unreachable" => core::arch::wasm32::unreachable(),
        "divide-by-zero" => (1 / black_box(0_i32).wrapping_mul(2)) as u8,
        "allocate-forever" => allocate_forever(),
        "allocate-too-much-at-once" => black_box(vec![1_u8; 1 << 30])[7],
        _ => return None,
    })
}

fn refused(what: &str) -> Option<wire::Error> {
    let error = || refusal("refused", "asked to refuse the batch");
    match what {
        "refuse-batch" => Some(wire::Error { row: Some(3), ..error() }),
        "refuse-a-row-that-is-not-there" => Some(wire::Error { row: Some(u32::MAX), ..error() }),
        "refuse-batch-with-control-characters" => Some(control_characters()),
        "refuse-batch-at-length" => {
            let code = "code ".repeat(1 << 18);
            Some(wire::Error { column: Some(code.clone()), ..refusal(&code, &code) })
        }
        _ => None,
    }
}

fn write_to_log(what: &str) {
    match what {
        "flood-log" => flood_log(),
        "log-control-characters" => {
            log(Level::Info, "\u{1b}]0;owned\u{7}\u{1b}[2J\r\nERROR made up\u{202e}\0");
        }
        "log-more-than-may-cross" => log(Level::Info, &"x".repeat(80 << 20)),
        "long-log-line" => {
            log(Level::Warning, &format!("\u{1b}[2J{}", "long ".repeat(1 << 16)));
        }
        _ => {}
    }
}

/// Bytes that are not a batch, or not the batch that the plan promises.
fn malformed(what: &str, batch: &RecordBatch) -> Option<Vec<u8>> {
    let rows = batch.num_rows();
    Some(match what {
        "few-rows" => ones(rows.saturating_sub(1)),
        "many-rows" => ones(rows + 1),
        "no-batch" => Vec::new(),
        "not-a-message" => b"this is not a record batch".to_vec(),
        "trailing-bytes" => [ones(rows), vec![0; 64]].concat(),
        "schema-instead" => ipc::encode_schema(&batch.schema()),
        "huge-output" => vec![0; 200 << 20],
        "extra-column" => two_columns(rows),
        "null-where-none-may-be" => encoded(Int64Array::from(vec![None; rows])),
        _ => return None,
    })
}

fn two_columns(rows: usize) -> Vec<u8> {
    let column: ArrayRef = Arc::new(Int64Array::from(vec![1; rows]));
    ipc::encode_columns(rows, &[column.clone(), column]).unwrap_or_default()
}

/// Values that Arrow takes and Redshift does not, for example a date in the year 5,000,000.
fn out_of_bounds(what: &str, rows: usize) -> Option<Vec<u8>> {
    Some(match what {
        "decimal-too-big" => {
            let array = Decimal128Array::from(vec![i128::MAX; rows]);
            array.with_precision_and_scale(38, 18).map(encoded).unwrap_or_default()
        }
        "date-too-far" => encoded(Date32Array::from(vec![i32::MAX; rows])),
        "timestamp-too-early" => encoded(TimestampMicrosecondArray::from(vec![i64::MIN; rows])),
        "text-too-long" => encoded(in_first_row("x".repeat(70_000), rows).collect::<StringArray>()),
        "binary-too-long" => {
            encoded(in_first_row(vec![0_u8; 1_100_000], rows).collect::<BinaryArray>())
        }
        _ => return None,
    })
}

/// One value, and NULLs in the rows behind it.
fn in_first_row<T>(value: T, rows: usize) -> impl Iterator<Item = Option<T>> {
    std::iter::once(Some(value)).chain(std::iter::repeat_with(|| None)).take(rows)
}

fn wrong_rejects(what: &str, rows: usize) -> Option<wire::Output> {
    let (rejected, reasons, messages) = match what {
        "reject-out-of-range" => (vec![rows as u32], vec![0], 1),
        "reject-twice" => (vec![0, 0], vec![0, 0], 1),
        "rejects-descending" => (vec![1, 0], vec![0, 0], 1),
        "reject-more-than-there-are" => (vec![0; 1 << 20], vec![0; 1 << 20], 1),
        "reason-out-of-range" => (vec![0], vec![9], 1),
        "reasons-missing" => (vec![0], Vec::new(), 1),
        "reasons-without-rows" => (Vec::new(), vec![0], 1),
        "many-messages" => (vec![0], vec![0], 10_000),
        _ => return None,
    };
    Some(rejecting(ones(rows), rejected, reasons, messages))
}

/// Rejected rows that are right, with messages that are hard to show.
fn wrong_messages(what: &str, rows: usize) -> Option<wire::Output> {
    let (rejected, message) = match what {
        "reject-with-control-characters" => (vec![0], control_characters()),
        "reject-all-at-length" => {
            let long = "x".repeat(1 << 20);
            let message = wire::Error { column: Some(long.clone()), ..refusal(&long, &long) };
            ((0..rows as u32).collect(), message)
        }
        _ => return None,
    };
    let reasons = vec![0; rejected.len()];
    Some(wire::Output { messages: vec![message], ..rejecting(ones(rows), rejected, reasons, 0) })
}

/// Transforms for the tests of chains.
fn honest(what: &str, batch: &RecordBatch) -> Option<wire::Output> {
    match what {
        "lowercase-text" => Some(lowercase(batch)),
        "reject-odd-rows" => {
            let odd: Vec<u32> = (0..batch.num_rows() as u32).filter(|row| row % 2 == 1).collect();
            let reasons = vec![0; odd.len()];
            Some(rejecting(Vec::new(), odd, reasons, 1))
        }
        "count-rows" => Some(output(Vec::new())),
        _ => None,
    }
}

fn ones(rows: usize) -> Vec<u8> {
    encoded(Int64Array::from(vec![1; rows]))
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
