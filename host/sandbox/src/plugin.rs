//! A plugin that was loaded: its identity, and the parts that its instances are made of.

use std::sync::{Arc, OnceLock};

use arrow_schema::ArrowError;
use wasmtime::Engine;

use crate::bindings;
use crate::error::PluginError;
use crate::guest_log::Listener;
use crate::instance_state::InstanceState;
use crate::limits::Limits;

/// A compiled plugin, ready to be instantiated. Clones are the same plugin.
#[derive(Clone)]
pub struct Plugin {
    parts: Arc<PluginParts>,
    listener: Option<Listener>,
    /// The name of the plugin's config in messages.
    config_name: Option<Arc<str>>,
}

/// The parts of a [`Plugin`] that all its clones share.
pub(crate) struct PluginParts {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) sha256: String,
    pub(crate) wants_wasi: bool,
    pub(crate) engine: Engine,
    pub(crate) limits: Arc<Limits>,
    pub(crate) pre: bindings::PluginPre<InstanceState>,
    pub(crate) counts_fuel: bool,
    /// The plugin's config schema, once it was asked for it. Shared by all clones, so that the
    /// plugin runs only once for it.
    pub(crate) config_schema: OnceLock<Option<String>>,
}

impl Plugin {
    pub(crate) fn new(parts: PluginParts) -> Plugin {
        Plugin { parts: Arc::new(parts), listener: None, config_name: None }
    }

    /// The component's own name, else that of its file: for example, `default`. Cut after 64 bytes,
    /// without control characters, and not unique.
    pub fn name(&self) -> &str {
        &self.parts.name
    }

    /// The version in the component's metadata, else `0`. Free text like the name.
    pub fn version(&self) -> &str {
        &self.parts.version
    }

    /// The SHA-256 of the component's bytes, 64 hexadecimal digits. Unlike name and version, the
    /// component cannot choose it.
    pub fn sha256(&self) -> &str {
        &self.parts.sha256
    }

    /// The same plugin, whose log lines also go to `listener`, within the same bounds.
    #[must_use]
    pub fn heard_by(self, listener: Listener) -> Plugin {
        Plugin { listener: Some(listener), ..self }
    }

    /// The same plugin, whose config is called `name` in messages: for example,
    /// `tables.orders.plugins[1].config`. Without a name it is called `config`.
    #[must_use]
    pub fn configured_by(self, name: &str) -> Plugin {
        Plugin { config_name: Some(name.into()), ..self }
    }

    /// The plugin's name in messages: for example, `default 0.1.0 (sha256 1a2b3c4d)`.
    pub(crate) fn label(&self) -> String {
        let short = self.parts.sha256.get(..8).unwrap_or(&self.parts.sha256);
        format!("{} {} (sha256 {short})", self.parts.name, self.parts.version)
    }

    /// An error of the host's own work on this plugin's batches.
    pub(crate) fn host_failure(&self, error: &ArrowError) -> PluginError {
        PluginError::host(format!("the host could not do its part: {error}")).of(self.label())
    }

    /// The name of the plugin's config in messages.
    pub(crate) fn config_name(&self) -> Option<&str> {
        self.config_name.as_deref()
    }

    /// The plugin's config schema, if it was asked for it.
    pub(crate) fn known_config_schema(&self) -> &OnceLock<Option<String>> {
        &self.parts.config_schema
    }

    pub(crate) fn wants_wasi(&self) -> bool {
        self.parts.wants_wasi
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.parts.limits
    }

    pub(crate) fn listener(&self) -> Option<Listener> {
        self.listener.clone()
    }

    pub(crate) fn counts_fuel(&self) -> bool {
        self.parts.counts_fuel
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.parts.engine
    }

    pub(crate) fn pre(&self) -> &bindings::PluginPre<InstanceState> {
        &self.parts.pre
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Plugin({})", self.label())
    }
}
