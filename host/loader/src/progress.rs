//! How far a load is: a bar on a terminal, and nothing elsewhere, where the log has a line for each
//! step.

use std::io::IsTerminal;
use std::sync::OnceLock;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

static BARS: OnceLock<MultiProgress> = OnceLock::new();

/// Prints a line above the bar. The bar is taken away, the line is printed, and the bar is drawn
/// again below it; without this the two would share a line of the terminal.
pub(crate) fn above_bar(print: impl FnOnce()) {
    match BARS.get() {
        Some(bars) => bars.suspend(print),
        None => print(),
    }
}

/// A bar over the bytes of a file. Hidden unless stderr is a terminal. Clones move the same bar.
#[derive(Clone)]
pub struct Progress(ProgressBar);

impl Progress {
    /// Starts a bar. `what`: a verb such as `reading`.
    pub fn start(what: &'static str, total_bytes: u64) -> Progress {
        if !std::io::stderr().is_terminal() {
            return Progress::hidden();
        }
        let bars = BARS.get_or_init(|| {
            MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10))
        });
        let bar = bars.add(ProgressBar::new(total_bytes));
        let template =
            "{prefix:>12} {wide_bar} {bytes:>10} of {total_bytes:<10} {bytes_per_sec:>12}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(what);
        Progress(bar)
    }

    /// A bar that is never drawn.
    pub fn hidden() -> Progress {
        Progress(ProgressBar::hidden())
    }

    /// Moves the bar by so many bytes.
    pub fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}
