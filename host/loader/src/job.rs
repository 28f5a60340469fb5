//! What was decided: one immutable, checked `Job` made of flags, file, environment and defaults.
//!
//! The only place that reads the environment and configuration files. No field means "later".

mod plugins;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use loader_csv::Dialect;
use loader_sandbox::Limits;

pub use plugins::PluginSettings;

use crate::cli::RunArgs;
use crate::error::{Context, Error, Kind, Result};
use crate::names::{Layout, RunId, TableName};
use crate::settings::{
    Duplicates, LeadingZeros, MissingColumns, ReportFormat, SchemaPolicy, Settings, StagingFormat,
    Strategy,
};

/// A load, fully decided.
#[derive(Clone, Debug)]
pub struct Job {
    pub run: RunId,
    pub job_id: String,
    pub job_name: String,
    /// Where the source and everything around it lies.
    pub layout: Layout,
    pub target: TableName,
    /// Merge keys, lower case; empty for `append` and `replace` without keys.
    pub keys: Vec<String>,
    pub strategy: Strategy,
    pub duplicates: Duplicates,
    pub schema_policy: SchemaPolicy,
    pub missing_columns: MissingColumns,
    pub force: bool,
    pub warehouse: WarehouseSettings,
    pub transform: TransformSettings,
    pub staging_format: StagingFormat,
    pub keep_staging: bool,
}

/// How the rows of a file become typed rows; all that `loader transform` needs.
#[derive(Clone, Debug)]
pub struct TransformSettings {
    pub dialect: Dialect,
    pub plugins: Vec<PluginSettings>,
    /// What somebody should know about the choice of plugins.
    pub notices: Vec<String>,
    pub plugin_cache: PluginCache,
    pub capture: Option<CaptureSettings>,
    pub limits: Limits,
    /// Rows that may be refused before the whole file is.
    pub max_rejects: u64,
    pub workers: NonZeroUsize,
}

/// What of a run is kept as test cases for its plugins.
#[derive(Clone, Debug)]
pub struct CaptureSettings {
    /// Rows for each plugin.
    pub rows: usize,
    /// The folder of the cases.
    pub dir: PathBuf,
}

/// Where compiled plugins are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PluginCache {
    /// The user's cache folder.
    Default,
    Dir(PathBuf),
    Off,
}

/// Which Redshift, and as whom.
#[derive(Clone, Debug)]
pub struct WarehouseSettings {
    pub compute: Compute,
    pub database: String,
    pub secret_arn: Option<String>,
    pub access: AwsSettings,
    /// The role named in COPY; `default` for the cluster's own.
    pub iam_role: String,
}

/// What runs the statements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compute {
    Workgroup(String),
    Cluster { identifier: String, db_user: Option<String> },
}

/// Where S3 and the Data API are.
#[derive(Clone, Debug)]
pub struct AwsSettings {
    pub region: Option<String>,
    /// The folder of the local stand-in, when that is used.
    pub local: Option<PathBuf>,
}

/// Merges flags, settings file and `LOADER_…` variables, in this order.
pub fn settings(args: RunArgs) -> Result<Settings> {
    let file = match &args.config {
        Some(path) => Settings::from_toml(&read_text(path)?, &path.display().to_string())?,
        None => Settings::default(),
    };
    let environment = Settings::from_variables(|name| std::env::var(name).ok())?;
    args.settings.or(file)?.or(environment)
}

/// How the report is printed.
pub fn report_format(settings: &Settings) -> ReportFormat {
    settings.report.unwrap_or_default()
}

impl Job {
    /// Decides a load. Errors: `Config`, naming the flag that is missing or wrong.
    pub fn decide(settings: Settings) -> Result<Job> {
        let run = RunId::new();
        let bucket = required(settings.src_bucket.as_ref(), "--src-bucket")?;
        let source = required(settings.source_file_name.as_ref(), "--source-file-name")?;
        let table = required(settings.target_table.as_ref(), "--target-table")?;
        let target = TableName::new(settings.schema_name.as_deref().unwrap_or("public"), table)?;
        let keys = keys(&settings)?;
        let job_name = settings.job_name.clone().unwrap_or_else(|| "loader".into());
        Ok(Job {
            layout: Layout::new(bucket, relative(source)?, &target.table, &run),
            run,
            job_id: settings.job_id.clone().unwrap_or_else(|| job_name.clone()),
            job_name,
            strategy: strategy(settings.strategy, &keys)?,
            target,
            keys,
            duplicates: settings.duplicates.unwrap_or_default(),
            schema_policy: settings.schema_policy.unwrap_or_default(),
            missing_columns: missing_columns(&settings)?,
            force: settings.force.unwrap_or(false),
            warehouse: WarehouseSettings::decide(&settings)?,
            staging_format: settings.staging_format.unwrap_or_default(),
            keep_staging: settings.keep_staging.unwrap_or(false),
            transform: TransformSettings::decide(settings)?,
        })
    }
}

impl WarehouseSettings {
    /// Decides where statements go. Errors: `Config`, naming the flag that is missing or wrong.
    pub fn decide(settings: &Settings) -> Result<WarehouseSettings> {
        let access = AwsSettings { region: settings.region.clone(), local: settings.local.clone() };
        let local = access.local.is_some();
        let compute = match (&settings.workgroup_name, &settings.cluster_identifier) {
            (Some(_), Some(_)) => {
                return Err(config(
                    "--workgroup-name and --cluster-identifier are both given; a load goes to one \
                     of them",
                ));
            }
            (Some(name), None) => Compute::Workgroup(name.clone()),
            (None, Some(identifier)) => Compute::Cluster {
                identifier: identifier.clone(),
                db_user: settings.db_user.clone(),
            },
            (None, None) if local => Compute::Workgroup("local".into()),
            (None, None) => {
                return Err(config(
                    "no warehouse given; name one with --workgroup-name or --cluster-identifier, \
                     or use --local DIR",
                ));
            }
        };
        let or_local = |value: &Option<String>, flag: &str, default: &str| match value {
            Some(value) => Ok(value.clone()),
            None if local => Ok(default.to_string()),
            None => required(None, flag).cloned(),
        };
        Ok(WarehouseSettings {
            compute,
            database: or_local(&settings.database, "--database", "dev")?,
            secret_arn: settings.secret_arn.clone(),
            iam_role: or_local(
                &settings.iam_role,
                "--iam-role",
                "arn:aws:iam::000000000000:role/local",
            )?,
            access,
        })
    }

    /// The same for `loader sql`, which copies nothing.
    pub fn decide_for_queries(mut settings: Settings) -> Result<WarehouseSettings> {
        settings.iam_role.get_or_insert_with(|| "default".into());
        WarehouseSettings::decide(&settings)
    }
}

impl TransformSettings {
    /// Decides how rows are read and transformed. Errors: `Config`.
    pub fn decide(settings: Settings) -> Result<TransformSettings> {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let workers = settings.workers.unwrap_or(cores);
        let workers = NonZeroUsize::new(workers)
            .ok_or_else(|| config("--workers 0 would do nothing; give 1 or more"))?;
        let plugin_cache = match settings.plugin_cache.as_deref() {
            None => PluginCache::Default,
            Some("none") => PluginCache::Off,
            Some(dir) => PluginCache::Dir(dir.into()),
        };
        let (plugins, notices) = plugins::decide(&settings)?;
        Ok(TransformSettings {
            dialect: dialect(&settings)?,
            plugins,
            notices,
            plugin_cache,
            capture: capture(&settings)?,
            limits: settings.limits.unwrap_or_default(),
            max_rejects: settings.max_rejects.unwrap_or(0),
            workers,
        })
    }
}

/// Where tests want the process to die; see `crash.rs`.
pub fn crash_point() -> Option<String> {
    std::env::var("LOADER_CRASH_AT").ok()
}

fn keys(settings: &Settings) -> Result<Vec<String>> {
    let keys: Vec<String> = settings
        .upsert_keys
        .as_ref()
        .map_or(Vec::new(), |keys| keys.0.iter().map(|key| key.to_lowercase()).collect());
    match keys.iter().enumerate().find(|(i, key)| keys[..*i].contains(key)) {
        Some((_, key)) => Err(config(format!("--upsert-keys names `{key}` twice"))),
        None => Ok(keys),
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

/// Rows that are kept apart by nothing but their order cannot be updated column by column.
fn missing_columns(settings: &Settings) -> Result<MissingColumns> {
    let missing = settings.missing_columns.unwrap_or_default();
    if missing == MissingColumns::Keep && settings.duplicates == Some(Duplicates::Keep) {
        return Err(config(
            "--missing-columns keep and --duplicates keep do not go together: a row is updated \
             once",
        ));
    }
    Ok(missing)
}

/// The key behind `data/in/`; the prefix itself and a leading slash are forgiven.
fn relative(source: &str) -> Result<&str> {
    let relative = source.trim_start_matches('/');
    let relative = relative.strip_prefix("data/in/").unwrap_or(relative);
    if relative.is_empty() || relative.ends_with('/') || relative.contains("//") {
        return Err(config(format!("--source-file-name `{source}` names no file below data/in/")));
    }
    Ok(relative)
}

fn dialect(settings: &Settings) -> Result<Dialect> {
    let defaults = Dialect::default();
    let quote = match settings.quote.as_deref() {
        Some("none") => None,
        Some(_) => byte(settings.quote.as_deref(), "--quote")?,
        None => defaults.quote,
    };
    let dialect = Dialect {
        delimiter: byte(settings.delimiter.as_deref(), "--delimiter")?
            .unwrap_or(defaults.delimiter),
        quote,
        escape: byte(settings.escape.as_deref(), "--escape")?,
        header: !settings.no_header.unwrap_or(false),
        skip_rows: settings.skip_rows.unwrap_or(0),
        comment: byte(settings.comment.as_deref(), "--comment")?,
        null_tokens: settings.null_value.clone().unwrap_or_default(),
        leading_zeros: match settings.leading_zeros.unwrap_or_default() {
            LeadingZeros::Text => loader_csv::LeadingZeros::Text,
            LeadingZeros::Number => loader_csv::LeadingZeros::Number,
        },
    };
    dialect.check().context(Kind::Config, "the CSV dialect cannot be read")?;
    Ok(dialect)
}

/// One ASCII character, or `\t`.
fn byte(text: Option<&str>, flag: &str) -> Result<Option<u8>> {
    let Some(text) = text else { return Ok(None) };
    match text.as_bytes() {
        [b'\\', b't'] => Ok(Some(b'\t')),
        [byte] if byte.is_ascii() && !matches!(byte, b'\r' | b'\n' | 0) => Ok(Some(*byte)),
        _ => Err(config(format!(
            "{flag} `{text}` is not one ASCII character (\\t for the tabulator)"
        ))),
    }
}

/// They are held in memory, once for each plugin.
const MAX_CAPTURED_ROWS: usize = 10_000;

fn capture(settings: &Settings) -> Result<Option<CaptureSettings>> {
    let dir = || settings.capture_dir.clone().unwrap_or_else(|| "plugin-cases".into());
    match settings.capture {
        None => Ok(None),
        Some(0) => Err(config("--capture 0 would capture nothing; give 1 or more")),
        Some(rows) if rows > MAX_CAPTURED_ROWS => {
            let fact = format!(
                "--capture {rows} is more than a test case needs; give at most {MAX_CAPTURED_ROWS}"
            );
            Err(config(fact))
        }
        Some(rows) => Ok(Some(CaptureSettings { rows, dir: dir() })),
    }
}

fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path)
        .context(Kind::Config, format!("{} cannot be read", path.display()))
}

fn required<'a>(value: Option<&'a String>, flag: &str) -> Result<&'a String> {
    value.filter(|value| !value.is_empty()).ok_or_else(|| {
        let variable =
            format!("LOADER_{}", flag.trim_start_matches('-').replace('-', "_").to_uppercase());
        config(format!(
            "{flag} is missing (or {variable}, or `{}` in the settings file)",
            flag.trim_start_matches('-')
        ))
    })
}

fn config(message: impl Into<String>) -> Error {
    Error::new(Kind::Config, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Keys;

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

    #[test]
    fn a_local_load_needs_little() {
        let job = Job::decide(minimal()).expect("enough");
        assert_eq!(job.target.to_string(), "public.t");
        assert_eq!(job.strategy, Strategy::Append);
        assert_eq!(job.warehouse.compute, Compute::Workgroup("local".into()));
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
        check(|s| s.strategy = Some(Strategy::Merge), "--strategy merge needs --upsert-keys");
        check(
            |s| s.upsert_keys = Some(Keys(vec!["a".into(), "A".into()])),
            "--upsert-keys names `a` twice",
        );
        check(
            |s| s.delimiter = Some("ab".into()),
            "--delimiter `ab` is not one ASCII character (\\t for the tabulator)",
        );
        check(
            |s| {
                (s.missing_columns, s.duplicates) =
                    (Some(MissingColumns::Keep), Some(Duplicates::Keep))
            },
            "--missing-columns keep and --duplicates keep do not go together: a row is updated \
             once",
        );
        check(
            |s| s.source_file_name = Some("in/".into()),
            "--source-file-name `in/` names no file below data/in/",
        );
    }
}
