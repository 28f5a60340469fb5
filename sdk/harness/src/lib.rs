//! Runs a plugin on rows or CSV, in the sandbox that it will meet in a load, and hands back all
//! that came of it.
//!
//! The [`Harness`] uses the runtime, the limits, the type inference and the checks of the program
//! itself: what passes here passes there. A [`PluginOutput`] has every value as exact text,
//! compares with `==`, and prints as a table, so it suits `assert_eq!` as well as a snapshot. No
//! AWS, no warehouse, no async.
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
//! [`Harness::broken_properties`] tries what every plugin must bear: its rows cut into batches
//! anywhere, spread over instances in any order, missing, or all NULL. [`Harness::test_case`] does
//! that to a folder with an input and what is expected of it; `loader plugin test` runs a folder of
//! such folders. [`Harness::measure_csv`] says what rows cost, and `loader plugin bench` holds that
//! against what they cost before.

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
