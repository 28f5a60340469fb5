//! Runs transform plugins in a WebAssembly sandbox.
//!
//! A [`Runtime`] turns a component file into a [`Plugin`], or says why the file is not a plugin.
//! [`ChainPlan::make`] asks each plugin for its plan; [`ChainPlan::open`] gives one worker thread
//! its own instances, and [`ChainSession::process`] takes batches through them. The host trusts no
//! answer of a guest: `loader-ipc` checks every byte. This is the only crate that names wasmtime,
//! and it knows nothing of S3 or of the warehouse.

mod aot;
mod bindings;
mod call_failure;
pub mod cast;
mod chain;
mod chain_session;
mod checkup;
mod config;
mod counters;
mod deadlines;
mod digest;
mod error;
mod guest;
mod guest_log;
mod host_values;
mod inspect;
mod instance_state;
mod limits;
mod off_thread;
mod packed;
mod plan;
mod plugin;
mod plugin_session;
mod questions;
mod raw_plan;
mod runtime;
mod sandbox;
mod transformed;
mod wasi;

pub use chain::{ChainPlan, Observer, PlannedPlugin};
pub use chain_session::ChainSession;
pub use checkup::{Checkup, Finding};
pub use counters::PluginCounters;
pub use error::{PluginError, PluginErrorKind};
pub use guest_log::Listener;
pub use host_values::{HostValue, HostValues};
pub use limits::{Limit, Limits, Unit};
pub use packed::PackedChain;
pub use plan::{Expr, Plan, PlanContext};
pub use plugin::Plugin;
pub use runtime::{CacheLocation, Metering, Runtime};
pub use transformed::{Reject, Transformed};
