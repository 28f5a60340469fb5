//! One worker's session of the chain: batches in, transformed batches and rejected rows out.

use std::sync::Arc;

use arrow_array::{Int64Array, RecordBatch};

use crate::chain::{ChainPlan, Observer, PlannedPlugin};
use crate::counters::PluginCounters;
use crate::error::PluginError;
use crate::host_values::HostValues;
use crate::plugin_session::PluginSession;
use crate::transformed::Transformed;

/// Instances of a chain's plugins, for one thread. A session that returned an error cannot be used
/// any more.
pub struct ChainSession {
    plugins: Vec<PluginSession>,
    observer: Option<Observer>,
    failed: bool,
}

impl ChainPlan {
    /// Makes instances of all plugins that have work to do, for one worker thread.
    ///
    /// The session must not run on a thread of an async executor: calls into the sandbox block.
    pub fn open(&self, values: Arc<HostValues>) -> Result<ChainSession, PluginError> {
        let open = |planned: &PlannedPlugin| {
            PluginSession::open(&planned.plugin, &planned.plan, &planned.input, &values)
        };
        let plugins = self.plugins().iter().map(open).collect::<Result<_, _>>()?;
        Ok(ChainSession { plugins, observer: self.observer.clone(), failed: false })
    }
}

impl ChainSession {
    /// Takes a batch of the chain's input schema through all plugins. `rows` has `source.row` of
    /// each row of the batch.
    ///
    /// After an error the load must end: a plugin that failed on a batch fails on it again.
    pub fn process(
        &mut self,
        batch: &RecordBatch,
        rows: &Int64Array,
    ) -> Result<Transformed, PluginError> {
        if self.failed {
            return Err(PluginError::host("the session has failed before and cannot go on"));
        }
        let mut current = numbered(batch, rows)?;
        for (place, plugin) in self.plugins.iter_mut().enumerate() {
            if let Some(observer) = &self.observer {
                observer(place, &current.batch, &current.rows);
            }
            current = plugin.process(current).inspect_err(|_| self.failed = true)?;
        }
        Ok(current)
    }

    /// Ends the session and collects the counters of each plugin, in the order of the chain.
    pub fn finish(self) -> Result<Vec<PluginCounters>, PluginError> {
        if self.failed {
            return Err(PluginError::host("the session has failed before and cannot be finished"));
        }
        self.plugins.into_iter().map(PluginSession::finish).collect()
    }
}

/// A batch before the first plugin, with the numbers of its rows.
fn numbered(batch: &RecordBatch, rows: &Int64Array) -> Result<Transformed, PluginError> {
    if batch.num_rows() != rows.len() {
        let fact = format!("{} row numbers came for {} rows", rows.len(), batch.num_rows());
        return Err(PluginError::host(fact));
    }
    Ok(Transformed { batch: batch.clone(), rows: rows.clone(), rejects: Vec::new() })
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
