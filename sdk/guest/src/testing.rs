//! Runs a plugin natively on a few rows, for the tests of its logic.
//!
//! It does what the host does with a plan, without sandbox, validator or CSV: `loader plugin test`
//! has those.

mod host;
mod ran;
mod sample;
mod schema;
mod typed;

pub use ran::Ran;
pub use sample::Sample;
pub use schema::check_config_schema;
