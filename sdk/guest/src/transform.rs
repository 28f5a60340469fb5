//! Transforms without Arrow: a list of steps over named columns, made once for a load and carried
//! out batch by batch.
//!
//! The module is built on [`Plugin`](crate::Plugin) and [`Session`](crate::Session), and uses
//! nothing that they do not offer to every plugin.

pub(crate) mod cell;
mod column_list;
mod columns;
pub(crate) mod decimal;
pub(crate) mod kind;
mod plugin;
pub(crate) mod reader;
pub(crate) mod reject;
mod rows;
mod session;
mod state;
mod step;
mod tally;
pub(crate) mod value;

pub use cell::Cell;
pub use columns::{Array, Columns, Many, One, Shape};
pub use decimal::{Decimal, Rounding};
pub use kind::Kind;
pub use plugin::Transform;
pub use reject::Reject;
pub use rows::Rows;
pub use session::RowsSession;
pub use tally::Tally;
pub use value::{Date, Timestamp, Value};
