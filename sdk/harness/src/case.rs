//! `case.toml`: what a case says beside its rows and its config. Also cases that are written from
//! what a plugin got in a load.
//!
//! CSV text has no types, and a few rows do not tell the types of the whole file. (For example, the
//! first 20 values of `zip` are digits, but the load read text, because row 9,000 is `n/a`.) So a
//! case that was captured in a load names the type of each column. A case that a person writes
//! seldom does; its types are inferred, as in a load.

use std::collections::HashMap;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use loader_csv::LOGICAL_KEY;
use loader_sandbox::PlanContext;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::csv_text::push_line;
use crate::error::HarnessError;
use crate::text;

/// Stands for NULL in a file of one column. An empty field would be a blank line there, and blank
/// lines at the end of a file are no rows.
const NULL: &str = "\\N";

/// `case.toml`: what a load would tell the plugin beside its config, and how `input.csv` is read.
#[derive(Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Case {
    /// Name of the target table, such as `orders`.
    pub(crate) table: Option<String>,
    /// Merge keys, such as `order_id`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) keys: Vec<String>,
    /// Unquoted text of `input.csv` that is NULL, beside the empty field.
    pub(crate) null: Option<String>,
    /// The columns of `input.csv`. Without them, the harness infers the types.
    pub(crate) columns: Option<Vec<CaseColumn>>,
    /// The target table as it stands. Without it, the table does not exist.
    pub(crate) target: Option<Vec<CaseColumn>>,
}

/// A column with its type. Whether the column may be NULL is not kept: every case is also run with
/// NULL in place of every value.
#[derive(Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaseColumn {
    name: String,
    /// As Arrow writes it: `Int32`, `Decimal128(38, 18)`, `Timestamp(µs)`.
    #[serde(rename = "type", with = "type_name")]
    data_type: DataType,
    /// `decimal` or `double`: the column is text, and the text is a number as it stands in the
    /// file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    logical: Option<String>,
}

mod type_name {
    use arrow_schema::DataType;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(
        data_type: &DataType,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(data_type)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<DataType, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The schema that these columns make.
pub(crate) fn schema(columns: &[CaseColumn]) -> SchemaRef {
    let fields = columns.iter().map(|column| {
        let field = Field::new(&column.name, column.data_type.clone(), true);
        match &column.logical {
            Some(logical) => {
                field.with_metadata(HashMap::from([(LOGICAL_KEY.to_owned(), logical.clone())]))
            }
            None => field,
        }
    });
    Arc::new(Schema::new(fields.collect::<Vec<Field>>()))
}

fn columns(schema: &Schema) -> Vec<CaseColumn> {
    let column = |field: &Arc<Field>| CaseColumn {
        name: field.name().clone(),
        data_type: field.data_type().clone(),
        logical: field.metadata().get(LOGICAL_KEY).cloned(),
    };
    schema.fields().iter().map(column).collect()
}

/// Turns a config from TOML into JSON, which plugins get. Dates and times become text.
///
/// Errors: a number that JSON does not have, such as `nan` or `inf`.
///
/// ```
/// let config = "since = 2024-01-31\ncolumns = ['email']".parse().map(toml::Value::Table)?;
/// let config = loader_harness::config_from_toml(config)?;
/// assert_eq!(config, serde_json::json!({"since": "2024-01-31", "columns": ["email"]}));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn config_from_toml(config: toml::Value) -> Result<Value, String> {
    Ok(match config {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => serde_json::Number::from_f64(number)
            .ok_or_else(|| format!("{number} is no number of JSON"))?
            .into(),
        toml::Value::Boolean(truth) => truth.into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(values) => {
            Value::Array(values.into_iter().map(config_from_toml).collect::<Result<_, _>>()?)
        }
        toml::Value::Table(table) => {
            let entries = table.into_iter().map(|(key, value)| Ok((key, config_from_toml(value)?)));
            Value::Object(entries.collect::<Result<_, String>>()?)
        }
    })
}

/// What a plugin got in a load: the start of a case.
#[derive(Clone, Copy, Debug)]
pub struct CapturedCase<'a> {
    /// What the plugin's plan was made from, beside the columns.
    pub context: &'a PlanContext,
    /// Rows that the plugin got, with all their columns.
    pub rows: &'a RecordBatch,
}

impl CapturedCase<'_> {
    /// Writes a case to `dir/name` and returns the folder. A folder that exists is left alone, and
    /// the case goes to `dir/name-2`, `dir/name-3` and so on.
    ///
    /// Only their owner can read the new folders and files, because the rows of a load may be about
    /// people. `expected.csv` is not written: what the plugin should give is for a person to say.
    ///
    /// Errors: `File`; `Case` when TOML cannot hold what `case.toml` should say.
    // With two columns or more, a row of NULLs is `,` and not a blank line, so only a single column
    // needs a word for NULL.
    pub fn write(&self, dir: &Path, name: &str) -> Result<PathBuf, HarnessError> {
        let folder = new_folder(dir, name)?;
        let null = (self.rows.num_columns() == 1).then_some(NULL);
        let schema = self.rows.schema();
        write_new(&folder.join("input.csv"), &self.input_csv(null))?;
        if let Some((name, text)) = config_file(&self.context.config) {
            write_new(&folder.join(name), &text)?;
        }
        let case = Case {
            table: Some(self.context.table.clone()),
            keys: self.context.keys.clone(),
            null: null.map(str::to_owned),
            columns: Some(columns(&schema)),
            target: self.context.target.as_ref().map(|target| columns(target)),
        };
        write_case_toml(&folder.join("case.toml"), &case)?;
        Ok(folder)
    }

    fn input_csv(&self, null: Option<&str>) -> String {
        let (mut out, null) = (String::new(), null.unwrap_or_default());
        let schema = self.rows.schema();
        push_line(&mut out, schema.fields().iter().map(|field| Some(field.name().as_str())), null);
        for row in text::rows(self.rows) {
            push_line(&mut out, row.iter().map(Option::as_deref), null);
        }
        out
    }
}

/// The name and the text of the config's file: TOML, or JSON for what TOML does not have, such as
/// null and numbers past 64 bits. A config without settings needs no file.
fn config_file(config: &Value) -> Option<(&'static str, String)> {
    if config.is_null() || config.as_object().is_some_and(serde_json::Map::is_empty) {
        return None;
    }
    let toml = toml::to_string(config).ok();
    // The text is read back, and counts only when it says the same: a case must not run with
    // another config than the load did.
    let says_it = |text: &String| {
        let parsed = text.parse().map(toml::Value::Table).ok();
        parsed.and_then(|parsed| config_from_toml(parsed).ok()).as_ref() == Some(config)
    };
    Some(match toml.filter(says_it) {
        Some(text) => ("config.toml", text),
        None => ("config.json", format!("{config:#}\n")),
    })
}

// The folder is created, not looked for: two loads may capture at the same time, and `create`
// without `recursive` succeeds for one of them only. The parents are created before with
// `recursive`, which does not mind that they exist.
fn new_folder(dir: &Path, name: &str) -> Result<PathBuf, HarnessError> {
    let mut private = DirBuilder::new();
    private.mode(0o700).recursive(true).create(dir).map_err(HarnessError::file(dir))?;
    private.recursive(false);
    let mut folder = dir.join(name);
    for number in 2_u64.. {
        match private.create(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                folder = dir.join(format!("{name}-{number}"))
            }
            made => return made.map_err(HarnessError::file(&folder)).map(|()| folder),
        }
    }
    Ok(folder)
}

fn write_case_toml(path: &Path, case: &Case) -> Result<(), HarnessError> {
    let text = toml::to_string(case)
        .map_err(|error| HarnessError::Case { path: path.to_owned(), fact: error.to_string() })?;
    write_new(path, &text)
}

fn write_new(path: &Path, text: &str) -> Result<(), HarnessError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(HarnessError::file(path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use arrow_array::{
        ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array,
        Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, StringArray,
        TimestampMicrosecondArray,
    };
    use loader_csv::Dialect;
    use serde_json::json;

    use super::*;
    use crate::input::Input;

    fn context() -> PlanContext {
        PlanContext {
            table: "people".into(),
            keys: vec!["id".into()],
            target: None,
            config: json!({}),
        }
    }

    /// The rows, written as a case and read again.
    fn again(rows: &RecordBatch) -> RecordBatch {
        let dir = tempfile::tempdir().unwrap();
        let folder = CapturedCase { context: &context(), rows }.write(dir.path(), "x").unwrap();
        let case: Case =
            toml::from_str(&std::fs::read_to_string(folder.join("case.toml")).unwrap()).unwrap();
        assert_eq!(
            (case.table.as_deref(), case.keys.as_slice()),
            (Some("people"), &["id".to_owned()][..])
        );
        let dialect =
            Dialect { null_tokens: case.null.into_iter().collect(), ..Dialect::default() };
        let input = std::fs::read(folder.join("input.csv")).unwrap();
        Input::of_typed_csv(&input, &dialect, &schema(&case.columns.unwrap())).unwrap().batch
    }

    #[test]
    fn every_type_comes_back_as_it_was() {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("text", Arc::new(StringArray::from(vec![Some(""), None, Some("\\N, \"x\"\n007 ")]))),
            ("like numbers", Arc::new(StringArray::from(vec!["1", "2", "3"]))),
            ("flag", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]))),
            ("i8", Arc::new(Int8Array::from(vec![i8::MIN, 0, i8::MAX]))),
            ("i16", Arc::new(Int16Array::from(vec![i16::MIN, 0, i16::MAX]))),
            ("i32", Arc::new(Int32Array::from(vec![i32::MIN, 0, i32::MAX]))),
            ("i64", Arc::new(Int64Array::from(vec![i64::MIN, 0, i64::MAX]))),
            ("f32", Arc::new(Float32Array::from(vec![0.1, f32::MAX, f32::NEG_INFINITY]))),
            ("f64", Arc::new(Float64Array::from(vec![Some(0.1), None, Some(f64::MIN_POSITIVE)]))),
            (
                "decimal",
                Arc::new(
                    Decimal128Array::from(vec![-1, 0, 10_i128.pow(38) - 1])
                        .with_precision_and_scale(38, 18)
                        .unwrap(),
                ),
            ),
            ("date", Arc::new(Date32Array::from(vec![-719_162, 0, 2_932_896]))),
            (
                "time",
                Arc::new(TimestampMicrosecondArray::from(vec![Some(-1), None, Some(1_500_000)])),
            ),
            ("bytes", Arc::new(BinaryArray::from(vec![Some(&b"\x00\xff"[..]), Some(b""), None]))),
        ];
        let nullable = columns.into_iter().map(|(name, column)| (name, column, true));
        let batch = RecordBatch::try_from_iter_with_nullable(nullable).unwrap();
        assert_eq!(again(&batch), batch);
    }

    #[test]
    fn numbers_that_are_still_text_and_rows_without_a_value_are_kept() {
        let logical = HashMap::from([(LOGICAL_KEY.to_owned(), "decimal".to_owned())]);
        let field = Field::new("amount", DataType::Utf8, true).with_metadata(logical);
        let values = StringArray::from(vec![None, Some("1.50"), Some(""), Some("\\N")]);
        let batch =
            RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::new(values)])
                .unwrap();
        assert_eq!(again(&batch), batch);
    }

    #[test]
    fn what_is_there_is_left_alone_and_nobody_else_can_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let cases = dir.path().join("cases/plugin");
        let rows =
            RecordBatch::try_from_iter([("id", Arc::new(Int32Array::from(vec![1])) as ArrayRef)])
                .unwrap();
        let context = context();
        let capture = CapturedCase { context: &context, rows: &rows };
        let folders = [capture.write(&cases, "x").unwrap(), capture.write(&cases, "x").unwrap()];
        assert_eq!(folders, [cases.join("x"), cases.join("x-2")]);
        let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            [mode(dir.path().join("cases")), mode(cases.clone()), mode(cases.join("x"))],
            [0o700; 3]
        );
        assert_eq!([mode(cases.join("x/input.csv")), mode(cases.join("x/case.toml"))], [0o600; 2]);
    }

    #[test]
    fn a_config_is_toml_where_toml_can_say_it() {
        let file = |config: Value| config_file(&config).unwrap_or_default();
        assert_eq!(file(json!({})), ("", String::new()));
        assert_eq!(
            file(json!({"columns": ["a"], "n": 1})),
            ("config.toml", "columns = [\"a\"]\nn = 1\n".to_owned())
        );
        assert_eq!(file(json!({"file_name": null})).0, "config.json");
        assert_eq!(file(json!({"n": u64::MAX})).0, "config.json");
    }
}
