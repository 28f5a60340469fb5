//! What `loader doctor` examines: the warehouse and the bucket of a load, and the loads of its own
//! that it tries there with the same settings.

use loader_model::choices::{
    ParquetCompression, ProgressMode, SchemaPolicy, StagingFormat, Strategy,
};
use loader_model::error::Result;
use loader_model::names::TableName;

use super::required::required;
use super::{Job, WarehouseSettings, keeps_known, keys, strategy};
use crate::settings::dialect_settings::DialectSettings;
use crate::settings::{Names, Settings};

/// Where loads would go, and what they would do there.
#[derive(Clone, Debug)]
pub struct Checkup {
    pub bucket: String,
    pub schema: String,
    /// The table that would be loaded, if one is named.
    pub target: Option<TableName>,
    pub strategy: Strategy,
    pub schema_policy: SchemaPolicy,
    /// Whether loads update rows, where a file lacks columns.
    pub keeps_known: bool,
    pub staging_format: StagingFormat,
    pub parquet_compression: ParquetCompression,
    pub warehouse: WarehouseSettings,
    settings: Settings,
}

/// A load that is tried. The table and the file are made for it.
#[derive(Clone, Copy, Debug)]
pub struct Trial<'a> {
    /// The file's name behind `data/in/`.
    pub file: &'a str,
    pub table: &'a TableName,
    pub keys: &'a [&'a str],
    pub staging_format: StagingFormat,
    pub parquet_compression: ParquetCompression,
    /// Whether COPY gets a transaction of its own.
    pub is_split: bool,
}

impl Checkup {
    /// Decides what is examined. A load's settings are enough, and a file need not be named.
    /// Errors: `Config`, naming the flag that is missing or wrong.
    pub fn decide(settings: Settings) -> Result<Checkup> {
        let target = settings.target_table.as_deref();
        let target = target.map(|table| settings.table_named(table)).transpose()?;
        // Any name of a table will do to have the schema checked.
        let schema = settings.table_named("t")?.schema;
        let strategy = strategy(settings.strategy, &keys(&settings)?)?;
        Ok(Checkup {
            bucket: required(settings.src_bucket.as_ref(), "--src-bucket")?.clone(),
            schema,
            target,
            strategy,
            schema_policy: settings.schema_policy.unwrap_or_default(),
            keeps_known: keeps_known(&settings, strategy)?,
            staging_format: settings.staging_format.unwrap_or_default(),
            parquet_compression: settings.parquet_compression.unwrap_or_default(),
            warehouse: WarehouseSettings::decide(&settings)?,
            settings,
        })
    }

    /// The job of a load that is tried. It has the user's settings for bucket, warehouse and work.
    // Settings about the user's own files and tables are left out. (For example, a file of ours
    // with commas would not be read with the user's `--delimiter ';'`.)
    pub fn job(&self, trial: &Trial<'_>) -> Result<Job> {
        let keys = trial.keys.iter().map(|key| (*key).to_owned()).collect();
        let split_load_above = trial.is_split.then_some(0);
        Job::decide(Settings {
            job_name: Some("loader doctor".to_owned()),
            source_file_name: Some(trial.file.to_owned()),
            schema_name: Some(trial.table.schema.clone()),
            target_table: Some(trial.table.table.clone()),
            upsert_keys: Some(Names(keys)),
            staging_format: Some(trial.staging_format),
            parquet_compression: Some(trial.parquet_compression),
            split_load_above: split_load_above.or(self.settings.split_load_above),
            job_id: None,
            dialect: None,
            column_names: None,
            column: None,
            columns: None,
            strategy: None,
            change_keys: None,
            keys_as_glue: None,
            duplicates: None,
            schema_policy: None,
            missing_columns: None,
            another_feed: None,
            max_rejects: None,
            distkey: None,
            sortkey: None,
            force: None,
            plugins: Some(Vec::new()),
            plugin_config: None,
            capture: None,
            limits: None,
            tables: None,
            overruled_plugins: Vec::new(),
            for_glue: Vec::new(),
            keep_staging: None,
            progress: Some(ProgressMode::None),
            ..DialectSettings::default().put_into(self.settings.clone())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_reads_files_in_its_own_way_and_loads_them_in_the_users() {
        let settings = Settings {
            src_bucket: Some("b".into()),
            local: Some("somewhere".into()),
            schema_name: Some("Sales".into()),
            delimiter: Some(";".into()),
            iam_role: Some("arn:aws:iam::111122223333:role/copy".into()),
            lock_target: Some(true),
            force: Some(true),
            ..Settings::default()
        };
        let checkup = Checkup::decide(settings).expect("enough");
        assert_eq!((checkup.schema.as_str(), checkup.target.as_ref()), ("sales", None));
        let table = TableName::new("scratch", "t").expect("a valid name");
        let staging_format = StagingFormat::Csv;
        let trial = Trial {
            file: "x/y.csv",
            table: &table,
            keys: &["id"],
            staging_format,
            parquet_compression: ParquetCompression::Gzip,
            is_split: true,
        };
        let job = checkup.job(&trial).expect("a job");
        assert_eq!(job.layout.source().to_string(), "s3://b/data/in/x/y.csv");
        assert_eq!((job.target, job.strategy, job.force), (table, Strategy::Merge, false));
        assert_eq!(job.warehouse.iam_role, "arn:aws:iam::111122223333:role/copy");
        assert_eq!((job.warehouse.split_load_above, job.warehouse.lock_target), (0, true));
        assert_eq!(job.transform.form.dialect.delimiter, b',');
    }
}
