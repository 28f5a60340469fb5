//! Runs a plugin natively on a few rows, to test its logic.
//!
//! A [`Sample`] does with a plan what the host does, but without the sandbox, the checks of what
//! the plugin returns, and CSV: `loader plugin test` has those.

mod host;
mod ran;
mod sample;
mod schema;
mod typed;

pub use ran::Ran;
pub use sample::Sample;
pub use schema::check_config_schema;
