//! Runs a plugin natively on a few rows, for the tests of its logic.
//!
//! It does what the host does with a plan, without sandbox, validator or CSV: `loader plugin test`
//! has those.

use std::fmt;
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int16Builder, Int32Builder,
    Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{Schema, SchemaRef};

use super::cell::Reader;
use super::value::finish;
use super::{Cell, Kind, Reject};
use crate::{Context, Counter, Error, Expr, Plan, Plugin, Session};

/// A few rows to run a plugin on. Every column is text unless it is told otherwise.
///
/// ```
/// use loader_sdk::testing::Sample;
/// use loader_sdk::{Error, Kind, NoConfig, Rows, Transform};
///
/// struct Half;
/// impl Transform for Half {
///     type Config = NoConfig;
///     fn steps(_config: NoConfig, rows: &mut Rows) -> Result<(), Error> {
///         rows.derive("half", "n", |n| Ok(n.integer()?.map(|n| n / 2)))?;
///         Ok(())
///     }
/// }
///
/// let sample = Sample::new(["n"]).kind("n", Kind::Integer).row(["5"]).row([None]);
/// let ran = sample.run::<Half>("").unwrap();
/// assert_eq!(ran.names, ["n", "half"]);
/// assert_eq!(ran.rows, [[Some("5".to_owned()), Some("2".to_owned())], [None, None]]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Sample {
    columns: Vec<(String, Kind)>,
    rows: Vec<Vec<Option<String>>>,
    context: Context,
}

/// What became of the rows.
///
/// It is written as CSV, an empty text as `""`, NULL as nothing; then the rejected rows, counted
/// from 1.
///
/// ```
/// # use loader_sdk::{Error, NoConfig, Reject, Rows, Transform, testing::Sample};
/// struct Complete;
/// impl Transform for Complete {
///     type Config = NoConfig;
///     fn steps(_config: NoConfig, rows: &mut Rows) -> Result<(), Error> {
///         rows.reject_when("a", Reject::new("missing", "a is needed"), |a| Ok(a.is_null()))?;
///         Ok(())
///     }
/// }
///
/// let ran = Sample::new(["a", "b"]).row([Some("1"), None]).row([None, Some("2")]).run::<Complete>("").unwrap();
/// assert_eq!(ran.to_string(), "a,b\n1,\nrow 2: missing: a is needed\n");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Names of the output columns.
    pub names: Vec<String>,
    /// Their types, as [`Kind`] writes them.
    pub kinds: Vec<String>,
    /// The rows that are loaded. A value that only the host knows is its name, such as `<run.id>`.
    pub rows: Vec<Vec<Option<String>>>,
    /// The rows that are not: number from 1, and why.
    pub rejects: Vec<(usize, Error)>,
    /// What the session counted.
    pub counters: Vec<Counter>,
}

impl Sample {
    /// Columns of text, and no rows.
    ///
    /// ```
    /// let sample = loader_sdk::testing::Sample::new(["id", "name"]);
    /// ```
    pub fn new<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Sample {
        let columns = names.into_iter().map(|name| (name.into(), Kind::Text)).collect();
        Sample { columns, ..Sample::default() }
    }

    /// Gives a column another type. Values are written as text all the same.
    ///
    /// ```
    /// # use loader_sdk::{Kind, testing::Sample};
    /// let sample = Sample::new(["id", "price"]).kind("id", Kind::BigInteger).kind("price", Kind::Number);
    /// ```
    pub fn kind(mut self, name: &str, kind: Kind) -> Sample {
        for column in self.columns.iter_mut().filter(|column| column.0 == name) {
            column.1 = kind;
        }
        self
    }

    /// Names the merge keys.
    ///
    /// ```
    /// let sample = loader_sdk::testing::Sample::new(["id"]).keys(["id"]);
    /// ```
    pub fn keys<S: Into<String>>(mut self, keys: impl IntoIterator<Item = S>) -> Sample {
        self.context.keys = keys.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a row, a value for each column; None is NULL.
    ///
    /// ```
    /// # use loader_sdk::testing::Sample;
    /// let sample = Sample::new(["id", "name"]).row(["1", "Ada"]).row([Some("2"), None]);
    /// ```
    pub fn row<'a, V: Into<Option<&'a str>>>(
        mut self,
        values: impl IntoIterator<Item = V>,
    ) -> Sample {
        self.rows.push(values.into_iter().map(|value| value.into().map(str::to_owned)).collect());
        self
    }

    /// Plans with a config in JSON, empty for none, and runs all rows.
    ///
    /// Errors: the plugin's own; `bad-sample` when a value is not of its column's type;
    /// `batches-matter` when the rows come out otherwise one by one, each in a session of its own.
    ///
    /// ```
    /// # use loader_sdk::{Error, NoConfig, Rows, Transform, testing::Sample};
    /// # struct Nothing;
    /// # impl Transform for Nothing {
    /// #     type Config = NoConfig;
    /// #     fn steps(_config: NoConfig, _rows: &mut Rows) -> Result<(), Error> { Ok(()) }
    /// # }
    /// let error = Sample::new(["id"]).run::<Nothing>(r#"{"a": 1}"#).unwrap_err();
    /// assert_eq!(error.code, "bad-config");
    /// ```
    pub fn run<P: Plugin>(&self, config: &str) -> Result<Ran, Error> {
        let schema = Schema::new(
            self.columns.iter().map(|(name, kind)| kind.field(name)).collect::<Vec<_>>(),
        );
        let context = Context { config: config.to_owned(), ..self.context.clone() };
        let plan = P::make_plan(&context, &schema)?;
        let whole = self.run_in::<P>(&plan, &schema, self.rows.len().max(1))?;
        if self.run_in::<P>(&plan, &schema, 1)? != whole {
            return Err(Error::new(
                "batches-matter",
                "rows come out otherwise when they are processed one by one",
            ));
        }
        Ok(whole)
    }

    fn run_in<P: Plugin>(
        &self,
        plan: &Plan,
        schema: &Schema,
        batch_rows: usize,
    ) -> Result<Ran, Error> {
        let inputs: SchemaRef = plan.inputs_schema().into();
        let columns = plan.columns().iter();
        let mut ran = Ran {
            names: columns.clone().map(|column| column.field.name().clone()).collect(),
            kinds: columns.map(|column| Kind::of(&column.field).to_string()).collect(),
            rows: Vec::new(),
            rejects: Vec::new(),
            counters: Vec::new(),
        };
        for (index, rows) in self.rows.chunks(batch_rows).enumerate() {
            let arrays = (0..self.columns.len())
                .map(|column| self.array(column, rows))
                .collect::<Result<Vec<_>, _>>()?;
            let crossing = plan.inputs().iter().map(|input| Arc::clone(&arrays[*input])).collect();
            let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
            let batch = RecordBatch::try_new_with_options(Arc::clone(&inputs), crossing, &options);
            // A session of its own: batches of a file are spread over sessions in no particular
            // order.
            let mut session = P::open_session(&plan.state, &inputs)?;
            let output = session
                .process(&batch.map_err(|error| Error::new("bad-sample", error.to_string()))?)?;
            let (rejected, reasons, messages) = output.rejects.into_parts();
            let mut rejects: Vec<Option<Error>> = vec![None; rows.len()];
            for (row, reason) in rejected.iter().zip(reasons) {
                rejects[*row as usize] = Some(messages[usize::from(reason)].clone());
            }
            let readers = readers(plan, schema, &arrays, &output.columns);
            for (row, reject) in rejects.into_iter().enumerate() {
                let values =
                    readers.iter().map(|column| column.value(row)).collect::<Result<Vec<_>, _>>();
                match (reject, values) {
                    (None, Ok(values)) => ran.rows.push(values),
                    (Some(error), _) | (None, Err(error)) => {
                        ran.rejects.push((index * batch_rows + row + 1, error))
                    }
                }
            }
            add_up(&mut ran.counters, session.finish()?);
        }
        Ok(ran)
    }

    fn array(&self, column: usize, rows: &[Vec<Option<String>>]) -> Result<ArrayRef, Error> {
        let (name, kind) = &self.columns[column];
        let values = rows.iter().map(|row| row.get(column).and_then(|value| value.as_deref()));
        array(*kind, values)
            .map_err(|reject| Error::new("bad-sample", format!("column {name:?}: {reject}")))
    }
}

impl Ran {
    /// The values of one output column, in the order of the accepted rows; empty when there is none
    /// of the name.
    ///
    /// ```
    /// # use loader_sdk::{Error, NoConfig, Rows, Transform, testing::Sample};
    /// # struct Nothing;
    /// # impl Transform for Nothing {
    /// #     type Config = NoConfig;
    /// #     fn steps(_config: NoConfig, _rows: &mut Rows) -> Result<(), Error> { Ok(()) }
    /// # }
    /// let ran = Sample::new(["id"]).row(["1"]).run::<Nothing>("").unwrap();
    /// assert_eq!(ran.column("id"), [Some("1")]);
    /// ```
    pub fn column(&self, name: &str) -> Vec<Option<&str>> {
        let place = self.names.iter().position(|other| other == name);
        place.map_or_else(Vec::new, |place| {
            self.rows.iter().map(|row| row[place].as_deref()).collect()
        })
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "{}",
            self.names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(",")
        )?;
        for row in &self.rows {
            let fields = row.iter().map(|value| value.as_deref().map(quoted).unwrap_or_default());
            writeln!(formatter, "{}", fields.collect::<Vec<_>>().join(","))?;
        }
        for (row, error) in &self.rejects {
            writeln!(formatter, "row {row}: {}: {}", error.code, error.message)?;
        }
        Ok(())
    }
}

/// Checks that a file has the JSON Schema of a config type, as
/// [`config_schema`](crate::config_schema) derives it; with `UPDATE=1` in the environment it writes
/// the file.
///
/// Errors: `stale-schema` when the file is not that schema, `no-file` when it cannot be read or
/// written.
///
/// ```
/// use loader_sdk::NoConfig;
/// use loader_sdk::testing::check_config_schema;
///
/// let error = check_config_schema::<NoConfig>("no/such/folder/config.schema.json").unwrap_err();
/// assert_eq!(error.code, "no-file");
/// ```
/// In a plugin:
/// ```no_run
/// # use loader_sdk::{Error, NoConfig as Config, testing::check_config_schema};
/// #[test]
/// fn the_schema_is_that_of_the_config() -> Result<(), Error> {
///     check_config_schema::<Config>(concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json"))
/// }
/// ```
pub fn check_config_schema<C: schemars::JsonSchema>(path: &str) -> Result<(), Error> {
    let schema = super::config::schema::<C>();
    let no_file = |error: std::io::Error| Error::new("no-file", format!("{path}: {error}"));
    if std::env::var_os("UPDATE").is_some_and(|update| update == "1") {
        return std::fs::write(path, format!("{schema:#}\n")).map_err(no_file);
    }
    let text = std::fs::read_to_string(path).map_err(no_file)?;
    match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(found) if found == schema => Ok(()),
        _ => {
            let message =
                format!("{path} is not the schema of the config; run the test again with UPDATE=1");
            Err(Error::new("stale-schema", message))
        }
    }
}

fn quoted(value: &str) -> String {
    if value.is_empty() || value.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value.to_owned()
    }
}

fn add_up(sums: &mut Vec<Counter>, counters: Vec<Counter>) {
    for counter in counters {
        match sums.iter_mut().find(|sum| sum.name == counter.name) {
            Some(sum) => sum.value += counter.value,
            None => sums.push(counter),
        }
    }
}

/// An output column.
struct Output {
    reader: Option<Reader>,
    /// The kind that the host casts to.
    cast: Option<Kind>,
    host_value: String,
}

impl Output {
    fn value(&self, row: usize) -> Result<Option<String>, Error> {
        let Some(reader) = &self.reader else { return Ok(Some(self.host_value.clone())) };
        let cell = Cell::new(reader, row);
        let text = match self.cast {
            None => return Ok(cell.text().map(str::to_owned)),
            Some(kind) => array(kind, [cell.text()].into_iter()),
        };
        let array =
            text.map_err(|reject| Error::new("cast", reject.to_string()).column(cell.name()))?;
        Ok(Cell::new(&Reader::new(cell.name().into(), array, true), 0).text().map(str::to_owned))
    }
}

fn readers(
    plan: &Plan,
    schema: &Schema,
    inputs: &[ArrayRef],
    computed: &[ArrayRef],
) -> Vec<Output> {
    let output = |column: &crate::PlanColumn| {
        let name: Arc<str> = column.field.name().as_str().into();
        let reader = |array: &ArrayRef, is_constant| {
            Some(Reader::new(Arc::clone(&name), Arc::clone(array), is_constant))
        };
        let mut output = Output { reader: None, cast: None, host_value: String::new() };
        match &column.expr {
            Expr::Passthrough(index) => output.reader = reader(&inputs[*index], false),
            Expr::Cast(index) => {
                output.reader = reader(&inputs[*index], false);
                output.cast = Some(Kind::of(&column.field))
                    .filter(|kind| *kind != Kind::of(schema.field(*index)));
            }
            Expr::Literal(value) => output.reader = reader(value, true),
            Expr::HostValue(value) => output.host_value = format!("<{}>", value.key()),
            Expr::Computed(index) => output.reader = reader(&computed[*index], false),
        }
        output
    };
    plan.columns().iter().map(output).collect()
}

/// Reads texts as values of a kind.
fn array<'a>(
    kind: Kind,
    values: impl Iterator<Item = Option<&'a str>>,
) -> Result<ArrayRef, Reject> {
    let mut texts = StringBuilder::new();
    values.for_each(|value| texts.append_option(value));
    let texts = Reader::new("value".into(), finish(texts), false);
    let rows = 0..texts.len();
    macro_rules! read {
        ($builder:expr, $cell:ident => $value:expr) => {{
            let mut builder = $builder;
            for row in rows {
                let $cell = Cell::new(&texts, row);
                builder.append_option($value);
            }
            Ok(finish(builder))
        }};
    }
    let too_large = |_| Reject::new("out-of-range", "the number is too large for its column");
    match kind {
        Kind::Text | Kind::Number | Kind::Other => read!(StringBuilder::new(), cell => cell.text()),
        Kind::Boolean => read!(BooleanBuilder::new(), cell => cell.boolean()?),
        Kind::SmallInteger => {
            read!(Int16Builder::new(), cell => cell.integer()?.map(i16::try_from).transpose().map_err(too_large)?)
        }
        Kind::Integer => {
            read!(Int32Builder::new(), cell => cell.integer()?.map(i32::try_from).transpose().map_err(too_large)?)
        }
        Kind::BigInteger => read!(Int64Builder::new(), cell => cell.integer()?),
        Kind::Real | Kind::Double => read!(Float64Builder::new(), cell => cell.double()?),
        Kind::Decimal(precision, scale) => {
            let builder = Decimal128Builder::new();
            let builder =
                builder.with_data_type(arrow_schema::DataType::Decimal128(precision, scale as i8));
            let fit = |number: super::Decimal| {
                let number = number.round(scale, super::Rounding::HalfUp);
                number.map(super::Decimal::unscaled).ok_or_else(|| {
                    Reject::new("out-of-range", "the number is too large for its column")
                })
            };
            read!(builder, cell => cell.decimal()?.map(fit).transpose()?)
        }
        Kind::Date => read!(Date32Builder::new(), cell => cell.date()?.map(super::Date::days)),
        Kind::Timestamp => {
            read!(TimestampMicrosecondBuilder::new(), cell => cell.timestamp()?.map(super::Timestamp::micros))
        }
    }
}
