//! The only way from a plugin's bytes to a schema or a batch. Every check comes before the code
//! that relies on it: lengths before the header, the header before the layout, the layout before
//! Arrow's reader, Arrow before values. Schemas and batches from here need no second check.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_buffer::Buffer;
use arrow_ipc::reader::RecordBatchDecoder;
use arrow_ipc::{Endianness, MessageHeader, MetadataVersion};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::frame;
pub use crate::limits::{BatchLimits, SchemaLimits};
use crate::violation::Violation;
use crate::{layout, values};

/// Reads a schema message. The result has flat columns of the types that the contract allows. Their
/// names are safe to show and differ in more than case: for example, `Id` and `ID` are refused.
/// Metadata is dropped.
pub fn check_schema(bytes: &[u8], limits: &SchemaLimits) -> Result<Schema, Violation> {
    let framed = frame::open(bytes, MessageHeader::Schema, &limits.frame())?;
    if framed.body_len != 0 {
        return Err(Violation::BodyLength {
            declared: framed.body_start as i128,
            bytes: bytes.len(),
        });
    }
    let header = framed.message.header_as_schema().ok_or(Violation::Unforeseen)?;
    check_schema_header(&header, limits)?;
    let schema = foreseen(|| arrow_ipc::convert::try_fb_to_schema(header))?;
    check_names(&schema, limits)?;
    let fields = schema.fields().iter().map(check_type).collect::<Result<Vec<_>, _>>()?;
    Ok(Schema::new(fields))
}

fn check_schema_header(
    header: &arrow_ipc::Schema<'_>,
    limits: &SchemaLimits,
) -> Result<(), Violation> {
    if header.endianness() != Endianness::Little {
        return Err(Violation::BigEndian);
    }
    match header.fields().map_or(0, |fields| fields.len()) {
        0 => Err(Violation::NoColumns),
        found if found > limits.max_columns => {
            Err(Violation::TooManyColumns { found, limit: limits.max_columns })
        }
        _ => Ok(()),
    }
}

/// Reads a record batch message of `schema` with exactly `rows` rows. Without columns in `schema`,
/// `bytes` is empty.
///
/// The arrays share the memory of `bytes` where it is aligned for them.
pub fn check_batch(
    bytes: Vec<u8>,
    schema: &SchemaRef,
    rows: usize,
    limits: &BatchLimits,
) -> Result<RecordBatch, Violation> {
    if schema.fields().is_empty() {
        return empty_batch(&bytes, schema, rows);
    }
    let bytes = Buffer::from(bytes);
    let framed = frame::open(&bytes, MessageHeader::RecordBatch, &limits.frame())?;
    let header = framed.message.header_as_record_batch().ok_or(Violation::Unforeseen)?;
    layout::check(&header, schema.fields(), rows, framed.body_len)?;
    let body = bytes.slice_with_length(framed.body_start, framed.body_len);
    let batch = read_batch(&body, header, schema)?;
    values::check(&batch, limits)?;
    Ok(batch)
}

/// Reads the batch with Arrow's reader, which also validates it. (The reader has a switch to skip
/// the validation, which must stay off: offsets that descend, and text that is not UTF-8, are found
/// only here.)
fn read_batch(
    body: &Buffer,
    header: arrow_ipc::RecordBatch<'_>,
    schema: &SchemaRef,
) -> Result<RecordBatch, Violation> {
    let (schema, version) = (schema.clone(), MetadataVersion::V5);
    let no_dictionaries = HashMap::new();
    foreseen(|| {
        RecordBatchDecoder::try_new(body, header, schema, &no_dictionaries, &version)?
            .read_record_batch()
    })
}

/// Checks the lists of an `output` against each other and against the rows of its batch.
// Rows ascend, so only the last one can be outside of the batch. Hence the order of the checks.
pub fn check_rejects(
    rows: usize,
    rejected: &[u32],
    reasons: &[u16],
    messages: usize,
) -> Result<(), Violation> {
    if rejected.len() != reasons.len() {
        return Err(Violation::ReasonCount { rejected: rejected.len(), reasons: reasons.len() });
    }
    if let Some(pair) = rejected.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Err(Violation::RejectOrder { row: pair[1], previous: pair[0] });
    }
    if let Some(&row) = rejected.last()
        && row as usize >= rows
    {
        return Err(Violation::RejectRange { row, rows });
    }
    match rejected.iter().zip(reasons).find(|(_, reason)| usize::from(**reason) >= messages) {
        Some((&row, &reason)) => Err(Violation::ReasonRange { row, reason, messages }),
        None => Ok(()),
    }
}

/// Runs Arrow's code. A panic in it means that a check before it is missing. The panic becomes an
/// error, so that a plugin cannot bring the whole program down.
// `AssertUnwindSafe` is sound because the closure only reads its arguments: after a panic its
// half-made value is dropped, and the host has no state that could be half changed.
fn foreseen<T>(read: impl FnOnce() -> Result<T, ArrowError>) -> Result<T, Violation> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Violation::Arrow { reason: error.to_string() }),
        Err(_) => Err(Violation::Unforeseen),
    }
}

fn empty_batch(bytes: &[u8], schema: &SchemaRef, rows: usize) -> Result<RecordBatch, Violation> {
    if !bytes.is_empty() {
        return Err(Violation::UnexpectedBatch { bytes: bytes.len() });
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    foreseen(|| RecordBatch::try_new_with_options(schema.clone(), Vec::new(), &options))
}

fn check_names(schema: &Schema, limits: &SchemaLimits) -> Result<(), Violation> {
    let mut seen = HashMap::new();
    for (index, field) in schema.fields().iter().enumerate() {
        let (position, name) = (index + 1, field.name());
        check_name(position, name, limits.max_name_bytes)?;
        if let Some(first) = seen.insert(name.to_lowercase(), position) {
            return Err(Violation::NameDuplicate { first, second: position, name: name.clone() });
        }
    }
    Ok(())
}

fn check_name(position: usize, name: &str, limit: usize) -> Result<(), Violation> {
    if name.is_empty() {
        return Err(Violation::NameEmpty { position });
    }
    if name.len() > limit {
        return Err(Violation::NameTooLong { position, bytes: name.len(), limit });
    }
    if name.chars().any(|c| c.is_control() || turns_lines_around(c)) {
        return Err(Violation::NameControl { position, name: name.to_owned() });
    }
    Ok(())
}

/// Characters that make a name look like another one: embeddings, overrides and isolates of the
/// writing direction. The plain marks (U+200E, U+200F) are allowed, since honest names in
/// right-to-left scripts have them.
fn turns_lines_around(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

// The field is made anew and not cloned, which drops its metadata: the plugin could claim in it
// that a column is, for instance, `loader.logical` = `decimal`.
fn check_type(field: &Arc<Field>) -> Result<Field, Violation> {
    let column = || field.name().clone();
    match field.data_type() {
        DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::Float32
        | DataType::Float64
        | DataType::Utf8
        | DataType::Binary
        | DataType::Date32
        | DataType::Timestamp(TimeUnit::Microsecond, None) => {}
        &DataType::Decimal128(precision, scale) => {
            if !(1..=38).contains(&precision) || scale < 0 || scale as u8 > precision {
                return Err(Violation::DecimalType { column: column(), precision, scale });
            }
        }
        other => return Err(Violation::Type { column: column(), data_type: other.clone() }),
    }
    Ok(Field::new(field.name(), field.data_type().clone(), field.is_nullable()))
}
