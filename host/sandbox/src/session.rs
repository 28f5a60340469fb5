//! One worker's way through the chain: batches in, transformed batches and rejected rows out.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::{Int64Array, RecordBatch};

use crate::chain::{ChainPlan, HostValues, Observer, PlannedStep};
use crate::error::PluginError;
use crate::step::Step;

/// A row that must not be loaded, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The record in the source, 1 for the first after the header.
    pub row: u64,
    /// Name of the plugin that rejected it, or that asked for the cast that failed.
    pub plugin: Arc<str>,
    /// A word for programs, such as `out-of-range`; `cast-failed` when it was a cast of the host.
    pub code: Arc<str>,
    /// For people; without control characters, at most `message_bytes`. Shared by all rows that are
    /// rejected for it: a plugin may reject every row at length.
    pub message: Arc<str>,
    /// The column at fault, as the plugin names it.
    pub column: Option<Arc<str>>,
}

/// What became of a batch.
#[derive(Clone, Debug)]
pub struct Transformed {
    /// The chain's output schema; the rows that are left, in their order.
    pub batch: RecordBatch,
    /// `source.row` of each row that is left.
    pub rows: Int64Array,
    /// The other rows, by plugin and then in their order.
    pub rejects: Vec<Reject>,
}

/// What a plugin did in one session; those of all workers add up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PluginCounters {
    /// Its name.
    pub plugin: String,
    /// Batches and rows that it saw, also those that did not cross into the sandbox.
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
    /// Adds what another session of the same plugin did. Memory is the most that one of them had.
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

/// Instances of a chain's plugins, for one thread. A session that returned an error is of no
/// further use.
pub struct ChainSession {
    steps: Vec<Step>,
    observer: Option<Observer>,
    failed: bool,
}

impl ChainSession {
    pub(crate) fn open(
        chain: &ChainPlan,
        values: Arc<HostValues>,
    ) -> Result<ChainSession, PluginError> {
        let steps: Result<Vec<Step>, PluginError> = chain
            .steps()
            .iter()
            .map(|PlannedStep { plugin, plan, input, .. }| Step::open(plugin, plan, input, &values))
            .collect();
        Ok(ChainSession { steps: steps?, observer: chain.observer.clone(), failed: false })
    }

    /// Takes a batch of the chain's input schema through all plugins. `rows` has `source.row` of
    /// each of its rows.
    ///
    /// Errors: the load has to end; a plugin that failed on a batch fails on it again.
    pub fn process(
        &mut self,
        batch: &RecordBatch,
        rows: &Int64Array,
    ) -> Result<Transformed, PluginError> {
        if self.failed {
            return Err(PluginError::host("the session has failed before and cannot go on"));
        }
        if batch.num_rows() != rows.len() {
            let fact = format!("{} row numbers came for {} rows", rows.len(), batch.num_rows());
            return Err(PluginError::host(fact));
        }
        let mut current =
            Transformed { batch: batch.clone(), rows: rows.clone(), rejects: Vec::new() };
        for (place, step) in self.steps.iter_mut().enumerate() {
            if let Some(observer) = &self.observer {
                observer(place, &current.batch, &current.rows);
            }
            current = step.process(current).inspect_err(|_| self.failed = true)?;
        }
        Ok(current)
    }

    /// Ends the session and collects what each plugin counted, in the order of the chain.
    pub fn finish(self) -> Result<Vec<PluginCounters>, PluginError> {
        if self.failed {
            return Err(PluginError::host("the session has failed before and cannot be finished"));
        }
        self.steps.into_iter().map(Step::finish).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Plugin, Runtime};

    #[test]
    fn plans_are_shared_by_threads_and_sessions_can_move_to_one() {
        fn shared<T: Send + Sync + Clone>() {}
        fn movable<T: Send>() {}
        shared::<(Runtime, Plugin, ChainPlan)>();
        movable::<ChainSession>();
    }
}
