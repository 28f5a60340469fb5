//! What became of the rows of a sample.

use std::fmt;

use super::host::Processed;
use crate::error::Error;
use crate::output::Counter;
use crate::plan::Plan;
use crate::transform::kind::Kind;

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

impl Ran {
    /// Without any rows yet.
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

    /// Adds a batch that begins behind so many rows.
    pub(super) fn add(&mut self, rows_before: usize, batch: Processed) {
        for (row, values) in batch.rows.into_iter().enumerate() {
            match values {
                Ok(values) => self.rows.push(values),
                Err(error) => self.rejects.push((rows_before + row + 1, error)),
            }
        }
        add_up(&mut self.counters, batch.counters);
    }

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
