//! Named points where a run can be made to die at once, so that tests can prove what a killed run
//! leaves behind.
//!
//! `LOADER_CRASH_AT` names the point, in builds with debug assertions; a release build has none of
//! them. For example, `LOADER_CRASH_AT=stage` dies with all parts in S3 and no row in the table,
//! and `LOADER_CRASH_AT=evolve-3` dies after the first transaction of a schema change.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::step::Step;

static CHOSEN: OnceLock<String> = OnceLock::new();

/// How many numbered points this process has passed.
// All names share this counter, which is right as long as `evolve` is the only numbered name. The
// points of one run are passed one after the other, so `Relaxed` orders enough.
static PASSED: AtomicU32 = AtomicU32::new(0);

/// All points, in the order in which a run passes them, without the numbered ones (`evolve-1`,
/// `evolve-2`, …).
pub const POINTS: [&str; 9] = [
    "catalog",
    "infer",
    "stage",
    "evolved",
    "filled",
    "load",
    "staging-deleted",
    "copied",
    "archived",
];

/// Chooses the point where this process dies.
pub fn choose(point: Option<String>) {
    if let Some(point) = point {
        // Chosen once, at the start.
        let _ = CHOSEN.set(point);
    }
}

/// Dies here when this point was chosen. No destructor runs and nothing is flushed, as when the
/// system kills the process.
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
        // `stage` calls its point itself, since it still judges the rejected rows after its step.
        | Step::Stage
        | Step::Cleanup => {}
    }
}

/// Passes the next of the points `<name>-1`, `<name>-2`, …, and dies there when it was chosen.
pub(crate) fn next(name: &'static str) {
    let number = PASSED.fetch_add(1, Ordering::Relaxed) + 1;
    if cfg!(debug_assertions)
        && CHOSEN.get().is_some_and(|chosen| *chosen == format!("{name}-{number}"))
    {
        std::process::abort();
    }
}
