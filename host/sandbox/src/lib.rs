//! Runs transform plugins in a WebAssembly sandbox.
//!
//! A [`Runtime`] turns a component file into a [`Plugin`], or says why it is none.
//! [`ChainPlan::make`] asks each plugin for its plan; [`ChainPlan::open`] gives one worker thread
//! its own instances, and [`ChainSession::process`] takes batches through them. Nothing that a
//! guest returns is believed: `loader-ipc` checks every byte. This is the only crate that names
//! wasmtime, and it knows nothing of S3 or of the warehouse.

mod aot;
pub mod cast;
mod chain;
mod checkup;
mod config;
mod error;
mod guest_log;
mod inspect;
mod limits;
mod plan;
mod plugin;
mod runtime;
mod sandbox;
mod session;
mod step;
mod wasi;

pub use chain::{ChainPlan, HostValues, Observer, PlannedStep};
pub use checkup::{Checkup, Finding};
pub use error::{PluginError, PluginErrorKind};
pub use guest_log::Listener;
pub use limits::{Limit, Limits, Unit};
pub use plan::{Expr, HostValue, Plan, PlanContext};
pub use plugin::Plugin;
pub use runtime::{CacheLocation, Metering, Runtime};
pub use session::{ChainSession, PluginCounters, Reject, Transformed};

/// What wasmtime makes of `wit/0.1`.
mod bindings {
    wasmtime::component::bindgen!({ path: "../../wit/0.1", world: "plugin" });
}
