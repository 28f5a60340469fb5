//! `loader transform`: a local file through inference and plugins into a local file. No S3, no
//! warehouse.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use loader_sandbox::HostValues;

use crate::cli::TransformArgs;
use crate::commands::conclude;
use crate::error::{Context, Error, Kind, Result};
use crate::files::csv::Style;
use crate::files::{Format, Writer};
use crate::job::{self, TransformSettings};
use crate::names::{RunId, TableName};
use crate::plugins;
use crate::progress::Progress;
use crate::settings::{MissingColumns, SchemaPolicy, Settings};
use crate::steps::conform::staged_schema;
use crate::steps::plan::{LoadPlan, Wanted};
use crate::steps::transform::{Sink, Transform};
use crate::steps::{infer, plan, rejects, source, transform};
use crate::stop::Stop;

/// Transforms a file; rejected rows are in the error.
pub async fn run(args: TransformArgs, stop: Stop) -> u8 {
    let done = tokio::task::spawn_blocking(move || convert(args, &stop)).await;
    conclude(
        done.context(Kind::Internal, "the transforming thread ended abruptly")
            .and_then(|done| done),
    )
}

fn convert(args: TransformArgs, stop: &Stop) -> Result<()> {
    let settings = job::settings(args.run)?;
    let format = format_of(&args.output)?;
    let (target, keys) = target(&settings)?;
    // One worker keeps the rows in the order of the file.
    let transform = TransformSettings::decide(Settings { workers: Some(1), ..settings })?;
    let plugins = plugins::load(&transform)?;
    let input = File::open(&args.input)
        .context(Kind::Config, format!("{} cannot be read", args.input.display()))?;
    let name =
        args.input.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let at = |error: Error| match error.kind().is_the_files_fault() {
        true => error.with("file", args.input.display()),
        false => error,
    };
    let spool = infer::run(source::decompress(&name, input), &transform, stop).map_err(at)?;
    let wanted = Wanted {
        header: &spool.header,
        profile: &spool.profile,
        target: &target,
        existing: None,
        keys: &keys,
        plugins: &plugins,
        schema_policy: SchemaPolicy::Evolve,
        missing_columns: MissingColumns::Default,
    };
    let plan = plan::run(&wanted).map_err(at)?;
    let run = RunId::new();
    let values = HostValues {
        run_started_at_micros: run.started_at.as_microsecond(),
        run_id: run.text,
        source_uri: args.input.display().to_string(),
        source_file_name: name,
    };
    let progress = Progress::start("writing", spool.size_bytes);
    let work = Transform {
        spool: &spool,
        plan: &plan,
        values: Arc::new(values),
        settings: &transform,
        stop,
        progress: &progress,
    };
    // Written beside the output and put in its place when all is well: half a result would look
    // like a whole one.
    let unfinished = unfinished(&args.output)?;
    let (totals, sinks) =
        transform::run(&work, || FileSink::create(unfinished.path(), &plan, &format))?;
    progress.finish();
    if sinks.is_empty() {
        // A file without rows has no worker, but still a header.
        FileSink::create(unfinished.path(), &plan, &format)?.finish()?;
    }
    plugins::log_counted(&totals.plugins);
    rejects::judge(&totals, &spool, transform.max_rejects).map_err(at)?;
    unfinished
        .persist(&args.output)
        .context(Kind::Config, format!("{} cannot be written", args.output.display()))?;
    if totals.rows_rejected > 0 {
        let path = args.output.with_extension("rejected.csv");
        std::fs::write(&path, rejects::to_csv(&totals, &spool))
            .context(Kind::Config, format!("{} cannot be written", path.display()))?;
        tracing::warn!(rows = totals.rows_rejected, file = %path.display(), "rows rejected");
    }
    tracing::info!(
        read = totals.rows_read,
        written = totals.rows_staged,
        rejected = totals.rows_rejected,
        "file transformed"
    );
    Ok(())
}

/// A file in the output's own folder that vanishes unless it is put in the output's place.
fn unfinished(output: &Path) -> Result<tempfile::NamedTempFile> {
    let folder =
        output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let made = tempfile::Builder::new().prefix(".loader-").tempfile_in(folder);
    made.context(
        Kind::Config,
        format!("{} cannot be written; is its folder there?", output.display()),
    )
}

/// Plugins are told a table and keys; without a warehouse they are whatever was given.
fn target(settings: &Settings) -> Result<(TableName, Vec<String>)> {
    let table = settings.target_table.as_deref().unwrap_or("transformed");
    let keys = settings
        .upsert_keys
        .clone()
        .unwrap_or_default()
        .0
        .iter()
        .map(|key| key.to_lowercase())
        .collect();
    Ok((TableName::new(settings.schema_name.as_deref().unwrap_or("public"), table)?, keys))
}

fn format_of(output: &Path) -> Result<Format> {
    match output.extension().and_then(|extension| extension.to_str()) {
        Some("parquet") => Ok(Format::Parquet),
        Some("csv") => Ok(Format::Csv(Style { gzip: false, null: String::new() })),
        _ => Err(Error::new(
            Kind::Config,
            format!("--output {} must end in .parquet or .csv", output.display()),
        )),
    }
}

/// Writes the planned columns, without the row number that only staging needs.
struct FileSink {
    writer: Writer,
    columns: Vec<usize>,
}

impl FileSink {
    fn create(path: &Path, plan: &LoadPlan, format: &Format) -> Result<FileSink> {
        let columns: Vec<usize> = (0..plan.columns.len()).collect();
        let schema = staged_schema(&plan.columns)
            .project(&columns)
            .context(Kind::Internal, "no schema for the output")?;
        Ok(FileSink { writer: Writer::create(path, &Arc::new(schema), format)?, columns })
    }
}

impl Sink for FileSink {
    type Done = ();

    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let batch =
            batch.project(&self.columns).context(Kind::Internal, "no columns for the output")?;
        self.writer.write(&batch)
    }

    fn finish(self) -> Result<()> {
        self.writer.finish()
    }
}
