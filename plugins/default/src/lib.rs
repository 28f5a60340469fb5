//! What `loader` does to the rows of a file when the config names no plugin. It cleans the column
//! names (`Unit Price` becomes `unit_price`), makes exact decimals of numbers with a fraction, and
//! adds two columns that say when a row was loaded and from which file.
//!
//! The plan decides everything. Only the text of decimal columns crosses the sandbox, where
//! `decimals` computes it.

mod config;
mod decimals;
mod names;
mod plan;

use loader_sdk::arrow_schema::{Schema, SchemaRef};
use loader_sdk::{Context, Error, Plan, Plugin};

/// The plugin; see the crate's documentation.
pub struct Default;

impl Plugin for Default {
    type Session = decimals::Decimals;

    fn config_schema() -> String {
        config::SCHEMA.to_owned()
    }

    fn make_plan(context: &Context, input: &Schema) -> Result<Plan, Error> {
        plan::make(context, &config::Config::read(context)?, input)
    }

    fn open_session(state: &[u8], inputs: &SchemaRef) -> Result<decimals::Decimals, Error> {
        decimals::Decimals::open(state, inputs)
    }
}

loader_sdk::export_plugin!(Default);
