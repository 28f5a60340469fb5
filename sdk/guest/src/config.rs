//! Typed config: read with errors that name the key at fault, and described by a schema that is
//! derived from the type.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// The config of a transform that has nothing to set. Every key is refused.
///
/// ```
/// let context = loader_sdk::Context { config: r#"{"colour": "red"}"#.into(), ..Default::default() };
/// let error = context.parse_config::<loader_sdk::NoConfig>().unwrap_err();
/// assert!(error.message.starts_with("config: colour: unknown field `colour`"), "{error}");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}

/// Derives the JSON Schema of a config, draft 2020-12, from its type and doc comments.
///
/// A [`Transform`](crate::Transform) without a schema file calls this by itself. Deriving takes 90
/// KB of code in a component, so a plugin that is shipped has its schema in a file instead; see
/// [`testing::check_config_schema`](crate::testing::check_config_schema).
///
/// ```
/// /// What may be set.
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// #[serde(deny_unknown_fields)]
/// struct Config {
///     /// Columns to hash.
///     columns: Vec<String>,
/// }
///
/// let schema = loader_sdk::config_schema::<Config>();
/// assert!(schema.contains(r#""description":"Columns to hash.""#), "{schema}");
/// assert!(schema.contains(r#""additionalProperties":false"#), "{schema}");
/// ```
pub fn config_schema<T: JsonSchema>() -> String {
    schema::<T>().to_string()
}

pub(crate) fn schema<T: JsonSchema>() -> serde_json::Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// Reads a config. An error names the key at fault by its path, such as `decimal.scale`. An empty
/// text and `null` read as `{}`.
// The text is parsed into a value first, so that no error tells a line and column: the user wrote a
// settings file, and has never seen this text.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    let text = match text.trim() {
        "" | "null" => "{}",
        text => text,
    };
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|error| refused(String::new(), &error))?;
    serde_path_to_error::deserialize(value).map_err(|error| match error.path().to_string() {
        // The path of the config itself: it is a list or a number, for example, and not an object.
        path if path == "." => refused(String::new(), error.inner()),
        path => refused(format!("{path}: "), error.inner()),
    })
}

fn refused(path: String, error: &serde_json::Error) -> Error {
    Error::new("bad-config", format!("config: {path}{error}"))
}
