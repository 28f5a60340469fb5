//! The two questions that a plugin answers without rows: its config schema, and its plan for a
//! table. Each question has an instance of its own.

use std::thread;

use arrow_schema::SchemaRef;

use crate::bindings::exports::loader::plugin::transform::Context;
use crate::config;
use crate::error::{Call, PluginError, PluginErrorKind};
use crate::limits::size;
use crate::plan::{Plan, PlanContext};
use crate::plugin::Plugin;
use crate::sandbox::Sandbox;

impl Plugin {
    /// The JSON Schema of the plugin's config; `None`: the plugin takes no config. Untrusted text
    /// of at most `config_schema_bytes`.
    ///
    /// Runs the plugin at the first call, and remembers the answer.
    // Two threads may both ask the plugin; `get_or_init` keeps the answer of the first. An error is
    // not remembered.
    pub fn config_schema(&self) -> Result<Option<String>, PluginError> {
        if let Some(schema) = self.known_config_schema().get() {
            return Ok(schema.clone());
        }
        let schema = self.ask_config_schema()?;
        Ok(self.known_config_schema().get_or_init(|| schema).clone())
    }

    /// Checks a config against the plugin's own schema. Null stands for no config, `{}`; a plugin
    /// without schema takes nothing else. Every plan begins with this check.
    ///
    /// Errors: `Config`, with the key and the expected value, never the value in the config;
    /// `Protocol` when the schema is not a JSON Schema; and the errors of
    /// [`Plugin::config_schema`].
    pub fn check_config(&self, config: &serde_json::Value) -> Result<(), PluginError> {
        let schema = self.config_schema()?;
        let name = self.config_name().unwrap_or("config");
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
    /// the plan.
    ///
    /// The config is checked against the plugin's schema first, and passed on unchanged.
    ///
    /// Errors: those of [`Plugin::check_config`]; also `Config` and `Refused`, `Trap`, `Limit`, and
    /// `Protocol` when the plan breaks the contract.
    pub fn plan(&self, context: &PlanContext, input: &SchemaRef) -> Result<Plan, PluginError> {
        self.check_config(&context.config)?;
        let guest_context = guest_context(context);
        let schema = loader_ipc::encode_schema(input);
        let answer = self.off_runtime(|| {
            Sandbox::new(self, 0)?.ask(Call::MakePlan, |store, guest| {
                guest.loader_plugin_transform().call_make_plan(store, &guest_context, &schema)
            })
        });
        let plan = answer.map_err(|error| self.with_config_name(error))?;
        Plan::check(plan, input, self.limits())
            .map_err(|error| error.in_call(Call::MakePlan).of(self.label()))
    }

    /// Adds where the config is written: the plugin knows its mistake, but not its place.
    fn with_config_name(&self, error: PluginError) -> PluginError {
        match self.config_name() {
            Some(name) if error.kind() == PluginErrorKind::Config => {
                error.remedy(format!("its config is `{name}`"))
            }
            _ => error,
        }
    }

    /// Runs `call` on a thread that may block. WASI blocks on a tokio runtime of its own, which
    /// must not happen on a thread of another runtime. Callers ask from any thread, so a plugin
    /// with WASI is asked on a thread of its own.
    fn off_runtime<T: Send>(
        &self,
        call: impl FnOnce() -> Result<T, PluginError> + Send,
    ) -> Result<T, PluginError> {
        if !self.wants_wasi() {
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

/// The context of a plan in the contract's form. A target that does not exist is an empty list of
/// bytes.
fn guest_context(context: &PlanContext) -> Context {
    let target = context.target.as_ref();
    Context {
        table: context.table.clone(),
        keys: context.keys.clone(),
        target: target.map(|target| loader_ipc::encode_schema(target)).unwrap_or_default(),
        config: match &context.config {
            serde_json::Value::Null => "{}".to_owned(),
            config => config.to_string(),
        },
    }
}
