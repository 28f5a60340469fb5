//! Schema evolution as values: what a table must become, the views in the way, and the statements for all of it.
//!
//! Nothing here does I/O, so nothing can fail but for what people wrote. `redshift::dependents` reads the views,
//! `redshift::restore` and `steps::recover` bring them back.

pub mod view;

pub mod journal;

pub mod view_config;

pub mod sql_text;

pub mod order;
