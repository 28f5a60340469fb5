//! The one exact text of a value, which tests compare and the files of a case hold. For example,
//! the decimal 10 at scale 2 is `0.10`, and the byte 255 is `ff`.

use std::sync::Arc;

use arrow_array::builder::BinaryBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, TimeUnit};
use loader_sandbox::cast::strict_cast;

/// All rows of a batch as text; NULL is `None`.
pub(crate) fn rows(batch: &RecordBatch) -> Vec<Vec<Option<String>>> {
    (0..batch.num_rows())
        .map(|row| {
            batch
                .columns()
                .iter()
                .map(|column| (!column.is_null(row)).then(|| value(column, row)))
                .collect()
        })
        .collect()
}

/// Reads the values of a type from the texts that [`rows`] writes. Errors: the place of the first
/// text that is not a value of the type.
pub(crate) fn parse(texts: StringArray, data_type: &DataType) -> Result<ArrayRef, usize> {
    if *data_type == DataType::Binary {
        let mut bytes = BinaryBuilder::new();
        for (place, text) in texts.iter().enumerate() {
            bytes.append_option(text.map(|text| from_hex(text).ok_or(place)).transpose()?);
        }
        return Ok(Arc::new(bytes.finish()));
    }
    // When text is never cast to the type, all values fail; the first place stands for them.
    let cast = strict_cast(&(Arc::new(texts) as ArrayRef), data_type).map_err(|_| 0_usize)?;
    match cast.failed.first() {
        Some(place) => Err(*place as usize),
        None => Ok(cast.array),
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| {
            u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?, 16)
                .ok()
        })
        .collect()
}

/// The text of a value that is not NULL. A float is the shortest text that reads back as the same
/// float; bytes are hexadecimal.
fn value(column: &ArrayRef, row: usize) -> String {
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
        DataType::Boolean => column.as_boolean().value(row).to_string(),
        DataType::Int8 => column.as_primitive::<Int8Type>().value(row).to_string(),
        DataType::Int16 => column.as_primitive::<Int16Type>().value(row).to_string(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float32 => column.as_primitive::<Float32Type>().value(row).to_string(),
        DataType::Float64 => column.as_primitive::<Float64Type>().value(row).to_string(),
        DataType::Decimal128(_, scale) => {
            let mut text = String::new();
            let unscaled = column.as_primitive::<Decimal128Type>().value(row);
            loader_values::write_decimal(unscaled, scale.unsigned_abs(), &mut text);
            text
        }
        DataType::Date32 => {
            loader_values::format_date(column.as_primitive::<Date32Type>().value(row))
        }
        DataType::Timestamp(TimeUnit::Microsecond, None) => loader_values::format_timestamp(
            column.as_primitive::<TimestampMicrosecondType>().value(row),
        ),
        DataType::Binary => {
            column.as_binary::<i32>().value(row).iter().map(|byte| format!("{byte:02x}")).collect()
        }
        // The sandbox lets no other type through, so this text is never seen.
        other => format!("<{other}>"),
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{
        BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array,
        TimestampMicrosecondArray,
    };

    use super::*;

    #[test]
    fn every_digit_is_there_and_none_is_made_up() {
        let decimals = Decimal128Array::from(vec![Some(-100_000_000_000_000_001), None]);
        let batch = RecordBatch::try_from_iter([
            ("d", Arc::new(decimals.with_precision_and_scale(38, 18).unwrap()) as ArrayRef),
            ("f", Arc::new(Float64Array::from(vec![0.1, 1e300]))),
            ("b", Arc::new(BooleanArray::from(vec![true, false]))),
            ("t", Arc::new(TimestampMicrosecondArray::from(vec![0, 1_500_000]))),
            ("day", Arc::new(Date32Array::from(vec![0, 19_000]))),
            ("bytes", Arc::new(BinaryArray::from(vec![&b"\x00\xff"[..], b""]))),
        ]);
        let texts = rows(&batch.unwrap());
        let first: Vec<&str> =
            texts[0].iter().map(|text| text.as_deref().unwrap_or("NULL")).collect();
        let expected =
            ["-0.100000000000000001", "0.1", "true", "1970-01-01 00:00:00", "1970-01-01", "00ff"];
        assert_eq!(first, expected);
        assert_eq!((texts[1][0].as_deref(), texts[1][5].as_deref()), (None, Some("")));
        assert_eq!(texts[1][3].as_deref(), Some("1970-01-01 00:00:01.500000"));
    }
}
