//! What must hold for any bytes that are given to the validator. The fuzz targets run it on what
//! the fuzzer makes, `sdk/ipc/tests/corpus.rs` on the files that the fuzzer has left here; a panic
//! is a finding in both.

pub mod mutate;

use std::hint::black_box;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use loader_ipc::untrusted::{BatchLimits, SchemaLimits, check_batch, check_schema};
use loader_ipc::{Violation, encode_batch, encode_schema, trusted};

/// Every type of the contract, decimals in the shapes where their checks differ.
pub const KINDS: [DataType; 16] = [
    DataType::Boolean,
    DataType::Int8,
    DataType::Int16,
    DataType::Int32,
    DataType::Int64,
    DataType::Float32,
    DataType::Float64,
    DataType::Utf8,
    DataType::Binary,
    DataType::Date32,
    DataType::Timestamp(TimeUnit::Microsecond, None),
    DataType::Decimal128(38, 18),
    DataType::Decimal128(38, 38),
    DataType::Decimal128(18, 0),
    DataType::Decimal128(2, 1),
    DataType::Decimal128(1, 1),
];
/// Bit of a column's byte that says that it has no nulls.
pub const NOT_NULL: u8 = 0x80;
/// More columns find nothing that fewer do not.
const MOST_COLUMNS: usize = 16;

/// People read a message, so it stays short for any bytes that the plugin sends.
const MOST_WORDS: usize = 1024;

/// An input of the target `batch`: the columns that the host expects (how many, then one byte
/// each), the rows that it expects (two bytes), and the message.
pub fn split(input: &[u8]) -> Option<(SchemaRef, usize, &[u8])> {
    let (&count, rest) = input.split_first()?;
    let (kinds, rest) = rest.split_at_checked(usize::from(count) % (MOST_COLUMNS + 1))?;
    let (rows, message) = rest.split_first_chunk::<2>()?;
    let fields = kinds.iter().enumerate().map(|(index, kind)| {
        let data_type = KINDS[usize::from(kind & !NOT_NULL) % KINDS.len()].clone();
        Field::new(format!("c{index}"), data_type, kind & NOT_NULL == 0)
    });
    Some((
        Arc::new(Schema::new(fields.collect::<Vec<_>>())),
        usize::from(u16::from_le_bytes(*rows)),
        message,
    ))
}

/// An accepted input is a batch: it has the rows and columns asked for, every value is readable,
/// and written again it is the same on both sides of the sandbox. A refused input is refused in
/// words. Returns whether the input was accepted.
pub fn batch(input: &[u8]) -> bool {
    let Some((schema, rows, message)) = split(input) else { return false };
    let limits = BatchLimits::default();
    let batch = match check_batch(message.to_vec(), &schema, rows, &limits) {
        Ok(batch) => batch,
        Err(violation) => return refused(&violation),
    };
    assert_eq!(batch.num_rows(), rows);
    assert_eq!(batch.schema(), schema);
    for column in batch.columns() {
        assert_eq!(column.len(), rows);
        column.to_data().validate_full().expect("an accepted column is valid");
        black_box(read(column));
    }
    if schema.fields().is_empty() {
        return true;
    }
    let written = encode_batch(&batch).expect("an accepted batch can be written");
    let again = check_batch(written.clone(), &schema, rows, &limits)
        .expect("what is written is accepted again");
    assert_eq!(again, batch);
    assert_eq!(trusted::decode_batch(written, &schema).expect("a guest can read it"), batch);
    true
}

/// An accepted input is a schema: it has only columns that a table can have, nothing beside them,
/// and written again it is the same. Returns whether the input was accepted.
pub fn schema(input: &[u8]) -> bool {
    let limits = SchemaLimits::default();
    let schema = match check_schema(input, &limits) {
        Ok(schema) => schema,
        Err(violation) => return refused(&violation),
    };
    assert!((1..=limits.max_columns).contains(&schema.fields().len()));
    assert!(schema.metadata().is_empty());
    for field in schema.fields() {
        assert!(field.metadata().is_empty() && !field.data_type().is_nested());
        assert!(!field.name().is_empty() && field.name().len() <= limits.max_name_bytes);
        assert!(!field.name().chars().any(char::is_control));
    }
    assert_eq!(check_schema(&encode_schema(&schema), &limits).as_ref(), Ok(&schema));
    let schema: SchemaRef = Arc::new(schema);
    let empty =
        encode_batch(&RecordBatch::new_empty(schema.clone())).expect("rows of it can be written");
    check_batch(empty, &schema, 0, &BatchLimits::default()).expect("rows of it can be read");
    true
}

/// A refusal that was foreseen, in one line of bounded length.
fn refused(violation: &Violation) -> bool {
    assert_ne!(violation, &Violation::Unforeseen);
    let words = violation.to_string();
    assert!(
        !words.is_empty() && words.len() <= MOST_WORDS,
        "{} bytes of {}",
        words.len(),
        &words[..100]
    );
    assert!(!words.chars().any(char::is_control), "{words:?}");
    false
}

/// Looks at every value; the sum of something of each.
fn read(column: &ArrayRef) -> u64 {
    macro_rules! numbers {
        ($kind:ty) => {
            column
                .as_primitive::<$kind>()
                .iter()
                .flatten()
                .fold(0, |sum: u64, value| sum.wrapping_add(value as u64))
        };
    }
    match column.data_type() {
        DataType::Boolean => {
            column.as_boolean().iter().flatten().filter(|value| *value).count() as u64
        }
        DataType::Int8 => numbers!(Int8Type),
        DataType::Int16 => numbers!(Int16Type),
        DataType::Int32 => numbers!(Int32Type),
        DataType::Int64 => numbers!(Int64Type),
        DataType::Float32 => numbers!(Float32Type),
        DataType::Float64 => numbers!(Float64Type),
        DataType::Date32 => numbers!(Date32Type),
        DataType::Timestamp(_, _) => numbers!(TimestampMicrosecondType),
        DataType::Decimal128(_, _) => {
            let decimals = column.as_primitive::<Decimal128Type>();
            (0..decimals.len()).map(|row| decimals.value_as_string(row).len() as u64).sum()
        }
        DataType::Utf8 => {
            column.as_string::<i32>().iter().flatten().map(|text| text.chars().count() as u64).sum()
        }
        DataType::Binary => {
            column.as_binary::<i32>().iter().flatten().flatten().map(|byte| u64::from(*byte)).sum()
        }
        other => panic!("{other} does not cross the sandbox"),
    }
}
