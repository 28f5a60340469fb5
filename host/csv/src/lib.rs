//! CSV without I/O: dialects, chunking, whole-file type inference and decoding to Arrow.
//!
//! The caller pushes a file's bytes, piece by piece. [`Splitter`] cuts them into [`Chunk`]s that
//! start at records, [`profile_chunk`] learns which types each column of a chunk could have,
//! [`FileProfile::merge`] puts the profiles together in order, and [`Decoder`] turns chunks into
//! record batches. Chunks are independent, so they can be worked on in parallel. The result never
//! depends on where the cuts fall. This crate guesses nothing: a mistake in the file is a
//! [`CsvError`] with a position.

mod accepts;
mod before;
mod broken;
mod broken_record;
mod chunk;
mod chunk_profile;
mod column;
mod counted;
mod decode;
mod decode_as;
mod dialect;
mod error;
mod facts;
mod field;
mod header;
mod held;
mod json_field;
mod learn;
mod lines;
mod logical;
mod mark;
mod meant;
mod new_type;
mod number_facts;
mod oddities;
mod positions;
mod preamble;
mod profile;
mod ragged;
mod read_field;
mod read_record;
mod record;
mod row_error;
mod rows;
mod rule;
mod scan;
mod shared;
mod split;
mod tables;
mod text;
mod zone;

pub use broken::{Broken, SIFT_BESIDE_BYTES, SiftFrom, Sifter, describe_broken};
pub use broken_record::{BrokenRecord, EndsBecause};
pub use chunk::Chunk;
pub use chunk_profile::{ChunkProfile, profile_chunk};
pub use decode::{Batches, Decoded, Decoder, arrow_schema};
pub use decode_as::{DECIMAL_KEY, DecodeAs, GIVEN_KEY, LOGICAL_KEY};
pub use dialect::{
    BYTE_ORDER_MARK, DelimiterTail, Dialect, DialectError, FieldForm, JSON_COMMENT, JSON_DELIMITER,
    LeadingZeros, Quotes, RepeatedHeader, ShortRows, TrailingDelimiter,
};
pub use error::{CsvError, CsvErrorKind, Position};
pub use header::Header;
pub use learn::{Known, LearntChunk, LearntRange, LearntRun, Matching, RangeLearner};
pub use lines::count_lines;
pub use logical::LogicalType;
pub use meant::Meant;
pub use new_type::{Because, Cause, NewType};
pub use oddities::{Oddities, Oddity, Tally};
pub use profile::{ColumnProfile, FileProfile, ProfileMerge};
pub use ragged::Ragged;
pub use record::{RecordText, find_records};
pub use rule::{
    ColumnRule, MomentForm, Negative, NumberForm, PatternError, Percent, RefusedBecause,
    RefusedField, ValueForm,
};
pub use split::{CutRange, Splitter};
pub use tables::{reads_as_header, tables};
pub use text::UNREADABLE;

/// The longest row that this crate accepts, in bytes of the file. Redshift refuses longer rows.
///
/// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html>, 4 MB for an input row from
/// any source.
pub const MAX_ROW_BYTES: u64 = 4 * 1024 * 1024;

/// The most columns of a file: one less than a Redshift table holds, since the staging table has
/// the row number too. A wider header is refused as soon as it is read, because each column takes
/// memory in every worker.
///
/// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_usage.html>
pub const MAX_COLUMNS: usize = 1599;
