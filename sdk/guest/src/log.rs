//! Lines in the load's log.

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Level {
    /// Something failed.
    Error = 1,
    /// Something is not as it should be.
    Warning = 2,
    /// Something that a reader of the log wants to know.
    Info = 3,
    /// For a reader who looks into the plugin.
    Debug = 4,
}

/// Writes one line to the load's log; outside the sandbox, to standard error.
///
/// The host cuts long lines and drops lines when there are too many. No cell values: logs are kept
/// and shared.
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
