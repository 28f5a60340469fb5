//! The mistakes that the bytes of a plugin can have: one variant for each, with the numbers that
//! show it.

use arrow_schema::DataType;

/// A mistake in untrusted bytes. In the texts, columns count from 1 and rows from 0. For example,
/// `column "amount", row 0: value is 70000 bytes long; the limit is 65535`.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    // Framing.
    #[error("message of {bytes} bytes is over the limit of {limit}")]
    TooLong { bytes: usize, limit: usize },
    #[error("message of {bytes} bytes is too short to be framed; it takes at least 8")]
    TooShort { bytes: usize },
    #[error("message starts with {found:02x?} instead of the continuation marker [ff, ff, ff, ff]")]
    NoContinuation { found: [u8; 4] },
    #[error("header of {declared} bytes does not fit into a message of {bytes}")]
    HeaderLength { declared: i32, bytes: usize },
    #[error("header is not a valid flatbuffer: {reason}")]
    NotFlatbuffer { reason: String },
    #[error("metadata version is {found}; it must be V5")]
    Version { found: String },
    #[error("message holds a {found}; it must hold a {expected}")]
    WrongHeader { found: String, expected: &'static str },
    #[error("message is {bytes} bytes long, but its header says that it ends at {declared}")]
    BodyLength { declared: i128, bytes: usize },
    #[error("record batch is compressed; send it uncompressed")]
    Compressed,
    #[error("record batch has {count} variadic buffer counts; no type in use has such buffers")]
    Variadic { count: usize },

    // Shape of a batch.
    #[error("{bytes} bytes came for a batch without columns; send none")]
    UnexpectedBatch { bytes: usize },
    #[error(
        "returned {found} rows for {expected}; a computed column has exactly one value for each row"
    )]
    RowCount { found: i64, expected: usize },
    #[error("record batch describes {found} columns; the plan has {expected} computed ones")]
    NodeCount { found: usize, expected: usize },
    #[error("record batch has {found} buffers; its columns need {expected}")]
    BufferCount { found: usize, expected: usize },
    #[error("column {column:?}: holds {found} values for {expected} rows")]
    NodeLength { column: String, found: i64, expected: usize },
    #[error("column {column:?}: null count {found} is not between 0 and the {rows} rows")]
    NullCount { column: String, found: i64, rows: usize },
    #[error(
        "column {column:?}: buffer {buffer} has offset {offset} and length {length}; neither may \
         be negative"
    )]
    BufferNegative { column: String, buffer: usize, offset: i64, length: i64 },
    #[error("column {column:?}: buffer {buffer} reaches to byte {end} of a body of {body}")]
    BufferRange { column: String, buffer: usize, end: i128, body: usize },
    #[error(
        "column {column:?}: buffer {buffer} starts at byte {offset}, before the previous one ends \
         at {previous_end}"
    )]
    BufferOverlap { column: String, buffer: usize, offset: i64, previous_end: i64 },
    #[error("column {column:?}: the offsets take {length} bytes, which is not a multiple of 4")]
    OffsetsLength { column: String, length: i64 },
    #[error("record batch is not valid: {reason}")]
    Arrow { reason: String },
    #[error(
        "reading the message failed in a way that the checks did not foresee; please report it"
    )]
    Unforeseen,

    // Values.
    #[error(
        "column {column:?}, row {row}: value has more than the {precision} digits of the declared \
         DECIMAL({precision},{scale})"
    )]
    DecimalPrecision { column: String, row: usize, precision: u8, scale: i8 },
    #[error(
        "column {column:?}, row {row}: date is outside 4713 BC to 294276 AD, which is what \
         Redshift can hold"
    )]
    DateRange { column: String, row: usize },
    #[error(
        "column {column:?}, row {row}: timestamp is before 4713 BC, which is the first year \
         Redshift can hold"
    )]
    TimestampRange { column: String, row: usize },
    #[error("column {column:?}, row {row}: value is {bytes} bytes long; the limit is {limit}")]
    ValueTooLong { column: String, row: usize, bytes: usize, limit: usize },

    // Rejected rows.
    #[error("{rejected} rejected rows came with {reasons} reasons; each row has one")]
    ReasonCount { rejected: usize, reasons: usize },
    #[error("rejected row {row} follows row {previous}; rows are ascending, each once")]
    RejectOrder { row: u32, previous: u32 },
    #[error("rejected row {row} is outside the batch of {rows} rows")]
    RejectRange { row: u32, rows: usize },
    #[error("rejected row {row} has reason {reason}, but there are {messages} messages")]
    ReasonRange { row: u32, reason: u16, messages: usize },

    // Schemas.
    #[error("schema has no columns")]
    NoColumns,
    #[error("schema has {found} columns; the limit is {limit}")]
    TooManyColumns { found: usize, limit: usize },
    #[error("schema is big-endian; only little-endian data is read")]
    BigEndian,
    #[error("column {position} has an empty name")]
    NameEmpty { position: usize },
    #[error("column {position} has a name of {bytes} bytes; the limit is {limit}")]
    NameTooLong { position: usize, bytes: usize, limit: usize },
    #[error("column {position} has a control character in its name, {name:?}")]
    NameControl { position: usize, name: String },
    #[error("columns {first} and {second} are both named {name:?}, case aside")]
    NameDuplicate { first: usize, second: usize, name: String },
    #[error("column {column:?} has the type {}, which cannot be loaded; \
             {ALLOWED}", brief(data_type.to_string()))]
    Type { column: String, data_type: DataType },
    #[error(
        "column {column:?} is declared DECIMAL({precision},{scale}); precision is 1 to 38, scale 0 \
         to the precision"
    )]
    DecimalType { column: String, precision: u8, scale: i8 },
}

const ALLOWED: &str = "use Boolean, Int8, Int16, Int32, Int64, Float32, Float64, Decimal128, Utf8, \
                       Binary, Date32 or Timestamp in microseconds without a time zone";

/// The name of a type on one line of bounded length. A nested type contains names of the plugin's
/// own, which may have any length and any characters.
fn brief(mut text: String) -> String {
    const SHOWN_BYTES: usize = 200;
    if text.len() > SHOWN_BYTES {
        text.truncate(text.floor_char_boundary(SHOWN_BYTES));
        text.push('…');
    }
    text.replace(char::is_control, "\u{fffd}")
}
