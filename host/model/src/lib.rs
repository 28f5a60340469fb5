//! The values that the data path and the warehouse both speak of: column types and how they widen,
//! columns as the catalog has them and as a load wants them, names, the user's choices, errors.
//!
//! The crate has values and rules alone. It does no I/O, has no async code and no command line, and
//! knows nothing of AWS, the sandbox or CSV. So both sides can share it without knowing each other.

pub mod error;

pub mod names;

pub mod choices;

pub mod max_rejects;

pub mod column_type;

pub mod widening;

pub mod catalog_column;

pub mod target_column;

pub mod stop;
