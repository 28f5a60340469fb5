//! The plugins of a job: read from disk, compiled or taken from the cache, and their errors made ours.

use std::collections::BTreeMap;

use arrow::datatypes::SchemaRef;
use loader_plugins::{
    CacheLocation, ChainPlan, Metering, Plugin, PluginCounters, PluginError, PluginErrorKind, Runtime,
};
use serde_json::Value;

use crate::error::{Context, Error, Kind, Result};
use crate::job::{PluginCache, PluginSettings, TransformSettings};
use crate::names::TableName;
use crate::report::PluginIdentity;

/// A plugin with its config.
pub type Configured = (Plugin, Value);

/// Reads and compiles the chain's plugins, and holds their configs against their schemas. Errors: `Config` (no such
/// file, a config that a plugin does not take), `Plugin` (not one of ours).
pub fn load(settings: &TransformSettings) -> Result<Vec<Configured>> {
    if settings.plugins.is_empty() {
        return Ok(Vec::new());
    }
    let runtime = runtime(settings, Metering::Off)?;
    settings.plugins.iter().map(|plugin| load_one(&runtime, plugin)).collect()
}

/// The sandbox with the limits of these settings.
pub fn runtime(settings: &TransformSettings, metering: Metering) -> Result<Runtime> {
    let cache = match &settings.plugin_cache {
        PluginCache::Default => CacheLocation::Default,
        PluginCache::Dir(dir) => CacheLocation::Dir(dir.clone()),
        PluginCache::Off => CacheLocation::Off,
    };
    Runtime::metered(settings.limits.clone(), cache, metering).map_err(failure)
}

fn load_one(runtime: &Runtime, settings: &PluginSettings) -> Result<Configured> {
    let path = &settings.path;
    let hint = "cannot be read; is the path right? `cargo xtask plugins` builds plugins/default.wasm";
    let bytes = std::fs::read(path).context(Kind::Config, format!("plugin {} {hint}", path.display()))?;
    let plugin = runtime.load(path, bytes).map_err(failure)?;
    tracing::debug!(plugin = plugin.name(), version = plugin.version(), sha256 = plugin.sha256(), "plugin ready");
    // Planning does so too, but only once the file has been read.
    plugin.check_config(&settings.config).map_err(failure)?;
    Ok((plugin, settings.config.clone()))
}

/// Asks every plugin for its plan. Errors: `Plugin`; `Config` when a plugin refuses its config; `Data` when it refuses the file's columns.
pub fn plan_chain(
    plugins: &[Configured],
    table: &TableName,
    keys: &[String],
    target: Option<SchemaRef>,
    input: SchemaRef,
) -> Result<ChainPlan> {
    ChainPlan::make(plugins, &table.table, keys, target, input).map_err(|error| match error.kind() {
        // A plan sees the file's header and the config, nothing else; a plugin says which of them it means.
        PluginErrorKind::Refused if error.code() != Some("bad-config") => Error::new(Kind::Data, error.to_string()),
        _ => failure(error),
    })
}

/// Makes a plugin's failure ours.
pub fn failure(error: PluginError) -> Error {
    let kind = match error.kind() {
        PluginErrorKind::Config => Kind::Config,
        PluginErrorKind::Host => Kind::Internal,
        PluginErrorKind::NotAPlugin
        | PluginErrorKind::ContractVersion
        | PluginErrorKind::ForbiddenImport
        | PluginErrorKind::Refused
        | PluginErrorKind::Trap
        | PluginErrorKind::Limit
        | PluginErrorKind::Protocol => Kind::Plugin,
    };
    Error::new(kind, error.to_string())
}

/// Who the plugins are, for the report.
pub fn identities(plugins: &[Configured]) -> Vec<PluginIdentity> {
    plugins
        .iter()
        .map(|(plugin, _)| PluginIdentity {
            name: plugin.name().to_string(),
            version: plugin.version().to_string(),
            sha256: plugin.sha256().to_string(),
            counters: BTreeMap::new(),
        })
        .collect()
}

/// Adds what the plugins counted; both lists are in the chain's order.
pub fn count(identities: &mut [PluginIdentity], counted: &[PluginCounters]) {
    for (identity, counted) in identities.iter_mut().zip(counted) {
        identity.counters = counted.counters.iter().cloned().collect();
    }
}
