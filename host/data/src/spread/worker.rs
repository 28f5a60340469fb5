//! Does tasks: one spec after the other, whose plugins it has compiled.

use std::sync::Arc;

use loader_model::error::{Error, Kind, Result};
use loader_model::stop::StopFlag;
use loader_sandbox::{CacheLocation, Metering, Plugin, Runtime};

use super::engine::{Failure, Outcome, Spec, Task};
use super::staged_task::{PackedPlugin, StageSpec};
use super::{learn, stage};
use crate::failures::plugin_failure;
use crate::infer::LearnSpec;
use crate::plan::RowPlan;
use crate::stored::Access;

/// A spec that is ready for its tasks.
pub struct Worker {
    spec: Ready,
    access: Arc<dyn Access>,
    stop: StopFlag,
}

enum Ready {
    Learn(Box<LearnSpec>),
    Stage(Box<StageSpec>, Box<RowPlan>),
}

impl Worker {
    /// Makes a spec ready: compiles its plugins, and checks their plans again. `cache`: where
    /// compiled plugins are kept. `stop`: ends tasks with `Interrupted`.
    ///
    /// Errors: `Plugin`, `Config`, `Internal`.
    pub fn new(
        spec: Spec,
        access: Arc<dyn Access>,
        cache: CacheLocation,
        stop: StopFlag,
    ) -> Result<Worker> {
        let spec = match spec {
            Spec::Learn(spec) => Ready::Learn(spec),
            Spec::Stage(mut spec) => {
                let runtime = Runtime::metered(spec.limits.clone(), cache, Metering::Off);
                let runtime = runtime.map_err(plugin_failure)?;
                let plugins = std::mem::take(&mut spec.plugins);
                let plugins: Vec<Plugin> =
                    plugins.iter().map(|plugin| load(&runtime, plugin)).collect::<Result<_>>()?;
                let plan = spec.plan.clone().unpack(|sha256| of_digest(&plugins, sha256))?;
                Ready::Stage(spec, Box::new(plan))
            }
        };
        Ok(Worker { spec, access, stop })
    }

    /// Does a task. What would fail again wherever it is done is an outcome.
    ///
    /// Errors: `Transient` and `Internal`, after which the task may be done once more.
    pub fn work(&self, task: Task) -> Result<Outcome> {
        let outcome = match (&self.spec, task) {
            (Ready::Learn(spec), Task::Learn(task)) => {
                learn::run(spec, &task, &*self.access, &self.stop).map(Outcome::Learnt)
            }
            (Ready::Stage(spec, plan), Task::Stage(task)) => {
                let staged = stage::stage(spec, plan, task, &self.access, &self.stop);
                staged.map(|staged| Outcome::Staged(Box::new(staged)))
            }
            (Ready::Learn(_), Task::Stage(_)) | (Ready::Stage(..), Task::Learn(_)) => {
                Err(Error::new(Kind::Internal, "a task is of another kind than its spec"))
            }
        };
        or_failed(outcome)
    }
}

/// Makes an outcome of an error that would come again.
fn or_failed(outcome: Result<Outcome>) -> Result<Outcome> {
    outcome.or_else(|error| match error.kind().lasts() {
        true => Ok(Outcome::Failed(Failure::of(&error))),
        false => Err(error),
    })
}

/// Compiles a plugin. Errors: `Internal` for other bytes than those of its digest.
fn load(runtime: &Runtime, packed: &PackedPlugin) -> Result<Plugin> {
    let plugin =
        runtime.load(packed.name.as_ref(), packed.bytes.clone()).map_err(plugin_failure)?;
    if plugin.sha256() == packed.sha256 {
        return Ok(plugin);
    }
    let fact = format!("the bytes of plugin {} were changed on their way", packed.name);
    Err(Error::new(Kind::Internal, fact))
}

fn of_digest(plugins: &[Plugin], sha256: &str) -> Option<Plugin> {
    plugins.iter().find(|plugin| plugin.sha256() == sha256).cloned()
}
