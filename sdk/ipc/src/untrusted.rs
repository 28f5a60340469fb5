//! The only way from a plugin's bytes to a schema or a batch. Every check comes before the code
//! that relies on it: lengths before the header, the header before the layout, the layout before
//! Arrow's reader, Arrow before values. What is built here may be handed on without a second look.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_buffer::Buffer;
use arrow_ipc::reader::RecordBatchDecoder;
use arrow_ipc::{Endianness, MessageHeader, MetadataVersion};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::frame::{self, FrameLimits};
use crate::{Violation, layout, values};

/// What a schema may be.
#[derive(Debug, Clone)]
pub struct SchemaLimits {
    /// Default 4 MiB: a full schema with long names and metadata takes well under one.
    pub max_message_bytes: usize,
    /// Default 1600, the most that a Redshift table has.
    /// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_usage.html>
    pub max_columns: usize,
    /// Default 127, the longest identifier in Redshift.
    /// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_names.html>
    pub max_name_bytes: usize,
}

impl Default for SchemaLimits {
    fn default() -> Self {
        Self { max_message_bytes: 4 << 20, max_columns: 1600, max_name_bytes: 127 }
    }
}

/// What a batch may be.
#[derive(Debug, Clone)]
pub struct BatchLimits {
    /// Default 64 MiB.
    pub max_message_bytes: usize,
    /// Default 65,535, the longest VARCHAR.
    pub max_text_bytes: usize,
    /// Default 1,024,000, the longest VARBYTE that every cluster takes.
    pub max_binary_bytes: usize,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self { max_message_bytes: 64 << 20, max_text_bytes: 65_535, max_binary_bytes: 1_024_000 }
    }
}

/// Reads a schema message. The result has flat columns of the types that the contract allows, with
/// names that are safe to show and distinct whatever the case; metadata is dropped.
pub fn check_schema(bytes: &[u8], limits: &SchemaLimits) -> Result<Schema, Violation> {
    let frame_limits = FrameLimits {
        max_message_bytes: limits.max_message_bytes,
        max_tables: 64 + 16 * limits.max_columns,
        max_apparent_bytes: 4 * limits.max_message_bytes,
    };
    let framed = frame::open(bytes, MessageHeader::Schema, &frame_limits)?;
    if framed.body_len != 0 {
        return Err(Violation::BodyLength {
            declared: framed.body_start as i128,
            bytes: bytes.len(),
        });
    }
    let header = framed.message.header_as_schema().ok_or(Violation::Unforeseen)?;
    if header.endianness() != Endianness::Little {
        return Err(Violation::BigEndian);
    }
    let found = header.fields().map_or(0, |fields| fields.len());
    if found == 0 {
        return Err(Violation::NoColumns);
    }
    if found > limits.max_columns {
        return Err(Violation::TooManyColumns { found, limit: limits.max_columns });
    }
    let schema = foreseen(|| arrow_ipc::convert::try_fb_to_schema(header))?;
    check_names(&schema, limits)?;
    let fields = schema.fields().iter().map(check_type).collect::<Result<Vec<_>, _>>()?;
    Ok(Schema::new(fields))
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
    let frame_limits = FrameLimits {
        max_message_bytes: limits.max_message_bytes,
        max_tables: 8,
        max_apparent_bytes: 1 << 20,
    };
    let bytes = Buffer::from(bytes);
    let framed = frame::open(&bytes, MessageHeader::RecordBatch, &frame_limits)?;
    let header = framed.message.header_as_record_batch().ok_or(Violation::Unforeseen)?;
    layout::check(&header, schema.fields(), rows, framed.body_len)?;
    let body = bytes.slice_with_length(framed.body_start, framed.body_len);
    let no_dictionaries = HashMap::new();
    // Arrow's own validation is on unless it is switched off; it never is.
    let read = || {
        RecordBatchDecoder::try_new(
            &body,
            header,
            schema.clone(),
            &no_dictionaries,
            &MetadataVersion::V5,
        )?
        .read_record_batch()
    };
    let batch = foreseen(read)?;
    values::check(&batch, limits)?;
    Ok(batch)
}

/// Checks the lists of an `output` against each other and the rows of its batch.
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

/// Runs Arrow's code. A panic in it means that a check before it is missing; it must not take the
/// load down.
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
        if name.is_empty() {
            return Err(Violation::NameEmpty { position });
        }
        if name.len() > limits.max_name_bytes {
            return Err(Violation::NameTooLong {
                position,
                bytes: name.len(),
                limit: limits.max_name_bytes,
            });
        }
        if name.chars().any(|c| c.is_control() || turns_lines_around(c)) {
            return Err(Violation::NameControl { position, name: name.clone() });
        }
        if let Some(first) = seen.insert(name.to_lowercase(), position) {
            return Err(Violation::NameDuplicate { first, second: position, name: name.clone() });
        }
    }
    Ok(())
}

/// Characters with which a name reads as another one: embeddings, overrides and isolates of the
/// writing direction. The plain marks (U+200E, U+200F) stand in honest names of right-to-left
/// scripts.
fn turns_lines_around(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

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
