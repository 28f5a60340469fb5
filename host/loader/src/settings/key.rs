//! Keys of a settings file: the way to a value, as people and as TOML write it.

use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A step on the way to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Name(String),
    Index(usize),
}

/// The key alone, as a table would name it: an index is its digits.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Name(name) => f.write_str(name),
            Key::Index(index) => write!(f, "{index}"),
        }
    }
}

/// The way to a value, such as `tables."sales.orders".plugins[1]`.
pub(super) struct Shown<'a>(pub(super) &'a [Key]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, key) in self.0.iter().enumerate() {
            let dot = if place == 0 { "" } else { "." };
            match key {
                Key::Index(index) => write!(f, "[{index}]")?,
                Key::Name(name) => write!(f, "{dot}{}", written_key(name))?,
            }
        }
        Ok(())
    }
}

/// A key as TOML takes it, in quotes where it needs them.
pub(crate) fn written_key(name: &str) -> String {
    if is_bare(name) {
        return name.to_owned();
    }
    // A text of JSON is one of TOML, but for this character.
    serde_json::Value::from(name).to_string().replace('\u{7f}', "\\u007f")
}

/// Whether TOML takes a key without quotes: `order_id` is such a key, `sales.orders` needs them.
fn is_bare(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// Takes the value at a path out of a table.
pub(super) fn take_out(table: &mut DeTable<'_>, keys: &[Key]) {
    let Some((first, rest)) = keys.split_first() else { return };
    let name = first.to_string();
    match (rest.is_empty(), table.get_mut(name.as_str())) {
        (true, _) => {
            table.remove(name.as_str());
        }
        (false, Some(value)) => take_out_of(value, rest),
        (false, None) => {}
    }
}

// An item of a list is made a value that reads as nothing said, and not removed: the items behind
// it keep their places.
fn take_out_of(value: &mut Spanned<DeValue<'_>>, keys: &[Key]) {
    match (value.get_mut(), keys) {
        (DeValue::Table(table), keys) => take_out(table, keys),
        (DeValue::Array(values), [Key::Index(index), rest @ ..]) => {
            let Some(item) = values.get_mut(*index) else { return };
            match rest.is_empty() {
                true => *item.get_mut() = DeValue::String("default".into()),
                false => take_out_of(item, rest),
            }
        }
        _ => {}
    }
}
