//! The plan: where each output column comes from, decided once for a load.

use std::collections::BTreeSet;

use arrow_array::ArrayRef;
use arrow_schema::{DataType, Field, FieldRef, Schema, TimeUnit};
use serde::de::DeserializeOwned;

use crate::config;
use crate::error::Error;

/// What a plan may depend on, beside the input schema.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Name of the target table, such as `orders`.
    pub table: String,
    /// Names of the merge keys, as columns of the target; empty when rows are appended.
    pub keys: Vec<String>,
    /// The target table as it stands; None when the table does not exist yet. A plugin that
    /// produces the target's own types spares its user a cast or a refusal.
    pub target: Option<Schema>,
    /// The config as JSON. The host has checked it against the plugin's schema. Empty or `null`
    /// stand for no config.
    pub config: String,
}

impl Context {
    /// Reads the config into the plugin's own type. An empty config and `null` read as `{}`.
    ///
    /// Errors: `bad-config`, with the path of the key at fault and what is wrong with its value.
    /// For example, the config `{"decimal": {"scale": "2"}}` gives a message about `decimal.scale`.
    ///
    /// ```
    /// #[derive(serde::Deserialize, Default)]
    /// #[serde(deny_unknown_fields, default)]
    /// struct Config { suffix: String }
    ///
    /// let context = loader_sdk::Context { config: r#"{"suffix": "_raw"}"#.into(), ..Default::default() };
    /// assert_eq!(context.parse_config::<Config>().unwrap().suffix, "_raw");
    ///
    /// let context = loader_sdk::Context { config: r#"{"sufix": "_raw"}"#.into(), ..Default::default() };
    /// assert_eq!(context.parse_config::<Config>().err().unwrap().code, "bad-config");
    /// ```
    pub fn parse_config<T: DeserializeOwned>(&self) -> Result<T, Error> {
        config::parse(&self.config)
    }
}

/// A value that the host knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostValue {
    /// When the run started: a timestamp in UTC, in whole seconds.
    RunStartedAt,
    /// The run's id: text.
    RunId,
    /// The last part of the source object's key: text, such as `orders.csv`.
    SourceFileName,
    /// The address of the source object: text, such as `s3://bucket/data/in/orders.csv`.
    SourceUri,
    /// The number of the record in its file, 1 for the first record after the header: int64.
    SourceRow,
}

impl HostValue {
    /// Returns the value's name in the contract, such as `run.started-at`.
    pub fn key(self) -> &'static str {
        match self {
            Self::RunStartedAt => "run.started-at",
            Self::RunId => "run.id",
            Self::SourceFileName => "source.file-name",
            Self::SourceUri => "source.uri",
            Self::SourceRow => "source.row",
        }
    }

    /// Returns the type of a column with this value.
    pub fn data_type(self) -> DataType {
        match self {
            Self::RunStartedAt => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::RunId | Self::SourceFileName | Self::SourceUri => DataType::Utf8,
            Self::SourceRow => DataType::Int64,
        }
    }
}

/// Where an output column comes from. Indexes count from 0.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Expr {
    /// The input column with this index, as it is.
    Passthrough(usize),
    /// The input column with this index, cast by the host.
    Cast(usize),
    /// The same value in every row: an array of one value.
    Literal(ArrayRef),
    /// A value that the host knows.
    HostValue(HostValue),
    /// The column with this index in [`Output::columns`](crate::Output::columns).
    Computed(usize),
}

/// One output column.
#[derive(Debug, Clone)]
pub struct PlanColumn {
    /// The column's name, type and nullability.
    pub field: FieldRef,
    /// Where the column comes from.
    pub expr: Expr,
}

/// How the output is made: its columns in order, and what sessions need to know.
///
/// ```
/// use loader_sdk::arrow_schema::{DataType, Field, Schema};
/// use loader_sdk::{HostValue, Plan};
///
/// let input = Schema::new(vec![
///     Field::new("ID", DataType::Int64, false),
///     Field::new("Weight", DataType::Utf8, true),
///     Field::new("Note", DataType::Utf8, true),
/// ]);
/// let mut plan = Plan::new(&input);
/// plan.passthrough(0, "id");
/// plan.cast(1, "weight", DataType::Float64);
/// plan.computed("note_length", DataType::Int32, &[2]);
/// plan.host_value("file_name", HostValue::SourceFileName);
///
/// assert_eq!(plan.inputs(), [2]);
/// assert_eq!(plan.schema().field(1).data_type(), &DataType::Float64);
/// ```
#[derive(Debug, Clone)]
pub struct Plan {
    input: Schema,
    columns: Vec<PlanColumn>,
    // A `BTreeSet`, because the contract wants inputs ascending and each once.
    inputs: BTreeSet<usize>,
    computed: usize,
    /// Bytes that every session gets as they are; 64 KiB at most. An instance keeps no memory of
    /// the plan, so sessions know only what stands here.
    pub state: Vec<u8>,
}

impl Plan {
    /// Makes a plan without output columns, over the columns of `input`.
    pub fn new(input: &Schema) -> Self {
        Self {
            input: input.clone(),
            columns: Vec::new(),
            inputs: BTreeSet::new(),
            computed: 0,
            state: Vec::new(),
        }
    }

    /// Adds an input column as it is, under a name. The column never crosses the sandbox.
    ///
    /// Panics when there is no such input column.
    pub fn passthrough(&mut self, input: usize, name: impl Into<String>) {
        let field = self.input.field(input).clone().with_name(name);
        self.push(field, Expr::Passthrough(input));
    }

    /// Adds an input column that the host casts. The host rejects a row whose value the type cannot
    /// hold. (For example, it rejects `n/a` in a cast to Float64.) The column never crosses the
    /// sandbox.
    ///
    /// Panics when there is no such input column.
    pub fn cast(&mut self, input: usize, name: impl Into<String>, to: DataType) {
        let field = Field::new(name, to, self.input.field(input).is_nullable());
        self.push(field, Expr::Cast(input));
    }

    /// Adds a column with the same value in every row.
    ///
    /// Panics when `value` is not an array of one value.
    pub fn literal(&mut self, name: impl Into<String>, value: ArrayRef) {
        assert_eq!(value.len(), 1, "a literal is an array of one value");
        let field = Field::new(name, value.data_type().clone(), value.null_count() > 0);
        self.push(field, Expr::Literal(value));
    }

    /// Adds a column with a value that the host knows.
    pub fn host_value(&mut self, name: impl Into<String>, value: HostValue) {
        self.push(Field::new(name, value.data_type(), false), Expr::HostValue(value));
    }

    /// Adds a column that sessions compute, and names the input columns that they need for it.
    ///
    /// Sessions return computed columns in the order in which they were added here. Their batches
    /// hold the input columns that any computed column needs, each once, in the order of the input.
    /// For example, two computed columns that need `[4, 1]` and `[1]` give batches with the columns
    /// 1 and 4.
    ///
    /// Panics when there is no such input column.
    pub fn computed(&mut self, name: impl Into<String>, data_type: DataType, inputs: &[usize]) {
        self.read(inputs);
        let index = self.computed;
        self.computed += 1;
        // Always nullable: a session may leave a null in the rows that it rejects.
        self.push(Field::new(name, data_type, true), Expr::Computed(index));
    }

    /// Names input columns that sessions need, but not for a computed column: such as columns that
    /// only decide which rows are rejected.
    ///
    /// Panics when there is no such input column.
    pub fn read(&mut self, inputs: &[usize]) {
        for &input in inputs {
            assert!(input < self.input.fields().len(), "the input has no column {input}");
            self.inputs.insert(input);
        }
    }

    /// Returns the output columns in order.
    pub fn columns(&self) -> &[PlanColumn] {
        &self.columns
    }

    /// Returns the schema of all output columns.
    pub fn schema(&self) -> Schema {
        Schema::new(self.columns.iter().map(|column| column.field.clone()).collect::<Vec<_>>())
    }

    /// Returns the input columns that sessions need, ascending.
    pub fn inputs(&self) -> Vec<usize> {
        self.inputs.iter().copied().collect()
    }

    /// Returns the schema of a session's batches.
    pub fn inputs_schema(&self) -> Schema {
        Schema::new(
            self.inputs.iter().map(|input| self.input.fields()[*input].clone()).collect::<Vec<_>>(),
        )
    }

    fn push(&mut self, field: Field, expr: Expr) {
        self.columns.push(PlanColumn { field: field.into(), expr });
    }
}
