//! The harness: a plugin with what a load would tell it, ready to be run.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use loader_csv::{Decoder, Dialect};
use loader_sandbox::{CacheLocation, ChainPlan, HostValues, Limits, Metering, Plugin, Runtime};
use serde_json::Value;

use crate::error::HarnessError;
use crate::input::{Input, rows_as_csv};
use crate::output::PluginOutput;
use crate::trial::{Log, Trial};

/// 2026-01-01 00:00:00 UTC: when runs of the harness start.
const STARTED_AT_MICROS: i64 = 1_767_225_600_000_000;

/// A plugin to be tested. Methods that set something give it back, so that they chain; clones are
/// independent.
///
/// Until something else is set: config `{}`, table `target` which does not exist, no keys, batches
/// of 16,384 rows, RFC 4180, and a run that started on 2026-01-01 00:00:00 and reads
/// `s3://bucket/data/in/input.csv`.
#[derive(Clone, Debug)]
pub struct Harness {
    plugin: Plugin,
    config: Value,
    table: String,
    keys: Vec<String>,
    target: Option<SchemaRef>,
    /// The columns of CSV text; without them their types are inferred.
    columns: Option<SchemaRef>,
    batch_rows: usize,
    dialect: Dialect,
    values: HostValues,
}

impl Harness {
    /// Loads a plugin's file, with the limits that loads have by default. Compiled plugins are kept
    /// in the user's cache folder, so that only the first time takes seconds.
    ///
    /// ```no_run
    /// let plugin = loader_harness::Harness::open("plugins/default.wasm")?;
    /// # Ok::<(), loader_harness::HarnessError>(())
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Harness, HarnessError> {
        let path = path.as_ref();
        Harness::from_bytes(path, std::fs::read(path).map_err(HarnessError::file(path))?)
    }

    /// The same for bytes that are at hand; `name` stands for the file in messages.
    ///
    /// ```
    /// let page = b"<html>404</html>".to_vec();
    /// let refused = loader_harness::Harness::from_bytes("page.wasm", page).unwrap_err();
    /// assert!(refused.to_string().starts_with("plugin page.wasm: not WebAssembly: this is HTML"));
    /// ```
    pub fn from_bytes(name: impl AsRef<Path>, bytes: Vec<u8>) -> Result<Harness, HarnessError> {
        Ok(Harness::of(runtime(Metering::Off)?.load(name.as_ref(), bytes)?))
    }

    /// Loads a plugin so that [`Cost::fuel`](crate::Cost::fuel) counts its instructions: a cost
    /// that is the same on every machine. It runs up to three times slower.
    ///
    /// ```no_run
    /// use loader_harness::Harness;
    ///
    /// let output = Harness::open_metered("plugins/default.wasm")?.run_csv("a\n0.5\n")?;
    /// assert!(output.cost.fuel.is_some_and(|fuel| fuel < 100_000));
    /// # Ok::<(), loader_harness::HarnessError>(())
    /// ```
    pub fn open_metered(path: impl AsRef<Path>) -> Result<Harness, HarnessError> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(HarnessError::file(path))?;
        Ok(Harness::of(runtime(Metering::Fuel)?.load(path, bytes)?))
    }

    /// Takes a plugin that a [`Runtime`] of the caller's has loaded, with limits of the caller's.
    ///
    /// ```no_run
    /// use loader_harness::{CacheLocation, Harness, Limits, Runtime};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let limits = Limits { memory_bytes: 16 << 20, ..Limits::default() };
    /// let runtime = Runtime::new(limits, CacheLocation::Off)?;
    /// let bytes = std::fs::read("small.wasm")?;
    /// let plugin = Harness::of(runtime.load("small.wasm".as_ref(), bytes)?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn of(plugin: Plugin) -> Harness {
        Harness {
            plugin,
            config: Value::Object(serde_json::Map::new()),
            table: "target".to_owned(),
            keys: Vec::new(),
            target: None,
            columns: None,
            batch_rows: Decoder::BATCH_ROWS,
            dialect: Dialect::default(),
            values: HostValues {
                run_started_at_micros: STARTED_AT_MICROS,
                run_id: "run".to_owned(),
                source_file_name: "input.csv".to_owned(),
                source_uri: "s3://bucket/data/in/input.csv".to_owned(),
            },
        }
    }

    /// The plugin's config; it is checked against the plugin's schema when it is run.
    #[must_use]
    pub fn config(self, config: Value) -> Harness {
        Harness { config, ..self }
    }

    /// Name of the target table.
    #[must_use]
    pub fn table(self, table: impl Into<String>) -> Harness {
        Harness { table: table.into(), ..self }
    }

    /// Merge keys, as columns of the target.
    #[must_use]
    pub fn keys(self, keys: impl IntoIterator<Item = impl Into<String>>) -> Harness {
        Harness { keys: keys.into_iter().map(Into::into).collect(), ..self }
    }

    /// The target table as it stands. Columns of CSV are then read as what they land in, as in a
    /// load.
    #[must_use]
    pub fn target(self, target: SchemaRef) -> Harness {
        Harness { target: Some(target), ..self }
    }

    /// The columns of CSV text as they are: nothing is inferred.
    #[must_use]
    pub(crate) fn columns(self, columns: SchemaRef) -> Harness {
        Harness { columns: Some(columns), ..self }
    }

    /// Rows of one batch, at least 1.
    #[must_use]
    pub fn batch_rows(self, batch_rows: usize) -> Harness {
        Harness { batch_rows: batch_rows.max(1), ..self }
    }

    /// How CSV text is written.
    #[must_use]
    pub fn dialect(self, dialect: Dialect) -> Harness {
        Harness { dialect, ..self }
    }

    /// What the plugin may ask the host for.
    #[must_use]
    pub fn host_values(self, values: HostValues) -> Harness {
        Harness { values, ..self }
    }

    /// The plugin itself: name, version, digest, config schema.
    pub fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    /// Runs it on CSV text with a header line; the types are inferred from all of it, as in a load.
    ///
    /// Errors: the plugin failed or refused its config, its plan or a whole batch; the text is no
    /// CSV.
    ///
    /// ```no_run
    /// let plugin = loader_harness::Harness::open("plugins/default.wasm")?;
    /// let output = plugin.run_csv("ID,Ratio\n1,0.5\n")?;
    /// assert_eq!(output.columns[0].name, "id");
    /// # Ok::<(), loader_harness::HarnessError>(())
    /// ```
    pub fn run_csv(&self, text: impl AsRef<[u8]>) -> Result<PluginOutput, HarnessError> {
        let trial = self.trial(text.as_ref(), &self.dialect)?;
        Ok(trial.output(trial.run(self.batch_rows)?))
    }

    /// Runs it on rows of text, as they would stand in a CSV file; `None` is NULL. Types are
    /// inferred.
    ///
    /// ```no_run
    /// let plugin = loader_harness::Harness::open("plugins/default.wasm")?;
    /// let output = plugin.run_rows(&["id", "note"], [[Some("1"), None], [Some("2"), Some("")]])?;
    /// assert_eq!(output.column("note"), Some(vec![None, Some("")]));
    /// # Ok::<(), loader_harness::HarnessError>(())
    /// ```
    pub fn run_rows<'a>(
        &self,
        header: &[&str],
        rows: impl IntoIterator<Item = impl IntoIterator<Item = Option<&'a str>>>,
    ) -> Result<PluginOutput, HarnessError> {
        let (text, dialect) = rows_as_csv(header, rows, &self.dialect);
        let trial = self.trial(text.as_bytes(), &dialect)?;
        Ok(trial.output(trial.run(self.batch_rows)?))
    }

    /// Runs it on a batch as it is: nothing is inferred.
    ///
    /// ```no_run
    /// use std::sync::Arc;
    /// use loader_harness::arrow_array::{ArrayRef, Int64Array, RecordBatch};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let ids = Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef;
    /// let batch = RecordBatch::try_from_iter([("id", ids)])?;
    /// let output = loader_harness::Harness::open("plugins/default.wasm")?.run_batch(batch)?;
    /// assert_eq!(output.rows.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn run_batch(&self, batch: RecordBatch) -> Result<PluginOutput, HarnessError> {
        let (plugin, log) = self.listening();
        let chain = self.plan(&plugin, batch.schema())?;
        let trial = self.ready(chain, Input::of_batch(batch), log);
        Ok(trial.output(trial.run(self.batch_rows)?))
    }

    /// A plan for a file, and the file decoded for it.
    pub(crate) fn trial(&self, text: &[u8], dialect: &Dialect) -> Result<Trial, HarnessError> {
        let (plugin, log) = self.listening();
        let plan = |input: SchemaRef| {
            log.take();
            self.plan(&plugin, input)
        };
        let (input, chain) = match &self.columns {
            None => Input::of_csv(text, dialect, self.target.as_ref(), plan)?,
            Some(columns) => {
                (Input::of_typed_csv(text, dialect, columns)?, plan(Arc::clone(columns))?)
            }
        };
        Ok(self.ready(chain, input, log))
    }

    pub(crate) fn own_batch_rows(&self) -> usize {
        self.batch_rows
    }

    pub(crate) fn own_dialect(&self) -> &Dialect {
        &self.dialect
    }

    fn listening(&self) -> (Plugin, Log) {
        let log = Log::default();
        let heard = log.clone();
        (self.plugin.clone().heard_by(Arc::new(move |level, line| heard.push(level, line))), log)
    }

    fn plan(&self, plugin: &Plugin, input: SchemaRef) -> Result<ChainPlan, HarnessError> {
        let configured = [(plugin.clone(), self.config.clone())];
        Ok(ChainPlan::make(&configured, &self.table, &self.keys, self.target.clone(), input)?)
    }

    fn ready(&self, chain: ChainPlan, input: Input, log: Log) -> Trial {
        Trial { chain, input, values: Arc::new(self.values.clone()), planning_log: log.take(), log }
    }
}

/// One runtime for the process: each has a thread of its own.
fn runtime(metering: Metering) -> Result<&'static Runtime, HarnessError> {
    static PLAIN: OnceLock<Runtime> = OnceLock::new();
    static METERED: OnceLock<Runtime> = OnceLock::new();
    let cell = match metering {
        Metering::Off => &PLAIN,
        Metering::Fuel => &METERED,
    };
    if let Some(runtime) = cell.get() {
        return Ok(runtime);
    }
    let runtime = Runtime::metered(Limits::default(), CacheLocation::Default, metering)?;
    Ok(cell.get_or_init(|| runtime))
}
