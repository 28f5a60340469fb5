//! Lines in the load's log.

/// How much a log line matters.
// The numbers are those of the contract's `log`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Level {
    /// A failure.
    Error = 1,
    /// A fact that is not as it should be, but does not stop the plugin.
    Warning = 2,
    /// A fact that a reader of the log wants to know.
    Info = 3,
    /// A detail for a reader who looks into the plugin.
    Debug = 4,
}

/// Writes one line to the load's log; outside the sandbox, to standard error.
///
/// The host cuts long lines, and drops lines when there are too many. Do not log the values of
/// cells: logs are kept and shared.
///
/// ```
/// loader_sdk::log(loader_sdk::Level::Info, "the target has no such column; keeping the text");
/// ```
pub fn log(level: Level, message: &str) {
    #[cfg(target_arch = "wasm32")]
    crate::bindings::loader::plugin::host::log(level as u8, message);
    #[cfg(not(target_arch = "wasm32"))]
    eprintln!("{level:?}: {message}");
}
