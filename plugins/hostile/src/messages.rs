//! Record batch messages, honest and forged.

use std::sync::Arc;

use arrow_ipc::{
    BodyCompression, BodyCompressionBuilder, Buffer, CompressionType, FieldNode, MessageBuilder,
    MessageHeader, MetadataVersion, RecordBatchBuilder,
};
use flatbuffers::{FlatBufferBuilder, UnionWIPOffset, WIPOffset};
use loader_sdk::arrow_array::{Array, ArrayRef};
use loader_sdk::ipc;

/// The claims of a forged message about its one column, and the body that comes with it.
struct Message {
    version: MetadataVersion,
    header_type: MessageHeader,
    rows: i64,
    node_rows: i64,
    nulls: i64,
    /// Offset and length of each buffer.
    buffers: Vec<(i64, i64)>,
    compressed: bool,
    variadic: bool,
    body: Vec<u8>,
    body_length: i64,
}

impl Message {
    fn honest(rows: i64) -> Message {
        // True for a column of 64 bits. `made-up-null-count` needs the 64 bytes more, for a bitmap.
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
    fn texts(offsets: &[i32], bytes: Vec<u8>) -> Message {
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

/// The honest message of one column.
pub(crate) fn encoded(column: impl Array + 'static) -> Vec<u8> {
    let column: ArrayRef = Arc::new(column);
    ipc::encode_columns(column.len(), std::slice::from_ref(&column)).unwrap_or_default()
}

/// Messages of one column, of 64 bits or of texts, that no honest encoder writes.
pub(crate) fn forged(what: &str, rows: i64) -> Option<Vec<u8>> {
    let claims = wrong_header(what, rows)
        .or_else(|| wrong_buffers(what, rows))
        .or_else(|| wrong_texts(what, rows))?;
    Some(forge(&claims))
}

fn wrong_header(what: &str, rows: i64) -> Option<Message> {
    let honest = Message::honest(rows);
    Some(match what {
        "other-column-lengths" => Message { node_rows: rows + 5, ..honest },
        "endless-rows" => Message { rows: 1 << 40, node_rows: 1 << 40, ..honest },
        "negative-rows" => Message { rows: -1, ..honest },
        "negative-null-count" => Message { nulls: -1, ..honest },
        "compressed" => Message { compressed: true, ..honest },
        "variadic-buffers" => Message { variadic: true, ..honest },
        "older-metadata" => Message { version: MetadataVersion::V4, ..honest },
        "dictionary-instead" => Message { header_type: MessageHeader::DictionaryBatch, ..honest },
        "nothing-instead" => Message { header_type: MessageHeader::NONE, ..honest },
        "endless-body" => Message { body_length: i64::MAX, ..honest },
        _ => return None,
    })
}

fn wrong_buffers(what: &str, rows: i64) -> Option<Message> {
    let (honest, bytes) = (Message::honest(rows), 8 * rows);
    let buffers = match what {
        "made-up-null-count" => {
            return Some(Message { nulls: 1, buffers: vec![(0, 8), (64, bytes)], ..honest });
        }
        "too-few-buffers" => vec![(0, 0)],
        "very-many-buffers" => vec![(0, 0); 50_000],
        "short-buffer" => vec![(0, 0), (0, bytes - 8)],
        "negative-offset" => vec![(0, 0), (-64, bytes)],
        "offset-out-of-range" => vec![(0, 0), (1 << 40, bytes)],
        "offset-past-counting" => vec![(0, 0), (i64::MAX, i64::MAX)],
        "aliased-buffers" => vec![(0, bytes), (0, bytes)],
        _ => return None,
    };
    Some(Message { buffers, ..honest })
}

fn wrong_texts(what: &str, rows: i64) -> Option<Message> {
    let letters = |byte| vec![byte; rows as usize];
    let places: Vec<i32> = (0..=rows as i32).collect();
    Some(match what {
        "offsets-descending" => {
            let places: Vec<i32> = places.into_iter().rev().collect();
            Message::texts(&places, letters(b'x'))
        }
        "offsets-past-the-end" => {
            let places: Vec<i32> = places.into_iter().map(|place| place * 1_000_000).collect();
            Message::texts(&places, letters(b'x'))
        }
        "incomplete-utf8" => Message::texts(&places, "é".repeat(rows as usize).into_bytes()),
        "bad-utf8" => Message::texts(&places, letters(0xff)),
        _ => return None,
    })
}

fn forge(claims: &Message) -> Vec<u8> {
    let mut builder = FlatBufferBuilder::new();
    let batch = batch_header(claims, &mut builder);
    let mut message = MessageBuilder::new(&mut builder);
    message.add_version(claims.version);
    message.add_header_type(claims.header_type);
    message.add_header(batch);
    message.add_bodyLength(claims.body_length);
    let message = message.finish();
    builder.finish(message, None);
    // The frame: four 0xff, length, padded header, body.
    let mut header = builder.finished_data().to_vec();
    header.resize(header.len().next_multiple_of(8), 0);
    [&[0xff; 4], (header.len() as i32).to_le_bytes().as_slice(), &header, &claims.body].concat()
}

fn batch_header(
    claims: &Message,
    builder: &mut FlatBufferBuilder<'_>,
) -> WIPOffset<UnionWIPOffset> {
    let nodes = builder.create_vector(&[FieldNode::new(claims.node_rows, claims.nulls)]);
    let buffers: Vec<Buffer> =
        claims.buffers.iter().map(|(offset, length)| Buffer::new(*offset, *length)).collect();
    let buffers = builder.create_vector(&buffers);
    let compression = claims.compressed.then(|| compression(builder));
    let variadic = claims.variadic.then(|| builder.create_vector(&[1_i64]));
    let mut batch = RecordBatchBuilder::new(builder);
    batch.add_length(claims.rows);
    batch.add_nodes(nodes);
    batch.add_buffers(buffers);
    if let Some(compression) = compression {
        batch.add_compression(compression);
    }
    if let Some(variadic) = variadic {
        batch.add_variadicBufferCounts(variadic);
    }
    batch.finish().as_union_value()
}

fn compression<'a>(builder: &mut FlatBufferBuilder<'a>) -> WIPOffset<BodyCompression<'a>> {
    let mut compression = BodyCompressionBuilder::new(builder);
    compression.add_codec(CompressionType::ZSTD);
    compression.finish()
}
