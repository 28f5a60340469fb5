//! Every bound that a plugin runs under, each with its default and the reason for it.
//!
//! A message that reports a limit names the field as it is written here. This is also the limit's
//! key under `[limits]`: for example, `ran longer than process_seconds = 10 s`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The unit of a limit's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Bytes,
    Seconds,
    Count,
}

/// One of the [`Limits`], for lists of them.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// The limit's field, which is its key under `[limits]` and its name in messages.
    pub key: &'static str,
    /// The unit of `default`.
    pub unit: Unit,
    /// The value that holds without a setting.
    pub default: u64,
    /// The thing that the limit bounds.
    pub bounds: &'static str,
    /// The reason for the default.
    pub reason: &'static str,
}

impl Limit {
    /// The default as messages show it: `32 MiB`, `5 s`, `1600`.
    pub fn default_text(&self) -> String {
        match self.unit {
            Unit::Bytes => size(usize::try_from(self.default).unwrap_or(usize::MAX)),
            Unit::Seconds => format!("{} s", self.default),
            Unit::Count => self.default.to_string(),
        }
    }
}

macro_rules! number {
    (Seconds) => {
        u64
    };
    ($unit:ident) => {
        usize
    };
}

/// Makes `Limits`, its defaults and the list of all limits from one table: bounds, key, unit,
/// default, reason.
// The texts of the table are also the page `docs/limits.md`, which a test compares.
macro_rules! limits {
    ($($(#[doc = $bounds:literal])+ $key:ident: $unit:ident = $default:expr, $reason:literal;)+) => {
        /// The bounds of the sandbox. Sizes are bytes, times whole seconds.
        ///
        /// They do not cover what the host itself holds: a batch that comes in is as large as the
        /// caller made it.
        #[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Limits {
            $($(#[doc = $bounds])+ #[doc = ""] #[doc = $reason] pub $key: number!($unit),)+
        }

        impl Default for Limits {
            fn default() -> Limits {
                Limits { $($key: $default,)+ }
            }
        }

        impl Limits {
            /// Every limit, in the order of a plugin's life.
            pub const ALL: &'static [Limit] = &[
                $(Limit {
                    key: stringify!($key),
                    unit: Unit::$unit,
                    default: $default as u64,
                    bounds: concat!($($bounds),+),
                    reason: $reason,
                },)+
            ];
        }
    };
}

limits! {
    /// Size of a plugin's file.
    plugin_bytes: Bytes = 32 * MIB, "Compiling hostile code can take any time, so there is less to \
                                     compile. Plugins in JavaScript (12 MiB) and plain Python (19 \
                                     MiB) fit, those with large libraries may need more.";
    /// Time to compile a plugin that is not in the cache.
    compile_seconds: Seconds = 60, "A plugin of 32 MiB takes half of that.";
    /// Memory of one instance, all its linear memories together; every worker thread has one for
    /// each plugin.
    memory_bytes: Bytes = 256 * MIB, "Room for an interpreter. \
        Growth past it is refused, which the guest sees as being out of memory.";
    /// Linear memories of one instance.
    memories: Count = 2, "Its own, and the one of an adapter for WASI.";
    /// Tables of one instance.
    tables: Count = 8, "A component made from one module has two.";
    /// Elements of one table.
    table_elements: Count = 20_000, "A function table of a large guest has some thousands.";
    /// Core instances in one component.
    core_instances: Count = 64, "Module, shims and WASI adapters are five, and Python, which links \
                                 its libraries when it starts, has about forty. They share the \
                                 memories and tables that are counted here.";
    /// Stack of the guest.
    stack_bytes: Bytes = 512 * KIB, "The default of wasmtime, well below the stack of a thread.";
    /// What a single call can hand to the host, all strings and lists together, before anything is
    /// allocated for it.
    returned_bytes: Bytes = 64 * MIB, "As much as `output_bytes`, which is the largest of them.";
    /// Handles that a component may hold.
    handles: Count = 1_000, "A plugin needs one for its session, WASI some more.";
    /// One call of `config-schema` or `make-plan`, and one check of a config.
    plan_seconds: Seconds = 5, "They look at no rows.";
    /// Instantiation, and `open`.
    open_seconds: Seconds = 5, "They look at no rows.";
    /// One call of `process`.
    process_seconds: Seconds = 10, "A batch of 65,536 rows at a pace of 7,000 rows a second.";
    /// All calls of `process` in one session; every worker thread has one for each plugin.
    session_seconds: Seconds = 6 * 3_600, "A load that takes longer holds up all others.";
    /// `finish`.
    finish_seconds: Seconds = 5, "It returns counters.";
    /// Rows of one call of `process`; a larger batch is split.
    batch_rows: Count = 65_536, "Beyond that, caches miss and nothing is gained.";
    /// Bytes of one call of `process`; a larger batch is split.
    batch_bytes: Bytes = 32 * MIB, "An eighth of `memory_bytes`, because the guest holds input, \
                                    output and what it needs between them.";
    /// Bytes that `process` returns, and at most 8 times the input and 16 MiB; and bytes of
    /// literals and host values in a batch.
    output_bytes: Bytes = 64 * MIB, "A plugin computes columns; it does not unpack archives.";
    /// Columns that a plan may have.
    columns: Count = 1_600, "Redshift has no wider table.";
    /// State of a plan.
    state_bytes: Bytes = 64 * KIB, "Settings, not tables.";
    /// What `config-schema` returns.
    config_schema_bytes: Bytes = 256 * KIB, "It describes settings.";
    /// One line of a plugin's log; the rest of a line is dropped.
    log_line_bytes: Bytes = KIB, "A line is read by people.";
    /// All log lines of one session; later lines are dropped and counted.
    log_bytes: Bytes = 64 * KIB, "Each worker has a session for each plugin.";
    /// Different reasons for rejected rows in one batch.
    messages: Count = 256, "Reasons are kinds, not values.";
    /// One message of a plugin; the rest is dropped.
    message_bytes: Bytes = 4 * KIB, "A message is read by people.";
    /// Counters that `finish` returns.
    counters: Count = 64, "They stand in the report.";
}

impl Limits {
    /// The most bytes that `process` may return for an input of `input_bytes`.
    // Without the 16 MiB, an input of 100 bytes could return 800 at most.
    pub(crate) fn output_bytes_for(&self, input_bytes: usize) -> usize {
        input_bytes.saturating_mul(8).saturating_add(16 * MIB).min(self.output_bytes)
    }
}

/// A size as people write it: `256 MiB`, `512 KiB`, `700 bytes`. A size that is not a whole number
/// of MiB is rounded to a tenth from 10 MiB on, and exact below: for example, `20.3 MiB`.
pub(crate) fn size(bytes: usize) -> String {
    match bytes {
        b if b >= MIB && b % MIB == 0 => format!("{} MiB", b / MIB),
        b if b >= 10 * MIB => format!("{:.1} MiB", b as f64 / MIB as f64),
        b if b >= KIB && b % KIB == 0 => format!("{} KiB", b / KIB),
        b => format!("{b} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_people_write_them() {
        assert_eq!(size(256 * MIB), "256 MiB");
        assert_eq!(size(512 * KIB), "512 KiB");
        assert_eq!(size(1_000_001), "1000001 bytes");
        assert_eq!(size(20 * MIB + 300 * KIB), "20.3 MiB");
    }

    #[test]
    fn the_allowed_output_grows_with_the_input_up_to_the_limit() {
        let limits = Limits::default();
        assert_eq!(limits.output_bytes_for(0), 16 * MIB);
        assert_eq!(limits.output_bytes_for(MIB), 24 * MIB);
        assert_eq!(limits.output_bytes_for(usize::MAX), 64 * MIB);
    }

    #[test]
    fn a_misspelt_key_is_refused() {
        let refused = serde_json::from_str::<Limits>(r#"{"proces_seconds": 5}"#);
        assert!(refused.is_err());
        let taken: Limits = serde_json::from_str(r#"{"process_seconds": 5}"#).unwrap();
        assert_eq!(taken.process_seconds, 5);
        assert_eq!(taken.plan_seconds, Limits::default().plan_seconds);
    }
}
