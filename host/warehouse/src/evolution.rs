//! Schema evolution as values. The columns that a file needs are compared with the table, which
//! gives the changes and the script that makes them. Nothing here talks to the warehouse.
//!
//! Reading order: `change` (the table), `table_keys` (of a new one), `script` (in which order, in
//! which transactions), `journal` (what is missing between them), `view_config` (an object in S3
//! that takes part), `old_journal` (an object in S3 that took part in earlier versions).

pub mod change;

pub mod table_keys;

pub mod script;

pub mod journal;

pub mod old_journal;

pub mod view_config;
