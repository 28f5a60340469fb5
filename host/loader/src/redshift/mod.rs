//! Redshift: how statements are spelt, what the catalog and its errors mean, and the Data API that
//! runs them.
//!
//! Everything but `data_api`, `patience`, `catalog`, `bookkeeping`, `dependents` and `restore` is
//! text and values: no I/O.

pub mod types;

pub mod sql;

pub mod load_batch;

pub mod catalog;

pub mod bookkeeping;

pub mod dependents;

pub mod restore;

pub mod data_api;

pub mod patience;

pub mod rows;

pub mod failures;

pub mod load_errors;
