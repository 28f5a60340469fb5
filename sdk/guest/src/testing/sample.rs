//! A few rows to run a plugin on: columns, values, and the run itself.

use arrow_array::ArrayRef;
use arrow_schema::Schema;

use super::host;
use super::ran::Ran;
use super::typed;
use crate::error::Error;
use crate::plan::{Context, Plan};
use crate::plugin::Plugin;
use crate::transform::kind::Kind;

/// A few rows to run a plugin on. Every column is text unless [`Sample::kind`] says otherwise.
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

impl Sample {
    /// Makes a sample with these columns of text, and without rows.
    ///
    /// ```
    /// let sample = loader_sdk::testing::Sample::new(["id", "name"]);
    /// ```
    pub fn new<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Sample {
        let columns = names.into_iter().map(|name| (name.into(), Kind::Text)).collect();
        Sample { columns, ..Sample::default() }
    }

    /// Gives a column another type. The values are still written as text: a date as `2024-12-31`,
    /// for example.
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

    /// Sets the merge keys.
    ///
    /// ```
    /// let sample = loader_sdk::testing::Sample::new(["id"]).keys(["id"]);
    /// ```
    pub fn keys<S: Into<String>>(mut self, keys: impl IntoIterator<Item = S>) -> Sample {
        self.context.keys = keys.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a row with a value for each column. None is NULL.
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

    /// Makes a plan for a config in JSON, and runs all rows. An empty config means no config.
    ///
    /// The rows are also run one by one, each in a session of its own, because a load may cut its
    /// file at any place.
    ///
    /// Errors: those of the plugin; `bad-sample` when a value is not of its column's type;
    /// `batches-matter` when the rows come out differently one by one. (For example, a step that
    /// numbers the rows gives 1, 2 and 3 in one batch, and 1 three times one by one.)
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
        // At least 1, because `chunks` panics for chunks of no rows.
        let whole = self.run_in::<P>(&plan, &schema, self.rows.len().max(1))?;
        if self.run_in::<P>(&plan, &schema, 1)? != whole {
            return Err(Error::new(
                "batches-matter",
                "rows come out otherwise when they are processed one by one",
            ));
        }
        Ok(whole)
    }

    /// Runs all rows in batches of `batch_rows`. Each batch has a session of its own, because a
    /// load spreads the batches of a file over sessions in no particular order.
    fn run_in<P: Plugin>(
        &self,
        plan: &Plan,
        schema: &Schema,
        batch_rows: usize,
    ) -> Result<Ran, Error> {
        let mut ran = Ran::new(plan);
        for (index, rows) in self.rows.chunks(batch_rows).enumerate() {
            let arrays = (0..self.columns.len())
                .map(|column| self.array(column, rows))
                .collect::<Result<Vec<_>, _>>()?;
            let batch = host::SampleBatch { plan, schema, columns: &arrays, rows: rows.len() };
            ran.add(index * batch_rows, batch.process::<P>()?);
        }
        Ok(ran)
    }

    fn array(&self, column: usize, rows: &[Vec<Option<String>>]) -> Result<ArrayRef, Error> {
        let (name, kind) = &self.columns[column];
        // A row with too few values has NULL in its last columns.
        let values = rows.iter().map(|row| row.get(column).and_then(|value| value.as_deref()));
        typed::array(*kind, values)
            .map_err(|reject| Error::new("bad-sample", format!("column {name:?}: {reject}")))
    }
}
