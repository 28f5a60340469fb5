//! Builds plugin crates: from Rust sources to WebAssembly components that a load can use.
//!
//! A plugin crate is a package with a library of type `cdylib` that calls
//! `loader_sdk::export_plugin!`. It is compiled by cargo for `wasm32-unknown-unknown` and wrapped,
//! with its name and version where the host looks for them. The same sources, lock file and
//! toolchain give the same bytes, wherever they lie, as long as the crate and the SDK are members
//! of one workspace or the SDK comes from a registry: cargo hashes absolute paths of all other
//! packages.
//!
//! ```no_run
//! use loader_build::{Toolchain, Workspace};
//!
//! let workspace = Workspace::read("my_plugin".as_ref())?;
//! let plugin = workspace.plugin_in("my_plugin".as_ref())?;
//! let built = workspace.build(&[plugin], &Toolchain::present()?, None)?;
//! built[0].write("my_plugin.wasm".as_ref())?;
//! # Ok::<(), loader_build::BuildError>(())
//! ```

#![deny(missing_docs)]

mod built;
mod compile;
mod component;
mod error;
mod toolchain;
pub mod watched;
mod workspace;

pub use built::Built;
pub use error::BuildError;
pub use toolchain::{TARGET, Toolchain};
pub use workspace::{PluginCrate, Workspace};
