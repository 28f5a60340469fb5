//! The settings of a load as one flat list, whichever way they come in: flags, file, environment.
//!
//! All are optional here; `job.rs` merges the sources, fills in defaults and decides.

mod choice;

pub mod place;

pub mod plugin_entry;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Args, FromArgMatches};
use loader_model::choices::{
    Duplicates, LeadingZeros, MissingColumns, ReportFormat, SchemaPolicy, StagingFormat, Strategy,
};
use loader_model::error::{Context, Error, Kind, Result};
use loader_sandbox::Limits;
use serde::Deserialize;

use crate::settings::place::{Place, SettingsFile};
use crate::settings::plugin_entry::{Origin, PluginEntry, TableSettings};

pub use choice::choice;

/// Every setting of a load. Field names are the flags, with `_` for `-`.
#[derive(Args, Clone, Debug, Default, Deserialize)]
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
    #[arg(long, help_heading = "Source", value_parser = choice::<LeadingZeros>())]
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
    #[arg(long, help_heading = "Target", value_parser = choice::<Strategy>())]
    pub strategy: Option<Strategy>,
    /// Which row of a key that a file holds twice is loaded [default: last].
    #[arg(long, help_heading = "Target", value_parser = choice::<Duplicates>())]
    pub duplicates: Option<Duplicates>,
    /// What may become of a table that does not fit the file [default: evolve].
    #[arg(long, help_heading = "Target", value_parser = choice::<SchemaPolicy>())]
    pub schema_policy: Option<SchemaPolicy>,
    /// What columns get that the table has and the file has not [default: default].
    #[arg(long, help_heading = "Target", value_parser = choice::<MissingColumns>())]
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
    pub limits: Option<Limits>,
    /// What holds for single tables; only in the settings file, as `[tables.NAME]`.
    #[arg(skip)]
    pub tables: Option<BTreeMap<String, TableSettings>>,
    /// The settings file's plugins for all tables, when others were typed: their pins count all the
    /// same.
    #[arg(skip)]
    #[serde(skip)]
    pub overruled_plugins: Vec<PluginEntry>,

    /// Format of the staged parts [default: parquet].
    #[arg(long, help_heading = "Work", value_parser = choice::<StagingFormat>())]
    pub staging_format: Option<StagingFormat>,
    /// Keep the staged parts after the load.
    #[arg(long, help_heading = "Work", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub keep_staging: Option<bool>,
    /// Worker threads [default: one for each core].
    #[arg(long, help_heading = "Work", value_name = "N")]
    pub workers: Option<usize>,
    /// How the report is printed [default: human].
    #[arg(long, help_heading = "Work", value_parser = choice::<ReportFormat>())]
    pub report: Option<ReportFormat>,
}

/// Merge keys, written as a JSON list or separated by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
        let parser = Settings::augment_args(clap::Command::new("settings"));
        let flags = parser.get_arguments().filter_map(|argument| argument.get_long());
        let mut arguments = vec!["settings".to_string()];
        for flag in flags {
            let name = format!("LOADER_{}", flag.replace('-', "_").to_uppercase());
            arguments.extend(variable(&name).map(|value| format!("--{flag}={value}")));
        }
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

    /// Takes what is not set here from `other`. Names every setting, so that a new one that is
    /// forgotten here does not compile.
    #[must_use]
    pub fn or(self, other: Settings) -> Settings {
        macro_rules! first_set {
            ($($setting:ident)+) => {{
                let Settings { plugins, overruled_plugins, $($setting),+ } = self;
                // The plugins that are not used are kept: their pins count all the same.
                let (plugins, unused) = match (plugins, other.plugins) {
                    (Some(mine), theirs) => (Some(mine), theirs.unwrap_or_default()),
                    (None, theirs) => (theirs, Vec::new()),
                };
                let overruled_plugins =
                    [overruled_plugins, other.overruled_plugins, unused].concat();
                $(let $setting = $setting.or(other.$setting);)+
                Settings { plugins, overruled_plugins, $($setting),+ }
            }};
        }
        first_set! {
            job_id job_name src_bucket source_file_name delimiter
            quote escape comment no_header skip_rows
            null_value leading_zeros schema_name target_table upsert_keys
            strategy duplicates schema_policy missing_columns max_rejects
            force workgroup_name cluster_identifier db_user database
            region secret_arn iam_role local plugin_config
            plugin_cache capture capture_dir limits tables
            staging_format keep_staging workers report
        }
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
        let merged = flag.or(file).or(environment.expect("valid"));
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
