//! The data path with a job's settings. Infer, plan and transform are put together here, for files
//! of S3 and of this machine alike.
//!
//! In the order of the work: `chain` loads the plugins; `object_reader` brings in the bytes of an
//! S3 object; [`DataPath`] infers, plans and transforms; `capture` keeps the rows that plugins got;
//! `part_upload` sends the parts out, and `list_of_files` those of several files a list of them.
//! `host_values` is what plugins are told of the run,
//! `plugin_identity` what the run tells of its plugins. All of [`DataPath`] blocks its thread.

pub(crate) mod chain;
pub(crate) mod object_reader;

pub(crate) mod host_values;

pub(crate) mod capture;
pub(crate) mod list_of_files;
pub(crate) mod part_upload;

use std::io::{Cursor, Read};
use std::num::NonZeroUsize;

use loader_data::content::{self, Content};
use loader_data::infer::{Ranges, Reading, Spool};
use loader_data::joined::Joined;
use loader_data::plan::{ConfiguredPlugin, LoadPlan, PlanInput};
use loader_data::transform::{FileRows, Sink, Totals, Transform};
use loader_data::{decompress, infer, plan, sample, transform};
use loader_model::catalog_column::CatalogColumn;
use loader_model::choices::{
    AnotherFeed, DialectSource, FileFormat, MissingColumns, SchemaPolicy, StagingFormat,
};
use loader_model::error::{Error, Kind, Result};
use loader_model::max_rejects::MaxRejects;
use loader_model::names::TableName;
use loader_model::stop::StopFlag;
use loader_sniff::Sample;

use crate::data_path::capture::Capture;
use crate::found;
use crate::job::{Form, Job, TransformSettings};
use crate::progress::Progress;

/// Settings of a dialect that count for files of every format, and those that do where texts in
/// quotes are meant.
const SAY_OF_ALL_FORMATS: [&str; 2] = ["file-format", "leading-zeros"];
const SAY_OF_QUOTED: [&str; 2] = ["null-value", "null-quoted"];

/// Logs the notices of a file.
fn noted(spool: Spool) -> Spool {
    spool.notices().iter().for_each(|notice| tracing::warn!("{notice}"));
    spool
}

/// How files are read, planned and transformed.
pub struct DataPath {
    pub settings: TransformSettings,
    /// The table that the plugins see in their context.
    pub target: TableName,
    /// Merge keys, lower case.
    pub keys: Vec<String>,
    pub schema_policy: SchemaPolicy,
    pub missing_columns: MissingColumns,
    /// The user has said so.
    pub missing_columns_are_given: bool,
    /// Whether rows whose key is known keep what they have in columns that the file lacks.
    pub keeps_known: bool,
    pub another_feed: AnotherFeed,
    pub staging_format: StagingFormat,
    pub stop: StopFlag,
}

impl DataPath {
    /// The data path of a job.
    pub fn of(job: &Job, stop: StopFlag) -> DataPath {
        DataPath {
            settings: job.transform.clone(),
            target: job.target.clone(),
            keys: job.keys.clone(),
            schema_policy: job.schema_policy,
            missing_columns: job.missing_columns,
            missing_columns_are_given: job.missing_columns_are_given,
            keeps_known: job.keeps_known,
            another_feed: job.another_feed,
            staging_format: job.staging_format,
            stop,
        }
    }

    /// Reads a file to its end. Its first bytes say how it is compressed. `ranges`: how it is read in
    /// ranges, if it is its rows as it is stored. Errors: `Data`, `Transient` when the stream breaks
    /// off, `Interrupted`.
    pub fn infer(
        &self,
        stored: impl Read + Send + 'static,
        ranges: Option<Ranges>,
    ) -> Result<Spool> {
        let content = decompress::decompress(stored)?;
        let (beginning, content) = sample::beginning(content, Sample::BEGINNING_BYTES)?;
        let settings = &self.settings;
        if let Some(format) =
            content::other_format(&beginning, settings.form.encoding, settings.form.format)?
        {
            self.check_other(format)?;
            let spool = self.read(Box::new(content), &settings.form, None)?;
            return Ok(noted(spool.noting(self.notice_of_other(format))));
        }
        let (form, notices) = match settings.dialect_source {
            DialectSource::Given => (settings.form.clone(), Vec::new()),
            DialectSource::Auto => {
                let (form, notices) = found::read_by(&beginning, &settings.given)?;
                (form.with_columns(settings.form.dialect.columns), notices)
            }
        };
        let ranges =
            ranges.filter(|_| content::is_stored_as_read(&beginning, form.encoding, form.format));
        let spool = match self.read(Box::new(content), &form, ranges.as_ref()) {
            Ok(spool) => spool.noting(notices),
            Err(error) => return Err(self.advised(error, &beginning, &form)),
        };
        let further = self.notice_of_one_column(&spool, &beginning);
        Ok(noted(spool.noting(further)))
    }

    /// Refuses settings that would read another format than CSV wrongly. Errors: `Config`.
    fn check_other(&self, format: FileFormat) -> Result<()> {
        if self.settings.column_names.is_none() {
            return Ok(());
        }
        let fact = format!(
            "the file is {}, and names its columns itself, in any order; leave out --column-names, or \
             give a column another name by `rename` in [columns]",
            content::title(format)
        );
        Err(Error::new(Kind::Config, fact))
    }

    /// A notice of settings that say nothing of a file in another format than CSV.
    fn notice_of_other(&self, format: FileFormat) -> Vec<String> {
        let mut said = self.settings.given.said();
        let of_quoted = self.settings.given.null_quoted == Some(true);
        let says = |name: &str| match name {
            "encoding" => format != FileFormat::Parquet,
            name if SAY_OF_QUOTED.contains(&name) => of_quoted,
            name => SAY_OF_ALL_FORMATS.contains(&name),
        };
        said.retain(|name| !says(name));
        let notice = || {
            let (title, said) = (content::title(format), said.join(", "));
            format!("the file is {title}, of which these settings say nothing: {said}")
        };
        if said.is_empty() { Vec::new() } else { vec![notice()] }
    }

    fn read(
        &self,
        content: Box<dyn Read + Send>,
        form: &Form,
        ranges: Option<&Ranges>,
    ) -> Result<Spool> {
        let settings = &self.settings;
        let content = Content::of(content, form.encoding, form.format, &self.stop)?;
        let reading = Reading {
            dialect: &form.dialect,
            columns: &settings.columns,
            column_names: settings.column_names.as_deref(),
            max_rejects: settings.max_rejects,
            footer: form.footer.as_ref(),
        };
        infer::run(content, &reading, ranges, settings.workers, &self.stop)
    }

    /// Adds to an error of the file with which settings it can be read, if there are any.
    fn advised(&self, error: Error, beginning: &[u8], form: &Form) -> Error {
        if !error.kind().is_the_files_fault() {
            return error;
        }
        let reads = |form: &Form, rows: &[u8]| {
            let (dialect, max_rejects) = (&form.dialect, MaxRejects::default());
            let reading = Reading {
                dialect,
                footer: form.footer.as_ref(),
                columns: &[],
                column_names: None,
                max_rejects,
            };
            let rows = Box::new(Cursor::new(rows.to_vec()));
            let content = Content::of(rows, form.encoding, form.format, &self.stop);
            let read = |content| infer::run(content, &reading, None, NonZeroUsize::MIN, &self.stop);
            content.and_then(read).is_ok()
        };
        match found::advice(beginning, &self.settings.given, form, &error.to_string(), reads) {
            Some(advice) => error.advising(&advice),
            None => error,
        }
    }

    /// A notice about a file that was read as one column, but looks like more.
    fn notice_of_one_column(&self, spool: &Spool, beginning: &[u8]) -> Vec<String> {
        let is_given = self.settings.dialect_source == DialectSource::Given;
        let is_one = is_given && spool.header.names.len() == 1;
        let notice = is_one.then(|| found::other_delimiter(beginning, &self.settings.given));
        notice.flatten().into_iter().collect()
    }

    /// Decides what each column becomes. `existing`: the target's columns, if there is a target.
    /// `without_values`: those of them that were made without a type, and have no value yet.
    pub fn plan(
        &self,
        plugins: &[ConfiguredPlugin],
        files: &Joined,
        existing: Option<&[CatalogColumn]>,
        without_values: &[String],
    ) -> Result<LoadPlan> {
        plan::run(&PlanInput {
            dialect: files.dialect(),
            header: files.header(),
            column_names: self.settings.column_names.as_deref(),
            columns: files.columns(),
            unplaced: files.unplaced(),
            types: files.types(),
            mixed: files.mixed(),
            profile: files.profile(),
            plugins,
            target: &self.target,
            existing,
            without_values,
            keys: &self.keys,
            schema_policy: self.schema_policy,
            missing_columns: self.missing_columns(files.format()),
            keeps_known: self.keeps_known,
            another_feed: self.another_feed,
            staging_format: self.staging_format,
        })
    }

    /// What rows get in columns that the file lacks. A key that no object of a file has is NULL, as
    /// one that some have, unless the user says otherwise.
    fn missing_columns(&self, format: FileFormat) -> MissingColumns {
        let is_json = format == FileFormat::Json;
        match self.missing_columns {
            MissingColumns::Default if is_json && !self.missing_columns_are_given => {
                MissingColumns::Null
            }
            decided => decided,
        }
    }

    /// Transforms every row of the files into sinks, one for each worker, and gives the totals of
    /// each file. `progress` moves with the bytes of the files.
    // The captured rows are written before the error is returned: the rows on which a plugin failed
    // are just what its author needs as a test case.
    pub fn transform<S: Sink>(
        &self,
        files: &[FileRows<'_>],
        plan: &LoadPlan,
        progress: &Progress,
        new_sink: impl Fn() -> Result<S> + Sync,
    ) -> Result<Vec<Totals>> {
        let capture =
            self.settings.capture.as_ref().map(|capture| Capture::start(capture, &plan.rows.chain));
        let work = Transform {
            files,
            plan: &plan.rows,
            workers: self.settings.workers,
            max_rejects: self.settings.max_rejects,
            observer: capture.as_ref().map(Capture::observer),
            stop: &self.stop,
            advance: &|bytes| progress.advance(bytes),
        };
        let totals = transform::run(&work, new_sink);
        if let (Some(capture), Some(first)) = (capture, files.first()) {
            capture.write(&first.values.source_file_name);
        }
        totals
    }
}
