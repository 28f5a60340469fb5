//! Places in a settings file: the path of a key as people write it, and the line in which it
//! stands.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use loader_model::error::{Error, Kind, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::settings::key::{Key, Shown, take_out};
use crate::settings::suggest::with_suggestion;
use crate::settings::variables::{self, Surroundings, Unreadable};

/// A file of settings, kept so that messages can name lines of it.
#[derive(Debug)]
pub struct SettingsFile {
    name: String,
    text: String,
}

/// A value in a file. It is shown as its path, such as `tables."sales.orders".plugins[1]`.
#[derive(Clone, Debug)]
pub struct Place {
    file: Arc<SettingsFile>,
    keys: Vec<Key>,
}

/// What is wrong with a file.
pub(super) struct Wrong {
    /// The way to the value at fault; empty where the file is no TOML.
    pub(super) keys: Vec<Key>,
    /// Where it stands.
    pub(super) byte: Option<usize>,
    pub(super) error: Error,
}

impl SettingsFile {
    /// A file. `text` is TOML; it is empty for a file in another format, whose places have no
    /// lines.
    pub fn new(name: &str, text: &str) -> Arc<SettingsFile> {
        Arc::new(SettingsFile { name: name.to_owned(), text: text.to_owned() })
    }

    /// The file's name, as it is shown.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads the settings. Errors: `Config`, with line, column and the path of the key at fault.
    pub(crate) fn read<T: DeserializeOwned>(&self, surroundings: &Surroundings<'_>) -> Result<T> {
        self.read_without(&[], surroundings).map_err(|wrong| wrong.error)
    }

    /// Reads the settings as if some values were not there.
    pub(super) fn read_without<T: DeserializeOwned>(
        &self,
        taken_out: &[Vec<Key>],
        surroundings: &Surroundings<'_>,
    ) -> Result<T, Wrong> {
        let parsed = DeTable::parse(&self.text);
        let mut table = parsed.map_err(|error| self.wrong(Vec::new(), &error))?;
        for keys in taken_out {
            take_out(table.get_mut(), keys);
        }
        if let Err(unreadable) = variables::expand(table.get_mut(), surroundings) {
            let Unreadable { keys, span, fact } = unreadable;
            let fact = format!("{}: {fact}", Shown(&keys));
            return Err(self.invalid(keys, Some(span), &fact));
        }
        serde_path_to_error::deserialize(toml::Deserializer::from(table))
            .map_err(|error| self.wrong(keys(error.path()), error.inner()))
    }

    fn invalid(&self, keys: Vec<Key>, span: Option<Range<usize>>, fact: &str) -> Wrong {
        let byte = span.map(|span| span.start);
        let place = byte.map(|byte| self.line_and_column(byte));
        let place = place.map(|(line, column)| format!("line {line}, column {column}: "));
        let place = place.unwrap_or_default();
        let message = format!("{} is no valid settings file: {place}{fact}", self.name);
        Wrong { keys, byte, error: Error::new(Kind::Config, message) }
    }

    // TOML's own error knows its place when the text is no TOML. An error about a value, such as a
    // number where a text is expected, may come without one: then the path of the key, which
    // serde_path_to_error has kept, is looked up in the text.
    fn wrong(&self, keys: Vec<Key>, error: &toml::de::Error) -> Wrong {
        let span = error.span().or_else(|| self.find(&keys, |value| value.span()));
        let key = if keys.is_empty() { String::new() } else { format!("{}: ", Shown(&keys)) };
        let suggested = with_suggestion(error.message());
        // `[tables.orders.column]` is nearer to `columns` than to a table `orders.column`.
        let said = match self.split_table(&keys) {
            Some((schema, table)) if !suggested.contains("did you mean") => {
                format!("unknown key; a table with its schema is [tables.\"{schema}.{table}\"]")
            }
            _ => suggested,
        };
        self.invalid(keys, span, &format!("{key}{said}"))
    }

    /// Schema and table of a header that lacks its quotes. TOML takes `[tables.sales.orders]` for a
    /// table `orders` in a table `sales`; the user meant `[tables."sales.orders"]`.
    fn split_table<'a>(&self, keys: &'a [Key]) -> Option<(&'a str, &'a str)> {
        let [Key::Name(tables), Key::Name(schema), Key::Name(table)] = keys else { return None };
        let is_table = || self.find(keys, |value| value.get_ref().is_table()) == Some(true);
        (tables == "tables" && is_table()).then_some((schema, table))
    }

    /// The line and column of a byte. Both count from 1; the column counts characters.
    fn line_and_column(&self, byte: usize) -> (usize, usize) {
        let before = self.text.get(..byte).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// Looks at the value. If a key on the way to it is missing, looks at the last value that is
    /// there: for example, at `tables.orders` if that has no `plugins`.
    fn find<T>(&self, keys: &[Key], look: impl FnOnce(&Spanned<DeValue<'_>>) -> T) -> Option<T> {
        self.walk(keys, |found, _| found.map(look))
    }

    /// Looks at the value, if it is in the file.
    fn get<T>(&self, keys: &[Key], look: impl FnOnce(&Spanned<DeValue<'_>>) -> T) -> Option<T> {
        self.walk(keys, |found, steps| found.filter(|_| steps == keys.len()).map(look))
    }

    /// Walks along the keys as far as it goes, and looks at the last value with how many steps led
    /// there.
    // While the walk is in a table, `table` is that table and every key is a name in it. (Also an
    // `Index`: a JSON pointer does not tell whether `0` is an index or a name.) Once it has come to
    // an array, `table` is `None` and `found` is the array.
    fn walk<T>(
        &self,
        keys: &[Key],
        look: impl FnOnce(Option<&Spanned<DeValue<'_>>>, usize) -> Option<T>,
    ) -> Option<T> {
        let root = DeTable::parse(&self.text).ok()?;
        let (mut table, mut found): (_, Option<&Spanned<DeValue<'_>>>) =
            (Some(root.get_ref()), None);
        let mut steps = 0;
        for key in keys {
            let next = match (table, found.map(Spanned::get_ref), key) {
                (Some(table), _, key) => table.get(key.to_string().as_str()),
                (None, Some(DeValue::Array(values)), Key::Index(index)) => values.get(*index),
                _ => None,
            };
            let Some(next) = next else { break };
            (table, found) = (next.get_ref().as_table(), Some(next));
            steps += 1;
        }
        look(found, steps)
    }
}

impl Place {
    /// The file as a whole.
    pub fn root(file: &Arc<SettingsFile>) -> Place {
        Place { file: Arc::clone(file), keys: Vec::new() }
    }

    /// The place of a key at the top of the file.
    pub fn top(file: &Arc<SettingsFile>, key: &str) -> Place {
        Place::root(file).key(key)
    }

    /// The place of a key below this place.
    #[must_use]
    pub fn key(&self, name: &str) -> Place {
        self.with(Key::Name(name.to_owned()))
    }

    /// The place of an item of this list, from 0.
    #[must_use]
    pub fn item(&self, index: usize) -> Place {
        self.with(Key::Index(index))
    }

    /// The place that a JSON pointer names, seen from this place: `/columns/0` gives `columns[0]`.
    #[must_use]
    pub fn pointer(&self, pointer: &str) -> Place {
        // `~1` stands for a slash and `~0` for a tilde. `~1` is replaced first: in the other order
        // `~01`, which stands for the text `~1`, would end as a slash.
        let steps =
            pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"));
        steps.fold(self.clone(), |place, step| match step.parse() {
            Ok(index) => place.item(index),
            Err(_) => place.key(&step),
        })
    }

    /// Adds the file and the line of this place to an error.
    pub fn blame(&self, error: Error) -> Error {
        let error = error.with("file", &self.file.name);
        match self.file.find(&self.keys, |value| value.span()) {
            Some(span) => error.with("line", self.file.line_and_column(span.start).0),
            None => error,
        }
    }

    /// The file's name.
    pub fn file(&self) -> &str {
        &self.file.name
    }

    /// The line of the value, if it is in the file.
    pub fn line(&self) -> Option<usize> {
        self.file.get(&self.keys, |value| self.file.line_and_column(value.span().start).0)
    }

    /// The value as it is written, if it is in the file.
    pub fn written_value(&self) -> Option<serde_json::Value> {
        let value = self.file.get(&self.keys, |value| {
            let value = toml::de::ValueDeserializer::from(value.clone());
            serde_json::Value::deserialize(value)
        });
        value?.ok()
    }

    fn with(&self, key: Key) -> Place {
        let mut place = self.clone();
        place.keys.push(key);
        place
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown(&self.keys).fmt(f)
    }
}

fn keys(path: &Path) -> Vec<Key> {
    let steps = path.iter().filter_map(|segment| match segment {
        Segment::Seq { index } => Some(Key::Index(*index)),
        Segment::Map { key } => Some(Key::Name(key.clone())),
        Segment::Enum { variant } => Some(Key::Name(variant.clone())),
        Segment::Unknown => None,
    });
    steps.collect()
}
