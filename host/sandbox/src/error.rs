//! Errors of plugins. They say which plugin failed, where, and what the reader can do next.
//!
//! The kind tells who has to act. The text is one sentence: plugin, call, rows, column, fact, the
//! plugin's own last words, the place in its code, remedy. wasmtime's messages may be shown, but
//! are never interpreted. For example: `plugin default 0.1.0 (sha256 1a2b3c4d): process, rows
//! 1-16384: ran longer than process_seconds = 10 s; raise it in [limits] or mend the plugin`.

use std::fmt;
use std::ops::RangeInclusive;

/// Who is at fault, and so who has to act. For example, the user corrects a config, and the
/// plugin's author a trap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PluginErrorKind {
    /// The file is not a WebAssembly component, or the component is not a plugin.
    NotAPlugin,
    /// The plugin was made for another version of the contract.
    ContractVersion,
    /// The plugin imports a function that the sandbox does not offer.
    ForbiddenImport,
    /// The plugin refused its config (`bad-config`).
    Config,
    /// The plugin refused the input, with an error of its own.
    Refused,
    /// The plugin crashed.
    Trap,
    /// The plugin ran into one of the [`Limits`](crate::Limits).
    Limit,
    /// The plugin broke the contract: its answer cannot be used.
    Protocol,
    /// The host itself failed: for example, a thread does not start.
    Host,
}

/// An error of a plugin. `Display` gives the whole sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct PluginError(Box<Sentence>);

impl PluginError {
    /// The kind of the error, which tells who has to act.
    pub fn kind(&self) -> PluginErrorKind {
        self.0.kind
    }

    /// The column that the error is about, if the error is about a column.
    pub fn column(&self) -> Option<&str> {
        self.0.column.as_deref()
    }

    /// The code with which the plugin refused (for example, `out-of-range`), if it did.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The place of the first mistake in the plugin's config, as a JSON pointer, when the config
    /// does not fit its schema.
    pub fn config_pointer(&self) -> Option<&str> {
        self.0.config_pointer.as_deref()
    }

    pub(crate) fn new(kind: PluginErrorKind, fact: impl Into<String>) -> PluginError {
        PluginError(Box::new(Sentence {
            kind,
            config_pointer: None,
            plugin: None,
            call: None,
            rows: None,
            column: None,
            code: None,
            fact: fact.into(),
            said: None,
            frames: Vec::new(),
            remedy: None,
        }))
    }

    /// The plugin ran into a limit: `fact` names the limit with its value.
    pub(crate) fn limit(fact: impl Into<String>) -> PluginError {
        PluginError::new(PluginErrorKind::Limit, fact)
            .remedy("raise it in [limits] or mend the plugin")
    }

    /// The guest broke the contract. The fact may repeat text of the guest, and so is tamed.
    pub(crate) fn protocol(fact: impl fmt::Display) -> PluginError {
        PluginError::new(PluginErrorKind::Protocol, tame(&fact.to_string(), 2048))
            .remedy("this is a mistake in the plugin: report it to its author")
    }

    pub(crate) fn host(fact: impl Into<String>) -> PluginError {
        PluginError::new(PluginErrorKind::Host, fact)
    }

    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> PluginError {
        self.0.remedy = Some(remedy.into());
        self
    }

    /// Sets the plugin, unless it is set already.
    // An error is built from the inside out, and the innermost place knows best. So `of`,
    // `in_call`, `for_rows` and `for_column` never overwrite.
    pub(crate) fn of(mut self, plugin: impl fmt::Display) -> PluginError {
        self.0.plugin.get_or_insert_with(|| plugin.to_string());
        self
    }

    pub(crate) fn in_call(mut self, call: Call) -> PluginError {
        self.0.call.get_or_insert(call);
        self
    }

    pub(crate) fn for_rows(mut self, rows: Option<RangeInclusive<i64>>) -> PluginError {
        self.0.rows = self.0.rows.or(rows);
        self
    }

    pub(crate) fn for_column(mut self, column: Option<String>) -> PluginError {
        self.0.column = self.0.column.or(column);
        self
    }

    pub(crate) fn with_code(mut self, code: String) -> PluginError {
        self.0.code = Some(code);
        self
    }

    pub(crate) fn at_config(mut self, pointer: String) -> PluginError {
        self.0.config_pointer = Some(pointer);
        self
    }

    pub(crate) fn guest_said(mut self, said: Option<String>) -> PluginError {
        self.0.said = said;
        self
    }

    pub(crate) fn with_frames(mut self, frames: Vec<String>) -> PluginError {
        self.0.frames = frames;
        self
    }
}

/// The calls that a plugin gets, as the contract names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Instantiate,
    ConfigSchema,
    MakePlan,
    Open,
    Process,
    Finish,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Call::Instantiate => "instantiation",
            Call::ConfigSchema => "config-schema",
            Call::MakePlan => "make-plan",
            Call::Open => "open",
            Call::Process => "process",
            Call::Finish => "finish",
        })
    }
}

#[derive(Debug)]
struct Sentence {
    kind: PluginErrorKind,
    config_pointer: Option<String>,
    plugin: Option<String>,
    call: Option<Call>,
    rows: Option<RangeInclusive<i64>>,
    column: Option<String>,
    code: Option<String>,
    fact: String,
    said: Option<String>,
    frames: Vec<String>,
    remedy: Option<String>,
}

impl Sentence {
    /// Call, rows and column, as far as they are known: for example, `process, rows 1-16384`.
    fn place(&self) -> String {
        let mut place = Vec::new();
        place.extend(self.call.map(|call| call.to_string()));
        place.extend(self.rows.as_ref().map(|rows| match (rows.start(), rows.end()) {
            (first, last) if first == last => format!("row {first}"),
            (first, last) => format!("rows {first}-{last}"),
        }));
        place.extend(self.column.as_ref().map(|column| format!("column {column:?}")));
        place.join(", ")
    }
}

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(plugin) = &self.plugin {
            write!(f, "plugin {plugin}: ")?;
        }
        let place = self.place();
        if !place.is_empty() {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.fact)?;
        if let Some(said) = &self.said {
            write!(f, ", after it said {said:?}")?;
        }
        if !self.frames.is_empty() {
            write!(f, " (in {})", self.frames.join(" < "))?;
        }
        if let Some(remedy) = &self.remedy {
            write!(f, "; {remedy}")?;
        }
        Ok(())
    }
}

/// Makes a guest's text fit for a terminal and a log: no control characters, no characters that
/// change the direction of writing, and at most `max_bytes`, followed by `…` where it was cut. For
/// example, `äöü` in 4 bytes is `äö…`.
pub(crate) fn tame(text: &str, max_bytes: usize) -> String {
    let mut tamed = String::with_capacity(text.len().min(max_bytes));
    for c in text.trim_end().chars() {
        let c = match c {
            '\n' | '\r' | '\t' => ' ',
            c if c.is_control() || is_direction_mark(c) => '\u{fffd}',
            c => c,
        };
        if tamed.len() + c.len_utf8() > max_bytes {
            tamed.push('…');
            break;
        }
        tamed.push(c);
    }
    tamed
}

/// Characters that reorder the text after them on a terminal. (For example, `gpj.exe` after U+202E
/// looks like `exe.jpg`.)
fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_as_one_sentence() {
        let error = PluginError::limit("ran longer than process_seconds = 10 s")
            .of("default 0.1.0 (sha256 1a2b3c4d)")
            .in_call(Call::Process)
            .for_rows(Some(1..=16384))
            .for_column(Some("amount".into()))
            .guest_said(Some("still \"thinking\"".into()))
            .with_frames(vec!["plugin::spin".into(), "plugin::process".into()]);
        insta::assert_snapshot!(error, @r#"plugin default 0.1.0 (sha256 1a2b3c4d): process, rows 1-16384, column "amount": ran longer than process_seconds = 10 s, after it said "still \"thinking\"" (in plugin::spin < plugin::process); raise it in [limits] or mend the plugin"#);
    }

    #[test]
    fn text_of_a_guest_cannot_drive_a_terminal() {
        assert_eq!(tame("a\u{1b}[31mb\nc\u{202e}d\n", 100), "a\u{fffd}[31mb c\u{fffd}d");
        assert_eq!(tame("äöü", 4), "äö…");
    }
}
