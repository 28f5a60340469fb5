//! The Rust code that wasmtime generates from the contract in `wit/0.1`: the plugin's functions as
//! the host calls them, and the host's functions as a plugin calls them.

wasmtime::component::bindgen!({ path: "../../wit/0.1", world: "plugin" });
