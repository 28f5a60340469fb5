//! The limits of a plugin's messages, schemas and values, each with its default and its reason.

use crate::frame::FrameLimits;

/// The limits of a schema.
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

impl SchemaLimits {
    // A flatbuffer may refer to one table from several places, and the verifier then visits it each
    // time. `max_apparent_bytes` bounds these visits: a small message could otherwise unfold into a
    // very large one.
    pub(crate) fn frame(&self) -> FrameLimits {
        FrameLimits {
            max_message_bytes: self.max_message_bytes,
            max_tables: 64 + 16 * self.max_columns,
            max_apparent_bytes: 4 * self.max_message_bytes,
        }
    }
}

/// The limits of a batch.
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

impl BatchLimits {
    pub(crate) fn frame(&self) -> FrameLimits {
        FrameLimits {
            max_message_bytes: self.max_message_bytes,
            max_tables: 8,
            max_apparent_bytes: 1 << 20,
        }
    }
}
