//! What `loader` does to the rows of a file when no plugin is asked for: column names are
//! cleaned, numbers with a fraction become exact decimals, and two columns say when a row was
//! loaded and from which file.
//!
//! The plan decides everything; only the text of decimal columns crosses the sandbox, to be
//! computed in `decimals`.

mod config;
mod decimals;
mod names;
mod plan;

use loader_sdk::arrow_schema::{Schema, SchemaRef};
use loader_sdk::{Context, Error, Plan, Plugin};

/// The plugin; see the file's head.
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
