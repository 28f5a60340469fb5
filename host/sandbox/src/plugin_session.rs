//! One plugin of a chain at work: how its output columns are put together.
//!
//! Only the columns that the plan asks for cross into the sandbox; the others go from input to
//! output unchanged. A row that the plugin rejects, or whose value the host cannot cast, is taken
//! out of all columns.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow_schema::{ArrowError, SchemaRef};
use arrow_select::take;

use crate::cast::strict_cast;
use crate::counters::PluginCounters;
use crate::error::{Call, PluginError};
use crate::guest::{Guest, Work, row_range};
use crate::host_values::HostValues;
use crate::limits::size;
use crate::plan::{Expr, Plan};
use crate::plugin::Plugin;
use crate::transformed::{Reason, RejectedRows, Transformed};

/// A plugin's session. It has no guest when the plan gives the plugin no work: for example, when
/// the plugin only renames columns.
pub(crate) struct PluginSession {
    plugin: Plugin,
    plan: Plan,
    values: Arc<HostValues>,
    guest: Option<Guest>,
    counters: PluginCounters,
    rounded: u64,
    /// What the plan's literals and host values take in each row.
    repeated_bytes: usize,
}

impl PluginSession {
    pub(crate) fn open(
        plugin: &Plugin,
        plan: &Plan,
        input: &SchemaRef,
        values: &Arc<HostValues>,
    ) -> Result<PluginSession, PluginError> {
        let guest = match plan.needs_process() {
            true => Some(Guest::open(plugin, plan, input, values)?),
            false => None,
        };
        let name = plugin.name().to_owned();
        Ok(PluginSession {
            plugin: plugin.clone(),
            plan: plan.clone(),
            values: Arc::clone(values),
            guest,
            counters: PluginCounters { plugin: name, ..PluginCounters::default() },
            rounded: 0,
            repeated_bytes: plan.outputs.iter().map(|output| repeated_bytes(output, values)).sum(),
        })
    }

    /// Takes a batch through this plugin; adds its rejected rows to those of the plugins before.
    // Rows leave only at the end. Until then an index in `rejected` is a row of `input`, for the
    // guest's rejects as for failed casts. The guest comes first, so its reason for a row stays.
    pub(crate) fn process(&mut self, input: Transformed) -> Result<Transformed, PluginError> {
        self.counters.batches += 1;
        self.counters.rows += input.batch.num_rows() as u64;
        self.check_repeated(&input.rows)?;
        let mut rejected = RejectedRows::new();
        let computed = self.compute(&input.batch, &input.rows, &mut rejected)?;
        let batch = self.assemble(&input, &computed, &mut rejected)?;
        self.counters.rejected += rejected.len() as u64;
        Transformed { batch, ..input }
            .without(rejected, self.plugin.name())
            .map_err(|error| self.plugin.host_failure(&error))
    }

    /// Ends the guest's session and returns the counters.
    pub(crate) fn finish(mut self) -> Result<PluginCounters, PluginError> {
        if let Some(guest) = self.guest {
            guest.finish(&mut self.counters)?;
        }
        if self.rounded > 0 {
            self.counters.counters.push(("cast.rounded".to_owned(), self.rounded));
        }
        Ok(self.counters)
    }

    /// The columns that the plugin computes; a batch without columns when the plan has no work.
    fn compute(
        &mut self,
        batch: &RecordBatch,
        rows: &Int64Array,
        rejected: &mut RejectedRows,
    ) -> Result<RecordBatch, PluginError> {
        let host_failure = |error: ArrowError| self.plugin.host_failure(&error);
        let Some(guest) = &mut self.guest else {
            let none = Arc::clone(&self.plan.computed);
            return batch_of(none, Vec::new(), batch.num_rows()).map_err(host_failure);
        };
        let needed = batch.project(&self.plan.inputs).map_err(host_failure)?;
        guest.compute(&needed, Work { rows, rejected, counters: &mut self.counters })
    }

    /// Refuses literals and host values that a batch would make large. They count as what a plugin
    /// returns, since it decides about them.
    fn check_repeated(&self, rows: &Int64Array) -> Result<(), PluginError> {
        let (bytes, allowed) =
            (self.repeated_bytes * rows.len(), self.plugin.limits().output_bytes);
        if bytes <= allowed {
            return Ok(());
        }
        let said = format!(
            "the literals and host values of its plan take {}, more than output_bytes = {}",
            size(bytes),
            size(allowed)
        );
        let refusal = PluginError::limit(said).in_call(Call::Process).for_rows(row_range(rows));
        Err(refusal.of(self.plugin.label()))
    }

    /// All output columns, for all rows of the input.
    fn assemble(
        &mut self,
        input: &Transformed,
        computed: &RecordBatch,
        rejected: &mut RejectedRows,
    ) -> Result<RecordBatch, PluginError> {
        let mut columns = Vec::with_capacity(self.plan.outputs.len());
        for index in 0..self.plan.outputs.len() {
            columns.push(self.column(index, input, computed, rejected)?);
        }
        let schema = Arc::clone(&self.plan.schema);
        batch_of(schema, columns, input.batch.num_rows()).map_err(|error| {
            PluginError::protocol(format!("its columns do not make a batch: {error}"))
                .in_call(Call::Process)
                .for_rows(row_range(&input.rows))
                .of(self.plugin.label())
        })
    }

    // A literal is an array of one row. Taking its row 0 once for each row of the batch repeats it.
    fn column(
        &mut self,
        index: usize,
        input: &Transformed,
        computed: &RecordBatch,
        rejected: &mut RejectedRows,
    ) -> Result<ArrayRef, PluginError> {
        match &self.plan.outputs[index] {
            Expr::Passthrough(from) => Ok(Arc::clone(input.batch.column(*from))),
            Expr::Computed(from) => Ok(Arc::clone(computed.column(*from))),
            Expr::HostValue(value) => Ok(self.values.column(*value, &input.rows)),
            Expr::Literal(value) => {
                let first_each_time = UInt32Array::from(vec![0; input.batch.num_rows()]);
                take::take(value, &first_each_time, None)
                    .map_err(|error| self.plugin.host_failure(&error))
            }
            Expr::Cast(from) => self.cast(*from, index, input, rejected),
        }
    }

    /// Casts input column `from` to the type of output column `index`. A row whose value does not
    /// fit is rejected, unless the plugin has rejected it already.
    fn cast(
        &mut self,
        from: usize,
        index: usize,
        input: &Transformed,
        rejected: &mut RejectedRows,
    ) -> Result<ArrayRef, PluginError> {
        let to = self.plan.schema.field(index).data_type();
        let name = input.batch.schema_ref().field(from).name().clone();
        let cast = strict_cast(input.batch.column(from), to).map_err(|error| {
            PluginError::host(error.to_string())
                .for_column(Some(name.clone()))
                .of(self.plugin.label())
        })?;
        for row in cast.failed {
            rejected.entry(row).or_insert_with(|| Reason {
                code: "cast-failed".into(),
                message: format!("value of {name:?} does not fit {to} exactly").into(),
                column: Some(name.as_str().into()),
            });
        }
        self.rounded += cast.rounded;
        Ok(cast.array)
    }
}

/// What an output takes in each row, where it is the same in all of them.
fn repeated_bytes(output: &Expr, values: &HostValues) -> usize {
    match output {
        Expr::Literal(value) => value.to_data().get_slice_memory_size().unwrap_or_default(),
        Expr::HostValue(value) => values.text(*value).map_or(0, str::len),
        Expr::Passthrough(_) | Expr::Cast(_) | Expr::Computed(_) => 0,
    }
}

/// A batch that keeps its count of rows even when it has no columns.
fn batch_of(
    schema: SchemaRef,
    columns: Vec<ArrayRef>,
    n_rows: usize,
) -> Result<RecordBatch, ArrowError> {
    let options = RecordBatchOptions::new().with_row_count(Some(n_rows));
    RecordBatch::try_new_with_options(schema, columns, &options)
}
