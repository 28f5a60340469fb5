//! The end of a child process's log, for an error message. In: the file and its size before the
//! child wrote to it; out: the last lines since then.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// The last lines that were written to a log after it had `start` bytes; empty when the log cannot
/// be read.
// Reading starts 16 KiB before the end, but not before `start`, where the lines of an earlier
// process are, and not behind the end, where `start` is when the log was emptied since.
pub fn log_tail(log: &Path, start: u64) -> String {
    const LINES: usize = 12;
    const MAX_BYTES: u64 = 16 * 1024;
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(log)?;
        let end = file.metadata()?.len();
        file.seek(SeekFrom::Start(start.max(end.saturating_sub(MAX_BYTES)).min(end)))?;
        let mut bytes = Vec::new();
        file.take(MAX_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
