//! What became of the rows of a sample.

use std::fmt;

use super::host::Processed;
use crate::error::Error;
use crate::output::Counter;
use crate::plan::Plan;
use crate::transform::kind::Kind;

/// What became of the rows.
///
/// `to_string` writes the accepted rows as CSV, with an empty text as `""` and NULL as an empty
/// field. A line for each rejected row follows; rows are counted from 1.
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
    /// Types of the output columns, as [`Kind`] writes them, such as `decimal(12,2)`.
    pub kinds: Vec<String>,
    /// The accepted rows. In place of a value that only the host knows stands its name, such as
    /// `<run.id>`.
    pub rows: Vec<Vec<Option<String>>>,
    /// The rejected rows: the number of the row, counted from 1, and why it is rejected.
    pub rejects: Vec<(usize, Error)>,
    /// What the sessions counted, added up by name.
    pub counters: Vec<Counter>,
}

impl Ran {
    /// The output columns of a plan, without any rows yet.
    pub(super) fn new(plan: &Plan) -> Ran {
        let columns = plan.columns().iter();
        Ran {
            names: columns.clone().map(|column| column.field.name().clone()).collect(),
            kinds: columns.map(|column| Kind::of(&column.field).to_string()).collect(),
            rows: Vec::new(),
            rejects: Vec::new(),
            counters: Vec::new(),
        }
    }

    /// Adds a batch. `rows_before` is the number of rows in the batches before it.
    pub(super) fn add(&mut self, rows_before: usize, batch: Processed) {
        for (row, values) in batch.rows.into_iter().enumerate() {
            match values {
                Ok(values) => self.rows.push(values),
                Err(error) => self.rejects.push((rows_before + row + 1, error)),
            }
        }
        add_up(&mut self.counters, batch.counters);
    }

    /// Returns the values of one output column, in the order of the accepted rows; empty when there
    /// is no such column.
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
