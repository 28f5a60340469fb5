//! Schema evolution as values: what a file asks of a table, held against what the table is, gives
//! the changes and the script that makes them. Nothing here talks to the warehouse.
//!
//! Reading order: `change` (the table), `script` (in which order, in which transactions), `journal`
//! and `view_config` (the two objects in S3 that have a say).

pub mod change;

pub mod script;

pub mod journal;

pub mod view_config;
