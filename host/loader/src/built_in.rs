//! The default plugin as a part of the program, so that a load needs no other file, and building
//! the program no WebAssembly target.
//!
//! `cargo xtask plugins --bless` builds it from `plugins/default` and writes it here, with the compiler
//! that made it. `cargo xtask check` compares the two (docs/decisions/0038).

/// The component.
pub(crate) const DEFAULT_PLUGIN: &[u8] = include_bytes!("built_in/default.wasm");
