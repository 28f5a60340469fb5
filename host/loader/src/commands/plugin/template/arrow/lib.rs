//! Adds the length of a text column, in terms of Arrow: a plan of all output columns, and sessions that compute some.

use std::sync::Arc;

use loader_sdk::arrow_array::cast::AsArray;
use loader_sdk::arrow_array::{Array, Int32Array, RecordBatch};
use loader_sdk::arrow_schema::{DataType, Schema, SchemaRef};
use loader_sdk::{Context, Error, Output, Plan, Plugin, Session};
use schemars::JsonSchema;
use serde::Deserialize;

/// What can be set. The doc comments here become the config's JSON Schema, against which loader checks a config.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Text column to measure.
    column: String,
}

/// The plugin.
pub struct {{type}};

impl Plugin for {{type}} {
    type Session = Lengths;

    fn config_schema() -> String {
        loader_sdk::config_schema::<Config>()
    }

    /// Every column stays as it is, and never enters the sandbox unless something is computed from it.
    fn make_plan(context: &Context, input: &Schema) -> Result<Plan, Error> {
        let config: Config = context.parse_config()?;
        let mut plan = Plan::new(input);
        for (index, field) in input.fields().iter().enumerate() {
            plan.passthrough(index, field.name());
        }
        match input.column_with_name(&config.column) {
            Some((index, field)) if *field.data_type() == DataType::Utf8 => {
                plan.computed(format!("{}_length", config.column), DataType::Int32, &[index]);
                Ok(plan)
            }
            _ => {
                let message = format!("no text column \"{}\"", config.column);
                Err(Error::new("no-column", message).column(config.column))
            }
        }
    }

    fn open_session(_state: &[u8], _inputs: &SchemaRef) -> Result<Lengths, Error> {
        Ok(Lengths)
    }
}

/// One worker's work on one file.
pub struct Lengths;

impl Session for Lengths {
    fn process(&mut self, batch: &RecordBatch) -> Result<Output, Error> {
        let length = |text: Option<&str>| text.map(|text| text.chars().count() as i32);
        let lengths: Int32Array = batch.column(0).as_string::<i32>().iter().map(length).collect();
        Ok(Output::columns(vec![Arc::new(lengths)]))
    }
}

loader_sdk::export_plugin!({{type}});

#[cfg(test)]
mod tests {
    use loader_sdk::testing::Sample;

    use super::*;

    #[test]
    fn characters_are_counted() {
        let sample = Sample::new(["id", "note"]).row(["1", "größer"]).row([Some("2"), None]);
        let ran = sample.run::<{{type}}>(r#"{"column": "note"}"#).expect("runs");
        assert_eq!(ran.column("note_length"), [Some("6"), None]);
    }
}
