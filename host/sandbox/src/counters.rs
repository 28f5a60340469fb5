//! Counters of a plugin's work: those of the host around it, and those of the plugin itself.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The counters of one session of a plugin; those of all workers add up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct PluginCounters {
    /// The plugin's name.
    pub plugin: String,
    /// Batches that reached the plugin, even if they did not cross into the sandbox.
    pub batches: u64,
    /// Rows of these batches.
    pub rows: u64,
    /// Rows that the plugin rejected, failed casts included.
    pub rejected: u64,
    /// Bytes that crossed into the sandbox.
    pub bytes_in: u64,
    /// Bytes that crossed out of the sandbox.
    pub bytes_out: u64,
    /// Time inside of the sandbox, the copying of arguments included.
    pub sandbox: Duration,
    /// Time to encode batches, and to check and decode the answers.
    pub encode_decode: Duration,
    /// The plugin's own counters, by name; the host adds `cast.rounded`.
    pub counters: Vec<(String, u64)>,
    /// Log lines that were dropped, because the session had used up its `log_bytes`.
    pub log_lines_dropped: u64,
    /// The largest size of one linear memory of the plugin.
    pub peak_memory_bytes: u64,
    /// Instructions that the plugin ran, as wasmtime weighs them; `None` unless the runtime counts
    /// them.
    pub fuel: Option<u64>,
}

impl PluginCounters {
    /// Adds the counters of another session of the same plugin. Memory is that of the larger
    /// session.
    // The plugin's own counters saturate, because a guest may return `u64::MAX`. The host's cannot
    // get that large.
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
