//! A finding as a key of the settings.
//!
//! The one place that knows which setting says what. A key that [`DialectSettings`] does not have,
//! or a value that [`form`] refuses, is a finding that the loader cannot be told yet: once the
//! setting is there, the finding is used without a change here.

use std::fmt;

use loader_sniff::{DateColumn, DecimalColumn, Delimiter, Findings, Sureness};
use toml::{Table, Value};

use crate::job::form;
use crate::settings::dialect_settings::DialectSettings;
use crate::settings::key::written_key;

/// The most digits of a DECIMAL.
const DECIMAL_DIGITS: usize = 38;

/// A setting that was found out.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) value: Value,
    pub(crate) sureness: Sureness,
    because: String,
    /// The finding as a sentence without its point.
    pub(crate) what: String,
}

/// The settings that findings come to, those too that say the default.
pub(crate) fn keys(found: &Findings) -> Vec<Key> {
    let mut keys = Vec::new();
    let mut add = |name, value: Value, sureness, because: &str, what: String| {
        keys.push(Key { name, value, sureness, because: because.to_owned(), what });
    };
    let encoding = &found.encoding;
    // A byte order mark says the encoding without a setting.
    if encoding.value.name != "UTF-8" && !encoding.value.has_mark {
        let what = format!("the file is {} text", encoding.value.name);
        let name = encoding.value.name.to_lowercase();
        add("encoding", name.into(), encoding.sureness, &encoding.because, what);
    }
    let delimiter = &found.delimiter;
    let (text, what) = delimiter_of(found);
    add("delimiter", text, delimiter.sureness, &delimiter.because, what);
    let quote = &found.quote;
    let text = quote.value.map_or("none".to_owned(), String::from);
    let what = format!("the quote is {text}");
    add("quote", text.into(), quote.sureness, &quote.because, what);
    for (name, finding) in [("escape", &found.escape), ("comment", &found.comment)] {
        let Some(character) = finding.value else { continue };
        let what = format!("the {name} character is {character}");
        add(name, character.to_string().into(), finding.sureness, &finding.because, what);
    }
    keys.extend(keys_of_rows(found));
    keys
}

/// A column with decimal commas as `[columns]` has it.
// As wide as the default plugin makes decimals: a scale that a sample has would round what comes
// later.
pub(crate) fn decimal_column(column: &DecimalColumn) -> String {
    let behind = DECIMAL_DIGITS - column.digits.0.clamp(20, DECIMAL_DIGITS);
    let groups = if column.has_groups { ", thousands = \".\"" } else { "" };
    format!(
        "{} = {{ type = \"decimal({DECIMAL_DIGITS},{behind})\", decimal-mark = \",\"{groups} }}",
        written_key(&column.name),
    )
}

/// A column of dates as `[columns]` has it. Where two formats fit, only a person knows, so it is a
/// comment.
pub(crate) fn date_column(column: &DateColumn) -> String {
    let kind = if column.has_time { "timestamp" } else { "date" };
    let line = |format: &String| {
        format!("{} = {{ type = \"{kind}\", format = \"{format}\" }}", written_key(&column.name))
    };
    match column.formats.as_slice() {
        [] => String::new(),
        [only] => line(only),
        [first, others @ ..] => format!("# {}  # or {}", line(first), others.join(" or ")),
    }
}

/// The settings that say which rows are no records.
fn keys_of_rows(found: &Findings) -> Vec<Key> {
    let number = |count: u64| Value::Integer(i64::try_from(count).unwrap_or(i64::MAX));
    let mut keys = Vec::new();
    let mut add = |name, value: Value, sureness, because: &str, what: String| {
        keys.push(Key { name, value, sureness, because: because.to_owned(), what });
    };
    let skip = &found.skip_rows;
    let what = format!("{} lines stand before the table", skip.value);
    add("skip-rows", number(skip.value), skip.sureness, &skip.because, what);
    let header = &found.header_rows;
    let rows = header.value.0;
    let what = format!("the header has {rows} rows");
    add("no-header", (rows == 0).into(), header.sureness, &header.because, what.clone());
    if rows > 1 {
        add("header-rows", number(rows), header.sureness, &header.because, what);
    }
    if let Some(footer) = found.footer.as_ref().filter(|footer| footer.value > 0) {
        let what = format!("{} rows stand behind the table", footer.value);
        add("skip-footer", number(footer.value), footer.sureness, &footer.because, what);
    }
    keys
}

/// The delimiter as a setting. A file of one column is read with any that it has not. What no text
/// says is `false`, which the setting does not take.
fn delimiter_of(found: &Findings) -> (Value, String) {
    match &found.delimiter.value {
        Delimiter::Text(text) => {
            (text.clone().into(), format!("the fields are parted by {}", found.delimiter.value))
        }
        Delimiter::Blanks => (false.into(), "the columns are aligned with blanks".to_owned()),
        Delimiter::OneColumn => {
            let text = found.unused_delimiter.map_or(false.into(), |c| String::from(c).into());
            (text, "the file has one column, and every usual delimiter in it".to_owned())
        }
    }
}

impl Key {
    /// How sure it is, and why.
    pub(crate) fn reason(&self) -> String {
        format!("{}: {}", self.sureness.word(), self.because)
    }

    /// The settings of this key alone. `None`: there is no such setting.
    fn alone(&self) -> Option<DialectSettings> {
        let table = Table::from_iter([(self.name.to_owned(), self.value.clone())]);
        Value::Table(table).try_into().ok()
    }

    /// The settings with this key, unless they have it. `None`: no setting says so.
    pub(crate) fn added_to(&self, settings: &DialectSettings) -> Option<DialectSettings> {
        let with = settings.clone().or(self.alone()?);
        form(&with).is_ok().then_some(with)
    }

    /// The settings with this key in the place of theirs. `None`: no setting says so.
    pub(crate) fn in_place_of(&self, settings: &DialectSettings) -> Option<DialectSettings> {
        let with = self.alone()?.or(settings.clone());
        form(&with).is_ok().then_some(with)
    }

    /// Whether a file is read otherwise once the settings have this key.
    pub(crate) fn changes(&self, settings: &DialectSettings) -> bool {
        let of = |settings: &DialectSettings| form(settings).ok();
        self.added_to(settings).is_some_and(|with| of(&with) != of(settings))
    }

    /// Whether the settings say something else of what decides all others: without the delimiter or
    /// the quote that were found, nothing else holds.
    pub(crate) fn is_contradicted(&self, given: &DialectSettings) -> bool {
        let decides = matches!(self.name, "delimiter" | "quote" | "escape");
        let (added, replaced) = (self.added_to(given), self.in_place_of(given));
        let of = |settings: &Option<DialectSettings>| {
            settings.as_ref().and_then(|settings| form(settings).ok())
        };
        decides && replaced.is_some() && of(&added) != of(&replaced)
    }

    /// The value as it is written on the command line.
    fn typed(&self) -> String {
        match &self.value {
            Value::String(text) if text == "\t" => "'\\t'".to_owned(),
            Value::String(text) if text == "'" => "\"'\"".to_owned(),
            Value::String(text) if text.chars().any(char::is_control) => {
                format!(
                    "$'{}'",
                    text.bytes().map(|byte| format!("\\x{byte:02x}")).collect::<String>()
                )
            }
            Value::String(text) if is_plain(text) => text.clone(),
            Value::String(text) => format!("'{text}'"),
            value => value.to_string(),
        }
    }
}

/// Whether a shell takes a text as it is.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// The key as flags: `--delimiter ';'`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            Value::Boolean(true) => write!(f, "--{}", self.name),
            Value::Boolean(false) => write!(f, "--{}=false", self.name),
            _ => write!(f, "--{} {}", self.name, self.typed()),
        }
    }
}
