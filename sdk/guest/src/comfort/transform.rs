//! The trait that a transform implements, and how a plugin comes of it.
//!
//! A plan and its sessions are made by the same steps: a plan's state carries what the steps depend
//! on, and a session goes through them again. What crosses the sandbox is thus what the plan said,
//! or the session is refused.

use arrow_schema::{Schema, SchemaRef};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Kind, Rows, RowsSession, config};
use crate::{Context, Error, Plan, Plugin};

/// The host takes so much state from a plan.
const MAX_STATE_BYTES: usize = 64 * 1024;

/// A transform as a list of steps over named columns: the way to write most plugins.
///
/// ```
/// use loader_sdk::{Error, Rows, Transform, testing::Sample};
///
/// /// Cuts texts off.
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// #[serde(deny_unknown_fields)]
/// struct Config {
///     /// Column to shorten.
///     column: String,
///     /// Characters to keep.
///     length: usize,
/// }
///
/// struct Shorten;
///
/// impl Transform for Shorten {
///     type Config = Config;
///
///     fn steps(config: Config, rows: &mut Rows) -> Result<(), Error> {
///         rows.map(&config.column, move |text| Ok(text.map(|text| text.chars().take(config.length).collect::<String>())))?;
///         Ok(())
///     }
/// }
///
/// loader_sdk::export_plugin!(Shorten);
///
/// let sample = Sample::new(["id", "note"]).row(["1", "abcdef"]);
/// assert_eq!(sample.run::<Shorten>(r#"{"column": "note", "length": 3}"#).unwrap().to_string(), "id,note\n1,abc\n");
/// let error = sample.run::<Shorten>(r#"{"column": "notes", "length": 3}"#).unwrap_err();
/// assert_eq!(error.to_string(), r#"no column "notes"; there are: "id", "note""#);
/// let error = sample.run::<Shorten>(r#"{"column": "note", "length": "3"}"#).unwrap_err();
/// assert!(error.to_string().starts_with("config: length: invalid type: string"), "{error}");
/// ```
pub trait Transform: 'static {
    /// What may be set; [`NoConfig`](crate::NoConfig) when there is nothing. Give it
    /// `#[serde(deny_unknown_fields)]`, so that a misspelt key is refused. Its JSON Schema tells
    /// users what there is, doc comments included.
    type Config: DeserializeOwned + JsonSchema;

    /// The config's JSON Schema from a file: `Some(include_str!("../config.schema.json"))`.
    ///
    /// With None, the default, the component derives it when it is asked, which takes 90 KB of
    /// code. The file is kept right by a test; see
    /// [`testing::check_config_schema`](crate::testing::check_config_schema).
    const CONFIG_SCHEMA: Option<&'static str> = None;

    /// Adds the steps to the columns of the input.
    ///
    /// It is called for the plan and again for every session: the same config and columns must give
    /// the same steps.
    fn steps(config: Self::Config, rows: &mut Rows) -> Result<(), Error>;
}

/// What steps depend on, on its way from the plan to the sessions.
#[derive(Serialize, Deserialize)]
struct State {
    config: String,
    table: String,
    keys: Vec<String>,
    /// Name and [`Kind::code`] of all input columns.
    columns: Vec<(String, String)>,
    /// Those that steps read.
    inputs: Vec<usize>,
}

impl<T: Transform> Plugin for T {
    type Session = RowsSession;

    fn config_schema() -> String {
        match T::CONFIG_SCHEMA {
            Some(schema) => schema.to_owned(),
            None => config::config_schema::<T::Config>(),
        }
    }

    fn make_plan(context: &Context, input: &Schema) -> Result<Plan, Error> {
        let mut rows = Rows::new(context, input);
        T::steps(config::parse(&context.config)?, &mut rows)?;
        let mut plan = rows.plan()?;
        let state = State {
            config: context.config.clone(),
            table: context.table.clone(),
            keys: context.keys.clone(),
            columns: input
                .fields()
                .iter()
                .map(|field| (field.name().clone(), Kind::of(field).code()))
                .collect(),
            inputs: plan.inputs(),
        };
        plan.state = serde_json::to_vec(&state)
            .map_err(|error| Error::new("internal", error.to_string()))?;
        if plan.state.len() > MAX_STATE_BYTES {
            let message = format!(
                "the config and the names of {} columns take {} bytes; the plan of a plugin holds \
                 {MAX_STATE_BYTES}; shorten the config or the headers",
                input.fields().len(),
                plan.state.len()
            );
            return Err(Error::new("too-much-state", message));
        }
        Ok(plan)
    }

    fn open_session(state: &[u8], inputs: &SchemaRef) -> Result<RowsSession, Error> {
        let state: State = serde_json::from_slice(state)
            .map_err(|error| Error::new("bad-state", error.to_string()))?;
        let context =
            Context { table: state.table, keys: state.keys, target: None, config: state.config };
        let mut rows = Rows::new(&context, &input(&state.columns, &state.inputs, inputs)?);
        T::steps(config::parse(&context.config)?, &mut rows)?;
        if rows.inputs() != state.inputs {
            let message = "the steps read other columns than they did when the plan was made; they \
                           may depend on nothing but the config and the columns";
            return Err(Error::new("not-pure", message));
        }
        Ok(RowsSession::new(rows, &state.inputs))
    }
}

/// The whole input as the plan saw it; of columns that do not cross the sandbox, name and kind are
/// enough.
fn input(
    columns: &[(String, String)],
    read: &[usize],
    inputs: &SchemaRef,
) -> Result<Schema, Error> {
    let mut crossing = read.iter().zip(inputs.fields()).peekable();
    let mut fields = Vec::with_capacity(columns.len());
    for (index, (name, code)) in columns.iter().enumerate() {
        match crossing.next_if(|(read, _)| **read == index) {
            Some((_, field)) => fields.push(field.as_ref().clone()),
            None => fields.push(Kind::from_code(code).field(name)),
        }
    }
    if read.len() != inputs.fields().len() || crossing.peek().is_some() {
        let message = format!(
            "the plan reads {} columns, the session got {}",
            read.len(),
            inputs.fields().len()
        );
        return Err(Error::new("bad-state", message));
    }
    Ok(Schema::new(fields))
}
