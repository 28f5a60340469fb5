//! The data path: the bytes of a file become typed, transformed parts.
//!
//! In the order of the work: `decompress` and `infer` read the file once and know it afterwards;
//! `plan` decides what each column becomes; `transform` decodes, runs the plugins and conforms the
//! rows; `parts` writes them; `rejects` says what was left out and why.
//!
//! Bytes in, parts out: no network, no AWS, no command line, no async. It runs on threads here, and
//! can run inside another engine.

pub mod decompress;

pub mod infer;

pub mod plan;

pub mod transform;

mod conform;

pub mod rejects;

pub mod parts;

pub mod plugin_failure;
