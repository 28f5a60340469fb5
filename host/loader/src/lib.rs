//! `loader`: CSV files from S3 into Amazon Redshift, through sandboxed WebAssembly plugins.
//!
//! Data flows one way: `cli` (what was typed) -> `job` (what was decided) -> `pipeline` -> `steps`
//! -> report. `s3` and `redshift::data_api` are the edges to AWS; everything between them and the
//! steps is values.

pub mod cli;

pub mod settings;

pub mod job;

pub mod pipeline;

pub mod steps;

pub mod evolution;

pub mod redshift;

pub mod s3;

pub mod aws;

pub mod calls;

pub mod files;

pub mod plugins;

pub mod capture;

pub mod names;

pub mod report;

pub mod log;

pub mod progress;

pub mod memory;

pub mod stop;

pub mod crash;

pub mod error;

pub mod commands;
