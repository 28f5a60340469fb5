//! Parquet files from their description in a case: by Arrow's writer, by the loader's own writer of
//! parts, or column by column in a layout that neither of them would choose.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
    Int8Array, Int16Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use loader_data::parts::Format;
use loader_data::parts::staged::{Part, PartSinks};
use loader_data::transform::Sink;
use loader_model::choices::{Choice, ParquetCompression, StagingFormat};
use loader_model::error::{Context, Error, Kind, Result};
use loader_model::target_column::ROW_COLUMN;
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde::Deserialize;

use crate::values::Values;

const NO_FILE: &str = "no Parquet file can be made";

/// A Parquet file with rows.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parquet {
    /// `name type` of every column.
    #[serde(rename = "parquet")]
    pub(crate) columns: Vec<String>,
    /// The rows as lines with `|` between values.
    pub(crate) rows: Vec<String>,
    /// The file is a part as the loader writes it, with this compression, and so has the number of
    /// the row as its last column.
    pub(crate) part: Option<String>,
    /// The version of the data pages; 1 where it is not said.
    pub(crate) pages: Option<u8>,
}

/// The file with the described rows. Errors: `Internal` for a description that makes no file.
pub(crate) fn with_rows(file: &Parquet, values: &Values) -> Result<Vec<u8>> {
    let rows: Vec<String> = file.rows.iter().map(|row| values.fill(row)).collect();
    let columns = columns(&file.columns, &rows)?;
    match &file.part {
        Some(compression) => part(columns, rows.len(), &values.fill(compression)),
        None => by_arrow(columns, file.pages).context(Kind::Internal, NO_FILE),
    }
}

/// A column: its name, its values, and whether it may be null.
type Column<'a> = (&'a str, ArrayRef, bool);

fn columns<'a>(described: &'a [String], rows: &[String]) -> Result<Vec<Column<'a>>> {
    let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.split('|').collect()).collect();
    let column = |(index, column): (usize, &'a String)| {
        let (name, data_type) = column.split_once(' ').unwrap_or((column, "text"));
        let cells = rows.iter().map(|row| row.get(index).copied());
        let values: Vec<Option<&str>> =
            cells.map(|cell| cell.filter(|cell| *cell != "null")).collect();
        Ok((name, array(data_type, &values)?, true))
    };
    described.iter().enumerate().map(column).collect()
}

fn by_arrow(columns: Vec<Column<'_>>, pages: Option<u8>) -> Result<Vec<u8>, ParquetError> {
    let batch = RecordBatch::try_from_iter_with_nullable(columns)?;
    let version = match pages {
        Some(2) => WriterVersion::PARQUET_2_0,
        _ => WriterVersion::PARQUET_1_0,
    };
    let properties = WriterProperties::builder().set_writer_version(version).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties))?;
    writer.write(&batch)?;
    writer.into_inner()
}

/// The rows as `loader stage` writes them: with their numbers, in the types that the loader stages.
fn part(mut columns: Vec<Column<'_>>, rows: usize, compression: &str) -> Result<Vec<u8>> {
    let numbers = Int64Array::from_iter_values((1..).take(rows));
    columns.push((ROW_COLUMN, Arc::new(numbers), false));
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns).context(Kind::Internal, NO_FILE)?;
    let named = ParquetCompression::OPTIONS.iter().find(|option| option.name == compression);
    let named = named.ok_or_else(|| mistake(format!("{compression} is no compression")))?;
    let format = Format::staged(StagingFormat::Parquet, named.value, "contract");
    written(&batch, &format)
}

fn written(batch: &RecordBatch, format: &Format) -> Result<Vec<u8>> {
    let dir = tempfile::tempdir().context(Kind::Internal, "no temporary folder can be made")?;
    let written = Mutex::new(Vec::new());
    let hand_over = |part: Part| {
        let bytes = std::fs::read(part.path).context(Kind::Internal, "a part cannot be read")?;
        written.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
        Ok(())
    };
    let sinks = PartSinks::new(dir.path(), batch.schema(), format, &hand_over);
    let mut sink = sinks.sink();
    sink.write(batch)?;
    sink.finish()?;
    Ok(written.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// A file of such columns with one row of NULLs.
pub(crate) fn with_nulls(layout: &[String]) -> Result<Vec<u8>, ParquetError> {
    let message = format!("message file {{ {}; }}", layout.join("; "));
    let schema = parse_message_type(&message)?;
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::default())?;
    let mut group = writer.next_row_group()?;
    while let Some(mut column) = group.next_column()? {
        null(&mut column)?;
        column.close()?;
    }
    group.close()?;
    writer.into_inner()
}

fn null(
    column: &mut parquet::file::writer::SerializedColumnWriter<'_>,
) -> Result<usize, ParquetError> {
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

fn array(data_type: &str, values: &[Option<&str>]) -> Result<ArrayRef> {
    Ok(match data_type {
        "int8" => Arc::new(Int8Array::from(parsed::<i8>(values)?)),
        "int16" => Arc::new(Int16Array::from(parsed::<i16>(values)?)),
        "int32" => Arc::new(Int32Array::from(parsed::<i32>(values)?)),
        "int64" => Arc::new(Int64Array::from(parsed::<i64>(values)?)),
        "float" => Arc::new(Float32Array::from(parsed::<f32>(values)?)),
        "double" => Arc::new(Float64Array::from(parsed::<f64>(values)?)),
        "boolean" => Arc::new(BooleanArray::from(parsed::<bool>(values)?)),
        "text" => Arc::new(StringArray::from_iter(values)),
        // The bytes of a text.
        "bytes" => Arc::new(BinaryArray::from_iter(values.iter().copied())),
        // Days and microseconds since 1970.
        "date" => Arc::new(Date32Array::from(parsed::<i32>(values)?)),
        "timestamp" => Arc::new(TimestampMicrosecondArray::from(parsed::<i64>(values)?)),
        other => Arc::new(decimals(other, parsed::<i128>(values)?)?),
    })
}

fn parsed<T: std::str::FromStr>(values: &[Option<&str>]) -> Result<Vec<Option<T>>> {
    let parse = |value: &str| {
        value.parse().map_err(|_| mistake(format!("{value:?} is not of its column's type")))
    };
    values.iter().map(|value| value.map(parse).transpose()).collect()
}

/// `decimal(p,s)`; the values are unscaled.
fn decimals(data_type: &str, values: Vec<Option<i128>>) -> Result<Decimal128Array> {
    let size =
        data_type.strip_prefix("decimal(").and_then(|rest| rest.strip_suffix(')')?.split_once(','));
    let size =
        size.and_then(|(precision, scale)| Some((precision.parse().ok()?, scale.parse().ok()?)));
    let (precision, scale) =
        size.ok_or_else(|| mistake(format!("{data_type} is no type of these files")))?;
    let array = Decimal128Array::from(values).with_precision_and_scale(precision, scale);
    array.context(Kind::Internal, format!("{data_type} is no decimal type"))
}

fn mistake(fact: String) -> Error {
    Error::new(Kind::Internal, fact)
}
