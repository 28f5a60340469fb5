//! Tidies a column with e-mail addresses, and refuses rows whose address has no @.

use loader_sdk::{Error, Reject, Rows, Transform};
use schemars::JsonSchema;
use serde::Deserialize;

/// What can be set. The doc comments here become the config's JSON Schema, against which loader checks a config.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Column with e-mail addresses.
    column: String,
}

/// The plugin.
pub struct {{type}};

impl Transform for {{type}} {
    type Config = Config;

    /// Steps run in this order, and each sees what the steps before it made. A column that no step
    /// reads costs nothing.
    fn steps(config: Config, rows: &mut Rows) -> Result<(), Error> {
        rows.map(&config.column, |address| match address.map(|text| text.trim().to_lowercase()) {
            Some(address) if !address.contains('@') => Err(Reject::new("no-address", "an e-mail address has an @")),
            address => Ok(address),
        })?;
        Ok(())
    }
}

loader_sdk::export_plugin!({{type}});

#[cfg(test)]
mod tests {
    use loader_sdk::testing::Sample;

    use super::*;

    #[test]
    fn addresses_are_tidied_and_others_refused() {
        let sample = Sample::new(["id", "email"]).row(["1", " Ada@Example.org"]).row(["2", "nobody"]);
        let ran = sample.run::<{{type}}>(r#"{"column": "email"}"#).expect("runs");
        assert_eq!(ran.column("email"), [Some("ada@example.org")]);
        assert_eq!(ran.rejects.len(), 1);
    }
}
