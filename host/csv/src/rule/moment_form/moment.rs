//! A moment as it was read from a text, and how every column has it.

use loader_values::format_timestamp;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// A moment as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Read {
    /// Seconds since 1970-01-01 00:00:00, in UTC where the text has a zone.
    pub(super) seconds: i64,
    /// Below a second, and never negative.
    pub(super) nanos: u32,
}

impl Read {
    /// The text, such as `2024-01-31 10:30:00.5`.
    pub(super) fn spelt(&self) -> Option<String> {
        let whole = format_timestamp(self.seconds.checked_mul(MICROS_PER_SECOND)?);
        let nanos = format!("{:09}", self.nanos);
        Some(match nanos.trim_end_matches('0') {
            "" => whole,
            fraction => format!("{whole}.{fraction}"),
        })
    }
}
