//! Plugins of every kind in the real sandbox: what works, what is refused, and in which words.
//!
//! The guests are made by `guest.rs`. Each test of a misdeed shows the whole message, because that
//! is what its author will read.

mod abi;
mod bounds;
mod chain;
mod config_schema;
mod guest;
mod hostile;

mod loading;
mod shapes;
mod wasi;

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use loader_sandbox::{
    CacheLocation, ChainPlan, ChainSession, HostValues, Limits, Plugin, PluginError, Runtime,
};
use serde_json::Value;

use crate::guest::Guest;

/// Limits that let a test for time end soon.
fn limits() -> Limits {
    Limits {
        plan_seconds: 1,
        open_seconds: 1,
        process_seconds: 1,
        finish_seconds: 1,
        ..Limits::default()
    }
}

fn load_with(limits: Limits, guest: Guest) -> Result<Plugin, PluginError> {
    Runtime::new(limits, CacheLocation::Off)?.load(Path::new("plugins/test.wasm"), guest.build())
}

fn load(guest: Guest) -> Plugin {
    load_with(limits(), guest).expect("the plugin loads")
}

/// Columns `id` (int64) and `name` (text).
fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, true),
        Field::new("name", DataType::Utf8, true),
    ]))
}

/// Rows with these ids; the name of 7 is `n7`.
fn batch(ids: &[i64]) -> RecordBatch {
    let names: Vec<String> = ids.iter().map(|id| format!("n{id}")).collect();
    let columns: Vec<ArrayRef> =
        vec![Arc::new(Int64Array::from(ids.to_vec())), Arc::new(StringArray::from(names))];
    RecordBatch::try_new(schema(), columns).expect("columns fit")
}

/// `source.row` of the rows of `batch(ids)`: a hundred more.
fn rows(ids: &[i64]) -> Int64Array {
    ids.iter().map(|id| id + 100).collect()
}

fn host_values() -> Arc<HostValues> {
    Arc::new(HostValues {
        run_started_at_micros: 1_700_000_000_000_000,
        run_id: "run-1".into(),
        source_file_name: "file.csv".into(),
        source_uri: "s3://bucket/file.csv".into(),
    })
}

fn plan(plugins: &[Plugin]) -> Result<ChainPlan, PluginError> {
    let plugins: Vec<_> = plugins.iter().map(|plugin| (plugin.clone(), Value::Null)).collect();
    ChainPlan::make(&plugins, "target", &[], None, schema())
}

fn open(plugins: &[Plugin]) -> ChainSession {
    plan(plugins).expect("there is a plan").open(host_values()).expect("the chain opens")
}

/// The message of an error, without the digest, which changes with the tools that build the guest.
fn message<T>(result: Result<T, PluginError>) -> String {
    let message = match result {
        Ok(_) => panic!("it was not refused"),
        Err(error) => format!("{:?}: {error}", error.kind()),
    };
    match message.split_once("(sha256 ") {
        Some((before, after)) => format!("{before}(sha256 …{}", &after[8..]),
        None => message,
    }
}
