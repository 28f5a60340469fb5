//! Record batches as Arrow IPC bytes, the only form in which rows cross the sandbox, for both sides
//! of it.
//!
//! A message is what the contract (`wit/0.1/plugin.wit`) calls one: a schema, or a single
//! uncompressed record batch without its schema, framed by the continuation marker and the length
//! of its header. [`encode_schema`] and [`encode_batch`] write them, [`trusted`] reads what the
//! host wrote, [`untrusted`] what a plugin wrote. No I/O, no WebAssembly, no knowledge of what the
//! columns mean.

mod encode;
mod error;
mod frame;
mod layout;
mod limits;
pub mod trusted;
pub mod untrusted;
mod values;
mod violation;

pub use encode::{encode_batch, encode_columns, encode_schema};
pub use error::IpcError;
pub use violation::Violation;
