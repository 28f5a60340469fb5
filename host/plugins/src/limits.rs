//! Every bound that a plugin runs under, each with its default and the reason for it.
//!
//! A message that reports a limit names the field as it is written here, which is also its key under `[limits]`.

use serde::Deserialize;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The bounds of the sandbox. Sizes are bytes, times whole seconds.
///
/// They do not cover what the host itself holds: a batch that comes in is as large as the caller made it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Size of a plugin's file. 32 MiB: compiling hostile code can take any time, so there is less to compile.
    /// Plugins in JavaScript (15 MB) fit, those in Python (18-38 MB) may need more.
    pub plugin_bytes: usize,
    /// Time to compile a plugin that is not in the cache. 60 s: a plugin of 32 MiB takes half of that.
    pub compile_seconds: u64,
    /// Linear memory of one instance; every worker thread has one for each plugin. 256 MiB: room for an interpreter.
    /// Growth past it is refused, which the guest sees as being out of memory.
    pub memory_bytes: usize,
    /// Linear memories of one instance. 2: its own, and the one of an adapter for WASI.
    pub memories: usize,
    /// Tables of one instance. 8: a component made from one module has two.
    pub tables: usize,
    /// Elements of one table. 20,000: a function table of a large guest has some thousands.
    pub table_elements: usize,
    /// Core instances in one component. 10: module, shims and WASI adapters are five.
    pub core_instances: usize,
    /// Stack of the guest. 512 KiB, the default of wasmtime, well below the stack of a thread.
    pub stack_bytes: usize,
    /// What a single call can hand to the host, all strings and lists together, before anything is allocated for it.
    /// 64 MiB: as much as `output_bytes`, which is the largest of them.
    pub returned_bytes: usize,
    /// Handles that a component may hold. 1,000: a plugin needs one for its session, WASI some more.
    pub handles: usize,
    /// `config-schema` and `make-plan`. 5 s: they look at no rows.
    pub plan_seconds: u64,
    /// Instantiation and `open`. 5 s: they look at no rows.
    pub open_seconds: u64,
    /// One call of `process`. 10 s: a batch of 65,536 rows at a pace of 7,000 rows a second.
    pub process_seconds: u64,
    /// `finish`. 5 s: it returns counters.
    pub finish_seconds: u64,
    /// Rows of one call of `process`; a larger batch is split. 65,536: beyond that, caches miss and nothing is gained.
    pub batch_rows: usize,
    /// Bytes of one call of `process`; a larger batch is split. 32 MiB: an eighth of `memory_bytes`, because the
    /// guest holds input, output and what it needs between them.
    pub batch_bytes: usize,
    /// Bytes that `process` returns. At most 64 MiB, and at most 8 times the input and 16 MiB.
    pub output_bytes: usize,
    /// Columns that a plan may have. 1,600: Redshift has no wider table.
    pub columns: usize,
    /// State of a plan. 64 KiB: settings, not tables.
    pub state_bytes: usize,
    /// What `config-schema` returns. 256 KiB.
    pub config_schema_bytes: usize,
    /// One line of a plugin's log; the rest of a line is dropped. 1 KiB.
    pub log_line_bytes: usize,
    /// All log lines of one session; later lines are dropped and counted. 64 KiB.
    pub log_bytes: usize,
    /// Different reasons for rejected rows in one batch. 256: reasons are kinds, not values.
    pub messages: usize,
    /// One message of a plugin; the rest is dropped. 4 KiB.
    pub message_bytes: usize,
    /// Counters that `finish` returns. 64.
    pub counters: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            plugin_bytes: 32 * MIB,
            compile_seconds: 60,
            memory_bytes: 256 * MIB,
            memories: 2,
            tables: 8,
            table_elements: 20_000,
            core_instances: 10,
            stack_bytes: 512 * KIB,
            returned_bytes: 64 * MIB,
            handles: 1_000,
            plan_seconds: 5,
            open_seconds: 5,
            process_seconds: 10,
            finish_seconds: 5,
            batch_rows: 65_536,
            batch_bytes: 32 * MIB,
            output_bytes: 64 * MIB,
            columns: 1_600,
            state_bytes: 64 * KIB,
            config_schema_bytes: 256 * KIB,
            log_line_bytes: KIB,
            log_bytes: 64 * KIB,
            messages: 256,
            message_bytes: 4 * KIB,
            counters: 64,
        }
    }
}

impl Limits {
    /// What `process` may return for an input of `input_bytes`.
    pub(crate) fn output_bytes_for(&self, input_bytes: usize) -> usize {
        input_bytes.saturating_mul(8).saturating_add(16 * MIB).min(self.output_bytes)
    }
}

/// A size as people write it: `256 MiB`, `512 KiB`, `700 bytes`; past 10 MiB to a tenth.
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
