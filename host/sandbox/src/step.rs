//! One plugin of a chain at work: its instance, and how its output columns are put together.
//!
//! Only the columns that the plan asks for are encoded; the others go from input to output as they
//! are. Rows that the plugin rejects, or that a cast of the host cannot hold, leave all columns
//! alike.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::{
    Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions, StringArray,
    TimestampMicrosecondArray, UInt32Array,
};
use arrow_buffer::{BooleanBufferBuilder, OffsetBuffer};
use arrow_schema::{ArrowError, Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use arrow_select::{filter, take};
use loader_ipc::untrusted::{self, BatchLimits};
use wasmtime::component::ResourceAny;

use crate::bindings::exports::loader::plugin::transform::{Error as GuestError, Output};
use crate::cast::strict_cast;
use crate::chain::HostValues;
use crate::error::{Call, PluginError, PluginErrorKind, tame};
use crate::limits::size;
use crate::plan::{Expr, HostValue, Plan};
use crate::plugin::Plugin;
use crate::sandbox::{Sandbox, refused};
use crate::session::{PluginCounters, Reject, Transformed};

/// A plugin's session. Without a guest when the plan gives it no work.
pub(crate) struct Step {
    plugin: Plugin,
    plan: Plan,
    values: Arc<HostValues>,
    guest: Option<Guest>,
    counters: PluginCounters,
    rounded: u64,
}

struct Guest {
    sandbox: Sandbox,
    session: ResourceAny,
}

/// Rejected rows of a batch by their index.
type Rejected = BTreeMap<u32, Reason>;

#[derive(Clone)]
struct Reason {
    code: Arc<str>,
    message: Arc<str>,
    column: Option<Arc<str>>,
}

impl Step {
    pub(crate) fn open(
        plugin: &Plugin,
        plan: &Plan,
        input: &SchemaRef,
        values: &Arc<HostValues>,
    ) -> Result<Step, PluginError> {
        let guest = match plan.needs_process() {
            true => Some(Guest::open(plugin, plan, input, values)?),
            false => None,
        };
        Ok(Step {
            plugin: plugin.clone(),
            plan: plan.clone(),
            values: Arc::clone(values),
            guest,
            counters: PluginCounters {
                plugin: plugin.name().to_owned(),
                ..PluginCounters::default()
            },
            rounded: 0,
        })
    }

    /// Takes a batch through this plugin; adds its rejected rows to those before.
    pub(crate) fn process(&mut self, mut input: Transformed) -> Result<Transformed, PluginError> {
        self.counters.batches += 1;
        self.counters.rows += input.batch.num_rows() as u64;
        let mut rejected = Rejected::new();
        let computed = self.compute(&input.batch, &input.rows, &mut rejected)?;
        let mut columns = Vec::with_capacity(self.plan.outputs.len());
        for index in 0..self.plan.outputs.len() {
            columns.push(self.column(index, &input, &computed, &mut rejected)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(input.batch.num_rows()));
        let batch =
            RecordBatch::try_new_with_options(Arc::clone(&self.plan.schema), columns, &options)
                .map_err(|error| {
                    self.protocol(format!("its columns do not make a batch: {error}"), &input.rows)
                })?;
        self.counters.rejected += rejected.len() as u64;
        if rejected.is_empty() {
            return Ok(Transformed { batch, ..input });
        }
        let kept = kept(batch.num_rows(), &rejected);
        let (batch, rows) = keep(&batch, &input.rows, &kept).map_err(|error| self.host(&error))?;
        let name: Arc<str> = self.plugin.name().into();
        input.rejects.extend(rejected.into_iter().map(|(index, reason)| Reject {
            row: u64::try_from(input.rows.value(index as usize)).unwrap_or_default(),
            plugin: Arc::clone(&name),
            code: reason.code,
            message: reason.message,
            column: reason.column,
        }));
        Ok(Transformed { batch, rows, rejects: input.rejects })
    }

    /// Ends the guest's session and returns what was counted.
    pub(crate) fn finish(mut self) -> Result<PluginCounters, PluginError> {
        if let Some(Guest { sandbox, session }) = &mut self.guest {
            let limits = self.plugin.limits();
            let start = Instant::now();
            let counters = sandbox
                .call(Call::Finish, |store, guest| {
                    guest.loader_plugin_transform().session().call_finish(store, *session)
                })?
                .map_err(|error| {
                    refused(error, limits).in_call(Call::Finish).of(self.plugin.label())
                })?;
            self.counters.sandbox += start.elapsed();
            if counters.len() > limits.counters {
                let fact = format!(
                    "returned {} counters, more than counters = {}",
                    counters.len(),
                    limits.counters
                );
                return Err(PluginError::limit(fact).in_call(Call::Finish).of(self.plugin.label()));
            }
            self.counters.counters = counters
                .into_iter()
                .map(|counter| (tame(&counter.name, 64), counter.value))
                .collect();
            self.counters.log_lines_dropped = sandbox.log_lines_dropped();
            self.counters.peak_memory_bytes = sandbox.peak_memory_bytes();
            self.counters.fuel = sandbox.fuel();
        }
        if self.rounded > 0 {
            self.counters.counters.push(("cast.rounded".to_owned(), self.rounded));
        }
        Ok(self.counters)
    }

    /// Output column `index` for all rows of the input.
    fn column(
        &mut self,
        index: usize,
        input: &Transformed,
        computed: &RecordBatch,
        rejected: &mut Rejected,
    ) -> Result<ArrayRef, PluginError> {
        let rows = input.batch.num_rows();
        match &self.plan.outputs[index] {
            Expr::Passthrough(from) => Ok(Arc::clone(input.batch.column(*from))),
            Expr::Computed(from) => Ok(Arc::clone(computed.column(*from))),
            Expr::HostValue(value) => Ok(host_value(*value, &self.values, &input.rows)),
            Expr::Literal(value) => take::take(value, &UInt32Array::from(vec![0; rows]), None)
                .map_err(|error| self.host(&error)),
            Expr::Cast(from) => {
                let field = self.plan.schema.field(index);
                let from_name = input.batch.schema_ref().field(*from).name().clone();
                let cast =
                    strict_cast(input.batch.column(*from), field.data_type()).map_err(|error| {
                        PluginError::host(error.to_string())
                            .for_column(Some(from_name.clone()))
                            .of(self.plugin.label())
                    })?;
                for row in cast.failed {
                    rejected.entry(row).or_insert_with(|| Reason {
                        code: "cast-failed".into(),
                        message: format!(
                            "value of {from_name:?} does not fit {} exactly",
                            field.data_type()
                        )
                        .into(),
                        column: Some(from_name.as_str().into()),
                    });
                }
                self.rounded += cast.rounded;
                Ok(cast.array)
            }
        }
    }

    /// The computed columns of a batch; split when it is larger than one call may be.
    fn compute(
        &mut self,
        batch: &RecordBatch,
        rows: &Int64Array,
        rejected: &mut Rejected,
    ) -> Result<RecordBatch, PluginError> {
        let computed = &self.plan.computed;
        let Some(guest) = &mut self.guest else {
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            return RecordBatch::try_new_with_options(Arc::clone(computed), Vec::new(), &options)
                .map_err(|error| self.host(&error));
        };
        let needed =
            batch.project(&self.plan.inputs).map_err(|error| host(&self.plugin, &error))?;
        let mut parts = Vec::with_capacity(1);
        let mut work = Work {
            plugin: &self.plugin,
            computed,
            counters: &mut self.counters,
            rows,
            rejected,
            parts: &mut parts,
        };
        guest.process(&needed, 0, &mut work).map_err(|error| error.of(self.plugin.label()))?;
        match parts.as_slice() {
            [whole] => Ok(whole.clone()),
            parts if computed.fields().is_empty() => Ok(parts[0].clone()),
            parts => concat_batches(computed, parts).map_err(|error| self.host(&error)),
        }
    }

    fn protocol(&self, fact: String, rows: &Int64Array) -> PluginError {
        PluginError::protocol(fact)
            .in_call(Call::Process)
            .for_rows(range(rows))
            .of(self.plugin.label())
    }

    fn host(&self, error: &ArrowError) -> PluginError {
        host(&self.plugin, error)
    }
}

/// What one batch's calls of `process` read and fill.
struct Work<'a> {
    plugin: &'a Plugin,
    computed: &'a SchemaRef,
    counters: &'a mut PluginCounters,
    /// `source.row` of the whole batch.
    rows: &'a Int64Array,
    rejected: &'a mut Rejected,
    parts: &'a mut Vec<RecordBatch>,
}

impl Guest {
    fn open(
        plugin: &Plugin,
        plan: &Plan,
        input: &SchemaRef,
        values: &HostValues,
    ) -> Result<Guest, PluginError> {
        let mut sandbox = Sandbox::new(plugin, values.run_started_at_micros)?;
        let needed = input.project(&plan.inputs).map_err(|error| host(plugin, &error))?;
        let schema = loader_ipc::encode_schema(&Schema::new(needed.fields().clone()));
        let session = sandbox
            .call(Call::Open, |store, guest| {
                guest.loader_plugin_transform().session().call_open(store, &plan.state, &schema)
            })?
            .map_err(|error| {
                refused(error, plugin.limits()).in_call(Call::Open).of(plugin.label())
            })?;
        Ok(Guest { sandbox, session })
    }

    /// Sends rows from `first` on of the batch; halves what is too large for one call.
    fn process(
        &mut self,
        part: &RecordBatch,
        first: usize,
        work: &mut Work<'_>,
    ) -> Result<(), PluginError> {
        let limits = work.plugin.limits();
        let rows = part.num_rows();
        if rows > limits.batch_rows.max(1) {
            return self.process_halves(part, first, work);
        }
        let start = Instant::now();
        let bytes = loader_ipc::encode_columns(rows, part.columns()).map_err(|error| {
            PluginError::host(format!("its input cannot be encoded: {error}"))
                .in_call(Call::Process)
        })?;
        work.counters.encode_decode += start.elapsed();
        if bytes.len() > limits.batch_bytes {
            return match rows {
                0 | 1 => Err(PluginError::limit(format!(
                    "one row takes {}, more than batch_bytes = {}",
                    size(bytes.len()),
                    size(limits.batch_bytes)
                ))
                .in_call(Call::Process)
                .for_rows(range(&work.rows.slice(first, rows)))),
                _ => self.process_halves(part, first, work),
            };
        }
        let range = range(&work.rows.slice(first, rows));
        self.call(&bytes, rows, first, work)
            .map_err(|error| error.in_call(Call::Process).for_rows(range))
    }

    fn process_halves(
        &mut self,
        part: &RecordBatch,
        first: usize,
        work: &mut Work<'_>,
    ) -> Result<(), PluginError> {
        let half = part.num_rows() / 2;
        self.process(&part.slice(0, half), first, work)?;
        self.process(&part.slice(half, part.num_rows() - half), first + half, work)
    }

    fn call(
        &mut self,
        bytes: &[u8],
        rows: usize,
        first: usize,
        work: &mut Work<'_>,
    ) -> Result<(), PluginError> {
        let limits = work.plugin.limits();
        let session = self.session;
        let start = Instant::now();
        let answer = self.sandbox.call(Call::Process, |store, guest| {
            guest.loader_plugin_transform().session().call_process(store, session, bytes)
        })?;
        work.counters.sandbox += start.elapsed();
        work.counters.bytes_in += bytes.len() as u64;
        let output = answer.map_err(|error| refused_row(error, work, first, rows))?;
        work.counters.bytes_out += output.batch.len() as u64;

        let start = Instant::now();
        let allowed = limits.output_bytes_for(bytes.len());
        if output.batch.len() > allowed {
            return Err(PluginError::limit(format!(
                "returned {} for an input of {}, more than the {} that output_bytes = {} allows \
                 for it",
                size(output.batch.len()),
                size(bytes.len()),
                size(allowed),
                size(limits.output_bytes)
            )));
        }
        take_rejects(&output, rows, first, work)?;
        let batch_limits = BatchLimits { max_message_bytes: allowed, ..BatchLimits::default() };
        let batch = untrusted::check_batch(output.batch, work.computed, rows, &batch_limits)
            .map_err(PluginError::protocol)?;
        work.parts.push(batch);
        work.counters.encode_decode += start.elapsed();
        Ok(())
    }
}

/// Checks the rejects of an answer and takes them over.
fn take_rejects(
    output: &Output,
    rows: usize,
    first: usize,
    work: &mut Work<'_>,
) -> Result<(), PluginError> {
    let limits = work.plugin.limits();
    if output.messages.len() > limits.messages {
        return Err(PluginError::limit(format!(
            "gave {} different reasons for rejected rows, more than messages = {}",
            output.messages.len(),
            limits.messages
        )));
    }
    untrusted::check_rejects(rows, &output.rejected, &output.reasons, output.messages.len())
        .map_err(PluginError::protocol)?;
    if output.rejected.is_empty() {
        return Ok(());
    }
    let reasons: Vec<Reason> = output
        .messages
        .iter()
        .map(|message| Reason {
            code: tame(&message.code, 64).into(),
            message: tame(&message.message, limits.message_bytes).into(),
            column: message.column.as_ref().map(|column| tame(column, 256).into()),
        })
        .collect();
    for (row, reason) in output.rejected.iter().zip(&output.reasons) {
        work.rejected.insert(row + first as u32, reasons[usize::from(*reason)].clone());
    }
    Ok(())
}

/// A guest that refuses the whole batch may point at the row that made it.
fn refused_row(error: GuestError, work: &Work<'_>, first: usize, rows: usize) -> PluginError {
    let at = error.row.and_then(|row| usize::try_from(row).ok()).filter(|row| *row < rows);
    let row = at.map(|row| work.rows.value(first + row));
    refused(error, work.plugin.limits()).for_rows(row.map(|row| row..=row))
}

/// First and last of the row numbers.
fn range(rows: &Int64Array) -> Option<RangeInclusive<i64>> {
    match rows.len() {
        0 => None,
        n => Some(rows.value(0)..=rows.value(n - 1)),
    }
}

fn kept(rows: usize, rejected: &Rejected) -> BooleanArray {
    let mut kept = BooleanBufferBuilder::new(rows);
    kept.append_n(rows, true);
    for row in rejected.keys() {
        kept.set_bit(*row as usize, false);
    }
    BooleanArray::new(kept.finish(), None)
}

fn keep(
    batch: &RecordBatch,
    rows: &Int64Array,
    kept: &BooleanArray,
) -> Result<(RecordBatch, Int64Array), ArrowError> {
    let batch = filter::filter_record_batch(batch, kept)?;
    let rows = filter::filter(rows, kept)?;
    Ok((batch, Int64Array::from(rows.to_data())))
}

/// A column of a value that the host knows, for rows with these numbers.
fn host_value(value: HostValue, values: &HostValues, rows: &Int64Array) -> ArrayRef {
    let n_rows = rows.len();
    let text = |text: &str| -> ArrayRef {
        let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(text.len(), n_rows));
        Arc::new(StringArray::new(offsets, text.repeat(n_rows).into_bytes().into(), None))
    };
    match value {
        HostValue::RunStartedAt => {
            Arc::new(TimestampMicrosecondArray::from_value(values.run_started_at_micros, n_rows))
        }
        HostValue::RunId => text(&values.run_id),
        HostValue::SourceFileName => text(&values.source_file_name),
        HostValue::SourceUri => text(&values.source_uri),
        HostValue::SourceRow => Arc::new(rows.clone()),
    }
}

fn host(plugin: &Plugin, error: &ArrowError) -> PluginError {
    PluginError::new(PluginErrorKind::Host, format!("the host could not do its part: {error}"))
        .of(plugin.label())
}
