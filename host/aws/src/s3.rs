//! The object store: everything that the program does in S3, and the only place that knows its SDK.
//!
//! Listings are read to their end, deletes go in batches of 1000, and a move never loses a file
//! that its producer replaced meanwhile.

mod store;

mod read;

mod write;

mod list;

mod delete;

mod move_object;

pub use list::Listed;
pub use read::Body;
pub use store::{ObjectInfo, Store};
