//! What is encoded is read back the same on both sides, slices and odd lengths included; random
//! damage is survived.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int16Type, Int32Type, TimestampMicrosecondType,
};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Float32Array, Int8Array, Int64Array,
    PrimitiveArray, RecordBatch, RecordBatchOptions, StringArray,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use loader_ipc::untrusted::{BatchLimits, SchemaLimits, check_batch, check_schema};
use loader_ipc::{Violation, encode_batch, encode_schema, trusted};
use proptest::prelude::*;

/// One column of each type, with a null in every third place.
fn batch(rows: usize) -> RecordBatch {
    let some = |row: usize| row % 3 != 2;
    let number = |row: usize| some(row).then_some(row as i64 * 7 - 20);
    let numbers = || (0..rows).map(number);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("flag", Arc::new(numbers().map(|n| n.map(|n| n % 2 == 0)).collect::<BooleanArray>())),
        ("tiny", Arc::new(numbers().map(|n| n.map(|n| n as i8)).collect::<Int8Array>())),
        (
            "small",
            Arc::new(numbers().map(|n| n.map(|n| n as i16)).collect::<PrimitiveArray<Int16Type>>()),
        ),
        (
            "int",
            Arc::new(numbers().map(|n| n.map(|n| n as i32)).collect::<PrimitiveArray<Int32Type>>()),
        ),
        ("big", Arc::new(numbers().collect::<Int64Array>())),
        ("real", Arc::new(numbers().map(|n| n.map(|n| n as f32 / 3.0)).collect::<Float32Array>())),
        (
            "double",
            Arc::new(
                numbers()
                    .map(|n| n.map(|n| n as f64 / 3.0))
                    .collect::<PrimitiveArray<Float64Type>>(),
            ),
        ),
        ("money", Arc::new(decimals(numbers()))),
        (
            "text",
            Arc::new(numbers().map(|n| n.map(|n| format!("größe {n}"))).collect::<StringArray>()),
        ),
        ("bytes", Arc::new(numbers().map(|n| n.map(i64::to_le_bytes)).collect::<BinaryArray>())),
        (
            "day",
            Arc::new(
                numbers().map(|n| n.map(|n| n as i32)).collect::<PrimitiveArray<Date32Type>>(),
            ),
        ),
        ("at", Arc::new(numbers().collect::<PrimitiveArray<TimestampMicrosecondType>>())),
        ("whole", Arc::new((0..rows as i64).collect::<Int64Array>())),
    ];
    RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, column)| (name, column, true)),
    )
    .expect("is a batch")
}

fn decimals(numbers: impl Iterator<Item = Option<i64>>) -> PrimitiveArray<Decimal128Type> {
    let array = numbers
        .map(|n| n.map(|n| i128::from(n) * 1_000_000_007))
        .collect::<PrimitiveArray<Decimal128Type>>();
    array.with_precision_and_scale(38, 18).expect("is a type")
}

fn check(batch: &RecordBatch) {
    let schema = batch.schema();
    let bytes = encode_batch(batch).expect("is written");
    assert_eq!(&trusted::decode_batch(bytes.clone(), &schema).expect("is read"), batch);
    assert_eq!(
        &check_batch(bytes, &schema, batch.num_rows(), &BatchLimits::default())
            .expect("is accepted"),
        batch
    );
}

#[test]
fn every_type_comes_back() {
    for rows in [0, 1, 7, 8, 9, 64, 1000] {
        check(&batch(rows));
    }
}

#[test]
fn slices_come_back() {
    let batch = batch(100);
    for (start, length) in [(0, 0), (0, 5), (1, 1), (3, 64), (8, 16), (64, 36), (99, 1), (100, 0)] {
        check(&batch.slice(start, length));
    }
}

#[test]
fn rows_without_columns_come_back() {
    let schema: SchemaRef = Arc::new(Schema::empty());
    let options = RecordBatchOptions::new().with_row_count(Some(12));
    let batch = RecordBatch::try_new_with_options(schema.clone(), Vec::new(), &options).unwrap();
    assert_eq!(
        trusted::decode_batch(encode_batch(&batch).unwrap(), &schema).unwrap().num_rows(),
        12
    );
    // A plugin that computes nothing sends nothing.
    assert_eq!(
        check_batch(Vec::new(), &schema, 12, &BatchLimits::default()).unwrap().num_rows(),
        12
    );
}

#[test]
fn bodies_are_aligned_and_read_where_they_are() {
    let batch = batch(1000);
    let bytes = encode_batch(&batch).unwrap();
    assert_eq!(bytes.len() % 64, 0);
    let place = bytes.as_ptr_range();
    let read = trusted::decode_batch(bytes, &batch.schema()).unwrap();
    let values = read.column(4).to_data().buffers()[0].as_ptr();
    assert!(place.contains(&values), "the values were copied");
}

#[test]
fn a_schema_comes_back_with_metadata_only_where_it_is_trusted() {
    let metadata = HashMap::from([("loader.logical".to_owned(), "decimal".to_owned())]);
    let plain = Field::new("price", DataType::Utf8, true);
    let schema = Schema::new(vec![
        plain.clone().with_metadata(metadata),
        Field::new("id", DataType::Int64, false),
    ]);
    let bytes = encode_schema(&schema);
    assert_eq!(trusted::decode_schema(&bytes).unwrap(), schema);
    let checked = check_schema(&bytes, &SchemaLimits::default()).unwrap();
    assert_eq!(checked, Schema::new(vec![plain, Field::new("id", DataType::Int64, false)]));
}

#[test]
fn what_arrow_itself_writes_is_read() {
    let batch = batch(100);
    let generator = arrow_ipc::writer::IpcDataGenerator::default();
    let options = arrow_ipc::writer::IpcWriteOptions::default();
    let mut tracker = arrow_ipc::writer::DictionaryTracker::new(true);
    let (_, encoded) =
        generator.encode(&batch, &mut tracker, &options, &mut Default::default()).unwrap();
    let mut bytes = Vec::new();
    arrow_ipc::writer::write_message(&mut bytes, encoded, &options).unwrap();
    assert_eq!(
        check_batch(bytes.clone(), &batch.schema(), 100, &BatchLimits::default()).unwrap(),
        batch
    );
    assert_eq!(trusted::decode_batch(bytes, &batch.schema()).unwrap(), batch);
}

#[test]
fn types_that_do_not_cross_are_refused() {
    let nested = Arc::new(arrow_array::NullArray::new(3)) as ArrayRef;
    let error = loader_ipc::encode_columns(3, &[nested]).unwrap_err();
    insta::assert_snapshot!(error, @"column 1 has the type Null, which does not cross the sandbox");
    let short = Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef;
    let error = loader_ipc::encode_columns(3, &[short]).unwrap_err();
    insta::assert_snapshot!(error, @"column 1 has 2 values for 3 rows");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// Damage is refused or harmless: no panic, caught or not, and an accepted batch has the right
    /// shape and can be read.
    #[test]
    fn damaged_batches_are_survived(
        rows in 0_usize..40,
        damage in prop::collection::vec((any::<prop::sample::Index>(), 1_u8..), 1..6),
        in_header: bool,
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let batch = batch(rows);
        let mut bytes = encode_batch(&batch).unwrap();
        // Most of the bytes are body; most of what can go wrong is in the header.
        let header = 8 + i32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
        let reach = if in_header { header } else { bytes.len() };
        for (index, flip) in damage {
            bytes[index.index(reach)] ^= flip;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        match check_batch(bytes, &batch.schema(), rows, &BatchLimits::default()) {
            Err(violation) => prop_assert_ne!(violation, Violation::Unforeseen),
            Ok(read) => {
                prop_assert_eq!(read.num_rows(), rows);
                prop_assert_eq!(read.schema(), batch.schema());
                for column in read.columns() {
                    column.to_data().validate_full().unwrap();
                }
            }
        }
    }

    #[test]
    fn damaged_schemas_are_survived(damage in prop::collection::vec((any::<prop::sample::Index>(), 1_u8..), 1..6)) {
        let mut bytes = encode_schema(&batch(0).schema());
        for (index, flip) in damage {
            let length = bytes.len();
            bytes[index.index(length)] ^= flip;
        }
        match check_schema(&bytes, &SchemaLimits::default()) {
            Err(violation) => prop_assert_ne!(violation, Violation::Unforeseen),
            Ok(schema) => prop_assert!(schema.fields().iter().all(|field| field.metadata().is_empty())),
        }
    }
}
