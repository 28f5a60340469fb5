//! Named points where a run can be made to die at once, so that tests can prove what a killed run
//! leaves behind.
//!
//! Set by `LOADER_CRASH_AT` in builds with debug assertions; a release build has none of it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::step::Step;

static CHOSEN: OnceLock<String> = OnceLock::new();

/// How many numbered points this process has passed.
static PASSED: AtomicU32 = AtomicU32::new(0);

/// All points, in the order in which a run passes them; numbered ones (`evolve-1`, `evolve-2`, …)
/// are not among them.
pub const POINTS: [&str; 7] =
    ["catalog", "infer", "stage", "evolved", "load", "staging-deleted", "archived"];

/// Chooses the point where this process dies.
pub fn choose(point: Option<String>) {
    if let Some(point) = point {
        // Chosen once, at the start.
        let _ = CHOSEN.set(point);
    }
}

/// Dies here when this point was chosen: no destructor runs, nothing is flushed.
pub(crate) fn point(name: &'static str) {
    debug_assert!(POINTS.contains(&name), "the point {name} is not listed");
    if cfg!(debug_assertions) && CHOSEN.get().is_some_and(|chosen| chosen == name) {
        std::process::abort();
    }
}

/// Dies after a step, when its point was chosen. Not every step has one.
pub(crate) fn after(step: Step) {
    match step {
        Step::Catalog => point("catalog"),
        Step::Infer => point("infer"),
        Step::Evolve => point("evolved"),
        Step::Load => point("load"),
        Step::Recover
        | Step::Plugins
        | Step::Source
        | Step::Plan
        | Step::CheckEvolution
        // Its point is passed when its rows have been judged.
        | Step::Stage
        | Step::Cleanup => {}
    }
}

/// The next of the points `<name>-1`, `<name>-2`, …: one between every two statements of a row of
/// them.
pub(crate) fn next(name: &'static str) {
    let number = PASSED.fetch_add(1, Ordering::Relaxed) + 1;
    if cfg!(debug_assertions)
        && CHOSEN.get().is_some_and(|chosen| *chosen == format!("{name}-{number}"))
    {
        std::process::abort();
    }
}
