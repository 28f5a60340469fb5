//! The values about the run and its source that plugins can ask the host for: the name of each
//! value in a plan, its type, and its column.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, TimeUnit};
use serde::{Deserialize, Serialize};

/// The values that plugins can ask the host for. They are the same for all rows of a source. (The
/// one value that differs by row, `source.row`, comes with the rows.)
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct HostValues {
    /// `run.started-at` in microseconds since 1970, UTC; whole seconds. The clocks of guests with
    /// WASI show this time too.
    pub run_started_at_micros: i64,
    /// `run.id`
    pub run_id: String,
    /// `source.file-name`
    pub source_file_name: String,
    /// `source.uri`
    pub source_uri: String,
}

impl HostValues {
    /// Makes a column of this value, for rows with these numbers.
    pub(crate) fn column(&self, value: HostValue, rows: &Int64Array) -> ArrayRef {
        let n_rows = rows.len();
        let text = |text: &str| -> ArrayRef {
            let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(text.len(), n_rows));
            Arc::new(StringArray::new(offsets, text.repeat(n_rows).into_bytes().into(), None))
        };
        match value {
            HostValue::RunStartedAt => {
                Arc::new(TimestampMicrosecondArray::from_value(self.run_started_at_micros, n_rows))
            }
            HostValue::SourceRow => Arc::new(rows.clone()),
            HostValue::RunId | HostValue::SourceFileName | HostValue::SourceUri => {
                text(self.text(value).unwrap_or_default())
            }
        }
    }

    /// The value, where it is a text.
    pub(crate) fn text(&self, value: HostValue) -> Option<&str> {
        match value {
            HostValue::RunId => Some(&self.run_id),
            HostValue::SourceFileName => Some(&self.source_file_name),
            HostValue::SourceUri => Some(&self.source_uri),
            HostValue::RunStartedAt | HostValue::SourceRow => None,
        }
    }
}

/// One of the [`HostValues`], as a plan names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostValue {
    /// `run.started-at`, UTC, whole seconds.
    RunStartedAt,
    /// `run.id`
    RunId,
    /// `source.file-name`
    SourceFileName,
    /// `source.uri`
    SourceUri,
    /// `source.row`, 1 for the first record after the header.
    SourceRow,
}

impl HostValue {
    pub(crate) const ALL: [HostValue; 5] = [
        HostValue::RunStartedAt,
        HostValue::RunId,
        HostValue::SourceFileName,
        HostValue::SourceUri,
        HostValue::SourceRow,
    ];

    /// The value's name in plans.
    pub fn key(self) -> &'static str {
        match self {
            HostValue::RunStartedAt => "run.started-at",
            HostValue::RunId => "run.id",
            HostValue::SourceFileName => "source.file-name",
            HostValue::SourceUri => "source.uri",
            HostValue::SourceRow => "source.row",
        }
    }

    /// The type of a column of this value. A plan cannot choose another one.
    pub fn data_type(self) -> DataType {
        match self {
            HostValue::RunStartedAt => DataType::Timestamp(TimeUnit::Microsecond, None),
            HostValue::RunId | HostValue::SourceFileName | HostValue::SourceUri => DataType::Utf8,
            HostValue::SourceRow => DataType::Int64,
        }
    }

    pub(crate) fn from_key(key: &str) -> Option<HostValue> {
        HostValue::ALL.into_iter().find(|value| value.key() == key)
    }
}
