//! The COPY statement: what is copied from where, and how fields are read. In: tokens. Out: a
//! checked [`CopyStatement`], which the crate's `copy` runs.

mod options;
mod pattern;
mod statement;

pub(crate) use options::parse;
pub(crate) use pattern::part_at;
pub(crate) use statement::{Compression, CopyStatement, FileFormat, Moment, TextOptions};
