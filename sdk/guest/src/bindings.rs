//! The generated bindings of the contract, for [`component`](crate::component) and for plugins that
//! speak the contract without this crate's types. They are only built for the sandbox.

#![allow(unsafe_code, unreachable_pub, clippy::all, reason = "generated")]

include!("bindings/plugin.generated");
