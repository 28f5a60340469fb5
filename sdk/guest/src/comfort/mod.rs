//! Transforms without Arrow: a list of steps over named columns, made once for a load, carried out
//! batch by batch.
//!
//! It stands on [`Plugin`](crate::Plugin) and [`Session`](crate::Session) and uses nothing that
//! they do not offer.

mod cell;
mod columns;
mod config;
mod decimal;
mod kind;
mod rows;
mod run;
mod step;
mod table;
mod transform;
mod value;

#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

pub use cell::Cell;
pub use columns::{Array, Columns, Many, One, Shape};
pub(crate) use config::parse;
pub use config::{NoConfig, config_schema};
pub use decimal::{Decimal, Rounding};
pub use kind::Kind;
pub use rows::Rows;
pub use run::RowsSession;
pub use step::{Reject, Tally};
pub use transform::Transform;
pub use value::{Date, Timestamp, Value};
