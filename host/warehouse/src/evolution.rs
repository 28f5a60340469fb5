//! Schema evolution as values. The columns that a file needs are compared with the table, which
//! gives the changes and the script that makes them. Nothing here talks to the warehouse.
//!
//! Reading order: `change` (the table), `script` (in which order, in which transactions), `journal`
//! and `view_config` (the two objects in S3 that take part).

pub mod change;

pub mod script;

pub mod journal;

pub mod view_config;
