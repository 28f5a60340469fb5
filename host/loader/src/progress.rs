//! How far a load is, while it goes on: a line for each file on a terminal, lines of text or JSON
//! where they are asked for, and otherwise nothing, since the log has a line for each step.
//!
//! What goes on is either counted in bytes, with a bar, a rate and the time that is left, or it
//! waits for the warehouse, with the statement that runs and how long it has.

mod lines;

use std::io::IsTerminal;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use loader_model::choices::ProgressMode;

use lines::Lines;

/// The lines of all loads of this process.
static BARS: OnceLock<MultiProgress> = OnceLock::new();

const DRAWN_A_SECOND: u8 = 10;
/// The longest name of a file that is shown whole.
const NAME: usize = 24;

/// Prints a line above the bars. They are taken away, the line is printed, and they are drawn again
/// below it; without this the line would share one of the terminal with a bar.
pub(crate) fn above_bars(print: impl FnOnce()) {
    match BARS.get() {
        Some(bars) => bars.suspend(print),
        None => print(),
    }
}

/// Whether loads are shown as bars, so that the log need not say what they show.
pub(crate) fn has_bars() -> bool {
    BARS.get().is_some()
}

/// How many of the files are done, below the lines of those that are at work.
pub(crate) struct Overall(Option<ProgressBar>);

impl Overall {
    /// The progress of so many files. One alone needs none.
    pub(crate) fn of(files: usize, mode: ProgressMode) -> Overall {
        if files < 2 || mode != ProgressMode::Auto || !std::io::stderr().is_terminal() {
            return Overall(None);
        }
        let bar = bars().add(ProgressBar::new(files as u64));
        set_style(&bar, "{prefix:24} {pos} of {len} {wide_bar} {elapsed:>4}");
        bar.set_prefix("files");
        bar.tick();
        Overall(Some(bar))
    }

    /// One file more is done.
    pub(crate) fn advance(&self) {
        self.0.iter().for_each(|bar| bar.inc(1));
    }

    /// Takes the line away.
    pub(crate) fn finish(&self) {
        self.0.iter().for_each(ProgressBar::finish_and_clear);
    }
}

fn bars() -> &'static MultiProgress {
    BARS.get_or_init(|| {
        MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(DRAWN_A_SECOND))
    })
}

/// How far one load is. Clones move the same line.
#[derive(Clone)]
pub struct Progress(Shown);

#[derive(Clone)]
enum Shown {
    Nothing,
    Bar(ProgressBar),
    Lines(Arc<Lines>),
}

impl Progress {
    /// The progress of a load. `name`: of its file.
    pub fn of_load(name: &str, run_id: &str, mode: ProgressMode) -> Progress {
        let lines = |as_json| Progress(Shown::Lines(Arc::new(Lines::of(name, run_id, as_json))));
        match mode {
            ProgressMode::None => Progress::hidden(),
            ProgressMode::Lines => lines(false),
            ProgressMode::Json => lines(true),
            ProgressMode::Auto if std::io::stderr().is_terminal() => Progress::bar(name),
            ProgressMode::Auto => Progress::hidden(),
        }
    }

    /// A progress that is never shown.
    pub fn hidden() -> Progress {
        Progress(Shown::Nothing)
    }

    fn bar(name: &str) -> Progress {
        // Above the line of all files, if there is one.
        let bar = bars().insert(0, ProgressBar::no_length());
        bar.set_prefix(crate::words::shortened(name, NAME));
        set_style(&bar, "{prefix:24} {elapsed}");
        Progress(Shown::Bar(bar))
    }

    /// The load is one of several files, of which the name is that of the first.
    pub fn stands_for(&self, name: &str, files: usize) {
        let more = format!(" +{}", files.saturating_sub(1));
        match &self.0 {
            Shown::Nothing => {}
            Shown::Bar(bar) => {
                let room = NAME.saturating_sub(more.len());
                bar.set_prefix(crate::words::shortened(name, room) + &more);
            }
            Shown::Lines(lines) => lines.rename(format!("{name}{more}")),
        }
    }

    /// Begins to count bytes. `what`: a verb such as `reading`.
    pub fn begin(&self, what: &'static str, total_bytes: u64) {
        match &self.0 {
            Shown::Nothing => {}
            Shown::Bar(bar) => {
                set_style(
                    bar,
                    "{prefix:24} {msg:9} {wide_bar} {bytes:>10} {bytes_per_sec:>12} {eta:>4}",
                );
                bar.set_message(what);
                bar.set_length(total_bytes);
                bar.set_position(0);
                bar.reset_eta();
            }
            Shown::Lines(lines) => lines.begin(what, total_bytes),
        }
    }

    /// So many bytes more are done.
    pub fn advance(&self, bytes: u64) {
        match &self.0 {
            Shown::Nothing => {}
            Shown::Bar(bar) => bar.inc(bytes),
            Shown::Lines(lines) => lines.advance(bytes),
        }
    }

    /// Says what the warehouse does. `what`: a verb with what is known of it, such as `copying`.
    pub fn waits_for(&self, what: &str) {
        match &self.0 {
            Shown::Nothing => {}
            Shown::Bar(bar) => {
                if bar.message() != what {
                    set_style(bar, "{prefix:24} {msg} {elapsed}");
                    bar.set_message(what.to_owned());
                    bar.reset_elapsed();
                    // The time goes on while nothing is heard of the statement.
                    bar.enable_steady_tick(Duration::from_secs(1));
                }
            }
            Shown::Lines(lines) => lines.waits_for(what),
        }
    }

    /// Whether anybody sees it.
    pub fn is_shown(&self) -> bool {
        !matches!(self.0, Shown::Nothing)
    }

    /// Takes the line away.
    pub fn finish(&self) {
        if let Shown::Bar(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

fn set_style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}
