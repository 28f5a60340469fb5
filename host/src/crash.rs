//! Named points where a run can be made to die at once, so that tests can prove what a killed run leaves behind.
//!
//! Set by `LOADER_CRASH_AT` in builds with debug assertions; a release build has none of it.

use std::sync::OnceLock;

static CHOSEN: OnceLock<String> = OnceLock::new();

/// All points, in the order in which a run passes them.
pub const POINTS: [&str; 6] = ["catalog", "infer", "stage", "load", "staging-deleted", "archived"];

/// Chooses the point where this process dies.
pub fn choose(point: Option<String>) {
    if let Some(point) = point {
        // Chosen once, at the start.
        let _ = CHOSEN.set(point);
    }
}

/// Dies here when this point was chosen: no destructor runs, nothing is flushed.
pub fn point(name: &'static str) {
    debug_assert!(POINTS.contains(&name), "the point {name} is not listed");
    if cfg!(debug_assertions) && CHOSEN.get().is_some_and(|chosen| chosen == name) {
        std::process::abort();
    }
}
