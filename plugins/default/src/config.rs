//! The config: its keys and their defaults.

use loader_sdk::{Context, Error};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::names::Rule;

/// JSON Schema of [`Config`].
pub(crate) const SCHEMA: &str = include_str!("../config.schema.json");

/// Clean names, exact decimals, metadata columns.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "default")]
pub(crate) struct Config {
    /// How headers become names of columns.
    pub(crate) names: Rule,
    /// Type of columns whose numbers have a fraction or an exponent; null takes DECIMAL(38,18), or
    /// the DECIMAL(38,…) that holds the numbers of the file.
    pub(crate) decimal: Option<DecimalType>,
    /// Whether to append the metadata columns.
    pub(crate) metadata: bool,
    /// Name of the column with the start of the run; null leaves it out.
    pub(crate) run_date: Option<String>,
    /// Name of the column with the name of the source file; null leaves it out.
    pub(crate) file_name: Option<String>,
}

/// `DECIMAL(precision, scale)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecimalType {
    /// Digits in all: 1 to 18 or 38.
    #[schemars(range(min = 1, max = 38), extend("not" = { "minimum": 19, "maximum": 37 }))]
    pub(crate) precision: u8,
    /// Digits after the point.
    #[schemars(range(max = 37))]
    pub(crate) scale: u8,
}

impl std::default::Default for Config {
    fn default() -> Self {
        Self {
            names: Rule::Unicode,
            decimal: None,
            metadata: true,
            run_date: Some("run_date".to_owned()),
            file_name: Some("file_name".to_owned()),
        }
    }
}

impl Config {
    // A metadata column must have a name that `clean` leaves alone. A name such as "Run Date" would
    // need quotes in every query, and could not be compared with the cleaned headers.
    pub(crate) fn read(context: &Context) -> Result<Self, Error> {
        let config: Self = context.parse_config()?;
        if let Some(decimal) = config.decimal {
            decimal.check()?;
        }
        for (key, name) in [("run_date", &config.run_date), ("file_name", &config.file_name)] {
            if let Some(name) = name
                && (name.is_empty() || loader_names::clean(name) != *name)
            {
                let message = format!(
                    "config: {key} is {name:?}; a column name has lower-case letters, digits and \
                     single underscores between them, such as \"loaded_at\""
                );
                return Err(Error::new("bad-config", message));
            }
        }
        Ok(config)
    }
}

impl DecimalType {
    /// As wide as possible, since Redshift cannot widen a DECIMAL in place when a later file needs
    /// more: 20 digits before the point and 18 behind it.
    pub(crate) const WIDEST: DecimalType = DecimalType { precision: 38, scale: 18 };

    /// Reads `38,18`, as the host writes it.
    pub(crate) fn parse(text: &str) -> Option<DecimalType> {
        let (precision, scale) = text.split_once(',')?;
        Some(DecimalType { precision: precision.parse().ok()?, scale: scale.parse().ok()? })
    }

    /// Refuses precisions from 19 to 37: Parquet stores them in a width that Redshift does not load
    /// into a column of another precision.
    fn check(self) -> Result<(), Error> {
        let Self { precision, scale } = self;
        if !(matches!(precision, 1..=18 | 38) && scale <= precision.min(37)) {
            let message = format!(
                "config: decimal is ({precision},{scale}); precision is 1 to 18 or 38, scale at \
                 most the precision and at most 37"
            );
            return Err(Error::new("bad-config", message));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(config: &str) -> Result<Config, Error> {
        Config::read(&Context { config: config.to_owned(), ..Context::default() })
    }

    #[test]
    fn nothing_set_is_the_default() {
        for config in ["", "{}", "null"] {
            let config = read(config).expect("reads");
            assert_eq!(config.decimal, None);
            assert_eq!((config.metadata, config.run_date.as_deref()), (true, Some("run_date")));
        }
    }

    #[test]
    fn a_metadata_column_can_be_left_out_or_renamed() {
        let config = read(r#"{"run_date": null, "file_name": "source_file"}"#).expect("reads");
        assert_eq!((config.run_date, config.file_name.as_deref()), (None, Some("source_file")));
    }

    #[test]
    fn mistakes_are_named() {
        let message = |config| read(config).expect_err("is refused").message;
        insta::assert_snapshot!(message(r#"{"decimals": {}}"#), @"config: decimals: unknown field `decimals`, expected one of `names`, `decimal`, `metadata`, `run_date`, `file_name`");
        insta::assert_snapshot!(message(r#"{"decimal": {"precision": 20, "scale": 2}}"#), @"config: decimal is (20,2); precision is 1 to 18 or 38, scale at most the precision and at most 37");
        insta::assert_snapshot!(message(r#"{"decimal": {"precision": 2, "scale": 3}}"#), @"config: decimal is (2,3); precision is 1 to 18 or 38, scale at most the precision and at most 37");
        insta::assert_snapshot!(message(r#"{"run_date": "Run Date"}"#), @r#"config: run_date is "Run Date"; a column name has lower-case letters, digits and single underscores between them, such as "loaded_at""#);
        insta::assert_snapshot!(message(r#"{"names": "guess"}"#), @"config: names: unknown variant `guess`, expected `unicode` or `glue`");
    }

    #[test]
    fn the_schema_is_that_of_the_config() -> Result<(), Error> {
        loader_sdk::testing::check_config_schema::<Config>(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/config.schema.json"
        ))
    }
}
