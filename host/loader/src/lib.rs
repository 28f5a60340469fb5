//! `loader`: CSV files from S3 into Amazon Redshift, through sandboxed WebAssembly plugins.
//!
//! Data flows one way: `cli` (what was typed) -> `job` (what was decided) -> `run` and its `line`
//! of `steps` -> `report`. The rows themselves go through `loader-data`, `loader-warehouse` spells
//! the SQL, and `loader-aws` sends the requests; this crate puts them together.

pub mod cli;

mod settings;

pub mod job;

mod layout;

mod run;

mod line;

mod step;

mod steps;

mod values;

mod tools;

mod data_path;

mod backlog;

pub mod engine;

mod feeds;

mod leftovers;

mod retention;

mod found;

mod service;

pub mod hooks;

mod figures;

pub mod telemetry;

mod https;

mod built_in;

pub mod redshift;

mod plugin_identity;

mod habit;

mod progress;

mod words;

mod past;

mod page;

mod preview;

mod old_journals;

pub mod doctor;

pub mod report;

pub mod signals;

pub mod crash;

pub mod commands;
