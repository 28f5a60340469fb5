//! A trial: one plan and one input, which can be run many times and in different ways.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arrow_array::{Int64Array, RecordBatch};
use loader_sandbox::{ChainPlan, ChainSession, HostValues, PluginCounters, PluginError, Reject};

use crate::csv_text::Row;
use crate::input::Input;
use crate::output::{Cost, LogLine, PluginOutput, Rejected};
use crate::text;

/// What a plugin logs, in order. All runs of a trial share it.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<LogLine>>>);

impl Log {
    pub(crate) fn push(&self, level: u8, text: &str) {
        self.lines().push(LogLine { level: level.clamp(1, 4), text: text.to_owned() });
    }

    pub(crate) fn take(&self) -> Vec<LogLine> {
        std::mem::take(&mut *self.lines())
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, Vec<LogLine>> {
        // A thread that panicked with the lock left whole lines behind, so a poisoned log is as
        // good as any.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A plan, and the rows that it was made for.
pub(crate) struct Trial {
    pub(crate) chain: ChainPlan,
    pub(crate) input: Input,
    pub(crate) values: Arc<HostValues>,
    pub(crate) log: Log,
    /// What the plugin logged while it made the plan.
    pub(crate) planning_log: Vec<LogLine>,
}

/// What sessions gave, before it becomes text.
#[derive(Default)]
pub(crate) struct RawOutput {
    /// Batches with the numbers of their rows.
    pub(crate) parts: Vec<(RecordBatch, Int64Array)>,
    rejects: Vec<Reject>,
    counters: PluginCounters,
}

impl Trial {
    /// Runs one session, batch after batch.
    pub(crate) fn run(&self, rows_per_batch: usize) -> Result<RawOutput, PluginError> {
        let mut raw = RawOutput::default();
        let mut session = self.open()?;
        let rows = self.rows();
        let step = rows_per_batch.max(1);
        for first in (0..rows).step_by(step) {
            self.process(&mut session, first, step.min(rows - first), &mut raw)?;
        }
        raw.count(session)?;
        Ok(raw)
    }

    /// Runs two sessions side by side. They get single rows in turns, the last row first.
    pub(crate) fn run_dealt(&self) -> Result<RawOutput, PluginError> {
        let mut raw = RawOutput::default();
        let mut sessions = [self.open()?, self.open()?];
        for row in (0..self.rows()).rev() {
            self.process(&mut sessions[row % 2], row, 1, &mut raw)?;
        }
        for session in sessions {
            raw.count(session)?;
        }
        Ok(raw)
    }

    /// Runs one session that gets a batch without rows first, and then all rows in one batch.
    pub(crate) fn run_after_empty(&self) -> Result<RawOutput, PluginError> {
        let mut raw = RawOutput::default();
        let mut session = self.open()?;
        self.process(&mut session, 0, 0, &mut raw)?;
        self.process(&mut session, 0, self.rows(), &mut raw)?;
        raw.count(session)?;
        Ok(raw)
    }

    /// How many rows the input has.
    pub(crate) fn rows(&self) -> usize {
        self.input.batch.num_rows()
    }

    /// Turns what came of a run into text. It takes the lines that the plugin logged meanwhile, so
    /// it has to be called before the next run.
    pub(crate) fn output(&self, raw: RawOutput) -> PluginOutput {
        let (records, rows) = raw.rows();
        let mut rejects: Vec<Rejected> =
            raw.rejects.into_iter().map(|reject| self.rejected(reject)).collect();
        rejects.sort_by_key(|reject| reject.record);
        let log = self.planning_log.iter().cloned().chain(self.log.take()).collect();
        let columns = PluginOutput::columns_of(&self.chain.output);
        let counters = raw.counters.counters.clone();
        PluginOutput { columns, records, rows, rejects, counters, log, cost: cost(&raw.counters) }
    }

    pub(crate) fn open(&self) -> Result<ChainSession, PluginError> {
        // A run that failed has left its lines in the shared log; they are not this run's.
        self.log.take();
        self.chain.open(Arc::clone(&self.values))
    }

    fn process(
        &self,
        session: &mut ChainSession,
        first: usize,
        rows: usize,
        raw: &mut RawOutput,
    ) -> Result<(), PluginError> {
        let batch = self.input.batch.slice(first, rows);
        let done = session.process(&batch, &self.input.records.slice(first, rows))?;
        raw.parts.push((done.batch, done.rows));
        raw.rejects.extend(done.rejects);
        Ok(())
    }

    fn rejected(&self, reject: Reject) -> Rejected {
        let number = i64::try_from(reject.row).unwrap_or_default();
        // The numbers of the records ascend, because the input is a file read from its start.
        let index = self.input.records.values().binary_search(&number).ok();
        let line =
            index.and_then(|index| self.input.lines.get(index)).copied().unwrap_or(reject.row);
        Rejected {
            record: reject.row,
            line,
            column: reject.column.as_deref().map(str::to_owned),
            code: reject.code.to_string(),
            message: reject.message.to_string(),
        }
    }
}

impl RawOutput {
    /// The numbers of all rows and the rows as text, in the order of the input.
    // They are sorted because `run_dealt` begins with the last row.
    fn rows(&self) -> (Vec<u64>, Vec<Row>) {
        let mut rows = Vec::new();
        for (batch, numbers) in &self.parts {
            let numbers =
                numbers.values().iter().map(|number| u64::try_from(*number).unwrap_or_default());
            rows.extend(numbers.zip(text::rows(batch)));
        }
        rows.sort_by_key(|(record, _)| *record);
        rows.into_iter().unzip()
    }

    fn count(&mut self, session: ChainSession) -> Result<(), PluginError> {
        self.counters.add(finish(session)?);
        Ok(())
    }
}

/// Ends a session, and adds up what its plugins counted.
pub(crate) fn finish(session: ChainSession) -> Result<PluginCounters, PluginError> {
    let mut counted = PluginCounters::default();
    for plugin in session.finish()? {
        counted.add(plugin);
    }
    Ok(counted)
}

/// What was counted, as authors of plugins read it.
// The host counts the batches of every plugin, also of a plugin that it never calls because its
// plan leaves it no work. Only the time in the sandbox tells the two apart.
pub(crate) fn cost(counted: &PluginCounters) -> Cost {
    let idle = counted.sandbox == Duration::ZERO;
    Cost {
        batches: if idle { 0 } else { counted.batches },
        bytes_in: counted.bytes_in,
        bytes_out: counted.bytes_out,
        sandbox: counted.sandbox,
        encode_decode: counted.encode_decode,
        peak_memory_bytes: counted.peak_memory_bytes,
        fuel: counted.fuel,
        log_lines_dropped: counted.log_lines_dropped,
    }
}
