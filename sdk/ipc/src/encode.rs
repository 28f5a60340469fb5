//! Writes schemas and batches as messages. The body takes one allocation and one copy, also when
//! the arrays are slices.

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::Buffer;
use arrow_data::ArrayData;
use arrow_ipc::convert::IpcSchemaEncoder;
use arrow_ipc::writer::DictionaryTracker;
use arrow_ipc::{FieldNode, MessageBuilder, MessageHeader, MetadataVersion, RecordBatchBuilder};
use arrow_schema::{DataType, Schema};
use flatbuffers::{FlatBufferBuilder, UnionWIPOffset, WIPOffset};

use crate::error::IpcError;
use crate::layout;

/// The body of a message, and each buffer in it, starts at a multiple of this, counted from the
/// message's first byte.
const ALIGNMENT: usize = 64;

/// Writes a schema message, field metadata included.
pub fn encode_schema(schema: &Schema) -> Vec<u8> {
    let mut builder = FlatBufferBuilder::new();
    // Columns with dictionaries do not cross the sandbox. The schema is written with them anyway,
    // so that the reader refuses it with the name of the column.
    let mut dictionaries = DictionaryTracker::new(false);
    let mut encoder = IpcSchemaEncoder::new().with_dictionary_tracker(&mut dictionaries);
    let header = encoder.schema_to_fb_offset(&mut builder, schema).as_union_value();
    message(builder, MessageHeader::Schema, header, 0)
}

/// Writes a record batch message without its schema.
///
/// Errors: `Unsupported` for a type that is not on the contract's list, such as a nested type, a
/// dictionary or a view.
pub fn encode_batch(batch: &RecordBatch) -> Result<Vec<u8>, IpcError> {
    encode_columns(batch.num_rows(), batch.columns())
}

/// Writes columns of `rows` values each as a record batch message.
///
/// Errors: `Unsupported`; `Length` when a column has another number of values.
pub fn encode_columns(rows: usize, columns: &[ArrayRef]) -> Result<Vec<u8>, IpcError> {
    let mut body = Body::default();
    for (index, column) in columns.iter().enumerate() {
        if column.len() != rows {
            return Err(IpcError::Length { position: index + 1, found: column.len(), rows });
        }
        body.add_column(index + 1, &column.to_data())?;
    }
    let mut bytes = body.message(rows);
    for piece in &body.pieces {
        bytes.extend_from_slice(piece.as_slice());
        bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
    }
    Ok(bytes)
}

/// Wraps a header and frames it, with room for the body behind it.
fn message(
    mut builder: FlatBufferBuilder<'_>,
    header_type: MessageHeader,
    header: WIPOffset<UnionWIPOffset>,
    body_bytes: usize,
) -> Vec<u8> {
    let mut message = MessageBuilder::new(&mut builder);
    message.add_version(MetadataVersion::V5);
    message.add_header_type(header_type);
    message.add_header(header);
    message.add_bodyLength(body_bytes as i64);
    let root = message.finish();
    builder.finish(root, None);
    frame(builder.finished_data(), body_bytes)
}

/// The framed and padded header, with room for the body behind it.
// The padding counts into the header's length, so that the body begins at a multiple of 64. For
// example, a header of 100 bytes is declared as 120: 8 bytes of frame and 120 are 128.
fn frame(header: &[u8], body_bytes: usize) -> Vec<u8> {
    let body_start = (8 + header.len()).next_multiple_of(ALIGNMENT);
    let mut bytes = Vec::with_capacity(body_start + body_bytes);
    bytes.extend_from_slice(&[0xff; 4]);
    bytes.extend_from_slice(&((body_start - 8) as i32).to_le_bytes());
    bytes.extend_from_slice(header);
    bytes.resize(body_start, 0);
    bytes
}

/// The columns of a batch as the format has them: a node for each column, the buffers in order, and
/// the place of each buffer in the body.
#[derive(Default)]
struct Body {
    nodes: Vec<FieldNode>,
    pieces: Vec<Buffer>,
    buffers: Vec<arrow_ipc::Buffer>,
    length: usize,
}

impl Body {
    // A column without nulls still has a validity buffer in the header, with the length 0: the
    // reader counts buffers by type and would otherwise take the values for the validity.
    fn add_column(&mut self, position: usize, data: &ArrayData) -> Result<(), IpcError> {
        let Some((first, second)) = value_buffers(data) else {
            return Err(IpcError::Unsupported { position, data_type: data.data_type().clone() });
        };
        self.nodes.push(FieldNode::new(data.len() as i64, data.null_count() as i64));
        let nulls = data.nulls().filter(|nulls| nulls.null_count() > 0);
        self.add(nulls.map(|nulls| nulls.inner().sliced()));
        self.add(Some(first));
        if second.is_some() {
            self.add(second);
        }
        Ok(())
    }

    /// Writes the message up to the body.
    fn message(&self, rows: usize) -> Vec<u8> {
        let mut builder = FlatBufferBuilder::with_capacity(256 + 64 * self.nodes.len());
        let nodes = builder.create_vector(&self.nodes);
        let buffers = builder.create_vector(&self.buffers);
        let mut header = RecordBatchBuilder::new(&mut builder);
        header.add_length(rows as i64);
        header.add_nodes(nodes);
        header.add_buffers(buffers);
        let header = header.finish().as_union_value();
        message(builder, MessageHeader::RecordBatch, header, self.length)
    }

    fn add(&mut self, piece: Option<Buffer>) {
        let length = piece.as_ref().map_or(0, Buffer::len);
        self.buffers.push(arrow_ipc::Buffer::new(self.length as i64, length as i64));
        if let Some(piece) = piece {
            self.length += length.next_multiple_of(ALIGNMENT);
            self.pieces.push(piece);
        }
    }
}

/// The values of a column, or their offsets and then their bytes; `None` for a type that does not
/// cross the sandbox. Only the rows of a slice are taken, never the whole array behind it.
fn value_buffers(data: &ArrayData) -> Option<(Buffer, Option<Buffer>)> {
    let (start, len) = (data.offset(), data.len());
    match data.data_type() {
        DataType::Boolean => Some((data.buffers()[0].bit_slice(start, len), None)),
        DataType::Utf8 | DataType::Binary => {
            let (offsets, bytes) = rebased(data);
            Some((offsets, Some(bytes)))
        }
        other => {
            let width = layout::fixed_width(other)?;
            Some((data.buffers()[0].slice_with_length(start * width, len * width), None))
        }
    }
}

/// Offsets that start at 0, and the bytes that they span.
// The offsets of a slice start where the slice does. For example, 3, 5, 9 become 0, 2, 6, and only
// the bytes 3 to 9 are written. An array without rows may have no offset at all; the format wants
// one, which is 0.
fn rebased(data: &ArrayData) -> (Buffer, Buffer) {
    let (start, len) = (data.offset(), data.len());
    if len == 0 {
        return (Buffer::from_slice_ref([0_i32]), Buffer::default());
    }
    let offsets = &data.buffers()[0].typed_data::<i32>()[start..=start + len];
    let (first, last) = (offsets[0], offsets[len]);
    let values = data.buffers()[1].slice_with_length(first as usize, (last - first) as usize);
    if first == 0 {
        return (data.buffers()[0].slice_with_length(start * 4, (len + 1) * 4), values);
    }
    (offsets.iter().map(|offset| offset - first).collect(), values)
}
