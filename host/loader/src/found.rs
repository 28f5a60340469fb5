//! What a sample of a file looks like, as settings.
//!
//! In: the beginning of a file, and what the settings say. Out: the form by which the file is
//! read (`--dialect auto`), or the settings with which a file can be read that was refused. What the
//! settings say goes before what was found, always.

pub(crate) mod key;

use loader_model::error::{Error, Kind, Result};
use loader_sniff::{Delimiter, Findings, Sample, Sniffed, Sureness, sniff};

use crate::job::{Form, form};
use crate::settings::dialect_settings::DialectSettings;
use key::{Key, keys};

/// The form of a file by its looks, with notices of what is not the default. Errors: `Data` for
/// looks that no setting says.
pub(crate) fn read_by(beginning: &[u8], given: &DialectSettings) -> Result<(Form, Vec<String>)> {
    let plain = form(given)?;
    let is_clear = |found: &Findings| {
        found.delimiter.value != Delimiter::OneColumn
            || found.delimiter.sureness != Sureness::Undecided
    };
    let found = look(beginning).filter(|found| is_clear(found));
    let Some(found) = found else { return Ok((plain, Vec::new())) };
    let keys = keys(&found);
    if let Some(key) = keys.iter().find(|key| key.is_contradicted(given)) {
        let notice = format!(
            "the file looks as if it were written with {key}, and the settings say otherwise; what \
             else was found out of it is not used"
        );
        return Ok((plain, vec![notice]));
    }
    let (mut settings, mut flags, mut reasons) = (given.clone(), Vec::new(), Vec::new());
    // What cannot be told is not used, but for the delimiter, without which nothing can be read. Nor
    // is that quotes are text: a file with broken quotes looks so.
    let is_told = |key: &&Key| key.name == "delimiter" || key.sureness != Sureness::Undecided;
    let quotes_are_text = found.quote.value.is_none();
    let is_used = |key: &&Key| is_told(key) && !(quotes_are_text && key.name == "quote");
    for key in keys.iter().filter(is_used) {
        match key.added_to(&settings) {
            Some(with) if key.changes(&settings) => {
                flags.push(key.to_string());
                reasons.push(format!("{} {}", key.name, key.reason()));
                settings = with;
            }
            Some(_) => {}
            None if key.sureness == Sureness::Undecided => {}
            None => return Err(refusal(key)),
        }
    }
    let notice = format!(
        "the file is read by what was found out of it: {} ({}); --dialect given reads it by the \
         settings alone",
        flags.join(" "),
        reasons.join("; ")
    );
    Ok((form(&settings)?, if flags.is_empty() { Vec::new() } else { vec![notice] }))
}

/// A file that looks as no setting says would be read wrongly.
fn refusal(key: &Key) -> Error {
    let fact = format!(
        "{} ({}), and the loader does not read such files; change the file, or give --dialect \
         given to read it by the settings alone",
        key.what,
        key.reason()
    );
    Error::new(Kind::Data, fact)
}

/// What to add to the message about a file that was refused: the settings with which `reads` says
/// that the file can be read, unless they are in what the message `said`. `None` where these are what it was read by.
pub(crate) fn advice(
    beginning: &[u8],
    given: &DialectSettings,
    read_by: &Form,
    said: &str,
    reads: impl Fn(&Form, &[u8]) -> bool,
) -> Option<String> {
    let found = look(beginning)?;
    // Any file can be read as one column, or with its quotes as text, and is not what it should be.
    let has_text_quotes = found.quote.value.is_none() && found.escape.value.is_none();
    if found.delimiter.value == Delimiter::OneColumn || has_text_quotes {
        return None;
    }
    let (mut settings, mut flags) = (given.clone(), Vec::new());
    let is_told = |key: &Key| key.name == "delimiter" || key.sureness != Sureness::Undecided;
    for key in keys(&found).into_iter().filter(is_told) {
        let Some(with) = key.in_place_of(&settings) else {
            let is_sure = key.sureness == Sureness::Sure;
            return is_sure.then(|| format!("; {}, which no setting says", key.what));
        };
        if form(&with).ok()? != form(&settings).ok()? {
            flags.push(key.to_string());
            settings = with;
        }
    }
    let form = form(&settings).ok()?;
    let flags = flags.join(" ");
    let is_other = !said.contains(&flags) && form != *read_by;
    let can_be_read = || reads(&form, rows(beginning));
    (is_other && can_be_read()).then(|| format!("; the file can be read with {flags}"))
}

/// The notice about a file that was read as one column, and for sure has more.
pub(crate) fn other_delimiter(beginning: &[u8], given: &DialectSettings) -> Option<String> {
    let found = look(beginning)?;
    let is_parted = matches!(found.delimiter.value, Delimiter::Text(_));
    let key = keys(&found).into_iter().find(|key| key.name == "delimiter")?;
    let is_other = is_parted && key.sureness == Sureness::Sure && key.changes(given);
    let columns = found.names.len();
    let notice = || format!("the file was read as one column; with {key} it has {columns}");
    is_other.then(notice)
}

fn look(beginning: &[u8]) -> Option<Box<Findings>> {
    let is_whole = beginning.len() < Sample::BEGINNING_BYTES;
    match sniff(&Sample { beginning, is_whole, ..Sample::default() }) {
        Sniffed::Text(found) => Some(found),
        Sniffed::Empty | Sniffed::Binary(_) => None,
    }
}

/// The beginning of a file as far as its lines are whole.
fn rows(beginning: &[u8]) -> &[u8] {
    if beginning.len() < Sample::BEGINNING_BYTES {
        return beginning;
    }
    let end = beginning.iter().rposition(|byte| matches!(byte, b'\n' | b'\r'));
    &beginning[..end.map_or(0, |end| end + 1)]
}

#[cfg(test)]
mod tests;
