//! The settings file as text, with comments that say what was guessed and why.

use loader_model::choices::FileFormat;
use loader_sniff::{Findings, Sureness};
use toml::Value;

use super::samples::{Feed, FeedKind};
use crate::found::key::{date_column, decimal_column, keys};
use crate::settings::Settings;
use crate::settings::dialect_settings::DialectSettings;
use crate::settings::key::written_key;
use crate::words::{count, wrapped};

const WIDTH: usize = 98;

/// The whole file.
pub(super) fn settings_file(
    settings: &Settings,
    from: &str,
    files: usize,
    feeds: &[Feed],
) -> String {
    let mut out = comment(&format!(
        "Made by `loader init` from {} in {from}. What was guessed says so: read it through. \
         `loader config check` names mistakes, `loader run --dry-run` says what would be loaded.",
        count(files, "file"),
    ));
    out.push('\n');
    out.push_str(&top(settings));
    feeds.iter().for_each(|feed| out.push_str(&table(feed)));
    out
}

/// What holds for all tables. What every load needs and is not known yet is there as a comment.
fn top(settings: &Settings) -> String {
    let text = |value: &Option<String>| value.clone().map(Value::String);
    let local = settings.local.as_ref().map(|path| Value::String(path.display().to_string()));
    let is_local = local.is_some();
    let given = [
        ("local", local),
        ("src-bucket", text(&settings.src_bucket)),
        ("workgroup-name", text(&settings.workgroup_name)),
        ("cluster-identifier", text(&settings.cluster_identifier)),
        ("database", text(&settings.database)),
        ("region", text(&settings.region)),
        ("secret-arn", text(&settings.secret_arn)),
        ("iam-role", text(&settings.iam_role)),
        ("schema-name", text(&settings.schema_name)),
    ];
    let needed = [
        ("src-bucket", "my-bucket"),
        ("workgroup-name", "my-workgroup"),
        ("database", "dev"),
        ("iam-role", "arn:aws:iam::123456789012:role/redshift-copy"),
    ];
    let mut out = String::new();
    for (key, value) in &given {
        if let Some(value) = value {
            out.push_str(&format!("{key} = {value}\n"));
        } else if let Some((_, example)) = needed.iter().find(|(needed, _)| needed == key)
            && !is_local
        {
            out.push_str(&format!("# {key} = {example:?}\n"));
        }
    }
    out
}

fn table(feed: &Feed) -> String {
    let group = &feed.group;
    let such_as = match group.files.as_slice() {
        [only] => only.clone(),
        [first, ..] => format!("{}, such as {first}", count(group.files.len(), "file")),
        [] => String::new(),
    };
    let mut out = format!("\n{}[tables.{}]\n", comment(&such_as), written_key(&group.table));
    feed.remarks.iter().for_each(|remark| out.push_str(&comment(remark)));
    let patterns = Value::from(group.patterns.clone());
    out.push_str(&format!("files = {patterns}\n"));
    match &feed.kind {
        FeedKind::Csv { found, name, keys } => {
            out.push_str(&keys_of(keys));
            out.push_str(&dialect(&group.table, found, name));
        }
        FeedKind::Other(format) => {
            let name = match format {
                FileFormat::Json => "JSON Lines",
                FileFormat::Parquet => "Parquet",
                FileFormat::Csv | FileFormat::Auto => "CSV",
            };
            out.push_str(&comment(&format!("{name}, which is known by its first bytes")));
            out.push_str(NO_KEYS);
        }
        FeedKind::Unknown => out.push_str(&comment("none of its files could be read")),
    }
    out
}

/// Without keys, files that are delivered twice under two names are twice in the table.
const NO_KEYS: &str = "# upsert-keys = []  # without keys, rows are appended\n";

// A wrong key would merge rows that are different ones. So a file with two rows of a key is
// refused, until a person has said that it is the key.
fn keys_of(keys: &[String]) -> String {
    if keys.is_empty() {
        return NO_KEYS.to_owned();
    }
    let guess = comment(
        "A guess: no two rows that were looked at share it. Without keys, rows are appended. While \
         it is a guess, a file with two rows of a key is refused.",
    );
    let keys = Value::from(keys.to_vec());
    format!("{guess}upsert-keys = {keys}\nduplicates = \"error\"\n")
}

/// What the files have otherwise than the default.
fn dialect(table: &str, found: &Findings, name: &str) -> String {
    let usual = DialectSettings::default();
    let mut lines = String::new();
    for key in keys(found) {
        let reason = wrapped(&key.reason(), usize::MAX).join(" ");
        let line = format!("{} = {}  # {reason}\n", key.name, key.value);
        match (key.in_place_of(&usual).is_some(), key.changes(&usual)) {
            // In another encoding than the default one, not a single file would be read.
            (true, true) if key.sureness > Sureness::Undecided || key.name == "encoding" => {
                let guess = if key.sureness > Sureness::Undecided { "" } else { "a guess, " };
                lines.push_str(&line.replacen("  # ", &format!("  # {guess}"), 1));
            }
            (true, true) => lines.push_str(&format!("# {line}")),
            (true, false) => {}
            (false, _) => lines.push_str(&comment(&format!("no setting says so: {}", key.what))),
        }
    }
    let nulls: Vec<String> = found.null_texts.iter().map(|null| null.text.clone()).collect();
    if !nulls.is_empty() {
        let nulls = Value::from(nulls);
        lines.push_str(&format!("# null-value = {nulls}  # if they mean NULL\n"));
    }
    let mut out = String::new();
    if !lines.is_empty() {
        let name = wrapped(name, usize::MAX).join(" ");
        let header = format!("\n[tables.{}.dialect]  # found out of {name}\n", written_key(table));
        out = format!("{header}{lines}");
    }
    out + &columns(table, found)
}

/// Columns with decimal commas, and with dates in a form of their own, which are texts unless they
/// are named.
fn columns(table: &str, found: &Findings) -> String {
    let mut out = String::new();
    if !found.decimal_commas.is_empty() {
        out.push_str(&comment(
            "Numbers with a decimal comma, as wide as the default plugin makes decimals: with fewer \
             digits behind the comma, values that have more are rounded.",
        ));
    }
    let commas = found.decimal_commas.iter().map(decimal_column);
    out.extend(commas.map(|column| format!("{column}\n")));
    if found.dates.iter().any(|column| column.formats.len() == 1) {
        out.push_str(&comment(
            "A guess: all that were looked at are dates of this form. Others will be rejected.",
        ));
    }
    out.extend(found.dates.iter().map(|column| format!("{}\n", date_column(column))));
    match out.is_empty() {
        true => out,
        false => format!("\n[tables.{}.columns]\n{out}", written_key(table)),
    }
}

fn comment(text: &str) -> String {
    wrapped(text, WIDTH).iter().map(|line| format!("# {line}\n")).collect()
}
