//! Objects in S3 that a case needs: text, compressed text, or a small Parquet file that is
//! described by its columns and rows.

use std::io::Write;
use std::sync::Arc;

use arrow_array::types::Decimal128Type;
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int16Array, Int32Array,
    Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use parquet::arrow::ArrowWriter;
use serde::Deserialize;

use crate::case::Values;

/// An object as a case writes it.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Object {
    Text(String),
    Gzip {
        gzip: String,
    },
    /// `name type` of every column and the rows as lines with `|` between values.
    Parquet {
        parquet: Vec<String>,
        rows: Vec<String>,
    },
}

impl Object {
    pub(crate) fn bytes(&self, values: &Values) -> Vec<u8> {
        match self {
            Object::Text(text) => values.fill(text).into_bytes(),
            Object::Gzip { gzip } => {
                let mut encoder =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(values.fill(gzip).as_bytes()).expect("memory takes everything");
                encoder.finish().expect("memory takes everything")
            }
            Object::Parquet { parquet, rows } => file(parquet, rows),
        }
    }
}

fn file(columns: &[String], rows: &[String]) -> Vec<u8> {
    let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.split('|').collect()).collect();
    let columns = columns.iter().enumerate().map(|(index, column)| {
        let (name, data_type) = column.split_once(' ').unwrap_or((column, "text"));
        let values =
            rows.iter().map(|row| Some(row[index]).filter(|value| *value != "null")).collect();
        (name, array(data_type, values), true)
    });
    let batch = RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length");
    let mut writer =
        ArrowWriter::try_new(Vec::new(), batch.schema(), None).expect("Parquet has these types");
    writer.write(&batch).expect("memory takes everything");
    writer.into_inner().expect("memory takes everything")
}

fn array(data_type: &str, values: Vec<Option<&str>>) -> ArrayRef {
    fn parse<T: std::str::FromStr>(values: Vec<Option<&str>>) -> impl Iterator<Item = Option<T>> {
        values.into_iter().map(|value| {
            Some(value?.parse().unwrap_or_else(|_| panic!("{value:?} is of another type")))
        })
    }
    match data_type {
        "int16" => Arc::new(Int16Array::from_iter(parse::<i16>(values))),
        "int32" => Arc::new(Int32Array::from_iter(parse::<i32>(values))),
        "int64" => Arc::new(Int64Array::from_iter(parse::<i64>(values))),
        "double" => Arc::new(Float64Array::from_iter(parse::<f64>(values))),
        "boolean" => Arc::new(BooleanArray::from_iter(parse::<bool>(values))),
        "text" => Arc::new(StringArray::from_iter(values)),
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
