//! The object store: everything that the program does in S3, and the only module that knows its
//! SDK.
//!
//! A listing is read to its last page, deletes go in batches of 1000 keys, and a move never loses a
//! file that its producer has replaced meanwhile.

mod store;

mod region;

mod read;

mod ranges;

mod write;

mod upload;

mod list;

mod delete;

mod move_object;

mod same_content;

mod in_parts;

mod mark;

mod patience;

#[cfg(test)]
mod fake;

pub use in_parts::Unfinished;
pub use list::Listed;
pub use move_object::Onto;
pub use ranges::{Beginning, Body};
pub use store::{ObjectInfo, Store};
