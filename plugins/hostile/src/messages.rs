//! Record batch messages, honest and forged.

use arrow_ipc::{
    BodyCompressionBuilder, Buffer, CompressionType, FieldNode, MessageBuilder, MessageHeader, MetadataVersion,
    RecordBatchBuilder,
};
use flatbuffers::FlatBufferBuilder;
use loader_sdk::arrow_array::ArrayRef;
use loader_sdk::ipc;

/// What a forged message claims about its one column, and the body that it brings.
pub(crate) struct Message {
    pub(crate) rows: i64,
    pub(crate) node_rows: i64,
    /// Offset and length of each buffer.
    pub(crate) buffers: Vec<(i64, i64)>,
    pub(crate) compressed: bool,
    pub(crate) body: Vec<u8>,
}

pub(crate) fn encoded(column: &ArrayRef) -> Vec<u8> {
    ipc::encode_columns(column.len(), std::slice::from_ref(column)).unwrap_or_default()
}

pub(crate) fn crafted(claims: &Message) -> Vec<u8> {
    let mut builder = FlatBufferBuilder::new();
    let nodes = builder.create_vector(&[FieldNode::new(claims.node_rows, 0)]);
    let buffers: Vec<Buffer> = claims.buffers.iter().map(|(offset, length)| Buffer::new(*offset, *length)).collect();
    let buffers = builder.create_vector(&buffers);
    let compression = claims.compressed.then(|| {
        let mut compression = BodyCompressionBuilder::new(&mut builder);
        compression.add_codec(CompressionType::ZSTD);
        compression.finish()
    });
    let mut batch = RecordBatchBuilder::new(&mut builder);
    batch.add_length(claims.rows);
    batch.add_nodes(nodes);
    batch.add_buffers(buffers);
    if let Some(compression) = compression {
        batch.add_compression(compression);
    }
    let batch = batch.finish();
    let mut message = MessageBuilder::new(&mut builder);
    message.add_version(MetadataVersion::V5);
    message.add_header_type(MessageHeader::RecordBatch);
    message.add_header(batch.as_union_value());
    message.add_bodyLength(claims.body.len() as i64);
    let message = message.finish();
    builder.finish(message, None);

    let mut header = builder.finished_data().to_vec();
    header.resize(header.len().next_multiple_of(8), 0);
    [&[0xff; 4], (header.len() as i32).to_le_bytes().as_slice(), &header, &claims.body].concat()
}
