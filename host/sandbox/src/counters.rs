//! What a plugin did, counted: by the host around it, and by the plugin itself.

use std::time::Duration;

/// What a plugin did in one session; the counters of all workers add up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PluginCounters {
    /// Its name.
    pub plugin: String,
    /// Batches and rows that it got, also those that did not cross into the sandbox.
    pub batches: u64,
    /// See `batches`.
    pub rows: u64,
    /// Rows that it rejected, failed casts included.
    pub rejected: u64,
    /// Bytes that crossed into the sandbox, and out of it.
    pub bytes_in: u64,
    /// See `bytes_in`.
    pub bytes_out: u64,
    /// Time inside of the sandbox, the copying of its arguments included.
    pub sandbox: Duration,
    /// Time to encode batches, and to check and decode what came back.
    pub encode_decode: Duration,
    /// The plugin's own counters, by name; `cast.rounded` is the host's.
    pub counters: Vec<(String, u64)>,
    /// Log lines past `log_bytes`.
    pub log_lines_dropped: u64,
    /// Most linear memory that it had.
    pub peak_memory_bytes: u64,
    /// Instructions that it ran, as wasmtime weighs them; `None` unless the runtime counts them.
    pub fuel: Option<u64>,
}

impl PluginCounters {
    /// Adds what another session of the same plugin did. Memory is that of the larger session.
    pub fn add(&mut self, other: PluginCounters) {
        self.batches += other.batches;
        self.rows += other.rows;
        self.rejected += other.rejected;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.sandbox += other.sandbox;
        self.encode_decode += other.encode_decode;
        self.log_lines_dropped += other.log_lines_dropped;
        self.peak_memory_bytes = self.peak_memory_bytes.max(other.peak_memory_bytes);
        self.fuel = self.fuel.into_iter().chain(other.fuel).reduce(|one, other| one + other);
        for (name, value) in other.counters {
            match self.counters.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => *sum = sum.saturating_add(value),
                None => self.counters.push((name, value)),
            }
        }
    }
}
