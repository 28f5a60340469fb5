//! Parquet files by Redshift's rules: columns by position, as many as the target has, with exactly
//! its types. (An int64 is refused for an INTEGER column, even where every value would fit.) In: a
//! file and the target's columns. Out: rows in the buffer, or the engine's error (code 15007); bad
//! Parquet leaves no row in STL_LOAD_ERRORS.

use std::fs::File;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    UInt8Type, UInt16Type, UInt32Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::{Repetition, Type as PhysicalType};
use parquet::schema::types::{ColumnDescPtr, ColumnDescriptor};

use super::binary::RowBuffer;
use super::source::{SourceFile, engine_block};
use super::target::{LoadedColumn, LoadedType};

const BATCH_ROWS: usize = 8192;

fn scan_error(context: &str) -> String {
    engine_block("Spectrum Scan Error", 15007, context, "dory_util.cpp:1777")
}

type Builder = ParquetRecordBatchReaderBuilder<File>;

/// Opens a file and checks its schema.
// Types come from Parquet's own schema only. The Arrow schema that some writers add says more than
// Redshift reads: a text stored as LargeUtf8 would then count as another type.
pub(crate) fn open(
    file: &SourceFile,
    columns: &[LoadedColumn],
    fills: bool,
) -> Result<ParquetRecordBatchReader, String> {
    let unreadable = |error: &dyn std::fmt::Display| {
        scan_error(&format!("File '{}' is not readable as Parquet: {error}", file.url))
    };
    let handle = File::open(&file.path).map_err(|error| unreadable(&error))?;
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = Builder::try_new_with_options(handle, options);
    let builder = builder.map_err(|error| unreadable(&error))?;
    check_schema(&builder, columns, fills, file)?;
    builder.with_batch_size(BATCH_ROWS).build().map_err(|error| unreadable(&error))
}

fn check_schema(
    builder: &Builder,
    columns: &[LoadedColumn],
    fills: bool,
    file: &SourceFile,
) -> Result<(), String> {
    let found = builder.schema().fields().len();
    check_width(found, columns.len(), fills, file)?;
    let mut columns = columns.iter().take(found).enumerate();
    columns.try_for_each(|(index, column)| check_column(builder, index, column, file))
}

fn check_width(found: usize, wanted: usize, fills: bool, file: &SourceFile) -> Result<(), String> {
    if found == wanted || (found < wanted && fills) {
        return Ok(());
    }
    Err(scan_error(&format!(
        "Unmatched number of columns between table and file. Table columns: {wanted}, Data \
         columns: {found}, File name: {}",
        file.url
    )))
}

/// Whether a column of the file may go into the table's column at the same place.
fn check_column(
    builder: &Builder,
    index: usize,
    column: &LoadedColumn,
    file: &SourceFile,
) -> Result<(), String> {
    let field = builder.schema().field(index);
    let leaf = leaf_of(builder, index);
    let is_int96 = leaf.as_ref().is_some_and(|leaf| leaf.physical_type() == PhysicalType::INT96);
    if leaf.is_some() && is_compatible(field.data_type(), column.kind, is_int96) {
        return Ok(());
    }
    let parquet = leaf.map_or_else(|| format!("nested {}", field.name()), |leaf| describe(&leaf));
    Err(scan_error(&format!(
        "File '{0}' has an incompatible Parquet schema for column '{0}.{1}'. Column type: {2}, \
         Parquet schema: {parquet}",
        file.url,
        field.name(),
        column.kind.ddl()
    )))
}

/// The primitive behind column number `root`; `None` for a nested column (a list, a struct).
fn leaf_of(builder: &Builder, root: usize) -> Option<ColumnDescPtr> {
    // Parquet numbers its leaves, not its columns: behind a struct of two fields, column 1 is leaf
    // 2.
    let schema = builder.parquet_schema();
    if schema.root_schema().get_fields().get(root).is_some_and(|root| !root.is_primitive()) {
        return None;
    }
    (0..schema.num_columns())
        .find(|leaf| schema.get_column_root_idx(*leaf) == root)
        .map(|leaf| schema.column(leaf))
}

/// A column as Redshift prints it, for example `optional int64 order_id`.
fn describe(leaf: &ColumnDescriptor) -> String {
    let repetition = match leaf.self_type().get_basic_info().repetition() {
        Repetition::REQUIRED => "required",
        Repetition::OPTIONAL => "optional",
        Repetition::REPEATED => "repeated",
    };
    let physical = match leaf.physical_type() {
        PhysicalType::BOOLEAN => "boolean",
        PhysicalType::INT32 => "int32",
        PhysicalType::INT64 => "int64",
        PhysicalType::INT96 => "int96",
        PhysicalType::FLOAT => "float",
        PhysicalType::DOUBLE => "double",
        PhysicalType::BYTE_ARRAY => "byte_array",
        PhysicalType::FIXED_LEN_BYTE_ARRAY => "fixed_len_byte_array",
    };
    let logical = match leaf.logical_type_ref() {
        Some(logical) => format!(" ({logical:?})"),
        None => String::new(),
    };
    format!("{repetition} {physical} {}{logical}", leaf.name())
}

fn is_compatible(found: &DataType, kind: LoadedType, is_int96: bool) -> bool {
    match kind {
        LoadedType::Int2 => matches!(found, DataType::Int8 | DataType::Int16 | DataType::UInt8),
        LoadedType::Int4 => matches!(found, DataType::Int32 | DataType::UInt16),
        LoadedType::Int8 => matches!(found, DataType::Int64 | DataType::UInt32),
        LoadedType::Float4 => matches!(found, DataType::Float32),
        LoadedType::Float8 => matches!(found, DataType::Float64),
        LoadedType::Bool => matches!(found, DataType::Boolean),
        LoadedType::Numeric { precision, scale } => {
            matches!(found, DataType::Decimal128(p, s) if *p == precision && u8::try_from(*s) == Ok(scale))
        }
        LoadedType::Varchar(_) | LoadedType::Char(_) => matches!(found, DataType::Utf8),
        LoadedType::Date => matches!(found, DataType::Date32),
        LoadedType::Timestamp => match found {
            DataType::Timestamp(TimeUnit::Millisecond | TimeUnit::Microsecond, _) => true,
            // Redshift reads INT64 nanoseconds as if they were microseconds, and the load succeeds
            // with wrong times. The stand-in refuses them. Redshift does know INT96, the older form
            // of nanoseconds.
            DataType::Timestamp(TimeUnit::Nanosecond, _) => is_int96,
            _ => false,
        },
        LoadedType::Varbyte => matches!(found, DataType::Binary),
        LoadedType::TimestampTz | LoadedType::Time | LoadedType::Super => false,
    }
}

/// Writes the rows of a batch.
pub(crate) fn write_batch(
    batch: &RecordBatch,
    columns: &[LoadedColumn],
    file: &SourceFile,
    out: &mut RowBuffer,
) -> Result<(), String> {
    let readers = readers(batch, columns.len()).ok_or_else(|| {
        scan_error(&format!("File '{}' changed its schema while it was read", file.url))
    })?;
    for row in 0..batch.num_rows() {
        out.start_row();
        for (reader, column) in readers.iter().zip(columns) {
            match reader {
                // Nulls are told apart first: an array holds some value at a null's place too.
                Some(reader) if !reader.array.is_null(row) => {
                    reader.values.write(row, column, file, out)?;
                }
                _ => write_null(column, out)?,
            }
        }
    }
    Ok(())
}

/// A reader for each column of the table. `None` when no column of a table takes an array's type.
fn readers(batch: &RecordBatch, columns: usize) -> Option<Vec<Option<ColumnReader<'_>>>> {
    // `Some(None)` is a column that the file lacks and FILLRECORD fills with nulls.
    let reader = |index: usize| match batch.columns().get(index) {
        Some(array) => ColumnReader::new(array.as_ref()).map(Some),
        None => Some(None),
    };
    (0..columns).map(reader).collect()
}

// Unlike in text files, a null in a NOT NULL column does not become the column's default.
fn write_null(column: &LoadedColumn, out: &mut RowBuffer) -> Result<(), String> {
    if column.not_null {
        return Err(format!("ERROR: Cannot insert a NULL value into column {}", column.name));
    }
    out.null();
    Ok(())
}

struct ColumnReader<'a> {
    array: &'a dyn Array,
    values: Values<'a>,
}

impl<'a> ColumnReader<'a> {
    /// `None` when no column of a table takes the array's type.
    fn new(array: &'a dyn Array) -> Option<ColumnReader<'a>> {
        Some(ColumnReader { array, values: Values::new(array)? })
    }
}

/// A column of a batch, downcast to its type.
// The downcast happens once for a batch. In the loop over rows it would be paid for each value.
enum Values<'a> {
    Int8(&'a arrow_array::PrimitiveArray<Int8Type>),
    Int16(&'a arrow_array::PrimitiveArray<Int16Type>),
    UInt8(&'a arrow_array::PrimitiveArray<UInt8Type>),
    Int32(&'a arrow_array::PrimitiveArray<Int32Type>),
    UInt16(&'a arrow_array::PrimitiveArray<UInt16Type>),
    Int64(&'a arrow_array::PrimitiveArray<Int64Type>),
    UInt32(&'a arrow_array::PrimitiveArray<UInt32Type>),
    Float32(&'a arrow_array::PrimitiveArray<Float32Type>),
    Float64(&'a arrow_array::PrimitiveArray<Float64Type>),
    Boolean(&'a arrow_array::BooleanArray),
    Decimal(&'a arrow_array::PrimitiveArray<Decimal128Type>, u8),
    Text(&'a arrow_array::StringArray),
    Bytes(&'a arrow_array::BinaryArray),
    Date(&'a arrow_array::PrimitiveArray<Date32Type>),
    Millis(&'a arrow_array::PrimitiveArray<TimestampMillisecondType>),
    Micros(&'a arrow_array::PrimitiveArray<TimestampMicrosecondType>),
    Nanos(&'a arrow_array::PrimitiveArray<TimestampNanosecondType>),
}

impl<'a> Values<'a> {
    fn new(array: &'a dyn Array) -> Option<Values<'a>> {
        Some(match array.data_type() {
            DataType::Int8 => Values::Int8(array.as_primitive()),
            DataType::Int16 => Values::Int16(array.as_primitive()),
            DataType::UInt8 => Values::UInt8(array.as_primitive()),
            DataType::Int32 => Values::Int32(array.as_primitive()),
            DataType::UInt16 => Values::UInt16(array.as_primitive()),
            DataType::Int64 => Values::Int64(array.as_primitive()),
            DataType::UInt32 => Values::UInt32(array.as_primitive()),
            DataType::Float32 => Values::Float32(array.as_primitive()),
            DataType::Float64 => Values::Float64(array.as_primitive()),
            DataType::Boolean => Values::Boolean(array.as_boolean()),
            DataType::Decimal128(_, scale) => {
                Values::Decimal(array.as_primitive(), u8::try_from(*scale).ok()?)
            }
            DataType::Utf8 => Values::Text(array.as_string()),
            DataType::Binary => Values::Bytes(array.as_binary()),
            DataType::Date32 => Values::Date(array.as_primitive()),
            DataType::Timestamp(TimeUnit::Millisecond, _) => Values::Millis(array.as_primitive()),
            DataType::Timestamp(TimeUnit::Microsecond, _) => Values::Micros(array.as_primitive()),
            DataType::Timestamp(TimeUnit::Nanosecond, _) => Values::Nanos(array.as_primitive()),
            _ => return None,
        })
    }

    /// Writes the value in a row, which must not be null.
    fn write(
        &self,
        row: usize,
        column: &LoadedColumn,
        file: &SourceFile,
        out: &mut RowBuffer,
    ) -> Result<(), String> {
        match self {
            Values::Int8(array) => out.int2(i16::from(array.value(row))),
            Values::Int16(array) => out.int2(array.value(row)),
            Values::UInt8(array) => out.int2(i16::from(array.value(row))),
            Values::Int32(array) => out.int4(array.value(row)),
            Values::UInt16(array) => out.int4(i32::from(array.value(row))),
            Values::Int64(array) => out.int8(array.value(row)),
            Values::UInt32(array) => out.int8(i64::from(array.value(row))),
            Values::Float32(array) => out.float4(array.value(row)),
            Values::Float64(array) => out.float8(array.value(row)),
            Values::Boolean(array) => out.boolean(array.value(row)),
            Values::Decimal(array, scale) => out.numeric(array.value(row), *scale),
            Values::Text(array) => write_text(array.value(row), column, file, out)?,
            Values::Bytes(array) => out.bytes(array.value(row)),
            Values::Date(array) => out.date(array.value(row)),
            Values::Millis(array) => out.timestamp(array.value(row) * 1000),
            Values::Micros(array) => out.timestamp(array.value(row)),
            // Rounds down before 1970 too: -1 ns is in microsecond -1, where `/` would give 0.
            Values::Nanos(array) => out.timestamp(array.value(row).div_euclid(1000)),
        }
        Ok(())
    }
}

fn write_text(
    text: &str,
    column: &LoadedColumn,
    file: &SourceFile,
    out: &mut RowBuffer,
) -> Result<(), String> {
    let (LoadedType::Varchar(bytes) | LoadedType::Char(bytes)) = column.kind else {
        out.bytes(text.as_bytes());
        return Ok(());
    };
    if text.len() > bytes {
        return Err(scan_error(&format!(
            "The length of the data column {} is longer than the length defined in the table. \
             Table: {bytes}, Data: {}, File name: {}",
            column.name,
            text.len(),
            file.url
        )));
    }
    if text.as_bytes().contains(&0) {
        return Err(scan_error(&format!(
            "Column {}: invalid null byte (0x00) in a string, File name: {}",
            column.name, file.url
        )));
    }
    out.bytes(text.as_bytes());
    Ok(())
}
