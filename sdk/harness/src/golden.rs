//! Test cases as folders, and what is expected of every case.
//!
//! | file | what it holds | without it |
//! |---|---|---|
//! | `input.csv` | the rows, below a header | the folder is not a case |
//! | `config.toml` | the plugin's config; `config.json` is for what TOML cannot say | `{}` |
//! | `case.toml` | table, keys, types of columns; see `case.rs` | types are inferred |
//! | `expected.csv` | header and rows; an empty field is NULL, `""` is not | the case fails |
//! | `rejects.csv` | `line,column,code,message` of rejected rows | no row may be rejected |

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::case::{self, Case};
use crate::csv_difference;
use crate::error::HarnessError;
use crate::harness::Harness;
use crate::output::{LogLine, PluginOutput};

/// What happens to the files that say what is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The plugin's output is compared with the files.
    Compare,
    /// The plugin's output is written to the files. Read them before you commit them.
    Write,
}

/// How a case went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseReport {
    /// Rows that came out.
    pub rows: usize,
    /// Rows that were rejected.
    pub rejected: usize,
    /// What is wrong: differences to the expected files, and broken properties. The case has passed
    /// when there are none.
    pub failures: Vec<String>,
    /// Files that were written or removed.
    pub written: Vec<PathBuf>,
    /// What the plugin logged in the run with all rows in one batch.
    pub log: Vec<LogLine>,
}

/// Lists the folders in `dir` that have an `input.csv`, sorted by name.
///
/// ```
/// let dir = tempfile::tempdir()?;
/// std::fs::create_dir_all(dir.path().join("plain"))?;
/// std::fs::write(dir.path().join("plain/input.csv"), "id\n1\n")?;
/// let cases = loader_harness::case_folders(dir.path())?;
/// assert_eq!(cases, [dir.path().join("plain")]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn case_folders(dir: &Path) -> Result<Vec<PathBuf>, HarnessError> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(dir).map_err(HarnessError::file(dir))? {
        let path = entry.map_err(HarnessError::file(dir))?.path();
        if path.join("input.csv").is_file() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

impl Harness {
    /// Returns the same plugin with what a case sets: config, keys, table, target and the types of
    /// columns. Table, target and types stay as they are when the case does not name them.
    ///
    /// Errors: `config.toml`, `config.json` or `case.toml` cannot be read or understood.
    ///
    /// ```
    /// # fn measure(plugin: loader_harness::Harness) -> Result<(), Box<dyn std::error::Error>> {
    /// let case = std::path::Path::new("plugins/default/tests/decimals");
    /// let input = std::fs::read(case.join("input.csv"))?;
    /// let measured = plugin.for_case(case)?.measure_csv(input, 100_000)?;
    /// println!("{} rows/s", measured.rows_per_second());
    /// # Ok(())
    /// # }
    /// ```
    pub fn for_case(&self, folder: &Path) -> Result<Harness, HarnessError> {
        let case: Case = toml_file(&folder.join("case.toml"))?.unwrap_or_default();
        let mut harness = self.clone().config(config(folder)?).keys(case.keys);
        if let Some(table) = case.table {
            harness = harness.table(table);
        }
        if let Some(target) = case.target {
            harness = harness.target(case::schema(&target));
        }
        if let Some(columns) = case.columns {
            harness = harness.columns(case::schema(&columns));
        }
        let mut dialect = self.own_dialect().clone();
        dialect.null_tokens.extend(case.null);
        Ok(harness.dialect(dialect))
    }

    /// Runs a case and tries every [`Property`](crate::Property) on its input.
    ///
    /// A plugin that fails is a failure of the case, and so is an `input.csv` that is not CSV: they
    /// are in [`CaseReport::failures`].
    ///
    /// Errors: a file of the case cannot be read or written; `config.toml`, `config.json` or
    /// `case.toml` cannot be understood.
    ///
    /// ```no_run
    /// use loader_harness::{Expected, Harness, case_folders};
    ///
    /// let plugin = Harness::open("plugins/default.wasm")?;
    /// for folder in case_folders("plugins/default/tests".as_ref())? {
    ///     let report = plugin.test_case(&folder, Expected::Compare)?;
    ///     assert_eq!(report.failures, [""; 0], "{}", folder.display());
    /// }
    /// # Ok::<(), loader_harness::HarnessError>(())
    /// ```
    // A failed run ends before `Expected::Write` is looked at, so a plugin that fails never
    // overwrites an `expected.csv` that was right.
    pub fn test_case(&self, folder: &Path, expected: Expected) -> Result<CaseReport, HarnessError> {
        let input = folder.join("input.csv");
        let input = fs::read(&input).map_err(HarnessError::file(input))?;
        let harness = self.for_case(folder)?;
        let (output, broken) = match harness.whole_and_broken(&input, harness.own_dialect()) {
            Ok(ran) => ran,
            Err(error) => {
                let failures = vec![error.to_string()];
                return Ok(CaseReport { failures, ..CaseReport::default() });
            }
        };
        let (rows, rejected) = (output.rows.len(), output.rejects.len());
        let mut report = CaseReport { rows, rejected, ..CaseReport::default() };
        match expected {
            Expected::Write => report.written = write(folder, &output)?,
            Expected::Compare => report.failures = compare(folder, &output)?,
        }
        report.failures.extend(broken.into_iter().map(|broken| broken.message));
        report.log = output.log;
        Ok(report)
    }
}

fn config(folder: &Path) -> Result<Value, HarnessError> {
    let wrong = |path: &Path, fact: String| HarnessError::Case { path: path.to_owned(), fact };
    let path = folder.join("config.toml");
    if let Some(config) = toml_file(&path)? {
        return case::config_from_toml(config).map_err(|fact| wrong(&path, fact));
    }
    let path = folder.join("config.json");
    let Some(text) = read(&path)? else { return Ok(Value::Object(Default::default())) };
    serde_json::from_str(&text).map_err(|error| wrong(&path, error.to_string()))
}

fn toml_file<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, HarnessError> {
    let Some(text) = read(path)? else { return Ok(None) };
    let parsed = toml::from_str(&text);
    parsed
        .map(Some)
        .map_err(|error| HarnessError::Case { path: path.to_owned(), fact: error.to_string() })
}

/// The text of a file; `None` when there is no such file.
fn read(path: &Path) -> Result<Option<String>, HarnessError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(HarnessError::file(path)(error)),
    }
}

/// Writes the output. A file that has the same text already is left as it is.
// When no row is rejected any more, the `rejects.csv` of an earlier run has to go: the next
// comparison would ask for its rows.
fn write(folder: &Path, output: &PluginOutput) -> Result<Vec<PathBuf>, HarnessError> {
    let mut written = Vec::new();
    let rejects = (!output.rejects.is_empty()).then(|| output.rejects_to_csv());
    for (name, text) in [("expected.csv", Some(output.to_csv())), ("rejects.csv", rejects)] {
        let path = folder.join(name);
        let now = read(&path)?;
        match text {
            Some(text) if now.as_ref() != Some(&text) => {
                fs::write(&path, text).map_err(HarnessError::file(&path))?
            }
            None if now.is_some() => fs::remove_file(&path).map_err(HarnessError::file(&path))?,
            _ => continue,
        }
        written.push(path);
    }
    Ok(written)
}

fn compare(folder: &Path, output: &PluginOutput) -> Result<Vec<String>, HarnessError> {
    let failures = [compare_rows(folder, output)?, compare_rejects(folder, output)?];
    Ok(failures.into_iter().flatten().collect())
}

fn compare_rows(folder: &Path, output: &PluginOutput) -> Result<Option<String>, HarnessError> {
    let Some(expected) = read(&folder.join("expected.csv"))? else {
        let failure = "there is no expected.csv; write it with --update, then read what it says";
        return Ok(Some(failure.to_owned()));
    };
    let places = output.records.iter().map(|record| format!(" (row {record} of the input)"));
    let places: Vec<String> = places.collect();
    Ok(csv_difference::first("expected.csv", &expected, &output.to_csv(), &places))
}

/// Compares the rejected rows. Without a `rejects.csv`, no row may be rejected.
fn compare_rejects(folder: &Path, output: &PluginOutput) -> Result<Option<String>, HarnessError> {
    let Some(expected) = read(&folder.join("rejects.csv"))? else {
        return Ok(first_reject(output).map(|first| {
            format!("there is no rejects.csv, so no row should be rejected, but {first}")
        }));
    };
    Ok(csv_difference::first("rejects.csv", &expected, &output.rejects_to_csv(), &[]))
}

fn first_reject(output: &PluginOutput) -> Option<String> {
    let (first, n_rejects) = (output.rejects.first()?, output.rejects.len());
    let (line, message, code) = (first.line, &first.message, &first.code);
    Some(format!("{n_rejects} are, the first in line {line}: {message} ({code})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let output = PluginOutput {
            columns: vec![crate::output::OutputColumn {
                name: "id".into(),
                data_type: arrow_schema::DataType::Int32,
            }],
            records: vec![1],
            rows: vec![vec![Some("7".into())]],
            ..PluginOutput::default()
        };
        fs::write(dir.path().join("rejects.csv"), "old").unwrap();
        let names = |written: Vec<PathBuf>| -> Vec<String> {
            written
                .iter()
                .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
                .collect()
        };
        assert_eq!(names(write(dir.path(), &output).unwrap()), ["expected.csv", "rejects.csv"]);
        assert!(!dir.path().join("rejects.csv").exists());
        assert_eq!(names(write(dir.path(), &output).unwrap()), [""; 0]);
        assert_eq!(compare(dir.path(), &output).unwrap(), [""; 0]);
    }
}
