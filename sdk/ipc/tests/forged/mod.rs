//! Messages that no encoder writes: each part of a record batch's header as a test wants it.

use arrow_ipc::{
    BodyCompressionBuilder, Buffer, CompressionType, FieldNode, MessageBuilder, MessageHeader,
    MetadataVersion, RecordBatchBuilder,
};
use flatbuffers::FlatBufferBuilder;

pub(crate) const ROWS: usize = 4;

/// A message about one Int64 column of four rows, honest until a test changes it.
pub(crate) struct Forged {
    pub(crate) version: MetadataVersion,
    pub(crate) header_type: MessageHeader,
    pub(crate) rows: i64,
    pub(crate) nodes: Vec<(i64, i64)>,
    pub(crate) buffers: Vec<(i64, i64)>,
    pub(crate) compressed: bool,
    pub(crate) variadic: Vec<i64>,
    pub(crate) body: Vec<u8>,
    pub(crate) body_length: Option<i64>,
}

impl Default for Forged {
    fn default() -> Self {
        Forged {
            version: MetadataVersion::V5,
            header_type: MessageHeader::RecordBatch,
            rows: ROWS as i64,
            nodes: vec![(ROWS as i64, 0)],
            buffers: vec![(0, 0), (0, 8 * ROWS as i64)],
            compressed: false,
            variadic: Vec::new(),
            body: vec![1; 64],
            body_length: None,
        }
    }
}

impl Forged {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut builder = FlatBufferBuilder::new();
        let nodes: Vec<_> =
            self.nodes.iter().map(|(length, nulls)| FieldNode::new(*length, *nulls)).collect();
        let nodes = builder.create_vector(&nodes);
        let buffers: Vec<_> =
            self.buffers.iter().map(|(offset, length)| Buffer::new(*offset, *length)).collect();
        let buffers = builder.create_vector(&buffers);
        let variadic = (!self.variadic.is_empty()).then(|| builder.create_vector(&self.variadic));
        let compression = self.compressed.then(|| {
            let mut compression = BodyCompressionBuilder::new(&mut builder);
            compression.add_codec(CompressionType::ZSTD);
            compression.finish()
        });
        let mut batch = RecordBatchBuilder::new(&mut builder);
        batch.add_length(self.rows);
        batch.add_nodes(nodes);
        batch.add_buffers(buffers);
        variadic.into_iter().for_each(|variadic| batch.add_variadicBufferCounts(variadic));
        compression.into_iter().for_each(|compression| batch.add_compression(compression));
        let batch = batch.finish();
        let mut message = MessageBuilder::new(&mut builder);
        message.add_version(self.version);
        message.add_header_type(self.header_type);
        message.add_header(batch.as_union_value());
        message.add_bodyLength(self.body_length.unwrap_or(self.body.len() as i64));
        let message = message.finish();
        builder.finish(message, None);
        let mut header = builder.finished_data().to_vec();
        header.resize(header.len().next_multiple_of(8), 0);
        [&[0xff; 4], (header.len() as i32).to_le_bytes().as_slice(), &header, &self.body].concat()
    }
}
