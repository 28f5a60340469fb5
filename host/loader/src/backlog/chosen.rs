//! What a command line asks for: everything that is pending, a table's files, or files by name.

use std::path::Path;

use loader_model::error::{Error, Kind, Result};

use crate::feeds::Feeds;
use crate::job::Project;
use crate::settings::suggest::nearest;

/// What is to be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// What lies in `data/in/`, of all tables or of one.
    Pending { table: Option<String> },
    /// These files, into a table that is named or into those that take them.
    Files { table: Option<String>, files: Vec<String> },
}

/// Reads the words of a command line: `orders`, `orders a.csv s3://b/c.csv`, or `a.csv` alone.
/// `None`: the command line is for one file in the old way, by `--source-file-name`.
///
/// Errors: `Config` for a word that is neither a table nor a file.
pub(crate) fn chosen(project: &Project, words: &[String]) -> Result<Option<Chosen>> {
    let settings = project.settings()?;
    if settings.source_file_name.is_some() {
        return match words.first() {
            None => Ok(None),
            Some(word) => Err(config(format!(
                "`{word}` and --source-file-name both say what is loaded; keep one"
            ))),
        };
    }
    let [flags, ..] = project.parts();
    let typed = flags.target_table.as_deref().map(|table| table_of(project, table));
    let of_all = settings.target_table.as_deref().map(|table| table_of(project, table));
    if typed.is_some() || words.is_empty() {
        return without_first(project, typed.or(of_all), words);
    }
    let (first, others) = (words[0].as_str(), &words[1..]);
    match project.table_of_name(first) {
        Some(table) => without_first(project, Some(table.to_owned()), others),
        None if is_file(first) || project.tables().next().is_some() => {
            Ok(Some(Chosen::Files { table: of_all, files: words.to_vec() }))
        }
        None => Err(neither(first)),
    }
}

/// What is chosen where the table is known, or none is named.
fn without_first(
    project: &Project,
    table: Option<String>,
    files: &[String],
) -> Result<Option<Chosen>> {
    if !files.is_empty() {
        return Ok(Some(Chosen::Files { table, files: files.to_vec() }));
    }
    let feeds = Feeds::of(project)?;
    let is_feed = |table: &String| feeds.tables().any(|feed| feed == table);
    match table {
        Some(table) if is_feed(&table) => Ok(Some(Chosen::Pending { table: Some(table) })),
        Some(table) if project.tables().any(|known| known == table) => Err(config(format!(
            "tables.{table} has no `files`, so nothing says which files are its own; give it some, \
             such as files = \"{table}_*.csv\", or name a file"
        ))),
        Some(table) if !feeds.are_none() => Err(config(format!(
            "the settings file has no table `{table}`{}; name a file, or give the table an entry \
             with `files`",
            nearest(&table, feeds.tables())
                .map(|meant| format!(" (did you mean `{meant}`?)"))
                .unwrap_or_default(),
        ))),
        None if !feeds.are_none() => Ok(Some(Chosen::Pending { table: None })),
        // The load of one file, which is told what it lacks.
        Some(_) | None => Ok(None),
    }
}

/// A table by the name that the settings file has for it, or as it was typed.
fn table_of(project: &Project, typed: &str) -> String {
    project.table_of_name(typed).unwrap_or(typed).to_owned()
}

/// Whether a word is rather a file than a table.
fn is_file(word: &str) -> bool {
    word.contains(['/', '.']) || Path::new(word).exists()
}

fn neither(word: &str) -> Error {
    config(format!(
        "`{word}` is neither a table of the settings file nor a file; a table is named by \
         --target-table, or by [tables.NAME] in the settings file"
    ))
}

fn config(fact: String) -> Error {
    Error::new(Kind::Config, fact)
}
