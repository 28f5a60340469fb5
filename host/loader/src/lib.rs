//! `loader`: CSV files from S3 into Amazon Redshift, through sandboxed WebAssembly plugins.
//!
//! Data flows one way: `cli` (what was typed) -> `job` (what was decided) -> `run` and its `line`
//! of `steps` -> `report`. The rows themselves go through `loader-data`, SQL comes from
//! `loader-warehouse`, requests go out through `loader-aws`; this crate puts them together.

pub mod cli;

pub mod settings;

pub mod job;

pub mod layout;

pub mod run;

pub mod line;

pub mod steps;

pub mod values;

pub mod tools;

pub mod data_path;

pub mod redshift;

pub mod preview;

pub mod report;

pub mod signals;

pub mod crash;

pub mod commands;
