//! Parquet files from their description in a case: by Arrow's writer, by the loader's own writer of
//! parts, or column by column in a layout that neither of them would choose.

use std::sync::{Arc, Mutex};

use arrow_array::types::Decimal128Type;
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
    Int8Array, Int16Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use loader_data::parts::Format;
use loader_data::parts::staged::{Part, PartSinks};
use loader_data::transform::Sink;
use loader_model::choices::{Choice, ParquetCompression, StagingFormat};
use loader_model::target_column::ROW_COLUMN;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::case::Values;
use crate::objects::Parquet;

/// The file with the described rows.
pub(crate) fn with_rows(file: &Parquet, values: &Values) -> Vec<u8> {
    let rows: Vec<String> = file.rows.iter().map(|row| values.fill(row)).collect();
    let columns = columns(&file.columns, &rows);
    match &file.part {
        Some(compression) => part(columns, rows.len(), &values.fill(compression)),
        None => by_arrow(columns, file.pages),
    }
}

/// A column: its name, its values, and whether it may be null.
type Column<'a> = (&'a str, ArrayRef, bool);

fn columns<'a>(described: &'a [String], rows: &[String]) -> Vec<Column<'a>> {
    let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.split('|').collect()).collect();
    let column = |(index, column): (usize, &'a String)| {
        let (name, data_type) = column.split_once(' ').unwrap_or((column, "text"));
        let values =
            rows.iter().map(|row| Some(row[index]).filter(|value| *value != "null")).collect();
        (name, array(data_type, values), true)
    };
    described.iter().enumerate().map(column).collect()
}

fn by_arrow(columns: Vec<Column<'_>>, pages: Option<u8>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length");
    let version = match pages {
        Some(2) => WriterVersion::PARQUET_2_0,
        _ => WriterVersion::PARQUET_1_0,
    };
    let properties = WriterProperties::builder().set_writer_version(version).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties))
        .expect("Parquet has these types");
    writer.write(&batch).expect("memory takes everything");
    writer.into_inner().expect("memory takes everything")
}

/// The rows as `loader stage` writes them: with their numbers, in the types that the loader stages.
fn part(mut columns: Vec<Column<'_>>, rows: usize, compression: &str) -> Vec<u8> {
    let numbers = Int64Array::from_iter_values(1..=rows as i64);
    columns.push((ROW_COLUMN, Arc::new(numbers), false));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length");
    let named = |name: &str| ParquetCompression::OPTIONS.iter().find(|option| option.name == name);
    let compression = named(compression).expect("a compression of the loader").value;
    let format = Format::staged(StagingFormat::Parquet, compression, "contract");
    let dir = tempfile::tempdir().expect("a temporary folder");
    let written = Mutex::new(Vec::new());
    let hand_over = |part: Part| {
        written.lock().expect("one thread").extend(std::fs::read(part.path).expect("it is there"));
        Ok(())
    };
    let sinks = PartSinks::new(dir.path(), batch.schema(), &format, &hand_over);
    let mut sink = sinks.sink();
    sink.write(&batch).and_then(|()| sink.finish()).expect("the disk takes a small part");
    written.into_inner().expect("one thread")
}

/// A file of such columns with one row of NULLs.
pub(crate) fn with_nulls(layout: &[String]) -> Vec<u8> {
    let message = format!("message file {{ {}; }}", layout.join("; "));
    let schema = parse_message_type(&message).expect("Parquet's schema language");
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::default())
        .expect("memory takes everything");
    let mut group = writer.next_row_group().expect("a group");
    while let Some(mut column) = group.next_column().expect("a column") {
        null(&mut column).expect("an optional column takes a NULL");
        column.close().expect("memory takes everything");
    }
    group.close().expect("memory takes everything");
    writer.into_inner().expect("memory takes everything")
}

fn null(
    column: &mut parquet::file::writer::SerializedColumnWriter<'_>,
) -> parquet::errors::Result<usize> {
    use parquet::column::writer::ColumnWriter;
    let levels = Some([0_i16].as_slice());
    match column.untyped() {
        ColumnWriter::BoolColumnWriter(writer) => writer.write_batch(&[], levels, None),
        ColumnWriter::Int32ColumnWriter(writer) => writer.write_batch(&[], levels, None),
        ColumnWriter::Int64ColumnWriter(writer) => writer.write_batch(&[], levels, None),
        ColumnWriter::Int96ColumnWriter(writer) => writer.write_batch(&[], levels, None),
        ColumnWriter::FloatColumnWriter(writer) => writer.write_batch(&[], levels, None),
        ColumnWriter::DoubleColumnWriter(writer) => writer.write_batch(&[], levels, None),
        ColumnWriter::ByteArrayColumnWriter(writer) => writer.write_batch(&[], levels, None),
        ColumnWriter::FixedLenByteArrayColumnWriter(writer) => {
            writer.write_batch(&[], levels, None)
        }
    }
}

fn array(data_type: &str, values: Vec<Option<&str>>) -> ArrayRef {
    fn parse<T: std::str::FromStr>(values: Vec<Option<&str>>) -> impl Iterator<Item = Option<T>> {
        values.into_iter().map(|value| {
            Some(value?.parse().unwrap_or_else(|_| panic!("{value:?} is of another type")))
        })
    }
    match data_type {
        "int8" => Arc::new(Int8Array::from_iter(parse::<i8>(values))),
        "int16" => Arc::new(Int16Array::from_iter(parse::<i16>(values))),
        "int32" => Arc::new(Int32Array::from_iter(parse::<i32>(values))),
        "int64" => Arc::new(Int64Array::from_iter(parse::<i64>(values))),
        "float" => Arc::new(Float32Array::from_iter(parse::<f32>(values))),
        "double" => Arc::new(Float64Array::from_iter(parse::<f64>(values))),
        "boolean" => Arc::new(BooleanArray::from_iter(parse::<bool>(values))),
        "text" => Arc::new(StringArray::from_iter(values)),
        // The bytes of a text.
        "bytes" => Arc::new(BinaryArray::from_iter(values)),
        // Days and microseconds since 1970.
        "date" => Arc::new(Date32Array::from_iter(parse::<i32>(values))),
        "timestamp" => Arc::new(TimestampMicrosecondArray::from_iter(parse::<i64>(values))),
        other => Arc::new(decimals(other, parse::<i128>(values))),
    }
}

/// `decimal(p,s)`; the values are unscaled.
fn decimals(data_type: &str, values: impl Iterator<Item = Option<i128>>) -> Decimal128Array {
    let size =
        data_type.strip_prefix("decimal(").and_then(|rest| rest.strip_suffix(')')?.split_once(','));
    let size =
        size.and_then(|(precision, scale)| Some((precision.parse().ok()?, scale.parse().ok()?)));
    let (precision, scale) =
        size.unwrap_or_else(|| panic!("{data_type} is no type of these files"));
    let array: arrow_array::PrimitiveArray<Decimal128Type> = values.collect();
    array.with_precision_and_scale(precision, scale).expect("a decimal type")
}
