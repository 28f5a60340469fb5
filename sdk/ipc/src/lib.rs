//! Record batches as Arrow IPC bytes, for both sides of the sandbox. Rows cross it in no other
//! form.
//!
//! The contract (`wit/0.1/plugin.wit`) defines a message: a schema, or a single uncompressed record
//! batch without its schema, framed by the continuation marker and the length of its header.
//! [`encode_schema`] and [`encode_batch`] write messages, [`trusted`] reads those of the host, and
//! [`untrusted`] reads those of a plugin. This crate does no I/O and no WebAssembly, and does not
//! know what the columns mean.

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
