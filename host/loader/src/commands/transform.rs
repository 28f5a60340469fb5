//! `loader transform`: a local file through inference and plugins into a local file. It needs no S3
//! and no warehouse.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use loader_aws::stop::Stop;
use loader_data::infer::Spool;
use loader_data::joined::Joined;
use loader_data::parts::Format;
use loader_data::parts::csv::Style;
use loader_data::parts::ordered::OrderedFile;
use loader_data::plan::{LoadPlan, staged_schema};
use loader_data::rejects;
use loader_data::transform::{FileRows, Totals};
use loader_model::choices::{
    AnotherFeed, DialectSource, MissingColumns, ParquetCompression, ProgressMode, SchemaPolicy,
    StagingFormat,
};
use loader_model::error::{Context, Error, Kind, Result};
use loader_sandbox::HostValues;

use crate::cli::TransformArgs;
use crate::commands::conclude;
use crate::data_path::{DataPath, chain};
use crate::job::{self, TransformSettings};
use crate::layout::RunId;
use crate::plugin_identity;
use crate::progress::Progress;
use crate::settings::Settings;

/// Transforms a file. Rejected rows go into a file beside the output; when there are more than
/// `--max-rejects` allows, the error quotes the first that were met, and nothing is written.
pub async fn run(args: TransformArgs, stop: Stop) -> u8 {
    let done = tokio::task::spawn_blocking(move || convert(args, &stop)).await;
    let joined = done.context(Kind::Internal, "the transforming thread ended abruptly");
    conclude(joined.and_then(|done| done))
}

fn convert(args: TransformArgs, stop: &Stop) -> Result<()> {
    Conversion::decide(args, stop)?.run()
}

/// A local file on its way into another.
struct Conversion {
    input: PathBuf,
    output: PathBuf,
    format: Format,
    data_path: DataPath,
    values: HostValues,
}

impl Conversion {
    fn decide(args: TransformArgs, stop: &Stop) -> Result<Conversion> {
        let settings = job::settings(args.run)?;
        let format = format_of(&args.output, settings.parquet_compression.unwrap_or_default())?;
        let data_path = data_path(settings, stop)?;
        let values = host_values(&args.input);
        Ok(Conversion { input: args.input, output: args.output, format, data_path, values })
    }

    // The rows go into a temporary file, which takes the output's place at the end: half an output
    // would look like a whole one. So the rejects are judged before `persist`, and a file that is
    // refused leaves an older output as it was.
    fn run(&self) -> Result<()> {
        let (spool, plan) = self.read()?;
        let unfinished = unfinished(&self.output)?;
        let totals = self.write(&spool, &plan, unfinished.path())?;
        plugin_identity::log_counted(&totals.plugins);
        let max_rejects = self.data_path.settings.max_rejects;
        rejects::judge(&totals, &spool, max_rejects).map_err(|error| self.in_input(error))?;
        unfinished
            .persist(&self.output)
            .context(Kind::Config, format!("{} cannot be written", self.output.display()))?;
        write_rejects(&self.output, &totals, &spool)?;
        tracing::info!(
            read = totals.rows_read,
            written = totals.rows_staged,
            rejected = totals.rows_rejected,
            "file transformed"
        );
        Ok(())
    }

    /// The rows of the input, and what becomes of its columns.
    fn read(&self) -> Result<(Arc<Spool>, LoadPlan)> {
        let chain = chain::load(&self.data_path.settings)?;
        let input = File::open(&self.input)
            .context(Kind::Config, format!("{} cannot be read", self.input.display()))?;
        let in_input = |error| self.in_input(error);
        let spool = Arc::new(self.data_path.infer(input, None).map_err(in_input)?);
        let files = Joined::one(Arc::clone(&spool));
        let plan = self.data_path.plan(chain.plugins(), &files, None, &[]).map_err(in_input)?;
        plan.notices.iter().for_each(|notice| tracing::warn!("{notice}"));
        Ok((spool, plan))
    }

    fn write(&self, spool: &Spool, plan: &LoadPlan, to: &Path) -> Result<Totals> {
        let output = OrderedFile::create(to, output_schema(plan)?, &self.format)?;
        let files = [FileRows { spool, values: Arc::new(self.values.clone()) }];
        let name = self.input.display().to_string();
        let progress = Progress::of_load(&name, "", ProgressMode::Auto);
        progress.begin("writing", spool.size_bytes);
        let totals = self.data_path.transform(&files, plan, &progress, || Ok(output.sink()));
        progress.finish();
        let totals = Totals::of_all(totals?);
        output.finish()?;
        Ok(totals)
    }

    /// Adds the input's name to an error that is the input's fault.
    fn in_input(&self, error: Error) -> Error {
        match error.kind().is_the_files_fault() {
            true => error.with("file", self.input.display()),
            false => error,
        }
    }
}

/// The data path of a load, for a target that is still to be made.
fn data_path(settings: Settings, stop: &Stop) -> Result<DataPath> {
    // Plugins are told a table and its keys. Without a warehouse these are the user's own flags, or
    // a table called `transformed`.
    let target = settings.table_named(settings.target_table.as_deref().unwrap_or("transformed"))?;
    let keys = settings.keys();
    let dialect = settings.dialect.or(Some(DialectSource::Auto));
    Ok(DataPath {
        settings: TransformSettings::decide(Settings { dialect, ..settings })?,
        target,
        keys,
        schema_policy: SchemaPolicy::Evolve,
        missing_columns: MissingColumns::Default,
        missing_columns_are_given: false,
        keeps_known: false,
        another_feed: AnotherFeed::default(),
        staging_format: StagingFormat::default(),
        stop: stop.flag().clone(),
    })
}

fn host_values(input: &Path) -> HostValues {
    let run = RunId::new();
    let name = input.file_name().map(|name| name.to_string_lossy().into_owned());
    HostValues {
        run_started_at_micros: run.started_at.as_microsecond(),
        run_id: run.text,
        source_uri: input.display().to_string(),
        source_file_name: name.unwrap_or_default(),
    }
}

/// Writes the rejected rows beside the output, when there are any.
fn write_rejects(output: &Path, totals: &Totals, spool: &Spool) -> Result<()> {
    if totals.rows_rejected == 0 {
        return Ok(());
    }
    let path = output.with_extension("rejected.csv");
    let file = File::create(&path);
    let file = file.context(Kind::Config, format!("{} cannot be written", path.display()))?;
    rejects::write_csv(totals, spool, file)?;
    tracing::warn!(rows = totals.rows_rejected, file = %path.display(), "rows rejected");
    Ok(())
}

/// A temporary file that vanishes unless it is put in the output's place. It lies in the output's
/// own folder, because a rename does not cross file systems. (For example, from `/tmp` to a mounted
/// `/data`.)
fn unfinished(output: &Path) -> Result<tempfile::NamedTempFile> {
    let folder =
        output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let made = tempfile::Builder::new().prefix(".loader-").tempfile_in(folder);
    made.context(
        Kind::Config,
        format!("{} cannot be written; is its folder there?", output.display()),
    )
}

fn format_of(output: &Path, compression: ParquetCompression) -> Result<Format> {
    match output.extension().and_then(|extension| extension.to_str()) {
        Some("parquet") => Ok(Format::Parquet(compression)),
        Some("csv") => Ok(Format::Csv(Style { gzip: false, null: String::new() })),
        _ => Err(Error::new(
            Kind::Config,
            format!("--output {} must end in .parquet or .csv", output.display()),
        )),
    }
}

/// The planned columns, without the row number that only staging needs.
fn output_schema(plan: &LoadPlan) -> Result<SchemaRef> {
    let columns: Vec<usize> = (0..plan.rows.columns.len()).collect();
    let schema = staged_schema(&plan.rows.columns).project(&columns);
    schema.map(Arc::new).context(Kind::Internal, "no schema for the output")
}
