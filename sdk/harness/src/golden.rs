//! Test cases as folders: `input.csv`, `config.toml`, `expected.csv`, `rejects.csv`, and what is
//! expected of every case.
//!
//! `config.toml` (or `config.json`, for what TOML cannot say) is the plugin's config; missing:
//! `{}`. `case.toml` may set `table`, `keys`, and the types of columns, see `case.rs`.
//! `expected.csv` has a header and the rows, NULL as nothing and the empty text as `""`.
//! `rejects.csv` has `line,column,code,message`; missing: no row is rejected.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use loader_csv::Dialect;
use serde_json::Value;

use crate::case::{self, Case};
use crate::csv_text::{File, Row};
use crate::difference::quoted;
use crate::error::HarnessError;
use crate::harness::Harness;
use crate::outcome::{LogLine, Outcome};

/// What becomes of the files with what is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// They are compared.
    Compare,
    /// They are written, to be read by a person before they are committed.
    Write,
}

/// How a case went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseReport {
    /// Rows that came out.
    pub rows: usize,
    /// Rows that were rejected.
    pub rejected: usize,
    /// What is wrong: differences to the expected files, and broken properties. Empty: the case has
    /// passed.
    pub failures: Vec<String>,
    /// Files that were written.
    pub written: Vec<PathBuf>,
    /// What the plugin logged with all rows in one batch.
    pub log: Vec<LogLine>,
}

/// The folders below `dir` that have an `input.csv`, by name.
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
    /// The same plugin with config, table and keys of a case.
    ///
    /// Errors: the case's own files cannot be read or understood.
    ///
    /// ```
    /// # fn measure(plugin: loader_harness::Harness) -> Result<(), Box<dyn std::error::Error>> {
    /// let case = std::path::Path::new("plugins/default/tests/decimals");
    /// let measured = plugin.for_case(case)?.measure_csv(std::fs::read(case.join("input.csv"))?, 100_000)?;
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

    /// Runs a case and tries every [`Property`](crate::Property) on its input. A plugin that fails
    /// is a failure of the case.
    ///
    /// Errors: the case's own files cannot be read, written or understood.
    ///
    /// ```no_run
    /// use loader_harness::{Expected, Harness, case_folders};
    ///
    /// let plugin = Harness::open("plugins/default.wasm")?;
    /// for folder in case_folders("plugins/default/tests".as_ref())? {
    ///     assert_eq!(plugin.test_case(&folder, Expected::Compare)?.failures, [""; 0], "{}", folder.display());
    /// }
    /// # Ok::<(), loader_harness::HarnessError>(())
    /// ```
    pub fn test_case(&self, folder: &Path, expected: Expected) -> Result<CaseReport, HarnessError> {
        let input = folder.join("input.csv");
        let input = fs::read(&input).map_err(HarnessError::file(input))?;
        let harness = self.for_case(folder)?;
        let mut report = CaseReport {
            rows: 0,
            rejected: 0,
            failures: Vec::new(),
            written: Vec::new(),
            log: Vec::new(),
        };
        let (outcome, broken) = match harness.whole_and_broken(&input, harness.own_dialect()) {
            Ok(ran) => ran,
            Err(error) => {
                report.failures.push(error.to_string());
                return Ok(report);
            }
        };
        (report.rows, report.rejected) = (outcome.rows.len(), outcome.rejects.len());
        match expected {
            Expected::Write => report.written = write(folder, &outcome)?,
            Expected::Compare => report.failures = compare(folder, &outcome)?,
        }
        report.failures.extend(broken.into_iter().map(|broken| broken.message));
        report.log = outcome.log;
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

/// A file's text; `None` when there is no such file.
fn read(path: &Path) -> Result<Option<String>, HarnessError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(HarnessError::file(path)(error)),
    }
}

/// Writes what came out; a file that has it already is left as it is.
fn write(folder: &Path, outcome: &Outcome) -> Result<Vec<PathBuf>, HarnessError> {
    let mut written = Vec::new();
    let rejects = (!outcome.rejects.is_empty()).then(|| outcome.rejects_to_csv());
    for (name, text) in [("expected.csv", Some(outcome.to_csv())), ("rejects.csv", rejects)] {
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

fn compare(folder: &Path, outcome: &Outcome) -> Result<Vec<String>, HarnessError> {
    let mut failures = Vec::new();
    match read(&folder.join("expected.csv"))? {
        None => failures.push(
            "there is no expected.csv; write it with --update, then read what it says".to_owned(),
        ),
        Some(text) => {
            let places: Vec<String> = outcome
                .records
                .iter()
                .map(|record| format!(" (row {record} of the input)"))
                .collect();
            failures.extend(difference("expected.csv", &text, &outcome.to_csv(), &places));
        }
    }
    let none = "line,column,code,message\n";
    let rejects = read(&folder.join("rejects.csv"))?;
    let is_missing = rejects.is_none() && !outcome.rejects.is_empty();
    if let Some(failure) = difference(
        "rejects.csv",
        &rejects.unwrap_or_else(|| none.to_owned()),
        &outcome.rejects_to_csv(),
        &[],
    ) {
        failures.push(if is_missing {
            format!(
                "there is no rejects.csv, so no row should be rejected, but {}",
                first_reject(outcome)
            )
        } else {
            failure
        });
    }
    Ok(failures)
}

fn first_reject(outcome: &Outcome) -> String {
    let rejects = &outcome.rejects;
    match rejects.first() {
        Some(first) => {
            format!(
                "{} are, the first in line {}: {} ({})",
                rejects.len(),
                first.line,
                first.message,
                first.code
            )
        }
        None => "none is".to_owned(),
    }
}

/// The first cell in which two CSV texts differ. Other ways to write the same are no difference.
fn difference(file: &str, expected: &str, actual: &str, places: &[String]) -> Option<String> {
    if expected == actual {
        return None;
    }
    let dialect = Dialect::default();
    let parse = |text: &str| -> Result<(Vec<String>, Vec<Row>), String> {
        let parsed = File::read(text.as_bytes(), &dialect).map_err(|error| error.to_string())?;
        let rows = parsed.texts().map_err(|error| error.to_string())?;
        Ok((parsed.header.names, rows))
    };
    let (expected, actual) = match (parse(expected), parse(actual)) {
        (Ok(expected), Ok(actual)) => (expected, actual),
        (Err(error), _) => return Some(format!("{file} is no CSV: {error}")),
        (_, Err(error)) => {
            return Some(format!("the outcome cannot be held against {file}: {error}"));
        }
    };
    if expected.0 != actual.0 {
        return Some(format!(
            "{file} has the columns {}, the plugin gives {}",
            expected.0.join(", "),
            actual.0.join(", ")
        ));
    }
    let empty = Vec::new();
    for index in 0..expected.1.len().max(actual.1.len()) {
        let place = places.get(index).map_or("", String::as_str);
        let (wanted, got) = (expected.1.get(index), actual.1.get(index));
        let (wanted, got) = match (wanted, got) {
            (Some(wanted), Some(got)) => (wanted, got),
            _ => {
                let shown = wanted.or(got).unwrap_or(&empty);
                let cells: Vec<String> = shown.iter().map(|cell| quoted(cell.as_deref())).collect();
                let (less, more) = if got.is_none() {
                    ("missing", "the plugin gives")
                } else {
                    ("not expected", "expected are")
                };
                let n = if got.is_none() { actual.1.len() } else { expected.1.len() };
                return Some(format!(
                    "{file}: row {}{place} is {less}: {}; {more} {n} rows",
                    index + 1,
                    cells.join(", ")
                ));
            }
        };
        if let Some(column) = wanted.iter().zip(got).position(|(wanted, got)| wanted != got) {
            let cell = |row: &Row| quoted(row.get(column).and_then(Option::as_deref));
            let name = &expected.0[column];
            return Some(format!(
                "{file}: row {}{place}, column `{name}` is {}, expected was {}",
                index + 1,
                cell(got),
                cell(wanted)
            ));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_differing_cell_is_named() {
        let say = |expected: &str, actual: &str| {
            difference("expected.csv", expected, actual, &[" (row 3 of the input)".to_owned()])
                .unwrap_or_default()
        };
        assert_eq!(say("a,b\n1,\n", "a,b\n1,\n"), "");
        assert_eq!(say("a,\"b\"\r\n\"1\",", "a,b\n1,\n"), "");
        assert_eq!(
            say("a,b\n1,\"\"\n", "a,b\n1,\n"),
            "expected.csv: row 1 (row 3 of the input), column `b` is NULL, expected was \"\""
        );
        assert_eq!(
            say("a,b\n", "a,c\n"),
            "expected.csv has the columns a, b, the plugin gives a, c"
        );
        assert_eq!(
            say("a,b\n1,x\n2,y\n", "a,b\n1,x\n"),
            "expected.csv: row 2 is missing: 2, \"y\"; the plugin gives 1 rows"
        );
        assert_eq!(
            say("a,b\n", "a,b\n1,x\n"),
            "expected.csv: row 1 (row 3 of the input) is not expected: 1, \"x\"; expected are 0 \
             rows"
        );
        assert_eq!(
            say("a,b\n1\n", "a,b\n"),
            "expected.csv is no CSV: record 1, line 2, byte 4: the row has 1 fields, but the \
             header has 2; quote fields that hold the delimiter or a line end, or correct the \
             delimiter"
        );
    }

    #[test]
    fn only_what_changed_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let outcome = Outcome {
            columns: vec![crate::Column {
                name: "id".into(),
                data_type: arrow_schema::DataType::Int32,
            }],
            records: vec![1],
            rows: vec![vec![Some("7".into())]],
            ..Outcome::default()
        };
        fs::write(dir.path().join("rejects.csv"), "old").unwrap();
        let names = |written: Vec<PathBuf>| -> Vec<String> {
            written
                .iter()
                .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
                .collect()
        };
        assert_eq!(names(write(dir.path(), &outcome).unwrap()), ["expected.csv", "rejects.csv"]);
        assert!(!dir.path().join("rejects.csv").exists());
        assert_eq!(names(write(dir.path(), &outcome).unwrap()), [""; 0]);
        assert_eq!(compare(dir.path(), &outcome).unwrap(), [""; 0]);
    }
}
