//! Record batch messages, honest and forged.

use arrow_ipc::{
    BodyCompressionBuilder, Buffer, CompressionType, FieldNode, MessageBuilder, MessageHeader,
    MetadataVersion, RecordBatchBuilder,
};
use flatbuffers::FlatBufferBuilder;
use loader_sdk::arrow_array::ArrayRef;
use loader_sdk::ipc;

/// What a forged message claims about its one column, and the body that it brings.
pub(crate) struct Message {
    pub(crate) version: MetadataVersion,
    pub(crate) header_type: MessageHeader,
    pub(crate) rows: i64,
    pub(crate) node_rows: i64,
    pub(crate) nulls: i64,
    /// Offset and length of each buffer.
    pub(crate) buffers: Vec<(i64, i64)>,
    pub(crate) compressed: bool,
    pub(crate) variadic: bool,
    pub(crate) body: Vec<u8>,
    pub(crate) body_length: i64,
}

impl Message {
    /// Nothing but the truth about a column of 64 bits, in its buffers.
    pub(crate) fn honest(rows: i64) -> Message {
        let body = vec![0xff; 64 + 8 * rows as usize];
        Message {
            version: MetadataVersion::V5,
            header_type: MessageHeader::RecordBatch,
            rows,
            node_rows: rows,
            nulls: 0,
            buffers: vec![(0, 0), (0, 8 * rows)],
            compressed: false,
            variadic: false,
            body_length: body.len() as i64,
            body,
        }
    }

    /// Texts of one byte each, at these offsets.
    pub(crate) fn texts(offsets: &[i32], bytes: Vec<u8>) -> Message {
        let honest = Message::honest(offsets.len() as i64 - 1);
        let offsets: Vec<u8> = offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect();
        let (at, length) = (offsets.len() as i64, bytes.len() as i64);
        let body = [offsets, bytes].concat();
        Message {
            buffers: vec![(0, 0), (0, at), (at, length)],
            body_length: body.len() as i64,
            body,
            ..honest
        }
    }
}

pub(crate) fn encoded(column: &ArrayRef) -> Vec<u8> {
    ipc::encode_columns(column.len(), std::slice::from_ref(column)).unwrap_or_default()
}

pub(crate) fn crafted(claims: &Message) -> Vec<u8> {
    let mut builder = FlatBufferBuilder::new();
    let nodes = builder.create_vector(&[FieldNode::new(claims.node_rows, claims.nulls)]);
    let buffers: Vec<Buffer> =
        claims.buffers.iter().map(|(offset, length)| Buffer::new(*offset, *length)).collect();
    let buffers = builder.create_vector(&buffers);
    let compression = claims.compressed.then(|| {
        let mut compression = BodyCompressionBuilder::new(&mut builder);
        compression.add_codec(CompressionType::ZSTD);
        compression.finish()
    });
    let variadic = claims.variadic.then(|| builder.create_vector(&[1_i64]));
    let mut batch = RecordBatchBuilder::new(&mut builder);
    batch.add_length(claims.rows);
    batch.add_nodes(nodes);
    batch.add_buffers(buffers);
    if let Some(compression) = compression {
        batch.add_compression(compression);
    }
    if let Some(variadic) = variadic {
        batch.add_variadicBufferCounts(variadic);
    }
    let batch = batch.finish();
    let mut message = MessageBuilder::new(&mut builder);
    message.add_version(claims.version);
    message.add_header_type(claims.header_type);
    message.add_header(batch.as_union_value());
    message.add_bodyLength(claims.body_length);
    let message = message.finish();
    builder.finish(message, None);

    let mut header = builder.finished_data().to_vec();
    header.resize(header.len().next_multiple_of(8), 0);
    [&[0xff; 4], (header.len() as i32).to_le_bytes().as_slice(), &header, &claims.body].concat()
}
