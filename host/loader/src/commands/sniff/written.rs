//! Findings as the settings file takes them.

use loader_model::choices::{Choice, FileFormat};
use loader_model::error::Result;
use loader_sniff::Findings;
use toml::Value;

use crate::found::key::{date_column, decimal_column, keys};
use crate::settings::dialect_settings::DialectSettings;
use crate::settings::key::written_key;

/// The format of a file that is no CSV.
pub(super) fn format(format: FileFormat, name: &str, table: Option<&str>) -> String {
    format!("{}file-format = {:?}\n", beginning(name, table), format.name())
}

fn beginning(name: &str, table: Option<&str>) -> String {
    let table = table.map(|table| format!("[tables.{}.dialect]\n", written_key(table)));
    format!("# found out of {name}\n{}", table.unwrap_or_default())
}

/// The settings for a table, or for all. What no setting says, and what only a person can
/// decide, is a comment.
pub(super) fn settings(found: &Findings, name: &str, table: Option<&str>) -> Result<String> {
    let mut out = beginning(name, table);
    let mut later = String::new();
    for key in keys(found) {
        let line = format!("{} = {}", key.name, key.value);
        match key.in_place_of(&DialectSettings::default()) {
            Some(_) => out.push_str(&format!("{line}  # {}\n", key.reason())),
            None => later.push_str(&format!("# {line}  # no setting says so: {}\n", key.what)),
        }
    }
    out.push_str(&later);
    out.push_str(&suggestions(found, table));
    Ok(out)
}

/// What only a person can decide, as comments.
fn suggestions(found: &Findings, table: Option<&str>) -> String {
    let mut out = String::new();
    if !found.null_texts.is_empty() {
        let texts = found.null_texts.iter().map(|null| Value::from(null.text.clone()).to_string());
        let texts: Vec<String> = texts.collect();
        out.push_str(&format!("# null-value = [{}]  # if they mean NULL\n", texts.join(", ")));
    }
    let commas = found.decimal_commas.iter().map(decimal_column);
    let columns: Vec<String> = commas.chain(found.dates.iter().map(date_column)).collect();
    if !columns.is_empty() {
        let of = table
            .map_or("columns".to_owned(), |table| format!("tables.{}.columns", written_key(table)));
        out.push_str(&format!(
            "#\n# numbers and dates that are written in another way:\n# [{of}]\n"
        ));
    }
    for column in &columns {
        out.push_str(&format!("# {}\n", column.trim_start_matches("# ")));
    }
    out
}
