//! The log of a plugin: lines through `host.log`, and the output of guests with WASI.
//!
//! Lines are bounded, tamed and passed to `tracing`. The last error line is kept, because a guest
//! that panics logs the reason just before it traps.

use std::sync::Arc;

use crate::error::tame;
use crate::limits::Limits;

/// Gets each line that a plugin logs, with its level: 1 error, 2 warning, 3 info, others debug.
pub type Listener = Arc<dyn Fn(u8, &str) + Send + Sync>;

/// The log of one instance.
pub(crate) struct GuestLog {
    plugin: String,
    line_bytes: usize,
    bytes_left: usize,
    last_error: Option<String>,
    dropped: u64,
    listener: Option<Listener>,
}

impl GuestLog {
    pub(crate) fn new(plugin: String, limits: &Limits, listener: Option<Listener>) -> GuestLog {
        GuestLog {
            plugin,
            line_bytes: limits.log_line_bytes,
            bytes_left: limits.log_bytes,
            last_error: None,
            dropped: 0,
            listener,
        }
    }

    /// Takes one line. `level` as in the contract: 1 error, 2 warning, 3 info, others debug.
    // The last error is kept even when the line is dropped, since it explains a trap. After the
    // first dropped line `bytes_left` is 0, so that no shorter line slips through and the log has
    // no gaps.
    pub(crate) fn line(&mut self, level: u8, text: &str) {
        let line = tame(text, self.line_bytes);
        if level == 1 {
            self.last_error = Some(line.clone());
        }
        if line.len() > self.bytes_left {
            self.bytes_left = 0;
            self.dropped += 1;
            return;
        }
        self.bytes_left -= line.len();
        if let Some(listener) = &self.listener {
            listener(level, &line);
        }
        let plugin = self.plugin.as_str();
        match level {
            1 => tracing::error!(plugin, line, "plugin says"),
            2 => tracing::warn!(plugin, line, "plugin says"),
            3 => tracing::info!(plugin, line, "plugin says"),
            _ => tracing::debug!(plugin, line, "plugin says"),
        }
    }

    /// Forgets the last error line, at the start of a call.
    pub(crate) fn start_call(&mut self) {
        self.last_error = None;
    }

    /// The last error line of the current call.
    pub(crate) fn last_error(&self) -> Option<String> {
        self.last_error.clone()
    }

    /// The number of lines that were dropped.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_past_the_limit_are_counted_and_the_last_error_is_kept() {
        let limits = Limits { log_line_bytes: 8, log_bytes: 20, ..Limits::default() };
        let mut log = GuestLog::new("chatty".into(), &limits, None);
        log.line(3, "12345678");
        log.line(3, "1234567890");
        assert_eq!(log.dropped(), 0);
        log.line(3, "one more");
        log.line(1, "why");
        assert_eq!(log.dropped(), 2);
        assert_eq!(log.last_error().as_deref(), Some("why"));
        log.start_call();
        assert_eq!(log.last_error(), None);
    }
}
