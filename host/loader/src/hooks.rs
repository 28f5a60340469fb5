//! Tells others of loads: webhooks and commands get the report of each load that ended so.
//!
//! In: a report. Out: nothing that a load would wait for, or fail by: hooks run beside the loads, are
//! tried again, and are logged when all was in vain. The program waits for them before it ends.

mod command;
mod failed;
mod webhook;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use loader_model::error::Kind;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::hooks::failed::Failed;
use crate::report::{Report, Status};
use crate::settings::hook_settings::{Hook, HookSettings, host};

/// How often a hook is tried, and the pause before the second time; it doubles each time.
const TRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Hooks that run at once, and that wait at most. Beyond it none is begun.
const AT_ONCE: usize = 8;
const WAITING: usize = 1000;
/// How long a program waits for them at its end.
pub const PATIENCE: Duration = Duration::from_secs(60);

static PLACES: Semaphore = Semaphore::const_new(AT_ONCE);
static BEGUN: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());

/// Tells who wants to know how a load has ended.
pub(crate) fn tell(hooks: &HookSettings, report: &Report) {
    let events = events(report);
    let hooks = [
        ("success", &hooks.on_success),
        ("failure", &hooks.on_failure),
        ("schema-change", &hooks.on_schema_change),
    ];
    for (event, hooks) in hooks.into_iter().filter(|(event, _)| events.contains(event)) {
        if hooks.0.is_empty() {
            continue;
        }
        let body: Arc<str> = json!({ "event": event, "report": report }).to_string().into();
        let mut begun = BEGUN.lock().unwrap_or_else(PoisonError::into_inner);
        begun.retain(|task| !task.is_finished());
        for hook in &hooks.0 {
            if begun.len() >= WAITING {
                tracing::warn!(event, "a hook was left out: {WAITING} others wait already");
                continue;
            }
            begun.push(tokio::spawn(try_again_and_again(hook.clone(), event, Arc::clone(&body))));
        }
    }
}

/// Waits for the hooks that were begun, and gives them up after a time.
pub async fn finish(patience: Duration) {
    let begun = std::mem::take(&mut *BEGUN.lock().unwrap_or_else(PoisonError::into_inner));
    let all = futures::future::join_all(begun);
    if tokio::time::timeout(patience, all).await.is_err() {
        tracing::warn!("hooks were given up: they took longer than {} s", patience.as_secs());
    }
}

/// What a report tells. A signal is no failure.
fn events(report: &Report) -> Vec<&'static str> {
    let [interrupted, terminated] = [2, 15].map(|signal| Kind::Interrupted(signal).exit_code());
    let mut events = match report.status {
        Status::Success => vec!["success"],
        Status::Failed if ![interrupted, terminated].contains(&report.exit_code) => vec!["failure"],
        Status::Failed | Status::AlreadyLoaded => Vec::new(),
    };
    if report.changes().next().is_some() {
        events.push("schema-change");
    }
    events
}

async fn try_again_and_again(hook: Hook, event: &'static str, body: Arc<str>) {
    let mut pause = FIRST_PAUSE;
    for tries in 1..=TRIES {
        // The semaphore is never closed.
        let Ok(place) = PLACES.acquire().await else { return };
        let ended = match &hook {
            Hook::Webhook(url) => webhook::post(url, &body).await,
            Hook::Command { command } => command::run(command, event, &body).await,
        };
        drop(place);
        match ended {
            Ok(()) => return,
            Err(Failed { why, passes }) if tries == TRIES || !passes => {
                tracing::warn!(event, hook = name(&hook), why, "a hook failed");
                return;
            }
            Err(Failed { why, .. }) => tracing::debug!(event, why, "a hook is tried again"),
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}

/// What a log may have of a hook.
fn name(hook: &Hook) -> String {
    match hook {
        Hook::Webhook(url) => host(url),
        Hook::Command { command } => command.first().cloned().unwrap_or_default(),
    }
}
