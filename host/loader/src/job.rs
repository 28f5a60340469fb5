//! What was decided: one immutable, checked `Job` made of flags, file, environment and defaults.
//!
//! Only this module reads settings from the environment and from files. After it nothing is
//! undecided: no field of a `Job` is filled in later.

mod chain;
pub mod checkup;
mod columns;
mod project;
mod required;
mod transform;
mod warehouse;

use loader_model::choices::{
    AnotherFeed, Duplicates, EngineChoice, MissingColumns, ParquetCompression, ProgressMode,
    ReportFormat, SchemaPolicy, StagingFormat, Strategy,
};
use loader_model::error::Result;
use loader_model::names::TableName;
use loader_warehouse::evolution::table_keys::TableKeys;

use crate::cli::RunArgs;
use crate::layout::{IN, Layout, RunId};
use crate::settings::Settings;
use crate::settings::hook_settings::HookSettings;
use required::{config, required};

pub use chain::PluginSettings;
pub use project::Project;
pub(crate) use project::{FILE, included, opened, settings_file, variable};
pub(crate) use transform::form;
pub use transform::{CaptureSettings, Form, PluginCache, TransformSettings};
pub use warehouse::WarehouseSettings;

/// The bucket of the stand-in where none is named.
const LOCAL_BUCKET: &str = "local";

/// A load, fully decided.
#[derive(Clone, Debug)]
pub struct Job {
    pub run: RunId,
    pub job_id: String,
    pub job_name: String,
    /// Where the source, its archive, its parts and its log lie in the bucket.
    pub layout: Layout,
    pub target: TableName,
    /// Merge keys, lower case; empty for `append` and `replace` without keys.
    pub keys: Vec<String>,
    pub strategy: Strategy,
    /// Whether the strategy was given, and does not follow from the keys.
    pub is_strategy_given: bool,
    /// Whether the table may be loaded by other keys than before.
    pub change_keys: bool,
    /// Whether text keys are matched as the Glue job spelt them. `None`: keys that match only so
    /// are refused, while the table may be one that the job made.
    pub keys_as_glue: Option<bool>,
    pub duplicates: Duplicates,
    pub schema_policy: SchemaPolicy,
    pub missing_columns: MissingColumns,
    /// The user has said so.
    pub missing_columns_are_given: bool,
    /// Whether rows whose key is known keep what they have in columns that the file lacks.
    pub keeps_known: bool,
    pub another_feed: AnotherFeed,
    /// By which columns the target is distributed and sorted, if the load makes it.
    pub new_table: TableKeys,
    pub force: bool,
    pub warehouse: WarehouseSettings,
    pub transform: TransformSettings,
    pub staging_format: StagingFormat,
    pub parquet_compression: ParquetCompression,
    pub keep_staging: bool,
    pub engine: EngineChoice,
    /// The bytes of a task of an engine, where the settings say so.
    pub split_bytes: Option<u64>,
    pub progress: ProgressMode,
    pub hooks: HookSettings,
}

/// The settings of a command, as one list.
pub fn settings(args: RunArgs) -> Result<Settings> {
    Project::read(args)?.settings()
}

/// How the report is printed.
pub fn report_format(settings: &Settings) -> ReportFormat {
    settings.report.unwrap_or_default()
}

/// The job of a command line, and how its report is printed. When the settings file cannot be read,
/// the flag alone decides the format: with `--report json` a broken `loader.toml` is reported as
/// JSON too.
pub fn of_arguments(args: RunArgs) -> (Result<Job>, ReportFormat) {
    let flag = args.settings.report;
    let settings = settings(args);
    let format = settings.as_ref().map_or(flag.unwrap_or_default(), report_format);
    (settings.and_then(Job::decide), format)
}

impl Job {
    /// Decides a load. Errors: `Config`, naming the flag that is missing or wrong.
    // Rust evaluates the fields in the order in which they stand here. So `layout` borrows `run`
    // and `target` before these move into their fields, and `transform`, which takes the settings,
    // is last.
    pub fn decide(settings: Settings) -> Result<Job> {
        let run = RunId::new();
        let bucket = bucket(&settings)?;
        let source = required(settings.source_file_name.as_ref(), "--source-file-name")?;
        let table = required(settings.target_table.as_ref(), "--target-table")?;
        let target = settings.table_named(table)?;
        ledger_days(&settings)?;
        let keys = keys(&settings)?;
        let strategy = strategy(settings.strategy, &keys)?;
        let job_name = settings.job_name.clone().unwrap_or_else(|| "loader".into());
        Ok(Job {
            layout: Layout::new(&bucket, relative(source)?, &target.table, &run),
            run,
            job_id: settings.job_id.clone().unwrap_or_else(|| job_name.clone()),
            job_name,
            strategy,
            is_strategy_given: settings.strategy.is_some(),
            change_keys: settings.change_keys.unwrap_or(false),
            keys_as_glue: settings.keys_as_glue,
            target,
            keys,
            duplicates: settings.duplicates.unwrap_or_default(),
            schema_policy: settings.schema_policy.unwrap_or_default(),
            missing_columns: missing_columns(&settings, strategy)?,
            missing_columns_are_given: settings.missing_columns.is_some(),
            keeps_known: keeps_known(&settings, strategy)?,
            another_feed: settings.another_feed.unwrap_or_default(),
            new_table: new_table(&settings),
            force: settings.force.unwrap_or(false),
            warehouse: WarehouseSettings::decide(&settings)?,
            staging_format: settings.staging_format.unwrap_or_default(),
            parquet_compression: settings.parquet_compression.unwrap_or_default(),
            keep_staging: settings.keep_staging.unwrap_or(false),
            engine: engine(&settings)?,
            split_bytes: settings.split_bytes,
            progress: settings.progress.unwrap_or_default(),
            hooks: settings.hooks.clone().unwrap_or_default(),
            transform: TransformSettings::decide(settings)?,
        })
    }
}

/// Where tests want the process to die; see `crash.rs`.
pub fn crash_point() -> Option<String> {
    std::env::var("LOADER_CRASH_AT").ok()
}

/// The variable that names the socket of a Spark driver.
pub(crate) const FRAMES: &str = "LOADER_FRAMES";

/// Where the program that has started this one for its cluster listens.
pub fn frames() -> Option<String> {
    std::env::var(FRAMES).ok()
}

/// Errors: `Config` for Spark without a Spark driver.
fn engine(settings: &Settings) -> Result<EngineChoice> {
    match settings.engine.unwrap_or_default() {
        EngineChoice::Spark if frames().is_none() => Err(config(
            "--engine spark needs a Spark driver, which this program is not: start it with `python \
             -m loader_spark run …`, from the package loader-spark",
        )),
        engine => Ok(engine),
    }
}

fn keys(settings: &Settings) -> Result<Vec<String>> {
    let keys = settings.keys();
    match keys.iter().enumerate().find(|(i, key)| keys[..*i].contains(key)) {
        Some((_, key)) => Err(config(format!("--upsert-keys names `{key}` twice"))),
        None => Ok(keys),
    }
}

/// Whether a table's files may be loaded in any order: rows that are appended replace none.
pub(crate) fn any_order(settings: &Settings) -> bool {
    strategy(settings.strategy, &settings.keys()).ok() == Some(Strategy::Append)
}

/// For how many days the ledger remembers loads. `None`: for ever. Errors: `Config` for none at all,
/// and for more than a hundred years.
pub(crate) fn ledger_days(settings: &Settings) -> Result<Option<u32>> {
    const LONGEST: u32 = 36_500;
    match settings.ledger_days {
        Some(days) if !(1..=LONGEST).contains(&days) => Err(config(format!(
            "`ledger-days` is {days}, and must be 1 to {LONGEST}; without it, nothing is forgotten"
        ))),
        days => Ok(days),
    }
}

fn strategy(given: Option<Strategy>, keys: &[String]) -> Result<Strategy> {
    match (given, keys.is_empty()) {
        (None, false) => Ok(Strategy::Merge),
        (None, true) => Ok(Strategy::Append),
        (Some(Strategy::Merge), true) => Err(config("--strategy merge needs --upsert-keys")),
        (Some(Strategy::Append), false) => {
            Err(config("--strategy append knows no keys; leave --upsert-keys away"))
        }
        (Some(given), _) => Ok(given),
    }
}

/// The bucket of a job. The stand-in has one that need not be named. Errors: `Config`.
pub(crate) fn bucket(settings: &Settings) -> Result<String> {
    match (&settings.src_bucket, &settings.local) {
        (None, Some(_)) => Ok(LOCAL_BUCKET.to_owned()),
        (bucket, _) => required(bucket.as_ref(), "--src-bucket").cloned(),
    }
}

fn new_table(settings: &Settings) -> TableKeys {
    let sortkey = settings.sortkey.iter().flat_map(|names| &names.0);
    TableKeys {
        distkey: settings.distkey.as_ref().map(|name| name.to_ascii_lowercase()),
        sortkey: sortkey.map(|name| name.to_ascii_lowercase()).collect(),
    }
}

/// What becomes of columns that the file lacks: a merge leaves known rows what they have, unless it
/// is told otherwise.
///
/// Refuses `keep` for both settings. `--missing-columns keep` updates the table's row of a key, and
/// with `--duplicates keep` a file may have several rows of one key. (For example, two rows of
/// order_id 7 cannot both become the one row that the table has.) Where the latter alone is given,
/// `steps/plan.rs` refuses a file that lacks columns.
fn missing_columns(settings: &Settings, strategy: Strategy) -> Result<MissingColumns> {
    let (given, duplicates) = (settings.missing_columns, settings.duplicates);
    if given == Some(MissingColumns::Keep) && duplicates == Some(Duplicates::Keep) {
        return Err(config(
            "--missing-columns keep and --duplicates keep do not go together: the table's row of a \
             key can take one row of the file; give --duplicates last or first",
        ));
    }
    Ok(given.unwrap_or(match strategy {
        Strategy::Merge => MissingColumns::Keep,
        Strategy::Append | Strategy::Replace => MissingColumns::Default,
    }))
}

/// Whether rows whose key is known are updated where the file lacks columns. With `--duplicates
/// keep` none is: all rows of the file's keys come in the place of those that are there.
fn keeps_known(settings: &Settings, strategy: Strategy) -> Result<bool> {
    let keeps = missing_columns(settings, strategy)? == MissingColumns::Keep;
    let replaces = settings.duplicates == Some(Duplicates::Keep);
    Ok(keeps && strategy == Strategy::Merge && !replaces)
}

/// The key behind `data/in/`. The prefix and a leading slash may be given too:
/// `/data/in/eu/orders.csv` gives `eu/orders.csv`.
fn relative(source: &str) -> Result<&str> {
    let relative = source.trim_start_matches('/');
    let relative = relative.strip_prefix(IN).unwrap_or(relative);
    if relative.is_empty() || relative.ends_with('/') {
        return Err(config(format!("--source-file-name `{source}` names no file below data/in/")));
    }
    Ok(relative)
}

#[cfg(test)]
mod tests {
    use loader_aws::data_api::Compute;
    use loader_model::error::Kind;

    use super::*;
    use crate::settings::Names;

    fn minimal() -> Settings {
        Settings {
            src_bucket: Some("b".into()),
            source_file_name: Some("x.csv".into()),
            target_table: Some("T".into()),
            local: Some("somewhere".into()),
            ..Settings::default()
        }
    }

    fn check(change: impl FnOnce(&mut Settings), expected: &str) {
        let mut settings = minimal();
        change(&mut settings);
        let error = Job::decide(settings).expect_err("must be refused");
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.kind(), Kind::Config);
    }

    /// The delimiter of a load into a table.
    fn delimiter(table: &str, flags: Settings, file: &str) -> Option<String> {
        let file = Settings::from_toml(file, "x.toml").expect("valid");
        let environment = Settings {
            delimiter: Some("environment".into()),
            target_table: Some(table.into()),
            ..Settings::default()
        };
        project::merged(&flags, &file.or(environment)).expect("merges").delimiter
    }

    #[test]
    fn the_dialect_of_a_table_goes_before_that_of_all_and_behind_flags() {
        let file = "delimiter = 'all'\n[tables.orders.dialect]\ndelimiter = 'table'\n\
                    [tables.\"sales.orders\".dialect]\ndelimiter = 'schema'\n\
                    [tables.plain.dialect]\nquote = 'none'";
        let check = |table: &str, flags: Settings, expected: &str| {
            assert_eq!(delimiter(table, flags, file).as_deref(), Some(expected));
        };
        let flag = Settings { delimiter: Some("flag".into()), ..Settings::default() };
        let sales = Settings { schema_name: Some("sales".into()), ..Settings::default() };
        check("orders", Settings::default(), "table");
        check("ORDERS", Settings::default(), "table");
        check("orders", sales, "schema");
        check("orders", flag, "flag");
        check("plain", Settings::default(), "all");
        check("other", Settings::default(), "all");
        let of_table = "[tables.orders.dialect]\ndelimiter = 'table'";
        let delimiter = delimiter("orders", Settings::default(), of_table);
        assert_eq!(delimiter.as_deref(), Some("table"), "the file goes before the environment");
    }

    #[test]
    fn a_local_load_needs_little() {
        let job = Job::decide(minimal()).expect("enough");
        assert_eq!(job.target.to_string(), "public.t");
        assert_eq!(job.strategy, Strategy::Append);
        assert_eq!(job.warehouse.database.compute, Compute::Workgroup("local".into()));
    }

    #[test]
    fn a_cluster_may_name_its_user() {
        let user = |s| Settings { db_user: Some("ann".into()), ..s };
        let cluster = Settings { cluster_identifier: Some("c".into()), ..user(minimal()) };
        let job = Job::decide(cluster).expect("enough");
        let expected = Compute::Cluster { identifier: "c".into(), db_user: Some("ann".into()) };
        assert_eq!(job.warehouse.database.compute, expected);
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        check(|s| s.capture = Some(0), "--capture 0 would capture nothing; give 1 or more");
        check(
            |s| s.capture = Some(10_001),
            "--capture 10001 is more than a test case needs; give at most 10000",
        );
        check(
            |s| s.target_table = None,
            "--target-table is missing (or LOADER_TARGET_TABLE, or `target-table` in the settings \
             file)",
        );
        check(
            |s| s.local = None,
            "no warehouse given; name one with --workgroup-name or --cluster-identifier, or use \
             --local DIR",
        );
        check(
            |s| (s.db_user, s.workgroup_name) = (Some("ann".into()), Some("w".into())),
            "--db-user needs --cluster-identifier: the Data API takes a database user for \
             provisioned clusters only; on a workgroup the user is that of the IAM identity or of \
             --secret-arn",
        );
        check(
            |s| {
                (s.db_user, s.cluster_identifier) = (Some("ann".into()), Some("c".into()));
                s.secret_arn = Some("arn:aws:secretsmanager:eu-central-1:1:secret:s".into());
            },
            "--db-user and --secret-arn are both given; the secret has the database user in it, so \
             give one of them",
        );
        check(|s| s.strategy = Some(Strategy::Merge), "--strategy merge needs --upsert-keys");
        check(
            |s| s.upsert_keys = Some(Names(vec!["a".into(), "A".into()])),
            "--upsert-keys names `a` twice",
        );
        check(
            |s| s.delimiter = Some("123456789".into()),
            "--delimiter `123456789` is not one to eight ASCII characters (\\t for the tabulator)",
        );
        check(
            |s| {
                (s.missing_columns, s.duplicates) =
                    (Some(MissingColumns::Keep), Some(Duplicates::Keep))
            },
            "--missing-columns keep and --duplicates keep do not go together: the table's row of a \
             key can take one row of the file; give --duplicates last or first",
        );
        check(
            |s| s.source_file_name = Some("in/".into()),
            "--source-file-name `in/` names no file below data/in/",
        );
    }
}
