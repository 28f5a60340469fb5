//! What the columns of a Parquet file become.
//!
//! In: the schema of the file. Out: a column of Redshift for each of its columns. The type is that
//! of a new column; where a table has the column, values are read as it needs them.
//!
//! Source: <https://github.com/apache/parquet-format/blob/master/LogicalTypes.md>

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use loader_csv::{LogicalType, MAX_COLUMNS, Meant};
use loader_model::column_type::ColumnType;
use loader_model::error::{Error, Kind, Result};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::basic::Type;

use crate::file_column::FileColumn;

/// The columns of a file. Errors: `Data` where no column of Redshift takes a type, or there are too
/// many columns.
pub(super) fn of(metadata: &ArrowReaderMetadata) -> Result<Vec<FileColumn>> {
    let fields = metadata.schema().fields();
    if fields.is_empty() || fields.len() > MAX_COLUMNS {
        let fact = format!(
            "the Parquet file has {} columns, and a load takes 1 to {MAX_COLUMNS}",
            fields.len()
        );
        return Err(Error::new(Kind::Data, fact));
    }
    fields.iter().map(|field| column(field)).collect()
}

fn column(field: &Field) -> Result<FileColumn> {
    let name = field.name().clone();
    if name.contains('\0') {
        let fact =
            format!("the name of a column of the Parquet file has a NUL: {name:?}; rename it");
        return Err(Error::new(Kind::Data, fact));
    }
    // All values are NULL, so a later file may say what they are.
    if *field.data_type() == DataType::Null {
        return Ok(FileColumn { name, meant: None, column_type: None, mixed: None });
    }
    let Some((logical, decimal, column_type)) = types(field.data_type()) else {
        let fact = format!(
            "the column `{name}` of the Parquet file has the type {}, which no column of Redshift \
             takes; leave it out, or write it as text",
            field.data_type()
        );
        return Err(Error::new(Kind::Data, fact));
    };
    let meant = Some(Meant::Type { logical, decimal });
    Ok(FileColumn { name, meant, column_type, mixed: None })
}

type Types = (LogicalType, Option<(u8, u8)>, Option<ColumnType>);

/// What the values of a type are to the CSV reader, and the type that a new column gets; `None` for
/// texts, whose longest decides.
// INTERVAL is refused: the reader drops its months.
fn types(data_type: &DataType) -> Option<Types> {
    let plain = |logical, column_type| Some((logical, None, Some(column_type)));
    let text = Some((LogicalType::Text, None, None));
    let nested = |values: &Field| {
        let is_read = *values.data_type() == DataType::Null || types(values.data_type()).is_some();
        if is_read { plain(LogicalType::Text, ColumnType::Super) } else { None }
    };
    match data_type {
        DataType::Boolean => plain(LogicalType::Boolean, ColumnType::Boolean),
        DataType::Int8 | DataType::UInt8 | DataType::Int16 => {
            plain(LogicalType::Int16, ColumnType::SmallInt)
        }
        DataType::UInt16 | DataType::Int32 => plain(LogicalType::Int32, ColumnType::Integer),
        DataType::UInt32 | DataType::Int64 => plain(LogicalType::Int64, ColumnType::BigInt),
        DataType::UInt64 => decimal(20, 0),
        DataType::Float16 | DataType::Float32 => plain(LogicalType::Double, ColumnType::Real),
        DataType::Float64 => plain(LogicalType::Double, ColumnType::Double),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => decimal(*precision, *scale).or(text),
        DataType::Date32 | DataType::Date64 => plain(LogicalType::Date, ColumnType::Date),
        DataType::Timestamp(_, None) => plain(LogicalType::Timestamp, ColumnType::Timestamp),
        // Redshift keeps microseconds, so values with more digits stay text.
        DataType::Timestamp(TimeUnit::Nanosecond, Some(_))
        | DataType::Time64(TimeUnit::Nanosecond) => text,
        DataType::Timestamp(_, Some(_)) => plain(LogicalType::Text, ColumnType::TimestampTz),
        DataType::Time32(_) | DataType::Time64(_) => plain(LogicalType::Text, ColumnType::Time),
        DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => text,
        DataType::List(values) | DataType::LargeList(values) | DataType::Map(values, _) => {
            nested(values)
        }
        DataType::Struct(fields) => {
            let mut names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
            names.sort_unstable();
            names.dedup();
            let is_read =
                names.len() == fields.len() && fields.iter().all(|field| nested(field).is_some());
            if is_read { plain(LogicalType::Text, ColumnType::Super) } else { None }
        }
        _ => None,
    }
}

/// A DECIMAL; `None` where Redshift has none of that size.
fn decimal(precision: u8, scale: i8) -> Option<Types> {
    let digits =
        u8::try_from(scale).ok().filter(|digits| precision <= 38 && *digits <= precision)?;
    let column_type = ColumnType::Decimal { precision, scale };
    Some((LogicalType::Decimal, Some((precision, digits)), Some(column_type)))
}

/// The schema by which the file is read, in place of the reader's own choice. Errors:
/// `Data` for a moment of the type `INT96` in a nested value.
pub(super) fn read_as(metadata: &ArrowReaderMetadata) -> Result<SchemaRef> {
    let descriptor = metadata.parquet_schema();
    let leaves = descriptor.columns().iter();
    let old: Vec<_> = leaves.filter(|leaf| leaf.physical_type() == Type::INT96).collect();
    if let Some(nested) = old.iter().find(|leaf| leaf.path().parts().len() > 1) {
        let fact = format!(
            "`{}` of the Parquet file is a moment of the type INT96 within a nested value, which is \
             not read; write it as TIMESTAMP",
            nested.path().string()
        );
        return Err(Error::new(Kind::Data, fact));
    }
    let is_old = |name: &str| old.iter().any(|leaf| leaf.name() == name);
    let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
    let fields = metadata.schema().fields().iter().map(|field| match is_old(field.name()) {
        true => Arc::new(field.as_ref().clone().with_data_type(micros.clone())),
        false => field_read_as(field),
    });
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

fn field_read_as(field: &FieldRef) -> FieldRef {
    let data_type = type_read_as(field.data_type());
    Arc::new(field.as_ref().clone().with_data_type(data_type))
}

// Moments of the old kind, `INT96`, would overflow in nanoseconds after the year 2262. Arrow knows
// a zone by its offset alone. Views share a text that a dictionary has once, and many rows have.
fn type_read_as(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some("+00:00".into())),
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        DataType::List(values) => DataType::List(field_read_as(values)),
        DataType::LargeList(values) => DataType::LargeList(field_read_as(values)),
        DataType::Map(entries, is_sorted) => DataType::Map(field_read_as(entries), *is_sorted),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field_read_as).collect()),
        other => other.clone(),
    }
}
