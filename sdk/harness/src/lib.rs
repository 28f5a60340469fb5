//! Runs a plugin on rows or CSV, in the same sandbox as a load, and returns everything that came of
//! it.
//!
//! The [`Harness`] uses the runtime, the limits, the type inference and the checks of the program
//! itself: a plugin that passes here passes there. A [`PluginOutput`] has every value as exact
//! text, compares with `==`, and prints as a table, so it suits `assert_eq!` as well as a snapshot.
//! There is no AWS, no warehouse and no async.
//!
//! ```no_run
//! use loader_harness::Harness;
//! use serde_json::json;
//!
//! let plugin = Harness::open("plugins/default.wasm")?;
//! let plugin = plugin.config(json!({"metadata": false})).keys(["order_id"]);
//! let output = plugin.run_csv("Order ID,Amount ($)\n1,0.1\n2,\n")?;
//! assert_eq!(output.column("amount"), Some(vec![Some("0.100000000000000000"), None]));
//! assert!(output.rejects.is_empty());
//! println!("{output}");
//! # Ok::<(), loader_harness::HarnessError>(())
//! ```
//!
//! [`Harness::broken_properties`] tries what a load may do to any plugin: cut the rows into batches
//! anywhere, spread them over instances in any order, send none, or send only NULLs.
//! [`Harness::test_case`] does the same for a folder with an input and the output that is expected
//! of it; `loader plugin test` runs a folder of such folders. [`Harness::measure_csv`] measures
//! what rows cost, and `loader plugin bench` compares that with what they cost before.

#![deny(missing_docs)]

mod case;
mod csv_difference;
mod csv_text;
mod difference;
mod error;
mod golden;
mod harness;
mod input;
mod measure;
mod output;
mod properties;
mod text;
mod trial;

pub use arrow_array;
pub use arrow_schema;
pub use case::{CapturedCase, config_from_toml};
pub use error::HarnessError;
pub use golden::{CaseReport, Expected, case_folders};
pub use harness::Harness;
pub use loader_csv::Dialect;
pub use loader_sandbox::{
    CacheLocation, HostValues, Limits, Metering, PlanContext, Plugin, PluginError, PluginErrorKind,
    Runtime,
};
pub use measure::Measured;
pub use output::{Cost, LogLine, OutputColumn, PluginOutput, Rejected};
pub use properties::{Broken, Property};
