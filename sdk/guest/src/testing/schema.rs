//! The test that keeps a plugin's `config.schema.json` equal to its config type.

use crate::config;
use crate::error::Error;

/// Checks that a file has the JSON Schema of a config type, as
/// [`config_schema`](crate::config_schema) derives it. With `UPDATE=1` in the environment, writes
/// the file instead.
///
/// Errors: `stale-schema` when the file has another schema; `no-file` when the file cannot be read
/// or written.
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
// Values are compared, not texts, so that a formatter may lay out the file in another way.
pub fn check_config_schema<C: schemars::JsonSchema>(path: &str) -> Result<(), Error> {
    let schema = config::schema::<C>();
    let no_file = |error: std::io::Error| Error::new("no-file", format!("{path}: {error}"));
    if std::env::var_os("UPDATE").is_some_and(|update| update == "1") {
        return std::fs::write(path, format!("{schema:#}\n")).map_err(no_file);
    }
    let text = std::fs::read_to_string(path).map_err(no_file)?;
    if serde_json::from_str(&text).is_ok_and(|found: serde_json::Value| found == schema) {
        return Ok(());
    }
    let message =
        format!("{path} is not the schema of the config; run the test again with UPDATE=1");
    Err(Error::new("stale-schema", message))
}
