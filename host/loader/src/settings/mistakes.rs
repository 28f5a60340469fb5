//! All mistakes of a settings file at once, where reading it stops at the first.

use std::sync::Arc;

use loader_model::error::Error;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::settings::Settings;
use crate::settings::place::{Key, Place, SettingsFile};
use crate::settings::sources::located;
use crate::settings::variables::Surroundings;

/// A file has no more mistakes than this that are worth to be read.
const MOST: usize = 100;

/// Reads a file as far as it can be read, and says what is wrong with the rest, in the order of its
/// lines.
// A key that is at fault is taken out, and the file is read again, until nothing is wrong any more.
// So a wrong value does not hide those behind it.
pub(crate) fn find(
    file: &Arc<SettingsFile>,
    surroundings: &Surroundings<'_>,
) -> (Settings, Vec<Error>) {
    let mut mistakes = Vec::new();
    let mut taken_out: Vec<Vec<Key>> = Vec::new();
    while mistakes.len() < MOST {
        match file.read_without::<Settings>(&taken_out, surroundings) {
            Ok(settings) => {
                if let Err(error) = located(settings.clone(), |key| Place::top(file, key)) {
                    mistakes.push((usize::MAX, error));
                }
                return (settings, in_order(mistakes));
            }
            Err(wrong) => {
                let is_new = !wrong.keys.is_empty() && !taken_out.contains(&wrong.keys);
                mistakes.push((wrong.byte.unwrap_or(usize::MAX), wrong.error));
                if !is_new {
                    break;
                }
                taken_out.push(wrong.keys);
            }
        }
    }
    (Settings::default(), in_order(mistakes))
}

fn in_order(mut mistakes: Vec<(usize, Error)>) -> Vec<Error> {
    mistakes.sort_by_key(|(byte, _)| *byte);
    mistakes.into_iter().map(|(_, error)| error).collect()
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

// An item of a list is made a value that reads as nothing said, and not removed: the items behind it
// keep their places.
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
