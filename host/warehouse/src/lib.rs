//! Redshift as text and values: how statements are spelt, what the catalog and its errors mean,
//! what a table may become for a file, and what happens to the views on it.
//!
//! The crate is pure: it builds SQL, reads answers and plans changes. It never talks to a
//! warehouse, to S3 or to the clock. `loader-aws` sends the statements, and the program decides
//! when.

pub mod load_batch;

pub mod evolution;

pub mod catalog;

pub mod dependents;

pub mod saved_view;

pub mod restore;

pub mod leftovers;

pub mod retention;

pub mod bookkeeping;

pub mod audit_table;

pub mod checkup;

pub mod past_runs;

pub mod load_errors;

pub mod refusal;

pub mod rows;

pub mod session;

pub mod sql;

mod guard;

mod sql_text;
