//! Which column of a Parquet file may go into which column of the target.
//!
//! What is known of COPY, and from whom:
//!
//! - DECIMAL(18,2) as INT64, TIMESTAMP as naive INT64 of microseconds:
//!   <https://github.com/felipenoris/serialize-db/blob/0ce1f0e/tests/proof_of_concept/test_redshift.py>
//! - SMALLINT from 8 and 16 bits, INTEGER, BIGINT, REAL, DOUBLE PRECISION, BOOLEAN, DATE, VARCHAR:
//!   <https://github.com/aws/aws-sdk-pandas/blob/08ba3db/tests/unit/test_redshift.py>
//! - DECIMAL(6,2) and DECIMAL(38,9) as fixed byte arrays, milliseconds, VARBYTE from byte arrays and
//!   not from fixed ones: <https://github.com/dlt-hub/dlt/blob/58d66fc/tests/load/pipeline/test_pipelines.py>
//! - a DECIMAL's fixed byte array has the fewest bytes that hold its digits:
//!   <https://github.com/G-Research/ParquetSharp/issues/252>
//! - INT96, which UNLOAD writes: <https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html>
//! - INT64 of nanoseconds gives wrong times: <https://github.com/apache/arrow/issues/38000>
//! - an int64 is refused for an INTEGER, also where every value would fit:
//!   <https://github.com/bluelabsio/records-mover/issues/85>
//!
//! No source was found for DECIMAL as INT32, text for CHAR, unsigned integers, and instants (times
//! that are adjusted to UTC) for TIMESTAMP.

use std::fs::File;

use arrow_schema::{DataType, TimeUnit};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{ConvertedType, LogicalType, Repetition, Type as PhysicalType};
use parquet::schema::types::{ColumnDescPtr, ColumnDescriptor};

use super::faults::{metadata_error, scan_error};
use crate::copy::source::SourceFile;
use crate::copy::target::{LoadedColumn, LoadedType};

pub(super) type Builder = ParquetRecordBatchReaderBuilder<File>;

/// Refuses a file whose columns do not go into the target's.
pub(super) fn check(
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
    if let Some(leaf) = &leaf {
        check_length(leaf, column, file)?;
        if is_known(leaf, field.data_type(), column.kind) {
            return Ok(());
        }
    }
    let parquet =
        leaf.map_or_else(|| format!("nested {}", field.name()), |leaf| describe(&leaf, index));
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

/// Refuses a decimal in a fixed byte array of another length than the table's type asks for.
// The length is looked at before all else, as the source shows: a file of DECIMAL(29,9) for a
// NUMERIC(18,9) is refused for its 13 bytes, and not for its digits.
fn check_length(
    leaf: &ColumnDescriptor,
    column: &LoadedColumn,
    file: &SourceFile,
) -> Result<(), String> {
    let LoadedType::Numeric { precision, .. } = column.kind else { return Ok(()) };
    let (expected, found) = (decimal_bytes(precision), leaf.type_length());
    if leaf.physical_type() != PhysicalType::FIXED_LEN_BYTE_ARRAY || expected == found {
        return Ok(());
    }
    Err(metadata_error(&format!(
        "File '{}' column '{}' has an invalid type length. Expecting: {expected} len in file: \
         {found}",
        file.url,
        leaf.name()
    )))
}

/// The fewest bytes that hold a signed number of so many digits: 8 for 18, 9 for 19.
fn decimal_bytes(digits: u8) -> i32 {
    let most = 10_u128.pow(u32::from(digits)) - 1;
    let bits_with_sign = u128::BITS - most.leading_zeros() + 1;
    bits_with_sign.div_ceil(8) as i32
}

/// A column as Redshift prints it, for example `optional int64 order_id [i:0 d:1 r:0]`.
fn describe(leaf: &ColumnDescriptor, index: usize) -> String {
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
    let (name, definition, levels) = (leaf.name(), leaf.max_def_level(), leaf.max_rep_level());
    format!("{repetition} {physical} {name} [i:{index} d:{definition} r:{levels}]")
}

/// Whether a source shows that COPY reads this column into such a type.
fn is_known(leaf: &ColumnDescriptor, found: &DataType, kind: LoadedType) -> bool {
    match kind {
        LoadedType::Int2 => matches!(found, DataType::Int8 | DataType::Int16),
        LoadedType::Int4 => *found == DataType::Int32,
        LoadedType::Int8 => *found == DataType::Int64,
        LoadedType::Float4 => *found == DataType::Float32,
        LoadedType::Float8 => *found == DataType::Float64,
        LoadedType::Bool => *found == DataType::Boolean,
        LoadedType::Numeric { precision, scale } => {
            matches!(found, DataType::Decimal128(p, s) if *p == precision && u8::try_from(*s) == Ok(scale))
                && is_known_decimal(leaf.physical_type(), precision)
        }
        LoadedType::Varchar(_) => is_text(leaf),
        LoadedType::Date => *found == DataType::Date32,
        LoadedType::Timestamp => is_known_timestamp(leaf.physical_type(), found),
        LoadedType::Varbyte => is_plain_bytes(leaf),
        LoadedType::Char(_) | LoadedType::TimestampTz | LoadedType::Time | LoadedType::Super => {
            false
        }
    }
}

/// INT64 has 18 digits; Parquet's writers use INT32 for nine and fewer.
fn is_known_decimal(physical: PhysicalType, precision: u8) -> bool {
    match physical {
        PhysicalType::INT64 => (10..=18).contains(&precision),
        // `check_length` has compared the lengths.
        PhysicalType::FIXED_LEN_BYTE_ARRAY => true,
        _ => false,
    }
}

fn is_text(leaf: &ColumnDescriptor) -> bool {
    matches!(leaf.logical_type_ref(), Some(LogicalType::String))
        || leaf.converted_type() == ConvertedType::UTF8
}

fn is_plain_bytes(leaf: &ColumnDescriptor) -> bool {
    leaf.physical_type() == PhysicalType::BYTE_ARRAY
        && leaf.logical_type_ref().is_none()
        && leaf.converted_type() == ConvertedType::NONE
}

fn is_known_timestamp(physical: PhysicalType, found: &DataType) -> bool {
    match found {
        DataType::Timestamp(TimeUnit::Millisecond | TimeUnit::Microsecond, None) => true,
        // Redshift reads INT64 nanoseconds as if they were microseconds, and the load succeeds with
        // wrong times. The stand-in refuses them. Redshift does know INT96, the older form of
        // nanoseconds.
        DataType::Timestamp(TimeUnit::Nanosecond, None) => physical == PhysicalType::INT96,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_have_the_fewest_bytes() {
        let bytes = [1, 2, 3, 6, 9, 10, 18, 19, 20, 29, 31, 32, 38].map(decimal_bytes);
        assert_eq!(bytes, [1, 1, 2, 3, 4, 5, 8, 9, 9, 13, 13, 14, 16]);
    }
}
