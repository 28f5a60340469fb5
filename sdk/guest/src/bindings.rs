//! The generated bindings of the contract, for [`component`](crate::component) and for plugins that
//! speak the contract without this crate's types. Only built for the sandbox.

#![allow(unreachable_pub, clippy::all, reason = "generated")]

wit_bindgen::generate!({
    path: "../../wit/0.1",
    world: "plugin",
    pub_export_macro: true,
    default_bindings_module: "loader_sdk::bindings",
});
