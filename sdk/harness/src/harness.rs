//! The harness: a plugin, and what a load would tell it, ready to be run.

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

/// 2026-01-01 00:00:00 UTC: when every run of the harness starts. A fixed time gives a plugin that
/// writes `run.started-at` into a column the same rows every day.
const STARTED_AT_MICROS: i64 = 1_767_225_600_000_000;

/// A plugin to be tested. Methods that set something return the harness, so that calls chain.
/// Clones are independent.
///
/// Without any settings the config is `{}`, the table is called `target` and does not exist, and
/// there are no keys. Batches have 16,384 rows and CSV text follows RFC 4180. The run started on
/// 2026-01-01 00:00:00 and reads `s3://bucket/data/in/input.csv`.
#[derive(Clone, Debug)]
pub struct Harness {
    plugin: Plugin,
    config: Value,
    table: String,
    keys: Vec<String>,
    target: Option<SchemaRef>,
    /// The columns of CSV text. Without them, their types are inferred.
    columns: Option<SchemaRef>,
    batch_rows: usize,
    dialect: Dialect,
    values: HostValues,
}

impl Harness {
    /// Loads a plugin's file, with the default limits of a load. The compiled plugin is kept in the
    /// user's cache folder, so that only the first time takes seconds.
    ///
    /// ```no_run
    /// let plugin = loader_harness::Harness::open("plugins/default.wasm")?;
    /// # Ok::<(), loader_harness::HarnessError>(())
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Harness, HarnessError> {
        let path = path.as_ref();
        Harness::from_bytes(path, std::fs::read(path).map_err(HarnessError::file(path))?)
    }

    /// Loads a plugin from its bytes. `name` stands for the file in messages.
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
    /// that is the same on every machine. The plugin runs up to three times slower.
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

    /// Takes a plugin that the caller's own [`Runtime`] has loaded, with the caller's own limits.
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

    /// Sets the plugin's config. It is checked against the plugin's schema when the plugin runs.
    #[must_use]
    pub fn config(self, config: Value) -> Harness {
        Harness { config, ..self }
    }

    /// Sets the name of the target table.
    #[must_use]
    pub fn table(self, table: impl Into<String>) -> Harness {
        Harness { table: table.into(), ..self }
    }

    /// Sets the merge keys, as columns of the target.
    #[must_use]
    pub fn keys(self, keys: impl IntoIterator<Item = impl Into<String>>) -> Harness {
        Harness { keys: keys.into_iter().map(Into::into).collect(), ..self }
    }

    /// Sets the target table as it stands. A column of CSV is then read as the target's column that
    /// it lands in, as in a load. (For example, a column of `1` and `2` that lands in a VARCHAR is
    /// read as text.)
    #[must_use]
    pub fn target(self, target: SchemaRef) -> Harness {
        Harness { target: Some(target), ..self }
    }

    /// Sets the columns of CSV text and their types, so that nothing is inferred.
    #[must_use]
    pub(crate) fn columns(self, columns: SchemaRef) -> Harness {
        Harness { columns: Some(columns), ..self }
    }

    /// Sets how many rows a batch has, at least 1.
    #[must_use]
    pub fn batch_rows(self, batch_rows: usize) -> Harness {
        Harness { batch_rows: batch_rows.max(1), ..self }
    }

    /// Sets how CSV text is written: delimiter, quotes, texts that are NULL.
    #[must_use]
    pub fn dialect(self, dialect: Dialect) -> Harness {
        Harness { dialect, ..self }
    }

    /// Sets what the plugin may ask the host for, such as the run's id.
    #[must_use]
    pub fn host_values(self, values: HostValues) -> Harness {
        Harness { values, ..self }
    }

    /// Returns the plugin itself: name, version, digest, config schema.
    pub fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    /// Runs the plugin on CSV text with a header line. The types are inferred from the whole text,
    /// as in a load.
    ///
    /// Errors: the plugin failed, or refused its config, its input or a whole batch; the text is
    /// not CSV.
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

    /// Runs the plugin on rows of text, as they would stand in a CSV file. `None` is NULL. The
    /// types are inferred.
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

    /// Runs the plugin on a batch as it is: nothing is inferred.
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

    /// A plan for a file, and the file decoded as the plan needs it.
    pub(crate) fn trial(&self, text: &[u8], dialect: &Dialect) -> Result<Trial, HarnessError> {
        let (plugin, log) = self.listening();
        let plan = |input: SchemaRef| {
            // The plan may be made several times, until it agrees with the target. What the plugin
            // said to an earlier plan is dropped.
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

/// The process's runtime, one for each kind of metering. A runtime has a thread of its own, so
/// there should not be one for each plugin.
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
    // `get_or_init` takes no error, so the runtime is made before. When two threads come here at
    // once, one of the two runtimes is dropped.
    let runtime = Runtime::metered(Limits::default(), CacheLocation::Default, metering)?;
    Ok(cell.get_or_init(|| runtime))
}
