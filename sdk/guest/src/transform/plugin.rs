//! The trait that a transform implements, and how a transform becomes a plugin.
//!
//! The same steps make the plan and its sessions. The plan's state carries what the steps depend
//! on, and each session calls them again. A session is refused when its steps read other columns
//! than the plan's, because only the plan's columns cross the sandbox.

use arrow_schema::{Schema, SchemaRef};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::rows::Rows;
use super::session::RowsSession;
use super::state::State;
use crate::config;
use crate::error::Error;
use crate::plan::{Context, Plan};
use crate::plugin::Plugin;

/// A transform as a list of steps over named columns. Most plugins are written this way.
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
    /// What users may set; [`NoConfig`](crate::NoConfig) when there is nothing. Give it
    /// `#[serde(deny_unknown_fields)]`, so that a misspelt key is refused. (For example, `colum`
    /// for `column` would otherwise be ignored.) Its JSON Schema tells users what they may set, doc
    /// comments included.
    type Config: DeserializeOwned + JsonSchema;

    /// The config's JSON Schema from a file: `Some(include_str!("../config.schema.json"))`.
    ///
    /// With None, the default, the component derives the schema when the host asks for it, which
    /// takes 90 KB of code. A test keeps the file right; see
    /// [`testing::check_config_schema`](crate::testing::check_config_schema).
    const CONFIG_SCHEMA: Option<&'static str> = None;

    /// Adds the steps to the columns of the input.
    ///
    /// The function is called for the plan, and again for every session, so the same config and
    /// columns must give the same steps. A session whose steps read other columns than the plan's
    /// is refused with `not-pure`.
    fn steps(config: Self::Config, rows: &mut Rows) -> Result<(), Error>;
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
        // The state comes last: it records which inputs the plan's steps read.
        plan.state = State::new(context, input, plan.inputs()).write()?;
        Ok(plan)
    }

    fn open_session(state: &[u8], inputs: &SchemaRef) -> Result<RowsSession, Error> {
        let state = State::read(state)?;
        let context = state.context();
        let mut rows = Rows::new(&context, &state.input(inputs)?);
        T::steps(config::parse(&context.config)?, &mut rows)?;
        // A batch's columns are told apart by place alone, so other inputs would be mixed up.
        if rows.inputs() != state.inputs {
            let message = "the steps read other columns than they did when the plan was made; they \
                           may depend on nothing but the config and the columns";
            return Err(Error::new("not-pure", message));
        }
        Ok(RowsSession::new(rows, &state.inputs))
    }
}
