//! The data path: the bytes of a file become typed, transformed parts.
//!
//! In the order of the work: `decompress` and `infer` read the file once and know it afterwards;
//! `plan` decides what each column becomes; `transform` decodes the rows, runs the plugins and has
//! `conform` make the staged columns of what they return; `parts` writes them; `rejects` says which
//! rows were left out and why. `failures` says what an error of a plugin or of the CSV reader
//! means.
//!
//! Bytes in, parts out: no network, no AWS, no command line, no async. It runs on threads here, and
//! can run inside another engine.

pub mod decompress;
pub mod infer;
pub mod plan;
pub mod transform;

mod conform;

pub mod parts;
pub mod rejects;

pub mod failures;
