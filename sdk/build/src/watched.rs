//! Long commands that say how far they are, so that a user never waits in silence.
//!
//! Cargo draws a bar, but only on a terminal. In a log of continuous integration it says nothing
//! while one crate compiles for a minute. So a command is read here: its lines pass on as they
//! come, and when none has come for a while, one line tells where it stands, for example
//! `    Building 212/410 after 96 s: aws-sdk-s3, wasmtime`.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Read, Write};
use std::process::{ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// The longest silence. Shorter than the ten seconds after which people look for a fault.
const SILENCE: Duration = Duration::from_secs(8);

/// As many of a command's last lines as an error message repeats.
const LAST_LINES: usize = 12;

/// How a watched command ended.
#[derive(Debug)]
pub struct Ended {
    /// The command's own status.
    pub status: ExitStatus,
    /// The last lines that it wrote to stderr; empty when they were shown as they came.
    pub last_lines: Vec<String>,
}

/// Runs a cargo command with its progress on stderr: cargo's own bar on a terminal, lines
/// elsewhere. Error: it does not start.
pub fn cargo(command: &mut Command) -> io::Result<Ended> {
    if io::stderr().is_terminal() {
        return Ok(Ended { status: command.status()?, last_lines: Vec::new() });
    }
    // The bar is drawn into a pipe as well, and `Watch` makes lines of it.
    command.env("CARGO_TERM_PROGRESS_WHEN", "always").env("CARGO_TERM_PROGRESS_WIDTH", "100");
    watch(command, Watch::new(Lines::PassOn))
}

/// Runs a command whose lines interest only when it fails, such as a package manager. `what` it
/// does is said first, for example `installing postgresql`. Error: it does not start.
pub fn quietly(what: &str, command: &mut Command) -> io::Result<Ended> {
    let mut quiet = Watch::new(Lines::Keep);
    quiet.say(what);
    quiet.at = what.to_owned();
    watch(command.stdout(Stdio::null()), quiet)
}

fn watch(command: &mut Command, mut watch: Watch) -> io::Result<Ended> {
    let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let (sender, receiver) = mpsc::channel();
    let reader = child.stderr.take().map(|stderr| std::thread::spawn(|| read(stderr, sender)));
    watch.until_closed(&receiver);
    // The thread has ended: it held the other end of the channel.
    drop(reader);
    Ok(Ended { status: child.wait()?, last_lines: watch.last_lines.into() })
}

/// Sends what ends with a new line, or with the carriage return that takes a bar's place.
fn read(mut stderr: ChildStderr, sender: Sender<Piece>) {
    let (mut pieces, mut buffer) = (Pieces::default(), [0; 4096]);
    while let Ok(length @ 1..) = stderr.read(&mut buffer) {
        for piece in pieces.feed(&buffer[..length]) {
            if sender.send(piece).is_err() {
                return;
            }
        }
    }
    // A command that is stopped may leave a line without an end. The watch may be gone by then.
    let _ = sender.send(pieces.rest());
}

/// A part of what a command writes.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Line(String),
    /// A bar, which the next piece takes the place of.
    Bar(String),
}

/// Cuts a stream of bytes into pieces.
#[derive(Default)]
struct Pieces {
    open: Vec<u8>,
}

impl Pieces {
    fn feed(&mut self, bytes: &[u8]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for byte in bytes {
            let text = || String::from_utf8_lossy(&self.open).trim_end().to_owned();
            match byte {
                b'\n' => pieces.push(Piece::Line(text())),
                b'\r' => pieces.push(Piece::Bar(text())),
                other => {
                    self.open.push(*other);
                    continue;
                }
            }
            self.open.clear();
        }
        pieces
    }

    /// What is left at the end of the stream.
    fn rest(&self) -> Piece {
        Piece::Line(String::from_utf8_lossy(&self.open).trim_end().to_owned())
    }
}

/// What becomes of lines.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    PassOn,
    Keep,
}

/// Where a command stands.
struct Watch {
    lines: Lines,
    started: Instant,
    /// When the user last read something.
    spoke: Instant,
    /// What the command is at: its newest bar, or its newest line.
    at: String,
    last_lines: VecDeque<String>,
}

impl Watch {
    fn new(lines: Lines) -> Watch {
        let now = Instant::now();
        Watch { lines, started: now, spoke: now, at: String::new(), last_lines: VecDeque::new() }
    }

    fn until_closed(&mut self, pieces: &Receiver<Piece>) {
        loop {
            let left = SILENCE.saturating_sub(self.spoke.elapsed());
            match pieces.recv_timeout(left) {
                Ok(piece) => self.take(piece),
                Err(RecvTimeoutError::Timeout) => {
                    self.say(&standing(&self.at, self.started.elapsed()));
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn take(&mut self, piece: Piece) {
        match piece {
            Piece::Bar(bar) => self.at = bar,
            Piece::Line(line) if line.is_empty() => {}
            Piece::Line(line) => {
                if self.lines == Lines::PassOn {
                    self.say(&line);
                    self.at = line;
                    return;
                }
                if self.last_lines.len() == LAST_LINES {
                    self.last_lines.pop_front();
                }
                self.last_lines.push_back(line);
            }
        }
    }

    fn say(&mut self, line: &str) {
        // A closed stderr is no reason to stop the work.
        let _ = writeln!(io::stderr(), "{line}");
        self.spoke = Instant::now();
    }
}

/// The line that breaks the silence. A bar such as `Building [====>   ] 5/9: serde` loses its
/// drawing, and every other text is kept.
fn standing(at: &str, since: Duration) -> String {
    let seconds = since.as_secs();
    let bar = at.split_once('[').and_then(|(verb, rest)| Some((verb, rest.split_once("] ")?.1)));
    match (bar, at) {
        (Some((verb, rest)), _) => {
            let (count, crates) = rest.split_once(": ").unwrap_or((rest, "…"));
            format!("    {} {count} after {seconds} s: {crates}", verb.trim())
        }
        (None, "") => format!("    … {seconds} s"),
        (None, line) => format!("    … {seconds} s: {}", line.trim()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_bars_are_told_apart_wherever_the_bytes_are_cut() {
        let written = "   Compiling itoa v1.0.19\n    Building [=> ] 1/3: ryu   \r\nerror: no\n";
        let line = |text: &str| Piece::Line(text.to_owned());
        let expected = [
            line("   Compiling itoa v1.0.19"),
            Piece::Bar("    Building [=> ] 1/3: ryu".to_owned()),
            line(""),
            line("error: no"),
        ];
        for size in 1..written.len() {
            let mut pieces = Pieces::default();
            let cut = written.as_bytes().chunks(size).flat_map(|bytes| pieces.feed(bytes));
            assert_eq!(cut.collect::<Vec<_>>(), expected, "cut into {size} bytes");
        }
    }

    #[test]
    fn a_silence_is_broken_by_a_line_that_says_where_it_stands() {
        let after = |at| standing(at, Duration::from_millis(96_400));
        assert_eq!(
            after("    Building [=====>     ] 212/410: aws-sdk-s3, wasmtime"),
            "    Building 212/410 after 96 s: aws-sdk-s3, wasmtime"
        );
        assert_eq!(after("    Building [=====>   ] 1/3"), "    Building 1/3 after 96 s: …");
        assert_eq!(after("   Compiling serde"), "    … 96 s: Compiling serde");
        assert_eq!(after(""), "    … 96 s");
    }

    #[test]
    fn a_quiet_command_keeps_its_last_lines_for_the_error() {
        let script = "for i in $(seq 19); do echo line $i >&2; done; printf 'line 20' >&2; exit 3";
        let ended =
            quietly("counting", Command::new("sh").args(["-c", script])).expect("sh starts");
        assert_eq!(ended.status.code(), Some(3));
        assert_eq!(ended.last_lines.first().map(String::as_str), Some("line 9"));
        assert_eq!(ended.last_lines.last().map(String::as_str), Some("line 20"));
    }
}
