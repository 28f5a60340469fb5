//! The plugins of a job, read from disk or from the program itself, compiled or taken from the
//! cache.
//!
//! In: the settings of the plugins. Out: the chain, each plugin with a config that it takes. The
//! sandbox's errors become errors of the program here.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use loader_data::failures::plugin_failure;
use loader_data::plan::ConfiguredPlugin;
use loader_data::spread::PackedPlugin;
use loader_model::error::{Context, Error, Kind, Result};
use loader_sandbox::{CacheLocation, Metering, Plugin, Runtime};

use crate::built_in;
use crate::job::{PluginCache, PluginSettings, TransformSettings};
use crate::plugin_identity::PluginIdentity;
use crate::settings::plugin_entry::{BUILT_IN, Digest, Origin};

/// The plugins of a job in the order in which rows pass them, each with its config. Clones share
/// the plugins.
#[derive(Clone)]
pub(crate) struct Chain {
    plugins: Arc<[ConfiguredPlugin]>,
    /// The plugins as they were read, for other processes.
    packed: Arc<[PackedPlugin]>,
}

impl Chain {
    /// The plugins with their configs.
    pub(crate) fn plugins(&self) -> &[ConfiguredPlugin] {
        &self.plugins
    }

    /// The plugins for other processes, each once.
    pub(crate) fn packed(&self) -> Vec<PackedPlugin> {
        self.packed.to_vec()
    }

    /// Who the plugins are.
    pub(crate) fn identities(&self) -> Vec<PluginIdentity> {
        let identity = |(plugin, _): &ConfiguredPlugin| PluginIdentity {
            name: plugin.name().to_owned(),
            version: plugin.version().to_owned(),
            sha256: plugin.sha256().to_owned(),
            counters: BTreeMap::new(),
        };
        self.plugins.iter().map(identity).collect()
    }
}

/// Reads and compiles the chain's plugins, and checks their configs against their schemas.
/// Errors: `Config` (no such file, another file than the pinned one, a config that a plugin does
/// not take), `Plugin` (the file is no plugin for this program).
pub(crate) fn load(settings: &TransformSettings) -> Result<Chain> {
    for notice in &settings.notices {
        tracing::warn!("{notice}");
    }
    if settings.plugins.is_empty() {
        return Ok(Chain { plugins: Arc::new([]), packed: Arc::new([]) });
    }
    let runtime = runtime(settings, Metering::Off)?;
    let (mut plugins, mut packed) = (Vec::new(), Vec::<PackedPlugin>::new());
    for settings in &settings.plugins {
        let (plugin, bytes) = load_one(&runtime, settings)?;
        if !packed.iter().any(|known| known.sha256 == plugin.sha256()) {
            let (name, sha256) = (settings.path.display().to_string(), plugin.sha256().to_owned());
            packed.push(PackedPlugin { name, sha256, bytes });
        }
        plugins.push((plugin, settings.config.clone()));
    }
    Ok(Chain { plugins: plugins.into(), packed: packed.into() })
}

/// Where compiled plugins are kept.
pub(crate) fn cache(settings: &TransformSettings) -> CacheLocation {
    match &settings.plugin_cache {
        PluginCache::Default => CacheLocation::Default,
        PluginCache::Dir(dir) => CacheLocation::Dir(dir.clone()),
        PluginCache::Off => CacheLocation::Off,
    }
}

/// The sandbox with the limits of these settings.
pub(crate) fn runtime(settings: &TransformSettings, metering: Metering) -> Result<Runtime> {
    Runtime::metered(settings.limits.clone(), cache(settings), metering).map_err(plugin_failure)
}

/// A plugin, and its bytes.
fn load_one(runtime: &Runtime, settings: &PluginSettings) -> Result<(Plugin, Vec<u8>)> {
    let bytes = read_pinned(settings)?;
    let mut plugin = runtime.load(&settings.path, bytes.clone()).map_err(plugin_failure)?;
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
    check_config(&plugin, settings)?;
    Ok((plugin, bytes))
}

const UNREADABLE: &str =
    "cannot be read; is the path right? `default` names the plugin that is part of the program";

/// Reads a plugin's bytes, and checks them against every pin of the file. Errors: `Config`.
// The caller compiles these very bytes. Reading the file a second time would let another program
// swap it between the check and the compilation.
fn read_pinned(settings: &PluginSettings) -> Result<Vec<u8>> {
    let path = &settings.path;
    let bytes = match path == Path::new(BUILT_IN) {
        true => built_in::DEFAULT_PLUGIN.to_vec(),
        false => std::fs::read(path)
            .context(Kind::Config, format!("plugin {} {UNREADABLE}", path.display()))?,
    };
    for (pinned, origin) in &settings.pins {
        check_pin(path, &bytes, pinned, origin)?;
    }
    Ok(bytes)
}

/// Checks a plugin's config against its schema. Planning checks it too, but only after the whole
/// file has been read. Errors: `Config`, with the place in the settings: for example,
/// `tables.orders.plugins[1].config.columns` in line 7 of `loader.toml`.
fn check_config(plugin: &Plugin, settings: &PluginSettings) -> Result<()> {
    let checked = plugin.check_config(&settings.config);
    checked.map_err(|error| match (error.config_pointer(), &settings.config_place) {
        (Some(pointer), Some(place)) => place.pointer(pointer).blame(plugin_failure(error)),
        _ => plugin_failure(error),
    })
}

/// Checks a plugin's bytes against the digest that the settings pin it to. Errors: `Config`.
pub(crate) fn check_pin(path: &Path, bytes: &[u8], pinned: &Digest, origin: &Origin) -> Result<()> {
    let found = Digest::of(bytes);
    if found == *pinned {
        return Ok(());
    }
    let fact = format!(
        "plugin {} is not the one that {origin} pins: sha256 {pinned} is pinned, {found} is found; \
         bring the pinned one back, or pin this one",
        path.display()
    );
    let error = Error::new(Kind::Config, fact);
    Err(match origin.place() {
        Some(place) => place.key("sha256").blame(error),
        None => error,
    })
}
