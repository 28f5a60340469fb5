//! A planned chain on its way to another process: what the plugins were told, and the plans as they
//! gave them. The process that takes it has the same plugins, and checks each plan again.

use std::sync::Arc;

use arrow_schema::{Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use crate::chain::{ChainPlan, PlannedPlugin};
use crate::error::{Call, PluginError};
use crate::plan::{Plan, PlanContext};
use crate::plugin::Plugin;
use crate::raw_plan::RawPlan;

/// A planned chain without its plugins.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PackedChain {
    /// The columns of the first plugin's input, as an IPC schema message.
    input: Vec<u8>,
    plugins: Vec<PackedPlugin>,
}

/// A planned plugin without its bytes.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct PackedPlugin {
    sha256: String,
    config_name: Option<String>,
    table: String,
    keys: Vec<String>,
    /// The target's columns, as an IPC schema message.
    target: Option<Vec<u8>>,
    /// As JSON.
    config: String,
    plan: RawPlan,
}

impl ChainPlan {
    /// The chain without its plugins and its observer.
    pub fn pack(&self) -> PackedChain {
        let plugins = self.plugins().iter().map(|planned| {
            let PlannedPlugin { plugin, context, plan, .. } = planned;
            PackedPlugin {
                sha256: plugin.sha256().to_owned(),
                config_name: plugin.config_name().map(str::to_owned),
                table: context.table.clone(),
                keys: context.keys.clone(),
                target: context.target.as_deref().map(loader_ipc::encode_schema),
                config: context.config.to_string(),
                plan: RawPlan::clone(&plan.raw),
            }
        });
        PackedChain { input: loader_ipc::encode_schema(&self.input), plugins: plugins.collect() }
    }
}

impl PackedChain {
    /// The chain with its plugins, whose plans are checked again. `plugin`: gives the plugin of a
    /// digest.
    ///
    /// Errors: `Protocol` for a plan that breaks the contract, and `Host` for
    /// a plugin that is missing, and bytes that are no chain of this program.
    pub fn unpack(self, plugin: impl Fn(&str) -> Option<Plugin>) -> Result<ChainPlan, PluginError> {
        let input = schema(&self.input)?;
        let (mut next, mut planned) = (Arc::clone(&input), Vec::with_capacity(self.plugins.len()));
        for packed in self.plugins {
            let mut plugin = plugin(&packed.sha256).ok_or_else(|| missing(&packed.sha256))?;
            if let Some(name) = &packed.config_name {
                plugin = plugin.configured_by(name);
            }
            let context = PlanContext {
                table: packed.table,
                keys: packed.keys,
                target: packed.target.as_deref().map(schema).transpose()?,
                config: serde_json::from_str(&packed.config)
                    .map_err(|error| PluginError::host(format!("a packed config: {error}")))?,
            };
            let plan = Plan::check(packed.plan.into_plan(), &next, plugin.limits())
                .map_err(|error| error.in_call(Call::MakePlan).of(plugin.label()))?;
            let output = Arc::clone(&plan.schema);
            planned.push(PlannedPlugin { plugin, context, input: next, plan });
            next = output;
        }
        Ok(ChainPlan::of(input, next, planned))
    }
}

fn missing(sha256: &str) -> PluginError {
    PluginError::host(format!("the plugin with sha256 {sha256} did not come with its plan"))
}

fn schema(bytes: &[u8]) -> Result<SchemaRef, PluginError> {
    let schema: Result<Schema, _> = loader_ipc::trusted::decode_schema(bytes);
    let schema = schema.map_err(|error| PluginError::host(format!("a packed schema: {error}")))?;
    Ok(Arc::new(schema))
}
