//! A plugin that misbehaves on demand. The config names one misdeed: `{"do": "loop-in-process"}`.
//! The word `none` passes every column through, and a few more words name honest transforms that
//! tests of chains need. The config schema lists all words, and a test insists that each is tried.
//!
//! The plugin speaks the contract without the SDK's types, which would not let it do most of this.
//! It is built for the sandbox only.

#![cfg(target_arch = "wasm32")]

mod answers;
mod batches;
mod endless;
mod messages;
mod plan_shapes;
mod plans;
mod sessions;
mod words;

use loader_sdk::bindings;
use loader_sdk::bindings::exports::loader::plugin::transform as wire;
use loader_sdk::component::report_panics;
use loader_sdk::{Context, ipc};
use serde::Deserialize;

use answers::refusal;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(rename = "do")]
    what: String,
}

struct Hostile;

impl wire::Guest for Hostile {
    type Session = sessions::HostileSession;

    fn config_schema() -> String {
        report_panics();
        let words: Vec<String> = words::all().map(|word| format!("{word:?}")).collect();
        format!(
            r#"{{"type": "object", "required": ["do"], "additionalProperties": false, "properties": {{"do": {{"enum": [{}]}}}}}}"#,
            words.join(", ")
        )
    }

    fn make_plan(context: wire::Context, schema: Vec<u8>) -> Result<wire::Plan, wire::Error> {
        report_panics();
        let context = Context { config: context.config, ..Context::default() };
        let config: Config =
            context.parse_config().map_err(|error| refusal(&error.code, &error.message))?;
        let input = ipc::trusted::decode_schema(&schema)
            .map_err(|error| refusal("bad-message", &error.to_string()))?;
        plans::make(&config.what, &input)
    }
}

bindings::export!(Hostile with_types_in bindings);
