//! Progress as lines: one when something else begins, and then every few seconds.

use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;

/// How often a line is written while one thing goes on.
const PAUSE: Duration = Duration::from_secs(10);

/// The progress of one load.
pub(super) struct Lines {
    run_id: String,
    as_json: bool,
    state: Mutex<State>,
}

struct State {
    name: String,
    what: String,
    done: u64,
    /// `None`: no bytes are counted.
    total: Option<u64>,
    since: Instant,
    said: Instant,
}

impl Lines {
    pub(super) fn of(name: &str, run_id: &str, as_json: bool) -> Lines {
        let now = Instant::now();
        let name = name.to_owned();
        let state =
            State { name, what: String::new(), done: 0, total: None, since: now, said: now };
        Lines { run_id: run_id.to_owned(), as_json, state: Mutex::new(state) }
    }

    pub(super) fn rename(&self, name: String) {
        self.state().name = name;
    }

    pub(super) fn begin(&self, what: &str, total: u64) {
        self.change(what, Some(total));
    }

    pub(super) fn waits_for(&self, what: &str) {
        if self.state().what == what {
            return self.say_if_due();
        }
        self.change(what, None);
    }

    pub(super) fn advance(&self, bytes: u64) {
        self.state().done += bytes;
        self.say_if_due();
    }

    fn change(&self, what: &str, total: Option<u64>) {
        let now = Instant::now();
        let mut state = self.state();
        let name = std::mem::take(&mut state.name);
        *state = State { name, what: what.to_owned(), done: 0, total, since: now, said: now };
        self.say(&state);
    }

    fn say_if_due(&self) {
        let mut state = self.state();
        if state.said.elapsed() >= PAUSE {
            state.said = Instant::now();
            self.say(&state);
        }
    }

    fn say(&self, state: &State) {
        let line = if self.as_json { self.json(state) } else { self.text(state) };
        // A reader that went away is no reason to end a load.
        let _ = writeln!(std::io::stderr(), "{line}");
    }

    fn json(&self, state: &State) -> String {
        json!({
            "event": "progress",
            "file": state.name,
            "run_id": self.run_id,
            "doing": state.what,
            "bytes": state.total.map(|_| state.done),
            "total_bytes": state.total,
            "seconds": state.since.elapsed().as_secs(),
        })
        .to_string()
    }

    fn text(&self, State { name, what, done, total, since, .. }: &State) -> String {
        let seconds = since.elapsed().as_secs();
        let how_far = match total {
            Some(total) if *total > 0 => {
                let percent = (u128::from(*done) * 100 / u128::from(*total)).min(100);
                format!(", {percent} % of {total} bytes")
            }
            _ => String::new(),
        };
        format!("{name}: {what}{how_far}, {seconds} s")
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_it_is() {
        let lines = Lines::of("x.csv", "01a2", false);
        lines.begin("reading", 300);
        lines.advance(100);
        assert_eq!(lines.text(&lines.state()), "x.csv: reading, 33 % of 300 bytes, 0 s");
        let expected = r#"{"event":"progress","file":"x.csv","run_id":"01a2","doing":"reading","bytes":100,"total_bytes":300,"seconds":0}"#;
        assert_eq!(lines.json(&lines.state()), expected);
        lines.waits_for("copying");
        assert_eq!(lines.text(&lines.state()), "x.csv: copying, 0 s");
    }
}
