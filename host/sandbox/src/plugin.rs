//! A plugin that was loaded: who it is, and the two questions that it answers without rows.

use std::sync::{Arc, OnceLock};
use std::thread;

use arrow_schema::SchemaRef;
use wasmtime::Engine;

use crate::bindings;
use crate::bindings::exports::loader::plugin::transform::Context;
use crate::config;
use crate::error::{Call, PluginError, PluginErrorKind};
use crate::guest_log::Listener;
use crate::limits::{Limits, size};
use crate::plan::{Plan, PlanContext};
use crate::sandbox::{Sandbox, State, refused};

/// A compiled plugin, ready to be instantiated. Clones are the same plugin.
#[derive(Clone)]
pub struct Plugin {
    loaded: Arc<Loaded>,
    listener: Option<Listener>,
    /// What messages call its config.
    config_name: Option<Arc<str>>,
}

/// What a [`Plugin`] is made of.
pub(crate) struct Loaded {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) sha256: String,
    pub(crate) wants_wasi: bool,
    pub(crate) engine: Engine,
    pub(crate) limits: Arc<Limits>,
    pub(crate) pre: bindings::PluginPre<State>,
    pub(crate) counts_fuel: bool,
    /// What it answered when it was asked.
    pub(crate) config_schema: OnceLock<Option<String>>,
}

impl Plugin {
    pub(crate) fn new(loaded: Loaded) -> Plugin {
        Plugin { loaded: Arc::new(loaded), listener: None, config_name: None }
    }

    /// The component's own name, else its file's. At most 64 bytes, without control characters, not
    /// unique.
    pub fn name(&self) -> &str {
        &self.loaded.name
    }

    /// What the component says, else `0`. Free text like the name.
    pub fn version(&self) -> &str {
        &self.loaded.version
    }

    /// Digest of the component's bytes, 64 hexadecimal digits: the one name that cannot lie.
    pub fn sha256(&self) -> &str {
        &self.loaded.sha256
    }

    /// The same plugin, whose log lines `listener` hears too, bounded as they are.
    #[must_use]
    pub fn heard_by(self, listener: Listener) -> Plugin {
        Plugin { listener: Some(listener), ..self }
    }

    /// The same plugin, whose config is called `name` in messages:
    /// `tables.orders.plugins[1].config`. Without it, `config`.
    #[must_use]
    pub fn configured_by(self, name: &str) -> Plugin {
        Plugin { config_name: Some(name.into()), ..self }
    }

    /// JSON Schema of the plugin's config; `None`: it takes none. Untrusted text of at most
    /// `config_schema_bytes`.
    ///
    /// Runs the plugin, once.
    pub fn config_schema(&self) -> Result<Option<String>, PluginError> {
        if let Some(schema) = self.loaded.config_schema.get() {
            return Ok(schema.clone());
        }
        let schema = self.ask_config_schema()?;
        Ok(self.loaded.config_schema.get_or_init(|| schema).clone())
    }

    /// Holds a config against the plugin's own schema. Null stands for no config, `{}`; a plugin
    /// without schema takes nothing else. Every plan begins with this.
    ///
    /// Errors: `Config`, with the key and what is expected there, never the value; `Protocol` when
    /// the schema is none; and what asking for the schema can end in.
    pub fn check_config(&self, config: &serde_json::Value) -> Result<(), PluginError> {
        let schema = self.config_schema()?;
        let name = self.config_name.as_deref().unwrap_or("config");
        config::check(schema.as_deref(), config, name, self.limits().plan_seconds)
            .map_err(|error| error.of(self.label()))
    }

    fn ask_config_schema(&self) -> Result<Option<String>, PluginError> {
        let schema = self.off_runtime(|| {
            Sandbox::new(self, 0)?.call(Call::ConfigSchema, |store, guest| {
                guest.loader_plugin_transform().call_config_schema(store)
            })
        })?;
        let limit = self.limits().config_schema_bytes;
        if schema.len() > limit {
            let fact = format!(
                "returned {}, more than config_schema_bytes = {}",
                size(schema.len()),
                size(limit)
            );
            return Err(PluginError::limit(fact).in_call(Call::ConfigSchema).of(self.label()));
        }
        Ok(Some(schema).filter(|schema| !schema.is_empty()))
    }

    /// Asks for the plan for `input`, in a fresh instance whose clock shows 1970, and checks all of
    /// it.
    ///
    /// The config is checked against the plugin's schema, and passed on as it is.
    /// Errors: those of [`Plugin::check_config`]; also `Config` and `Refused`, `Trap`, `Limit`, and
    /// `Protocol` when the plan breaks the contract.
    pub fn plan(&self, context: &PlanContext, input: &SchemaRef) -> Result<Plan, PluginError> {
        self.check_config(&context.config)?;
        let guest_context = Context {
            table: context.table.clone(),
            keys: context.keys.clone(),
            target: context
                .target
                .as_ref()
                .map(|target| loader_ipc::encode_schema(target))
                .unwrap_or_default(),
            config: match &context.config {
                serde_json::Value::Null => "{}".to_owned(),
                config => config.to_string(),
            },
        };
        let schema = loader_ipc::encode_schema(input);
        let answer = self.off_runtime(|| {
            Sandbox::new(self, 0)?.call(Call::MakePlan, |store, guest| {
                guest.loader_plugin_transform().call_make_plan(store, &guest_context, &schema)
            })
        })?;
        answer
            .map_err(|error| self.with_config_name(refused(error, self.limits())))
            .and_then(|plan| Plan::check(plan, input, self.limits()))
            .map_err(|error| error.in_call(Call::MakePlan).of(self.label()))
    }

    /// A plugin knows what is wrong with its config, but not where that is written.
    fn with_config_name(&self, error: PluginError) -> PluginError {
        match &self.config_name {
            Some(name) if error.kind() == PluginErrorKind::Config => {
                error.remedy(format!("its config is `{name}`"))
            }
            _ => error,
        }
    }

    /// How messages name it: `default 0.1.0 (sha256 1a2b3c4d)`.
    pub(crate) fn label(&self) -> String {
        let short = self.loaded.sha256.get(..8).unwrap_or(&self.loaded.sha256);
        format!("{} {} (sha256 {short})", self.loaded.name, self.loaded.version)
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.loaded.limits
    }

    pub(crate) fn listener(&self) -> Option<Listener> {
        self.listener.clone()
    }

    pub(crate) fn counts_fuel(&self) -> bool {
        self.loaded.counts_fuel
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.loaded.engine
    }

    pub(crate) fn pre(&self) -> &bindings::PluginPre<State> {
        &self.loaded.pre
    }

    /// Runs `call` where it may block. WASI blocks on a tokio runtime of its own, which must not
    /// happen on a thread of another; plans are made wherever the caller likes, so those of plugins
    /// with WASI get a thread.
    fn off_runtime<T: Send>(
        &self,
        call: impl FnOnce() -> Result<T, PluginError> + Send,
    ) -> Result<T, PluginError> {
        if !self.loaded.wants_wasi {
            return call();
        }
        thread::scope(|scope| match thread::Builder::new().spawn_scoped(scope, call) {
            Ok(thread) => thread
                .join()
                .unwrap_or_else(|_| Err(PluginError::host("the call panicked in the host"))),
            Err(error) => Err(PluginError::host(format!("a thread does not start: {error}"))),
        })
        .map_err(|error| error.of(self.label()))
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Plugin({})", self.label())
    }
}
