//! All mistakes of a settings file at once, where reading it stops at the first.

use std::sync::Arc;

use loader_model::error::Error;

use crate::settings::Settings;
use crate::settings::key::Key;
use crate::settings::place::{Place, SettingsFile};
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
