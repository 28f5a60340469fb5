//! The plugins of a job: read from disk, compiled or taken from the cache, and their errors made
//! ours.

use std::collections::BTreeMap;
use std::path::Path;

use arrow::datatypes::SchemaRef;
use loader_sandbox::{
    CacheLocation, ChainPlan, Metering, Plugin, PluginCounters, PluginError, PluginErrorKind,
    Runtime,
};
use serde_json::Value;

use crate::error::{Context, Error, Kind, Result};
use crate::job::{PluginCache, PluginSettings, TransformSettings};
use crate::names::TableName;
use crate::redshift::bookkeeping::MAX_PLUGINS_BYTES;
use crate::report::PluginIdentity;
use crate::settings::plugins::{Digest, Origin};

/// A plugin with its config.
pub type Configured = (Plugin, Value);

/// Reads and compiles the chain's plugins, and holds their configs against their schemas. Errors:
/// `Config` (no such file, not the pinned one, a config that a plugin does not take), `Plugin` (not
/// one of ours).
pub fn load(settings: &TransformSettings) -> Result<Vec<Configured>> {
    for notice in &settings.notices {
        tracing::warn!(notice, "the choice of plugins");
    }
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
    let hint =
        "cannot be read; is the path right? `cargo xtask plugins` builds plugins/default.wasm";
    let bytes =
        std::fs::read(path).context(Kind::Config, format!("plugin {} {hint}", path.display()))?;
    settings
        .pins
        .iter()
        .try_for_each(|(pinned, origin)| check_pin(path, &bytes, pinned, origin))?;
    let mut plugin = runtime.load(path, bytes).map_err(failure)?;
    tracing::info!(
        plugin = plugin.name(),
        version = plugin.version(),
        sha256 = plugin.sha256(),
        from = %settings.origin,
        "plugin ready"
    );
    if let Some(place) = &settings.config_place {
        plugin = plugin.configured_by(&place.to_string());
    }
    // Planning does so too, but only once the file has been read.
    let checked = plugin.check_config(&settings.config);
    checked.map_err(|error| match (error.config_pointer(), &settings.config_place) {
        (Some(pointer), Some(place)) => place.pointer(pointer).blame(failure(error)),
        _ => failure(error),
    })?;
    Ok((plugin, settings.config.clone()))
}

/// Holds a plugin's bytes against the digest that the settings pin it to. Errors: `Config`.
pub fn check_pin(path: &Path, bytes: &[u8], pinned: &Digest, origin: &Origin) -> Result<()> {
    let found = Digest::of(bytes);
    if found == *pinned {
        return Ok(());
    }
    let path = path.display();
    let fact = format!(
        "plugin {path} is not the one that {origin} pins: sha256 {pinned} is pinned, {found} is \
         found; bring the pinned file back, or pin this one (`loader plugin check {path}` prints \
         its digest)"
    );
    let error = Error::new(Kind::Config, fact);
    Err(match origin.place() {
        Some(place) => place.key("sha256").blame(error),
        None => error,
    })
}

/// Asks every plugin for its plan. Errors: `Plugin`; `Config` when a plugin refuses its config;
/// `Data` when it refuses the file's columns.
pub fn plan_chain(
    plugins: &[Configured],
    table: &TableName,
    keys: &[String],
    target: Option<SchemaRef>,
    input: SchemaRef,
) -> Result<ChainPlan> {
    ChainPlan::make(plugins, &table.table, keys, target, input).map_err(|error| {
        match error.kind() {
            // A plan sees the file's header and the config, nothing else; a plugin says which of
            // them it means.
            PluginErrorKind::Refused if error.code() != Some("bad-config") => {
                Error::new(Kind::Data, error.to_string())
            }
            _ => failure(error),
        }
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

/// The plugins as JSON, short enough for the ledger: counters that are too long for it are left
/// out, the last plugin's first, and then plugins at the end. The report and the log have all of
/// them.
pub fn for_ledger(plugins: &[PluginIdentity]) -> String {
    let mut kept = plugins.to_vec();
    loop {
        let text = serde_json::to_string(&kept).unwrap_or_default();
        if text.len() <= MAX_PLUGINS_BYTES {
            return text;
        }
        match kept.iter_mut().rev().find(|plugin| !plugin.counters.is_empty()) {
            Some(plugin) => plugin.counters.clear(),
            None => drop(kept.pop()),
        }
    }
}

/// One event for each plugin, with all that it counted.
pub fn log_counted(counted: &[PluginCounters]) {
    for plugin in counted {
        let counters: Vec<String> =
            plugin.counters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        tracing::info!(
            plugin = plugin.plugin,
            rows = plugin.rows,
            rejected = plugin.rejected,
            sandbox_ms = plugin.sandbox.as_millis() as u64,
            encode_decode_ms = plugin.encode_decode.as_millis() as u64,
            peak_memory_bytes = plugin.peak_memory_bytes,
            counters = counters.join(" "),
            "plugin finished"
        );
    }
}

/// Adds what the plugins counted; both lists are in the chain's order.
pub fn count(identities: &mut [PluginIdentity], counted: &[PluginCounters]) {
    for (identity, counted) in identities.iter_mut().zip(counted) {
        identity.counters = counted.counters.iter().cloned().collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugin(name: &str, counters: usize) -> PluginIdentity {
        let counters = (0..counters).map(|n| (format!("{n:064}"), u64::MAX)).collect();
        PluginIdentity { name: name.into(), version: "1".into(), sha256: "ab".into(), counters }
    }

    #[test]
    fn what_the_ledger_gets_is_json_and_never_too_long() {
        let short = for_ledger(&[plugin("a", 1)]);
        let zeros = "0".repeat(64);
        let whole = format!(
            r#"[{{"name":"a","version":"1","sha256":"ab","counters":{{"{zeros}":18446744073709551615}}}}]"#
        );
        assert_eq!(short, whole);
        let names = |text: &str| -> Vec<(String, usize)> {
            let plugins: Vec<Value> = serde_json::from_str(text).expect("JSON");
            let counters =
                |plugin: &Value| plugin["counters"].as_object().map_or(0, serde_json::Map::len);
            plugins
                .iter()
                .map(|plugin| {
                    (plugin["name"].as_str().unwrap_or_default().into(), counters(plugin))
                })
                .collect()
        };
        let cut = for_ledger(&[plugin("a", 100), plugin("b", 100)]);
        assert_eq!(names(&cut), [("a".to_string(), 100), ("b".to_string(), 0)]);
        let many: Vec<PluginIdentity> = (0..1000).map(|n| plugin(&n.to_string(), 0)).collect();
        let cut = for_ledger(&many);
        assert!(cut.len() <= MAX_PLUGINS_BYTES && names(&cut).len() > 200, "{}", cut.len());
    }
}
