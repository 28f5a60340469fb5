//! The answers that the contract lets a plugin give: errors, outputs, counters.

use loader_sdk::bindings::exports::loader::plugin::transform as wire;

/// An honest error of the plugin.
pub(crate) fn refusal(code: &str, message: &str) -> wire::Error {
    wire::Error { code: code.to_owned(), message: message.to_owned(), column: None, row: None }
}

/// An error for a terminal: `\u{1b}[2J` clears it, `\u{7}` rings, `\u{202e}` turns a line around.
pub(crate) fn control_characters() -> wire::Error {
    let text = "line one\r\nline two\u{7}\u{1b}[2J\u{202e}\0";
    wire::Error { column: Some(text.to_owned()), ..refusal("re\u{1b}[31mfused", text) }
}

pub(crate) fn output(batch: Vec<u8>) -> wire::Output {
    wire::Output { batch, rejected: Vec::new(), reasons: Vec::new(), messages: Vec::new() }
}

pub(crate) fn rejecting(
    batch: Vec<u8>,
    rejected: Vec<u32>,
    reasons: Vec<u16>,
    messages: usize,
) -> wire::Output {
    let messages = vec![refusal("odd", "the row is not wanted"); messages];
    wire::Output { batch, rejected, reasons, messages }
}

pub(crate) fn counter(name: &str, value: u64) -> wire::Counter {
    wire::Counter { name: name.to_owned(), value }
}
