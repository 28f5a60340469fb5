//! The instance of a plugin that computes columns: its session, the calls for a batch, and the
//! check of the answers.
//!
//! In: the needed columns of a batch. Out: the computed columns, and rejected rows. The host checks
//! every answer of the guest.

use std::ops::{Range, RangeInclusive};
use std::time::{Duration, Instant};

use arrow_array::{Int64Array, RecordBatch};
use arrow_schema::{Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use loader_ipc::untrusted::{self, BatchLimits};
use wasmtime::component::ResourceAny;

use crate::bindings::exports::loader::plugin::transform::{Counter, Error as GuestError, Output};
use crate::call_failure::refused;
use crate::counters::PluginCounters;
use crate::error::{Call, PluginError, tame};
use crate::host_values::HostValues;
use crate::limits::{Limits, size};
use crate::plan::Plan;
use crate::plugin::Plugin;
use crate::sandbox::Sandbox;
use crate::transformed::{Reason, RejectedRows};

/// An instance with its open session.
pub(crate) struct Guest {
    plugin: Plugin,
    /// The columns that the plugin computes.
    computed: SchemaRef,
    sandbox: Sandbox,
    session: ResourceAny,
}

/// The state that the calls for one batch read and fill.
pub(crate) struct Work<'a> {
    /// `source.row` of the whole batch.
    pub(crate) rows: &'a Int64Array,
    pub(crate) rejected: &'a mut RejectedRows,
    pub(crate) counters: &'a mut PluginCounters,
}

impl Guest {
    pub(crate) fn open(
        plugin: &Plugin,
        plan: &Plan,
        input: &SchemaRef,
        values: &HostValues,
    ) -> Result<Guest, PluginError> {
        let mut sandbox = Sandbox::new(plugin, values.run_started_at_micros)?;
        let needed = input.project(&plan.inputs).map_err(|error| plugin.host_failure(&error))?;
        let schema = loader_ipc::encode_schema(&Schema::new(needed.fields().clone()));
        let session = sandbox.ask(Call::Open, |store, guest| {
            guest.loader_plugin_transform().session().call_open(store, &plan.state, &schema)
        })?;
        let computed = SchemaRef::clone(&plan.computed);
        Ok(Guest { plugin: plugin.clone(), computed, sandbox, session })
    }

    /// Computes the columns of a batch, in as many calls as its size needs.
    // A guest without computed columns only rejects rows. The caller then takes no column from the
    // result, so the first part will do.
    pub(crate) fn compute(
        &mut self,
        needed: &RecordBatch,
        mut work: Work<'_>,
    ) -> Result<RecordBatch, PluginError> {
        let mut parts = Vec::with_capacity(1);
        self.process(needed, 0, &mut work, &mut parts)
            .map_err(|error| error.of(self.plugin.label()))?;
        match parts.as_slice() {
            [whole] => Ok(whole.clone()),
            parts if self.computed.fields().is_empty() => Ok(parts[0].clone()),
            parts => concat_batches(&self.computed, parts)
                .map_err(|error| self.plugin.host_failure(&error)),
        }
    }

    /// Sends `part`, whose rows begin at row `first` of the batch. A part that is too large for one
    /// call is halved.
    // The number of rows is known before encoding, the number of bytes only after it; so there are
    // two checks. The first half is sent first, so `parts` stay in the order of the rows. A single
    // row that is too large cannot be halved, and ends the load.
    fn process(
        &mut self,
        part: &RecordBatch,
        first: usize,
        work: &mut Work<'_>,
        parts: &mut Vec<RecordBatch>,
    ) -> Result<(), PluginError> {
        let limits = self.plugin.limits();
        let (n_rows, batch_bytes) = (part.num_rows(), limits.batch_bytes);
        if n_rows > limits.batch_rows.max(1) {
            return self.process_halves(part, first, work, parts);
        }
        let bytes = encode(part, work.counters)?;
        if bytes.len() > batch_bytes && n_rows > 1 {
            return self.process_halves(part, first, work, parts);
        }
        let answered = match bytes.len() > batch_bytes {
            true => Err(row_too_large(bytes.len(), batch_bytes)),
            false => self.call(&bytes, first..first + n_rows, work),
        };
        let range = row_range(&work.rows.slice(first, n_rows));
        parts.push(answered.map_err(|error| error.in_call(Call::Process).for_rows(range))?);
        Ok(())
    }

    fn process_halves(
        &mut self,
        part: &RecordBatch,
        first: usize,
        work: &mut Work<'_>,
        parts: &mut Vec<RecordBatch>,
    ) -> Result<(), PluginError> {
        let half = part.num_rows() / 2;
        self.process(&part.slice(0, half), first, work, parts)?;
        self.process(&part.slice(half, part.num_rows() - half), first + half, work, parts)
    }

    /// Makes one call of `process`. `part`: the place of its rows in the batch.
    fn call(
        &mut self,
        bytes: &[u8],
        part: Range<usize>,
        work: &mut Work<'_>,
    ) -> Result<RecordBatch, PluginError> {
        let session = self.session;
        let start = Instant::now();
        let answer = self.sandbox.call(Call::Process, |store, guest| {
            guest.loader_plugin_transform().session().call_process(store, session, bytes)
        })?;
        work.counters.sandbox += start.elapsed();
        check_time(work.counters.sandbox, self.plugin.limits())?;
        work.counters.bytes_in += bytes.len() as u64;
        let output =
            answer.map_err(|error| refused_row(error, work.rows, &part, self.plugin.limits()))?;
        work.counters.bytes_out += output.batch.len() as u64;
        let start = Instant::now();
        let batch = self.take(output, bytes.len(), &part, work.rejected)?;
        work.counters.encode_decode += start.elapsed();
        Ok(batch)
    }

    /// Checks an answer to `input_bytes`: takes over its rejects and decodes its batch.
    // The batch must have all rows of the part, the rejected ones too: rows leave all columns
    // together, once every column of the output is there.
    fn take(
        &self,
        output: Output,
        input_bytes: usize,
        part: &Range<usize>,
        rejected: &mut RejectedRows,
    ) -> Result<RecordBatch, PluginError> {
        let limits = self.plugin.limits();
        check_size(output.batch.len(), input_bytes, limits)?;
        take_rejects(&output, part, rejected, limits)?;
        let allowed = limits.output_bytes_for(input_bytes);
        let batch_limits = BatchLimits { max_message_bytes: allowed, ..BatchLimits::default() };
        untrusted::check_batch(output.batch, &self.computed, part.len(), &batch_limits)
            .map_err(PluginError::protocol)
    }

    /// Ends the session and adds the counters of the guest and of its sandbox.
    pub(crate) fn finish(mut self, counted: &mut PluginCounters) -> Result<(), PluginError> {
        let session = self.session;
        let start = Instant::now();
        let counters = self.sandbox.ask(Call::Finish, |store, guest| {
            guest.loader_plugin_transform().session().call_finish(store, session)
        })?;
        counted.sandbox += start.elapsed();
        counted.counters = check_counters(counters, self.plugin.limits())
            .map_err(|error| error.in_call(Call::Finish).of(self.plugin.label()))?;
        counted.log_lines_dropped = self.sandbox.log_lines_dropped();
        counted.peak_memory_bytes = self.sandbox.peak_memory_bytes();
        counted.fuel = self.sandbox.fuel();
        Ok(())
    }
}

/// The first and the last of the row numbers.
pub(crate) fn row_range(rows: &Int64Array) -> Option<RangeInclusive<i64>> {
    match rows.len() {
        0 => None,
        n => Some(rows.value(0)..=rows.value(n - 1)),
    }
}

fn encode(part: &RecordBatch, counters: &mut PluginCounters) -> Result<Vec<u8>, PluginError> {
    let start = Instant::now();
    let bytes = loader_ipc::encode_columns(part.num_rows(), part.columns()).map_err(|error| {
        PluginError::host(format!("its input cannot be encoded: {error}")).in_call(Call::Process)
    })?;
    counters.encode_decode += start.elapsed();
    Ok(bytes)
}

/// Refuses a session that computes for too long in all, however short its calls are.
fn check_time(taken: Duration, limits: &Limits) -> Result<(), PluginError> {
    let seconds = limits.session_seconds;
    match taken > Duration::from_secs(seconds) {
        false => Ok(()),
        true => Err(PluginError::limit(format!(
            "its calls took longer than session_seconds = {seconds} s in all"
        ))),
    }
}

fn row_too_large(bytes: usize, batch_bytes: usize) -> PluginError {
    let (taken, allowed) = (size(bytes), size(batch_bytes));
    PluginError::limit(format!("one row takes {taken}, more than batch_bytes = {allowed}"))
}

/// The error of a guest that refuses the whole batch. It may name the row at fault, counted within
/// its part: for example, row 3 of a part that begins at record 101 is record 104.
// The number is the guest's and may lie outside of the part; then the error names no row.
fn refused_row(
    error: GuestError,
    rows: &Int64Array,
    part: &Range<usize>,
    limits: &Limits,
) -> PluginError {
    let at = error.row.and_then(|row| usize::try_from(row).ok()).filter(|row| *row < part.len());
    let row = at.map(|row| rows.value(part.start + row));
    refused(error, limits).for_rows(row.map(|row| row..=row))
}

/// Refuses an answer that is too large for its input. For example, 1 MiB may become 24 MiB.
fn check_size(output: usize, input: usize, limits: &Limits) -> Result<(), PluginError> {
    let allowed = limits.output_bytes_for(input);
    if output <= allowed {
        return Ok(());
    }
    Err(PluginError::limit(format!(
        "returned {} for an input of {}, more than the {} that output_bytes = {} allows for it",
        size(output),
        size(input),
        size(allowed),
        size(limits.output_bytes)
    )))
}

/// Checks the rejects of an answer and takes them over.
fn take_rejects(
    output: &Output,
    part: &Range<usize>,
    rejected: &mut RejectedRows,
    limits: &Limits,
) -> Result<(), PluginError> {
    let (n_messages, allowed) = (output.messages.len(), limits.messages);
    if n_messages > allowed {
        return Err(PluginError::limit(format!(
            "gave {n_messages} different reasons for rejected rows, more than messages = {allowed}"
        )));
    }
    untrusted::check_rejects(part.len(), &output.rejected, &output.reasons, n_messages)
        .map_err(PluginError::protocol)?;
    let reasons = reasons(output, limits);
    for (row, reason) in output.rejected.iter().zip(&output.reasons) {
        rejected.insert(row + part.start as u32, reasons[usize::from(*reason)].clone());
    }
    Ok(())
}

fn reasons(output: &Output, limits: &Limits) -> Vec<Reason> {
    let reasons = output.messages.iter().map(|message| Reason {
        code: tame(&message.code, 64).into(),
        message: tame(&message.message, limits.message_bytes).into(),
        column: message.column.as_ref().map(|column| tame(column, 256).into()),
    });
    reasons.collect()
}

fn check_counters(
    counters: Vec<Counter>,
    limits: &Limits,
) -> Result<Vec<(String, u64)>, PluginError> {
    let (n_counters, allowed) = (counters.len(), limits.counters);
    if n_counters > allowed {
        let fact = format!("returned {n_counters} counters, more than counters = {allowed}");
        return Err(PluginError::limit(fact));
    }
    Ok(counters.into_iter().map(|counter| (tame(&counter.name, 64), counter.value)).collect())
}
