//! The SDK for transform plugins of `loader`, in Rust.
//!
//! A plugin sits between a CSV file and a table in Redshift: it gets the columns of the file and
//! says which columns the table gets. Most plugins are a [`Transform`], a list of steps over named
//! columns, without a word of Arrow:
//! ```
//! use loader_sdk::{Error, HostValue, NoConfig, Reject, Rows, Transform};
//!
//! struct Customers;
//!
//! impl Transform for Customers {
//!     type Config = NoConfig;
//!
//!     fn steps(_config: NoConfig, rows: &mut Rows) -> Result<(), Error> {
//!         rows.map("email", |email| Ok(email.map(str::to_lowercase)))?;
//!         rows.derive("name", ["first", "last"], |[first, last]| {
//!             Ok(first.text().zip(last.text()).map(|(first, last)| format!("{first} {last}")))
//!         })?;
//!         let minor = Reject::new("minor", "customers are at least 18");
//!         rows.reject_when("age", minor, |age| Ok(age.integer()?.is_some_and(|age| age < 18)))?;
//!         rows.drop("internal_note")?.rename("kd_nr", "customer_id")?;
//!         rows.host_value("loaded_at", HostValue::RunStartedAt)?;
//!         Ok(())
//!     }
//! }
//!
//! loader_sdk::export_plugin!(Customers);
//! ```
//! | to | see |
//! |---|---|
//! | change, add, drop and rename columns, reject rows | [`Rows`] has all steps |
//! | read a cell as a number, a date, a boolean | [`Cell`] |
//! | compute with money | [`Decimal`], [`Rows::derive_decimal`] |
//! | let users set something | [`Transform::Config`] |
//! | run the steps under `cargo test` | [`testing::Sample`] |
//! | count something for the report of a load | [`Rows::counter`] |
//! | work on Arrow arrays | [`Plugin`], below |
//!
//! A [`Plugin`] is the whole contract, in terms of Arrow: schemas and record batches in, arrays
//! out. A plugin says once for a load, as a [`Plan`], where each output column comes from. A column
//! that the plugin passes through, or lets the host cast, never enters the sandbox. The columns
//! that the plugin computes are computed batch by batch in a [`Session`].
//!
//! The logic is plain Rust and runs under `cargo test` as it stands. [`export_plugin!`] turns it
//! into a component when the crate is built for `wasm32-unknown-unknown`.
//!
//! ```
//! use std::sync::Arc;
//! use loader_sdk::arrow_array::{RecordBatch, StringArray, cast::AsArray};
//! use loader_sdk::arrow_schema::{DataType, Schema, SchemaRef};
//! use loader_sdk::{Context, Error, Output, Plan, Plugin, Session};
//!
//! /// Writes every text column in capitals.
//! struct Capitals;
//!
//! impl Plugin for Capitals {
//!     type Session = CapitalsSession;
//!
//!     fn make_plan(_context: &Context, input: &Schema) -> Result<Plan, Error> {
//!         let mut plan = Plan::new(input);
//!         for (index, field) in input.fields().iter().enumerate() {
//!             match field.data_type() {
//!                 DataType::Utf8 => plan.computed(field.name(), DataType::Utf8, &[index]),
//!                 _ => plan.passthrough(index, field.name()),
//!             }
//!         }
//!         Ok(plan)
//!     }
//!
//!     fn open_session(_state: &[u8], _inputs: &SchemaRef) -> Result<CapitalsSession, Error> {
//!         Ok(CapitalsSession)
//!     }
//! }
//!
//! struct CapitalsSession;
//!
//! impl Session for CapitalsSession {
//!     fn process(&mut self, batch: &RecordBatch) -> Result<Output, Error> {
//!         let capitals = |text: Option<&str>| text.map(str::to_uppercase);
//!         let columns = batch.columns().iter().map(|column| {
//!             Arc::new(column.as_string::<i32>().iter().map(capitals).collect::<StringArray>()) as _
//!         });
//!         Ok(Output::columns(columns.collect()))
//!     }
//! }
//!
//! loader_sdk::export_plugin!(Capitals);
//! ```
//!
//! The crate does the rest. A panic ends the load with its message and its place, allocations are
//! aligned so that decimal columns are read without a copy, and [`log`] writes to the load's log.

#![deny(missing_docs)]

mod config;
mod error;
mod log;
mod output;
mod plan;
mod plugin;
mod transform;

#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

#[cfg(target_arch = "wasm32")]
mod allocator;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod bindings;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod component;

pub use arrow_array;
pub use arrow_buffer;
pub use arrow_schema;
pub use config::{NoConfig, config_schema};
pub use error::Error;
pub use loader_ipc as ipc;
pub use loader_values as values;
pub use log::{Level, log};
pub use output::{Counter, Output, Reason, Rejects};
pub use plan::{Context, Expr, HostValue, Plan, PlanColumn};
pub use plugin::{Plugin, Session};
pub use transform::{
    Cell, Columns, Date, Decimal, Kind, Reject, Rounding, Rows, RowsSession, Tally, Timestamp,
    Transform, Value,
};
pub use {schemars, serde, serde_json};

/// How closures name and get columns; an implementation detail of [`Columns`].
#[doc(hidden)]
pub use transform::{Array, Many, One, Shape};

/// Makes a component of a [`Plugin`] when the crate is built for `wasm32`. Elsewhere the macro
/// expands to nothing, so that the same crate runs under `cargo test`.
///
/// Call it once, in a crate of type `["cdylib", "rlib"]`:
/// ```
/// # use loader_sdk::{Context, Error, Output, Plan, Plugin, Session, arrow_array::RecordBatch, arrow_schema::*};
/// struct Identity;
///
/// impl Plugin for Identity {
///     type Session = Nothing;
///     fn make_plan(_context: &Context, input: &Schema) -> Result<Plan, Error> {
///         let mut plan = Plan::new(input);
///         for (index, field) in input.fields().iter().enumerate() {
///             plan.passthrough(index, field.name());
///         }
///         Ok(plan)
///     }
///     fn open_session(_state: &[u8], _inputs: &SchemaRef) -> Result<Nothing, Error> {
///         Ok(Nothing)
///     }
/// }
///
/// struct Nothing;
///
/// impl Session for Nothing {
///     fn process(&mut self, _batch: &RecordBatch) -> Result<Output, Error> {
///         Ok(Output::default())
///     }
/// }
///
/// loader_sdk::export_plugin!(Identity);
/// ```
#[macro_export]
macro_rules! export_plugin {
    ($plugin:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            // An alias, because `export!` takes a single name and no type with parameters.
            type Exported = $crate::component::Component<$plugin>;
    $crate::bindings::export!(Exported with_types_in $crate::bindings);
        };
    };
}
