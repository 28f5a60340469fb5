//! Redshift: how statements are spelt, what the catalog and its errors mean, and the Data API that runs them.
//!
//! Everything but `data_api`, `catalog` and `bookkeeping` is text and values: no I/O.

pub mod types;

pub mod sql;

pub mod load_batch;

pub mod catalog;

pub mod bookkeeping;

pub mod data_api;

pub mod rows;

pub mod failures;

pub mod load_errors;
