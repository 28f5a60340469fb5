//! The outermost checks of a message: its length, its framing, its flatbuffer header. The body is
//! not read here.

use arrow_ipc::{Message, MessageHeader, MetadataVersion};
use flatbuffers::VerifierOptions;

use crate::violation::Violation;

/// How large and how branched a header may be. `max_tables` counts flatbuffer tables: a schema has
/// a few for each column, and a batch has two in all.
pub(crate) struct FrameLimits {
    pub(crate) max_message_bytes: usize,
    pub(crate) max_tables: usize,
    pub(crate) max_apparent_bytes: usize,
}

/// A message whose framing and header are consistent.
pub(crate) struct Framed<'a> {
    pub(crate) message: Message<'a>,
    pub(crate) body_start: usize,
    pub(crate) body_len: usize,
}

/// Checks the frame of a message and verifies its header.
// The order matters: the length first, so that no check costs more than the limit allows, and the
// flatbuffer is verified before any field of it is read. The sum is made in 128 bits, because
// `bodyLength` is the sender's and may be `i64::MAX`.
pub(crate) fn open<'a>(
    bytes: &'a [u8],
    header: MessageHeader,
    limits: &FrameLimits,
) -> Result<Framed<'a>, Violation> {
    if bytes.len() > limits.max_message_bytes {
        return Err(Violation::TooLong { bytes: bytes.len(), limit: limits.max_message_bytes });
    }
    let body_start = header_end(bytes)?;
    let message = header_of(bytes, body_start, limits)?;
    check_message(&message, header)?;
    let declared = body_start as i128 + i128::from(message.bodyLength());
    if message.bodyLength() < 0 || declared != bytes.len() as i128 {
        return Err(Violation::BodyLength { declared, bytes: bytes.len() });
    }
    Ok(Framed { message, body_start, body_len: bytes.len() - body_start })
}

fn check_message(message: &Message<'_>, header: MessageHeader) -> Result<(), Violation> {
    if message.version() != MetadataVersion::V5 {
        return Err(Violation::Version { found: format!("{:?}", message.version()) });
    }
    if message.header_type() != header {
        return Err(Violation::WrongHeader {
            found: format!("{:?}", message.header_type()),
            expected: header.variant_name().unwrap_or("known header"),
        });
    }
    Ok(())
}

/// The place where the header ends and the body begins.
// 4 bytes of marker, 4 bytes of length, then the header. A negative length fails in `try_from`; on
// 32 bits the sum could overflow, hence `checked_add`.
fn header_end(bytes: &[u8]) -> Result<usize, Violation> {
    let (Some(marker), Some(length)) =
        (bytes.first_chunk::<4>(), bytes.get(4..).and_then(<[u8]>::first_chunk))
    else {
        return Err(Violation::TooShort { bytes: bytes.len() });
    };
    if *marker != [0xff; 4] {
        return Err(Violation::NoContinuation { found: *marker });
    }
    let declared = i32::from_le_bytes(*length);
    let end = usize::try_from(declared).ok().and_then(|length| length.checked_add(8));
    end.filter(|end| *end <= bytes.len())
        .ok_or(Violation::HeaderLength { declared, bytes: bytes.len() })
}

/// The verified flatbuffer in front of the body.
fn header_of<'a>(
    bytes: &'a [u8],
    body_start: usize,
    limits: &FrameLimits,
) -> Result<Message<'a>, Violation> {
    let options = VerifierOptions {
        max_depth: 16,
        max_tables: limits.max_tables,
        max_apparent_size: limits.max_apparent_bytes,
        ignore_missing_null_terminator: false,
    };
    arrow_ipc::root_as_message_with_opts(&options, &bytes[8..body_start])
        .map_err(|error| Violation::NotFlatbuffer { reason: first_line(&error.to_string()) })
}

/// The first line of a flatbuffer error, which is a trace over several lines. The first line names
/// the mistake.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim_end_matches('.').to_owned()
}
