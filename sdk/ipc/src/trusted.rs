//! Reads messages that the host wrote, on the guest's side of the sandbox. The shape is checked and
//! the values are not, since the host holds them as valid arrays already.
//!
//! The arrays are built here and not by Arrow's reader, which would bring every type that Arrow
//! knows into each plugin.

use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, BinaryType, ByteArrayType, Date32Type, Decimal128Type, Float32Type,
    Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType, Utf8Type,
};
use arrow_array::{
    ArrayRef, BooleanArray, GenericByteArray, PrimitiveArray, RecordBatch, RecordBatchOptions,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_ipc::{FieldNode, MessageHeader};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::error::IpcError;
use crate::frame::{self, FrameLimits};
use crate::layout;
use crate::violation::Violation;

/// A trusted message may be as long as memory allows. The flatbuffer verifier needs limits all the
/// same; these are wide enough for it not to give up.
const LIMITS: FrameLimits = FrameLimits {
    max_message_bytes: usize::MAX,
    max_tables: 1_000_000,
    max_apparent_bytes: 1 << 30,
};

/// Reads a schema message, metadata included.
pub fn decode_schema(bytes: &[u8]) -> Result<Schema, IpcError> {
    let framed = frame::open(bytes, MessageHeader::Schema, &LIMITS)?;
    let header = framed.message.header_as_schema().ok_or(Violation::Unforeseen)?;
    Ok(arrow_ipc::convert::try_fb_to_schema(header).map_err(arrow)?)
}

/// Reads a record batch message of `schema`. The arrays share the memory of `bytes` where it is
/// aligned for them.
pub fn decode_batch(bytes: impl Into<Buffer>, schema: &SchemaRef) -> Result<RecordBatch, IpcError> {
    let bytes = bytes.into();
    let framed = frame::open(&bytes, MessageHeader::RecordBatch, &LIMITS)?;
    let header = framed.message.header_as_record_batch().ok_or(Violation::Unforeseen)?;
    let rows = usize::try_from(header.length())
        .map_err(|_| Violation::RowCount { found: header.length(), expected: 0 })?;
    layout::check(&header, schema.fields(), rows, framed.body_len)?;
    let body = bytes.slice_with_length(framed.body_start, framed.body_len);
    let columns = columns(&header, schema, rows, &body)?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(schema.clone(), columns, &options).map_err(arrow)?)
}

/// The arrays that a header describes, once its layout is checked.
// All columns draw from one iterator over the buffers. So each column must take exactly its own,
// also the ones that it does not need: a column that left one behind would shift all columns after
// it. (For example, a validity buffer that is empty because there are no nulls.)
fn columns(
    header: &arrow_ipc::RecordBatch<'_>,
    schema: &Schema,
    rows: usize,
    body: &Buffer,
) -> Result<Vec<ArrayRef>, Violation> {
    let slice = |range: &arrow_ipc::Buffer| {
        body.slice_with_length(range.offset() as usize, range.length() as usize)
    };
    let mut buffers = header.buffers().into_iter().flatten().map(slice);
    let nodes = header.nodes().into_iter().flatten();
    let column = |(field, node): (&Arc<Field>, &FieldNode)| {
        ColumnReader { field, rows, has_nulls: node.null_count() > 0, buffers: &mut buffers }.read()
    };
    schema.fields().iter().zip(nodes).map(column).collect()
}

/// Makes one column's array from its buffers.
struct ColumnReader<'a> {
    field: &'a Field,
    rows: usize,
    has_nulls: bool,
    buffers: &'a mut dyn Iterator<Item = Buffer>,
}

impl ColumnReader<'_> {
    fn read(&mut self) -> Result<ArrayRef, Violation> {
        match self.field.data_type() {
            DataType::Boolean => {
                let (nulls, values) = (self.nulls()?, self.bits()?);
                Ok(Arc::new(BooleanArray::new(values, nulls)))
            }
            DataType::Int8 => self.primitive::<Int8Type>(),
            DataType::Int16 => self.primitive::<Int16Type>(),
            DataType::Int32 => self.primitive::<Int32Type>(),
            DataType::Int64 => self.primitive::<Int64Type>(),
            DataType::Float32 => self.primitive::<Float32Type>(),
            DataType::Float64 => self.primitive::<Float64Type>(),
            DataType::Decimal128(_, _) => self.primitive::<Decimal128Type>(),
            DataType::Date32 => self.primitive::<Date32Type>(),
            DataType::Timestamp(TimeUnit::Microsecond, None) => {
                self.primitive::<TimestampMicrosecondType>()
            }
            DataType::Utf8 => self.bytes::<Utf8Type>(),
            DataType::Binary => self.bytes::<BinaryType>(),
            other => {
                Err(Violation::Type { column: self.field.name().clone(), data_type: other.clone() })
            }
        }
    }

    fn primitive<T: ArrowPrimitiveType>(&mut self) -> Result<ArrayRef, Violation> {
        let (nulls, values) = (self.nulls()?, self.values::<T::Native>(self.rows)?);
        let array = PrimitiveArray::<T>::try_new(values, nulls).map_err(arrow)?;
        Ok(Arc::new(array.with_data_type(self.field.data_type().clone())))
    }

    fn bytes<T: ByteArrayType<Offset = i32>>(&mut self) -> Result<ArrayRef, Violation> {
        let nulls = self.nulls()?;
        // A column of n values has n + 1 offsets, but a writer may leave out the single offset of
        // a column without values. The buffer is taken in either case.
        let offsets = match self.rows {
            0 => self.buffers.next().map(|_| OffsetBuffer::new_empty()).unwrap_or_default(),
            rows => OffsetBuffer::new(self.values(rows + 1)?),
        };
        let bytes = self.buffers.next().unwrap_or_default();
        Ok(Arc::new(GenericByteArray::<T>::try_new(offsets, bytes, nulls).map_err(arrow)?))
    }

    // A column without nulls has a validity buffer too, which may be empty. It is skipped.
    fn nulls(&mut self) -> Result<Option<NullBuffer>, Violation> {
        if self.has_nulls {
            return Ok(Some(NullBuffer::new(self.bits()?)));
        }
        self.buffers.next();
        Ok(None)
    }

    fn bits(&mut self) -> Result<BooleanBuffer, Violation> {
        let buffer = self.next(self.rows.div_ceil(8))?;
        Ok(BooleanBuffer::new(buffer, 0, self.rows))
    }

    // `ScalarBuffer` panics on memory that is not aligned for its type, and the bytes of a message
    // may start anywhere. (For example, a `Vec<u8>` needs no alignment.) Such a buffer is copied.
    fn values<T: arrow_buffer::ArrowNativeType>(
        &mut self,
        count: usize,
    ) -> Result<ScalarBuffer<T>, Violation> {
        let buffer = self.next(count.saturating_mul(size_of::<T>()))?;
        let aligned = buffer.as_ptr().align_offset(align_of::<T>()) == 0;
        let buffer = if aligned { buffer } else { Buffer::from(buffer.as_slice()) };
        Ok(ScalarBuffer::new(buffer, 0, count))
    }

    fn next(&mut self, bytes: usize) -> Result<Buffer, Violation> {
        let buffer = self.buffers.next().unwrap_or_default();
        if buffer.len() < bytes {
            let reason = format!(
                "column {:?} has a buffer of {} bytes for {bytes}",
                self.field.name(),
                buffer.len()
            );
            return Err(Violation::Arrow { reason });
        }
        Ok(buffer)
    }
}

fn arrow(error: ArrowError) -> Violation {
    Violation::Arrow { reason: error.to_string() }
}
