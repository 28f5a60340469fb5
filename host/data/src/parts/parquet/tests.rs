//! What is written is read again by another reader: values of every type, with NULLs and without,
//! in dictionaries that stay small and in dictionaries that are given up.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
    Int8Array, Int16Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::compute::concat_batches;
use loader_model::choices::{Choice, ParquetCompression};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Encoding;
use parquet::file::metadata::RowGroupMetaData;
use proptest::prelude::*;

use super::*;

/// What the file of these batches is read as, and its first row group.
fn through(
    batches: &[RecordBatch],
    compression: ParquetCompression,
) -> (RecordBatch, RowGroupMetaData) {
    let path = tempfile::NamedTempFile::new().expect("a file");
    let schema = batches[0].schema();
    let mut file =
        ParquetFile::start(path.reopen().expect("opens"), &schema, compression).expect("starts");
    batches.iter().for_each(|batch| file.write(batch).expect("takes rows"));
    file.finish().expect("is written");
    let file = File::open(path.path()).expect("is there");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("is Parquet");
    let group = reader.metadata().row_group(0).clone();
    assert_eq!(reader.schema(), &schema);
    let read = reader.with_batch_size(1000).build().expect("reads");
    let read: Vec<RecordBatch> = read.collect::<Result<_, _>>().expect("rows");
    (concat_batches(&schema, &read).expect("one schema"), group)
}

/// Columns of every type that are made of some numbers.
fn columns(numbers: &[Option<i64>]) -> RecordBatch {
    let wide = |number: i64| i128::from(number) * 1_000_000_000_000_000_000;
    let decimals = |precision: u8, of: &dyn Fn(i64) -> i128| {
        let values = numbers.iter().map(|number| number.map(of));
        let array = Decimal128Array::from_iter(values);
        Arc::new(array.with_precision_and_scale(precision, 2).expect("fits")) as ArrayRef
    };
    let texts = || numbers.iter().map(|number| number.map(|number| format!("text {number}")));
    let narrow = |number: i64| number as i8;
    let each = || numbers.iter().copied();
    RecordBatch::try_from_iter_with_nullable([
        (
            "boolean",
            Arc::new(BooleanArray::from_iter(each().map(|n| n.map(|n| n % 3 == 0)))) as ArrayRef,
            true,
        ),
        ("tiny", Arc::new(Int8Array::from_iter(each().map(|n| n.map(narrow)))), true),
        ("small", Arc::new(Int16Array::from_iter(each().map(|n| n.map(|n| n as i16)))), true),
        ("whole", Arc::new(Int32Array::from_iter(each().map(|n| n.map(|n| n as i32)))), true),
        ("big", Arc::new(Int64Array::from_iter(each())), true),
        ("real", Arc::new(Float32Array::from_iter(each().map(|n| n.map(|n| n as f32)))), true),
        (
            "double",
            Arc::new(Float64Array::from_iter(each().map(|n| n.map(|n| n as f64 / 7.0)))),
            true,
        ),
        ("day", Arc::new(Date32Array::from_iter(each().map(|n| n.map(|n| n as i32)))), true),
        ("moment", Arc::new(TimestampMicrosecondArray::from_iter(each())), true),
        ("nine", decimals(9, &|n| i128::from(n % 1_000_000_000)), true),
        ("eighteen", decimals(18, &|n| i128::from(n % 1_000_000_000_000_000_000)), true),
        ("nineteen", decimals(19, &|n| i128::from(n % 1_000_000_000_000_000_000)), true),
        ("most", decimals(38, &wide), true),
        ("text", Arc::new(StringArray::from_iter(texts())), true),
        (
            "bytes",
            Arc::new(texts().map(|text| text.map(String::into_bytes)).collect::<BinaryArray>()),
            true,
        ),
        ("row", Arc::new(Int64Array::from_iter_values(0..numbers.len() as i64)), false),
    ])
    .expect("a batch")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn every_type_is_read_again(
        batches in prop::collection::vec(
            prop::collection::vec(prop::option::weighted(0.8, -50_i64..50), 0..400), 1..6),
        are_many in any::<bool>(),
        has_nulls in any::<bool>(),
        compression in 0..ParquetCompression::OPTIONS.len(),
    ) {
        let spread = if are_many { 7_919_331_713_i64 } else { 1 };
        let numbers = |batch: &Vec<Option<i64>>| -> Vec<Option<i64>> {
            let batch = batch.iter().enumerate();
            let numbers = batch.map(|(at, n)| match has_nulls {
                true => n.map(|n| n * spread + at as i64),
                false => Some(n.unwrap_or(0) * spread),
            });
            numbers.collect()
        };
        let batches: Vec<RecordBatch> =
            batches.iter().map(|batch| columns(&numbers(batch))).collect();
        let compression = ParquetCompression::OPTIONS[compression].value;
        let (read, _) = through(&batches, compression);
        let expected = concat_batches(&batches[0].schema(), &batches).expect("one schema");
        prop_assert_eq!(read, expected);
    }
}

#[test]
fn columns_without_a_value_are_read_again() {
    let none = columns(&[None; 20]);
    let rows = [none.clone(), columns(&[Some(1), None, Some(2)]), none];
    let expected = concat_batches(&rows[0].schema(), &rows).expect("one schema");
    assert_eq!(through(&rows, ParquetCompression::Snappy).0, expected);
    assert_eq!(through(&rows[..1], ParquetCompression::Snappy).0, rows[0]);
}

/// Texts of ten bytes, each of which comes so often.
fn texts(rows: usize, often: usize) -> RecordBatch {
    let texts = (0..rows).map(|row| format!("{:010}", row / often));
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
    RecordBatch::try_from_iter([("text", texts)]).expect("a batch")
}

#[test]
fn a_dictionary_that_grows_too_large_is_given_up_and_nothing_is_lost() {
    // The first 16,384 values look as if they repeat; those behind them do not.
    let batches: Vec<RecordBatch> = std::iter::once(texts(16_384, 100))
        .chain((0..12).map(|batch| {
            let texts = (0..16_384).map(|row| format!("{batch:03}{row:010}"));
            let texts: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
            RecordBatch::try_from_iter([("text", texts)]).expect("a batch")
        }))
        .collect();
    let (read, group) = through(&batches, ParquetCompression::Snappy);
    assert_eq!(read, concat_batches(&batches[0].schema(), &batches).expect("one schema"));
    let column = group.column(0);
    assert!(column.dictionary_page_offset().is_some());
    let dictionary = column.data_page_offset() - column.dictionary_page_offset().unwrap_or(0);
    assert!(dictionary < 2 * dictionary::DICTIONARY_BYTES as i64, "{dictionary} bytes");
}

#[test]
fn rows_past_a_group_begin_another() {
    let rows: Vec<RecordBatch> = (0..40).map(|_| texts(16_384, 1000)).collect();
    let path = tempfile::NamedTempFile::new().expect("a file");
    let file = path.reopen().expect("opens");
    let mut file =
        ParquetFile::start(file, &rows[0].schema(), ParquetCompression::Snappy).expect("starts");
    rows.iter().for_each(|batch| file.write(batch).expect("takes rows"));
    file.finish().expect("is written");
    let file = File::open(path.path()).expect("is there");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("is Parquet");
    let groups: Vec<i64> =
        reader.metadata().row_groups().iter().map(|group| group.num_rows()).collect();
    assert_eq!(groups, [524_288, 131_072]);
    let encodings: Vec<Encoding> = reader.metadata().row_group(1).column(0).encodings().collect();
    assert_eq!(encodings, [Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY]);
}
