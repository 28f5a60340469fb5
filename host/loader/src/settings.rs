//! The settings of a load as one flat list, whichever way they come in: flags, file, environment.
//!
//! All are optional here; `job.rs` merges the sources, fills in defaults and decides.

pub mod place;
pub mod plugins;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Args, CommandFactory, FromArgMatches, ValueEnum};
use loader_sandbox::Limits;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cli::Cli;
use crate::error::{Context, Error, Kind, Result};
use crate::settings::place::{Place, SettingsFile};
use crate::settings::plugins::{Origin, PluginEntry, TableSettings};

/// Every setting of a load. Field names are the flags, with `_` for `-`.
#[derive(Args, Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Id of the job, for the audit row [default: the job's name].
    #[arg(long, help_heading = "Job")]
    pub job_id: Option<String>,
    /// Name of the job [default: loader].
    #[arg(long, help_heading = "Job")]
    pub job_name: Option<String>,

    /// Bucket that holds data/in/, data/archive/ and the rest.
    #[arg(long, help_heading = "Source", value_name = "BUCKET")]
    pub src_bucket: Option<String>,
    /// File below data/in/.
    #[arg(long, help_heading = "Source", value_name = "NAME")]
    pub source_file_name: Option<String>,
    /// Field delimiter [default: ,].
    #[arg(long, help_heading = "Source", value_name = "CHARACTER")]
    pub delimiter: Option<String>,
    /// Quote character, or `none` [default: "].
    #[arg(long, help_heading = "Source", value_name = "CHARACTER")]
    pub quote: Option<String>,
    /// Character that takes the next one literally inside quotes [default: the quote is doubled].
    #[arg(long, help_heading = "Source", value_name = "CHARACTER")]
    pub escape: Option<String>,
    /// Lines that start with this character are skipped.
    #[arg(long, help_heading = "Source", value_name = "CHARACTER")]
    pub comment: Option<String>,
    /// The first row is data; columns are named column_1, column_2, ….
    #[arg(long, help_heading = "Source", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub no_header: Option<bool>,
    /// Lines to skip before the header [default: 0].
    #[arg(long, help_heading = "Source", value_name = "N")]
    pub skip_rows: Option<u64>,
    /// Unquoted text that means NULL, beside the empty field; may be repeated.
    #[arg(long, help_heading = "Source", value_name = "TEXT")]
    pub null_value: Option<Vec<String>>,
    /// Digits with a leading zero are text or numbers [default: text].
    #[arg(long, help_heading = "Source", value_enum)]
    pub leading_zeros: Option<LeadingZeros>,

    /// Schema of the target table [default: public].
    #[arg(long, help_heading = "Target", value_name = "SCHEMA")]
    pub schema_name: Option<String>,
    /// Target table; it is created when missing.
    #[arg(long, help_heading = "Target", value_name = "TABLE")]
    pub target_table: Option<String>,
    /// Merge keys: '["a","b"]' or a,b; none: rows are appended.
    #[arg(long, help_heading = "Target", value_name = "KEYS")]
    pub upsert_keys: Option<Keys>,
    /// How rows get in [default: merge with keys, append without].
    #[arg(long, help_heading = "Target", value_enum)]
    pub strategy: Option<Strategy>,
    /// Which row of a key that a file holds twice is loaded [default: last].
    #[arg(long, help_heading = "Target", value_enum)]
    pub duplicates: Option<Duplicates>,
    /// What may become of a table that does not fit the file [default: evolve].
    #[arg(long, help_heading = "Target", value_enum)]
    pub schema_policy: Option<SchemaPolicy>,
    /// What columns get that the table has and the file has not [default: default].
    #[arg(long, help_heading = "Target", value_enum)]
    pub missing_columns: Option<MissingColumns>,
    /// Rows that may be refused before the whole file is [default: 0].
    #[arg(long, help_heading = "Target", value_name = "N")]
    pub max_rejects: Option<u64>,
    /// Load the file even if the ledger says that it was.
    #[arg(long, help_heading = "Target", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub force: Option<bool>,

    /// Redshift Serverless workgroup.
    #[arg(long, help_heading = "Warehouse", value_name = "NAME")]
    pub workgroup_name: Option<String>,
    /// Provisioned Redshift cluster.
    #[arg(long, help_heading = "Warehouse", value_name = "ID")]
    pub cluster_identifier: Option<String>,
    /// Database user, for a provisioned cluster without a secret.
    #[arg(long, help_heading = "Warehouse", value_name = "NAME")]
    pub db_user: Option<String>,
    /// Database.
    #[arg(long, help_heading = "Warehouse", value_name = "NAME")]
    pub database: Option<String>,
    /// AWS Region [default: as for any AWS program].
    #[arg(long, help_heading = "Warehouse", value_name = "REGION")]
    pub region: Option<String>,
    /// Secrets Manager secret with the database's user and password.
    #[arg(long, help_heading = "Warehouse", value_name = "ARN")]
    pub secret_arn: Option<String>,
    /// Role with which Redshift reads the staged files; `default` for the cluster's own.
    #[arg(long, help_heading = "Warehouse", value_name = "ARN")]
    pub iam_role: Option<String>,
    /// Use S3 and Redshift of this machine, kept in this folder.
    #[arg(long, help_heading = "Warehouse", value_name = "DIR")]
    pub local: Option<PathBuf>,

    /// Plugins, in the order in which rows pass them: a.wasm,b.wasm; in place of those of the
    /// settings file.
    #[arg(long, help_heading = "Plugins", value_name = "FILES", value_delimiter = ',', value_parser = plugin_path())]
    #[serde(skip_serializing)]
    pub plugins: Option<Vec<PluginEntry>>,
    /// JSON file with configs of plugins that have none in the settings file: {"default": {…}}.
    #[arg(long, help_heading = "Plugins", value_name = "FILE")]
    pub plugin_config: Option<PathBuf>,
    /// Folder for compiled plugins, or `none` [default: the user's cache folder].
    #[arg(long, help_heading = "Plugins", value_name = "DIR")]
    pub plugin_cache: Option<String>,

    /// Write the first N rows (at most 10000) that each plugin gets as test cases for `loader
    /// plugin test`.
    #[arg(long, help_heading = "Plugins", value_name = "N")]
    pub capture: Option<usize>,
    /// Folder for the captured cases [default: plugin-cases].
    #[arg(long, help_heading = "Plugins", value_name = "DIR")]
    pub capture_dir: Option<PathBuf>,

    /// Limits of the sandbox; only in the settings file, as `[limits]`.
    #[arg(skip)]
    #[serde(skip_serializing)]
    pub limits: Option<Limits>,
    /// What holds for single tables; only in the settings file, as `[tables.NAME]`.
    #[arg(skip)]
    #[serde(skip_serializing)]
    pub tables: Option<BTreeMap<String, TableSettings>>,
    /// The settings file's plugins for all tables, when others were typed: their pins count all the
    /// same.
    #[arg(skip)]
    #[serde(skip)]
    pub overruled_plugins: Vec<PluginEntry>,

    /// Format of the staged parts [default: parquet].
    #[arg(long, help_heading = "Work", value_enum)]
    pub staging_format: Option<StagingFormat>,
    /// Keep the staged parts after the load.
    #[arg(long, help_heading = "Work", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub keep_staging: Option<bool>,
    /// Worker threads [default: one for each core].
    #[arg(long, help_heading = "Work", value_name = "N")]
    pub workers: Option<usize>,
    /// How the report is printed [default: human].
    #[arg(long, help_heading = "Work", value_enum)]
    pub report: Option<ReportFormat>,
}

/// How digits with a leading zero are read.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LeadingZeros {
    #[default]
    Text,
    Number,
}

/// How rows get into the target.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// Rows with a known key replace the old ones; needs keys.
    Merge,
    /// Rows are added.
    Append,
    /// The table's rows are replaced by the file's.
    Replace,
}

/// Which row of a key that a file holds more than once is loaded.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Duplicates {
    #[default]
    Last,
    First,
    /// The file is refused.
    Error,
    /// All of them.
    Keep,
}

/// What may become of a table that does not fit the file.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum SchemaPolicy {
    /// It is made, gets new columns, and wider ones.
    #[default]
    Evolve,
    /// It stays as it is; a file that does not fit is refused.
    Freeze,
    /// It stays as it is; columns that it has not are left out.
    DiscardColumns,
}

/// What columns get that the table has and the file has not.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum MissingColumns {
    /// Their DEFAULT; without one '', 0 or false by type, and NULL for dates and times.
    #[default]
    Default,
    /// NULL.
    Null,
    /// In updated rows what they have, in new rows as with `default`.
    Keep,
}

/// Format of the staged parts.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum StagingFormat {
    #[default]
    Parquet,
    /// Gzip, header, `\N` for NULL.
    Csv,
}

/// How the report is printed.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ReportFormat {
    #[default]
    Human,
    Json,
}

/// Merge keys, written as a JSON list or separated by commas.
#[derive(Clone, Debug, Default, Serialize, PartialEq, Eq)]
pub struct Keys(pub Vec<String>);

impl FromStr for Keys {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Keys, String> {
        if text.trim_start().starts_with('[') {
            return serde_json::from_str(text)
                .map(Keys)
                .map_err(|error| format!("not a JSON list of names: {error}"));
        }
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        Ok(Keys(names.map(str::to_string).collect()))
    }
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> std::result::Result<Keys, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            List(Vec<String>),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::List(names) => Ok(Keys(names)),
            Written::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

impl Settings {
    /// Reads a TOML file. Errors: `Config`, with line, column and the path of the key.
    pub fn from_toml(text: &str, origin: &str) -> Result<Settings> {
        let file = SettingsFile::new(origin, text);
        file.read::<Settings>()?.written_at(|key| Place::top(&file, key))
    }

    /// Reads the `LOADER_…` variables, by the rules of the flags.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Settings> {
        let command = Cli::command();
        let run = command
            .find_subcommand("run")
            .ok_or_else(|| Error::new(Kind::Internal, "no command `run`"))?;
        let flags = run.get_arguments().filter_map(|argument| argument.get_long());
        let mut arguments = vec!["settings".to_string()];
        for flag in flags.filter(|flag| *flag != "config" && *flag != "verbose" && *flag != "help")
        {
            let name = format!("LOADER_{}", flag.replace('-', "_").to_uppercase());
            arguments.extend(variable(&name).map(|value| format!("--{flag}={value}")));
        }
        let parser = Settings::augment_args(clap::Command::new("settings"));
        let matches = parser.try_get_matches_from(arguments).map_err(|error| {
            Error::new(
                Kind::Config,
                format!("a LOADER_… variable is not valid: {}", first_line(&error.to_string())),
            )
        })?;
        let parsed = Settings::from_arg_matches(&matches);
        let mut settings = parsed.context(Kind::Config, "a LOADER_… variable is not valid")?;
        settings.plugins.iter_mut().flatten().for_each(|plugin| plugin.origin = Origin::Variable);
        Ok(settings)
    }

    /// Takes what is not set here from `other`.
    pub fn or(self, other: Settings) -> Result<Settings> {
        let (mine, theirs) = (to_object(&self)?, to_object(&other)?);
        let mut merged = theirs;
        merged.extend(mine.into_iter().filter(|(_, value)| !value.is_null()));
        let merged: Settings = serde_json::from_value(Value::Object(merged))
            .context(Kind::Internal, "settings could not be merged")?;
        // These know where they were written, which JSON would forget.
        let (plugins, overruled_plugins) = match (self.plugins, other.plugins) {
            (Some(mine), theirs) => (Some(mine), theirs.unwrap_or_default()),
            (None, theirs) => (theirs, Vec::new()),
        };
        Ok(Settings {
            plugins,
            overruled_plugins: [self.overruled_plugins, other.overruled_plugins, overruled_plugins]
                .concat(),
            limits: self.limits.or(other.limits),
            tables: self.tables.or(other.tables),
            ..merged
        })
    }
}

fn to_object(settings: &Settings) -> Result<serde_json::Map<String, Value>> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(Error::new(Kind::Internal, "settings could not be merged")),
    }
}

fn plugin_path() -> impl TypedValueParser<Value = PluginEntry> {
    PathBufValueParser::new().map(PluginEntry::from)
}

fn first_line(text: &str) -> &str {
    text.trim_start_matches("error: ").lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_file_over_environment() {
        let flag = Settings { database: Some("flag".into()), ..Settings::default() };
        let file = Settings::from_toml(
            "database = 'file'\nregion = 'file'\nupsert-keys = ['a']",
            "x.toml",
        )
        .expect("valid");
        let environment = Settings::from_variables(|name| match name {
            "LOADER_DATABASE" | "LOADER_REGION" | "LOADER_JOB_ID" => Some("environment".into()),
            _ => None,
        });
        let merged = flag
            .or(file)
            .and_then(|merged| merged.or(environment.expect("valid")))
            .expect("merges");
        let values = [&merged.database, &merged.region, &merged.job_id]
            .map(|value| value.clone().unwrap_or_default());
        assert_eq!(values, ["flag", "file", "environment"]);
        assert_eq!(merged.upsert_keys, Some(Keys(vec!["a".into()])));
    }

    #[test]
    fn an_unknown_key_of_the_file_is_named() {
        let error =
            Settings::from_toml("databse = 'x'", "loader.toml").expect_err("a typing error");
        assert!(error.to_string().contains("databse"), "{error}");
    }

    #[test]
    fn a_bad_variable_is_named() {
        let error =
            Settings::from_variables(|name| (name == "LOADER_WORKERS").then(|| "many".into()));
        let text = error.expect_err("not a number").to_string();
        assert!(text.contains("--workers"), "{text}");
    }
}
