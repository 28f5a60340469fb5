//! The settings of a load as one flat list, whichever way they come in: flags, file, environment.
//!
//! All are optional here. `sources.rs` reads and merges the three, `chains.rs` finds a table's
//! plugins among them; `job.rs` fills in defaults and decides.
//!
//! Long because it is one list.

pub(crate) mod chains;

mod choice;

pub(crate) mod column_settings;

pub(crate) mod dialect_of;

pub(crate) mod dialect_settings;

pub(crate) mod hook_settings;

pub(crate) mod joined;

pub(crate) mod key;

pub(crate) mod mistakes;

pub(crate) mod place;

pub(crate) mod plugin_entry;

pub(crate) mod shared;

pub(crate) mod sources;

pub(crate) mod suggest;

pub(crate) mod table_settings;

pub(crate) mod variables;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use clap::builder::{PathBufValueParser, TypedValueParser};
use loader_model::choices::{
    AnotherFeed, DialectSource, Duplicates, EngineChoice, FileFormat, FileOrder, LeadingZeros,
    MissingColumns, OnRefusal, ParquetCompression, ProgressMode, Quotes, RepeatedHeader,
    ReportFormat, SchemaPolicy, ShortRows, StagingFormat, Strategy, TrailingDelimiter,
};
use loader_model::error::Result;
use loader_model::max_rejects::MaxRejects;
use loader_model::names::TableName;
use loader_sandbox::Limits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::settings::column_settings::{ColumnFlag, ColumnSettings, Texts, column_schema};
use crate::settings::hook_settings::HookSettings;
use crate::settings::plugin_entry::PluginEntry;
use crate::settings::shared::Shared;
use crate::settings::table_settings::TableSettings;

pub(crate) use choice::choice;

/// Every setting of a load. Field names are the flags, with `_` for `-`.
#[derive(Args, Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Profile of the settings file: its settings go before those for all tables
    /// [default: that of `default-profile`].
    #[arg(long, help_heading = "Job", value_name = "NAME")]
    #[serde(skip)]
    pub profile: Option<String>,
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
    /// What says how the file is read [default: given; auto for `transform`].
    #[arg(long, help_heading = "Source", value_parser = choice::<DialectSource>())]
    pub dialect: Option<DialectSource>,
    /// What the file is [default: auto].
    #[arg(long, help_heading = "Source", value_parser = choice::<FileFormat>())]
    pub file_format: Option<FileFormat>,
    /// Encoding of the file, such as windows-1252 or utf-16le [default: utf-8, or what a byte order
    /// mark says].
    #[arg(long, help_heading = "Source", value_name = "LABEL")]
    pub encoding: Option<String>,
    /// Field delimiter, of one or several characters [default: ,].
    #[arg(long, help_heading = "Source", value_name = "CHARACTERS")]
    pub delimiter: Option<String>,
    /// Quote character, or `none` [default: "].
    #[arg(long, help_heading = "Source", value_name = "CHARACTER")]
    pub quote: Option<String>,
    /// Character that takes the next one literally inside quotes, or everywhere with `--quote none`
    /// [default: the quote is doubled].
    #[arg(long, help_heading = "Source", value_name = "CHARACTER")]
    pub escape: Option<String>,
    /// Lines that start with this character are skipped.
    #[arg(long, help_heading = "Source", value_name = "CHARACTER")]
    pub comment: Option<String>,
    /// The first row is data; columns are those of the table by their places, or column_1, ….
    #[arg(long, help_heading = "Source", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub no_header: Option<bool>,
    /// Names of the file's columns, in place of the header's: '["a","b"]' or a,b.
    #[arg(long, help_heading = "Source", value_name = "NAMES")]
    pub column_names: Option<Names>,
    /// Lines to skip before the header [default: 0].
    #[arg(long, help_heading = "Source", value_name = "N")]
    pub skip_rows: Option<u64>,
    /// Lines at the end that are no rows; blank ones do not count [default: 0].
    #[arg(long, help_heading = "Source", value_name = "N", conflicts_with = "footer")]
    pub skip_footer: Option<u64>,
    /// Text that the first line of a footer begins with, such as Total: it and what is behind it
    /// are no rows.
    #[arg(long, help_heading = "Source", value_name = "TEXT")]
    pub footer: Option<String>,
    /// Rows of the header; the parts of a name are joined by `_` [default: 1].
    #[arg(long, help_heading = "Source", value_name = "N")]
    pub header_rows: Option<u64>,
    /// Take blanks off fields and from around their quotes.
    #[arg(long, help_heading = "Source", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub trim: Option<bool>,
    /// Unquoted text that means NULL, beside the empty field; may be repeated.
    // Measuring devices write -9999, which must not be taken for a flag.
    #[arg(long, help_heading = "Source", value_name = "TEXT", allow_hyphen_values = true)]
    pub null_value: Option<Vec<String>>,
    /// Such texts are NULL in quotes, too.
    #[arg(long, help_heading = "Source", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub null_quoted: Option<bool>,
    /// Digits with a leading zero are text or numbers [default: text].
    #[arg(long, help_heading = "Source", value_parser = choice::<LeadingZeros>())]
    pub leading_zeros: Option<LeadingZeros>,
    /// Type of a column's values, and the format of dates: paid=date:%d.%m.%Y; may be repeated.
    #[arg(long, help_heading = "Source", value_name = "NAME=TYPE[:FORMAT]", value_delimiter = ';')]
    #[serde(skip)]
    pub column: Option<Vec<ColumnFlag>>,
    /// What becomes of a header or byte order mark that comes again in the file [default: skip].
    #[arg(long, help_heading = "Source", value_parser = choice::<RepeatedHeader>())]
    pub repeated_header: Option<RepeatedHeader>,
    /// What a quote is in a field that does not begin with one [default: strict].
    #[arg(long, help_heading = "Source", value_parser = choice::<Quotes>())]
    pub quotes: Option<Quotes>,
    /// What becomes of rows with fewer fields than the header [default: reject].
    #[arg(long, help_heading = "Source", value_parser = choice::<ShortRows>())]
    pub short_rows: Option<ShortRows>,
    /// What becomes of empty fields at the end of rows that have more than the header
    /// [default: reject].
    #[arg(long, help_heading = "Source", value_parser = choice::<TrailingDelimiter>())]
    pub trailing_delimiter: Option<TrailingDelimiter>,

    /// Schema of the target table [default: public].
    #[arg(long, help_heading = "Target", value_name = "SCHEMA")]
    pub schema_name: Option<String>,
    /// Target table; it is created when missing.
    #[arg(long, visible_alias = "table", help_heading = "Target", value_name = "TABLE")]
    pub target_table: Option<String>,
    /// Merge keys: '["a","b"]' or a,b; none: rows are appended.
    #[arg(long, help_heading = "Target", value_name = "KEYS")]
    pub upsert_keys: Option<Names>,
    /// How rows get in [default: merge with keys, append without].
    #[arg(long, help_heading = "Target", value_parser = choice::<Strategy>())]
    pub strategy: Option<Strategy>,
    /// Load the table by other keys than before; the ledger remembers them.
    #[arg(long, help_heading = "Target", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub change_keys: Option<bool>,
    /// Match text keys as the Glue job spelt them (`007` stored as `7`), and give them the file's
    /// spelling; `false`: they are other keys [default: refuse them in a table that is new to the
    /// ledger].
    #[arg(long, help_heading = "Target", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub keys_as_glue: Option<bool>,
    /// Which row of a key that a file holds twice is loaded [default: last].
    #[arg(long, help_heading = "Target", value_parser = choice::<Duplicates>())]
    pub duplicates: Option<Duplicates>,
    /// What may become of a table that does not fit the file [default: evolve].
    #[arg(long, help_heading = "Target", value_parser = choice::<SchemaPolicy>())]
    pub schema_policy: Option<SchemaPolicy>,
    /// What columns get that the table has and the file has not [default: keep for a merge, default
    /// otherwise].
    #[arg(long, help_heading = "Target", value_parser = choice::<MissingColumns>())]
    pub missing_columns: Option<MissingColumns>,
    /// A file that lacks most of the table's columns and brings new ones [default: refuse].
    #[arg(long, help_heading = "Target", value_parser = choice::<AnotherFeed>())]
    pub another_feed: Option<AnotherFeed>,
    /// Rows that may be rejected before the whole file is: a number, or a share such as 0.5%
    /// [default: 0].
    #[arg(long, help_heading = "Target", value_name = "N|N%")]
    pub max_rejects: Option<MaxRejects>,
    /// Column by which a new table is distributed [default: as Redshift chooses].
    #[arg(long, help_heading = "Target", value_name = "COLUMN")]
    pub distkey: Option<String>,
    /// Columns by which a new table is sorted [default: as Redshift chooses].
    #[arg(long, help_heading = "Target", value_name = "COLUMNS")]
    pub sortkey: Option<Names>,
    /// Days after which ledger and fence forget a load, by `prune` and `watch`; a file that comes
    /// again after that counts as new [default: never].
    #[arg(long, help_heading = "Target", value_name = "DAYS")]
    pub ledger_days: Option<u32>,
    /// Load the file even if the ledger says that it was.
    #[arg(long, help_heading = "Target", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub force: Option<bool>,

    /// Redshift Serverless workgroup.
    #[arg(long, help_heading = "Warehouse", value_name = "NAME")]
    pub workgroup_name: Option<String>,
    /// Provisioned Redshift cluster.
    #[arg(long, help_heading = "Warehouse", value_name = "ID")]
    pub cluster_identifier: Option<String>,
    /// Database user, for --cluster-identifier without --secret-arn.
    #[arg(long, help_heading = "Warehouse", value_name = "NAME")]
    pub db_user: Option<String>,
    /// Database.
    #[arg(long, help_heading = "Warehouse", value_name = "NAME")]
    pub database: Option<String>,
    /// AWS Region of the warehouse [default: as for any AWS program].
    #[arg(long, help_heading = "Warehouse", value_name = "REGION")]
    pub region: Option<String>,
    /// Secrets Manager secret with the database's user and password.
    #[arg(long, help_heading = "Warehouse", value_name = "ARN")]
    pub secret_arn: Option<String>,
    /// Role with which Redshift reads the staged files; `default` for the cluster's own.
    #[arg(long, help_heading = "Warehouse", value_name = "ARN")]
    pub iam_role: Option<String>,
    /// Lock the table itself while its rows are merged, for a table that other programs write to.
    #[arg(long, help_heading = "Warehouse", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub lock_target: Option<bool>,
    /// How long a load waits for another load of its table, in seconds [default: 900].
    #[arg(long, help_heading = "Warehouse", value_name = "SECONDS")]
    pub lock_timeout: Option<u64>,
    /// The longest that a statement of a load may take, in seconds [default: as Redshift has it].
    #[arg(long, help_heading = "Warehouse", value_name = "SECONDS")]
    pub statement_timeout: Option<u64>,
    /// How long S3 or the Data API may leave a request without an answer, in seconds [default: 60].
    #[arg(long, help_heading = "Warehouse", value_name = "SECONDS")]
    pub request_timeout: Option<u64>,
    /// Bytes of staged parts above which COPY gets a transaction of its own [default: 33554432].
    #[arg(long, help_heading = "Warehouse", value_name = "BYTES")]
    pub split_load_above: Option<u64>,
    /// Use S3 and Redshift of this machine, kept in this folder.
    #[arg(long, help_heading = "Warehouse", value_name = "DIR")]
    pub local: Option<PathBuf>,

    /// Plugins, in the order in which rows pass them: a.wasm,b.wasm; in place of those of the
    /// settings file. `default` is part of the program, `none` means no plugins [default: default].
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
    /// Who is told of loads; only in the settings file, as `[hooks]`.
    #[arg(skip)]
    pub hooks: Option<HookSettings>,
    /// What is said of columns of all tables; only in the settings file, as `[columns.NAME]`.
    #[arg(skip)]
    #[schemars(schema_with = "column_schema")]
    pub columns: Option<BTreeMap<String, ColumnSettings>>,
    /// Further settings files, by patterns such as `tables/*.toml`; only in the settings file.
    #[arg(skip)]
    pub include: Option<Texts>,
    /// Settings for one of several surroundings, such as `dev`; only in the settings file, as
    /// `[profiles.NAME]`.
    #[arg(skip)]
    pub profiles: Option<Shared<Settings>>,
    /// The profile that holds where none is named; only in the settings file.
    #[arg(skip)]
    pub default_profile: Option<String>,
    /// Settings of single tables; only in the settings file, as `[tables.NAME]`.
    #[arg(skip)]
    pub tables: Option<Shared<TableSettings>>,
    /// The settings file's plugins for all tables, when `--plugins` is used in place of them. Their
    /// pins still hold: a file that is pinned anywhere must have that digest.
    #[arg(skip)]
    #[serde(skip)]
    pub overruled_plugins: Vec<PluginEntry>,

    /// Arguments for Glue itself, which a command line of a Glue job had.
    #[arg(skip)]
    #[serde(skip)]
    pub for_glue: Vec<String>,

    /// Format of the staged parts [default: parquet].
    #[arg(long, help_heading = "Work", value_parser = choice::<StagingFormat>())]
    pub staging_format: Option<StagingFormat>,
    /// Compression of Parquet files [default: snappy].
    #[arg(long, help_heading = "Work", value_parser = choice::<ParquetCompression>())]
    pub parquet_compression: Option<ParquetCompression>,
    /// Keep the staged parts after the load.
    #[arg(long, help_heading = "Work", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub keep_staging: Option<bool>,
    /// Worker threads [default: one for each core].
    #[arg(long, help_heading = "Work", value_name = "N")]
    pub workers: Option<usize>,
    /// Who works on a large file [default: auto].
    #[arg(long, help_heading = "Work", value_parser = choice::<EngineChoice>())]
    pub engine: Option<EngineChoice>,
    /// Bytes of a file that are one task of an engine; without a cluster, files are then read in
    /// ranges of so many bytes, and not copied to this machine's disk
    /// [default: 64 to 512 MiB on a cluster].
    #[arg(long, help_heading = "Work", value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    pub split_bytes: Option<u64>,
    /// Queue of SQS that has the notifications of the bucket, for `watch`.
    #[arg(long, help_heading = "Watching", value_name = "URL")]
    pub queue_url: Option<String>,
    /// Seconds after which `watch` looks at all tables, whatever the queue says
    /// [default: 60; 300 with a queue].
    #[arg(long, help_heading = "Watching", value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub look_every: Option<u64>,
    /// Address and port at which `watch` shows its page, /healthz and /metrics to everybody who can
    /// reach it [default: none].
    #[arg(long, help_heading = "Watching", value_name = "ADDRESS:PORT")]
    pub http: Option<SocketAddr>,

    /// Largest file, in bytes, that the Lambda function loads [default: 104857600].
    #[arg(long, help_heading = "Lambda", value_name = "BYTES")]
    pub lambda_largest_file: Option<u64>,
    /// Queue of SQS for the messages of larger files [default: they wait in data/in/].
    #[arg(long, help_heading = "Lambda", value_name = "URL")]
    pub lambda_too_large_queue_url: Option<String>,

    /// Tables that are loaded at once; a load has one statement at a time [default: 4].
    #[arg(long, help_heading = "Work", value_name = "N")]
    pub parallel: Option<usize>,
    /// In which order the files of a table are loaded [default: arrival].
    #[arg(long, help_heading = "Work", value_parser = choice::<FileOrder>())]
    pub file_order: Option<FileOrder>,
    /// What becomes of a table's further files when one was refused [default: those that must not
    /// come before it wait].
    #[arg(long, help_heading = "Work", value_parser = choice::<OnRefusal>())]
    pub on_refusal: Option<OnRefusal>,
    /// How the progress of loads is shown, on stderr [default: auto].
    #[arg(long, help_heading = "Work", value_parser = choice::<ProgressMode>())]
    pub progress: Option<ProgressMode>,
    /// How the report is printed [default: human].
    #[arg(long, help_heading = "Work", value_parser = choice::<ReportFormat>())]
    pub report: Option<ReportFormat>,
}

/// Names of columns, written as a JSON list or separated by commas: `["order_id","line"]` is the
/// same as `order_id,line`.
#[derive(Clone, Debug, Default, JsonSchema, PartialEq, Eq, Serialize)]
#[schemars(with = "Texts")]
pub struct Names(pub Vec<String>);

impl FromStr for Names {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Names, String> {
        // Only the JSON form can name a column that has a comma or blanks at its ends in its name.
        if text.trim_start().starts_with('[') {
            return serde_json::from_str(text)
                .map(Names)
                .map_err(|error| format!("not a JSON list of names: {error}"));
        }
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        Ok(Names(names.map(str::to_owned).collect()))
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> std::result::Result<Names, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            List(Vec<String>),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::List(names) => Ok(Names(names)),
            Written::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

impl Settings {
    /// The table of this name in the schema of the settings.
    pub fn table_named(&self, table: &str) -> Result<TableName> {
        TableName::new(self.schema_name.as_deref().unwrap_or("public"), table)
    }

    /// The merge keys, lower case as Redshift keeps them.
    pub fn keys(&self) -> Vec<String> {
        let keys = self.upsert_keys.iter().flat_map(|keys| &keys.0);
        keys.map(|key| key.to_ascii_lowercase()).collect()
    }
}

fn plugin_path() -> impl TypedValueParser<Value = PluginEntry> {
    PathBufValueParser::new().map(PluginEntry::from)
}
