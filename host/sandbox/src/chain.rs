//! Plugins one after the other: each plugin gets the columns and the rows that the plugin before it
//! left.

use std::sync::Arc;

use arrow_array::{Int64Array, RecordBatch};
use arrow_schema::SchemaRef;

use crate::error::PluginError;
use crate::plan::{Expr, Plan, PlanContext};
use crate::plugin::Plugin;

/// The plans of all plugins of a load. Each plugin's output is the next one's input.
///
/// A chain without plugins passes all columns and rows through.
#[derive(Clone)]
pub struct ChainPlan {
    /// The columns of the first plugin's input.
    pub input: SchemaRef,
    /// The columns of the last plugin's output.
    pub output: SchemaRef,
    planned: Arc<[PlannedPlugin]>,
    pub(crate) observer: Option<Observer>,
}

/// A plugin of a chain with its plan, and the input of that plan.
#[derive(Clone, Debug)]
pub struct PlannedPlugin {
    /// The plugin.
    pub plugin: Plugin,
    /// The facts that the plugin got for its plan, beside the columns of its input.
    pub context: PlanContext,
    /// The columns of the plugin's input.
    pub input: SchemaRef,
    /// The plugin's plan, checked.
    pub plan: Plan,
}

/// Sees each batch that a plugin is about to get, with all columns and with `source.row` of its
/// rows. The number is the plugin's place in the chain, from 0. The workers call it on their own
/// threads.
pub type Observer = Arc<dyn Fn(usize, &RecordBatch, &Int64Array) + Send + Sync>;

impl ChainPlan {
    /// Asks each plugin for its plan, in order. Every plugin gets the same table, keys and target.
    pub fn make(
        plugins: &[(Plugin, serde_json::Value)],
        table: &str,
        keys: &[String],
        target: Option<SchemaRef>,
        input: SchemaRef,
    ) -> Result<ChainPlan, PluginError> {
        let mut schema = Arc::clone(&input);
        let mut planned = Vec::with_capacity(plugins.len());
        for (plugin, config) in plugins {
            let context = PlanContext {
                table: table.to_owned(),
                keys: keys.to_vec(),
                target: target.clone(),
                config: config.clone(),
            };
            let plan = plugin.plan(&context, &schema)?;
            let output = Arc::clone(&plan.schema);
            planned.push(PlannedPlugin { plugin: plugin.clone(), context, input: schema, plan });
            schema = output;
        }
        Ok(ChainPlan::of(input, schema, planned))
    }

    pub(crate) fn of(
        input: SchemaRef,
        output: SchemaRef,
        planned: Vec<PlannedPlugin>,
    ) -> ChainPlan {
        ChainPlan { input, output, planned: planned.into(), observer: None }
    }

    /// The plugins with their plans, in order.
    pub fn plugins(&self) -> &[PlannedPlugin] {
        &self.planned
    }

    /// The same chain, whose batches `observer` sees on their way.
    #[must_use]
    pub fn observed_by(self, observer: Observer) -> ChainPlan {
        ChainPlan { observer: Some(observer), ..self }
    }

    /// The input column that every plugin passes through, or casts, to this output column. `None`
    /// when a plugin makes the column: computed, from a literal, or from a value of the host.
    // Goes from the last plugin to the first. Each step turns the index of an output column into
    // that of an input column, which is an output column of the plugin before. For example, if the
    // last plugin passes its input 4 through as output 0, the plugin before is asked for output 4.
    pub fn origin(&self, output_column: usize) -> Option<usize> {
        self.planned.iter().rev().try_fold(output_column, |column, planned| {
            match planned.plan.outputs.get(column)? {
                Expr::Passthrough(from) | Expr::Cast(from) => Some(*from),
                Expr::Literal(_) | Expr::HostValue(_) | Expr::Computed(_) => None,
            }
        })
    }

    /// The plugin that makes an output column: the last one whose output it is, before others pass it
    /// through or cast it. `None`: it is a column of the chain's input.
    pub fn maker(&self, output_column: usize) -> Option<&Plugin> {
        let mut column = output_column;
        for planned in self.planned.iter().rev() {
            match planned.plan.outputs.get(column)? {
                Expr::Passthrough(from) | Expr::Cast(from) => column = *from,
                Expr::Literal(_) | Expr::HostValue(_) | Expr::Computed(_) => {
                    return Some(&planned.plugin);
                }
            }
        }
        None
    }

    /// Whether an output column holds anything of the chain's input: passed through, cast, or
    /// computed from columns of which one does. A literal and a value of the host hold nothing of
    /// it. (For example, `run_date`, which the default plugin adds.)
    pub fn is_from_input(&self, output_column: usize) -> bool {
        let mut is_from_input = vec![true; self.input.fields().len()];
        for planned in self.planned.iter() {
            let plan = &planned.plan;
            let of = |column: &usize| is_from_input.get(*column).copied().unwrap_or_default();
            let computed = plan.inputs.iter().any(of);
            let outputs = plan.outputs.iter().map(|output| match output {
                Expr::Passthrough(from) | Expr::Cast(from) => of(from),
                Expr::Literal(_) | Expr::HostValue(_) => false,
                Expr::Computed(_) => computed,
            });
            is_from_input = outputs.collect();
        }
        is_from_input.get(output_column).copied().unwrap_or_default()
    }
}

impl std::fmt::Debug for ChainPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.planned.iter()).finish()
    }
}
