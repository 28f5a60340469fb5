//! Takes the rows of a DataFrame through plugins, for `loader_spark.transform`.
//!
//! In: plugins with the columns of the DataFrame, which become a plan; then batches. Out: the plan
//! and its columns, and for each batch what the plugins make of it. Batches are Arrow IPC messages
//! without their schema, as the plugins get them.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use loader_data::failures::plugin_failure;
use loader_data::spread::PackedPlugin;
use loader_ipc::{encode_batch, encode_schema, trusted};
use loader_model::error::{Context, Error, Kind, Result};
use loader_sandbox::{
    CacheLocation, ChainPlan, ChainSession, Expr, HostValue, HostValues, Limits, Metering,
    PackedChain, Plugin, Reject, Runtime,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::wire;
use crate::built_in::DEFAULT_PLUGIN;
use crate::settings::plugin_entry::BUILT_IN;

/// The rows that plugins get at once.
const BATCH_ROWS: usize = 8192;

/// What Python asks for, as JSON; the bytes of the plugins and the schema follow.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    table: String,
    keys: Vec<String>,
    plugins: Vec<AskedPlugin>,
    values: HostValues,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedPlugin {
    name: String,
    config: serde_json::Value,
    /// The length of its bytes; 0 for the plugin that is part of the program.
    bytes: usize,
}

/// A plan for batches, as it travels.
#[derive(Deserialize, Serialize)]
struct DataframeSpec {
    chain: PackedChain,
    plugins: Vec<PackedPlugin>,
    values: HostValues,
    /// The columns of the DataFrame.
    input: Vec<u8>,
}

/// Plans. Gives the spec and the columns of the output, each behind its length.
///
/// Errors: `Config` for columns that plugins do not take, and a plan that asks for numbers of rows;
/// `Plugin`.
pub(super) fn plan(request: &[u8]) -> Result<Vec<u8>> {
    let no_request = || Error::new(Kind::Internal, "what a DataFrame asks for cannot be read");
    let (length, rest) = request.split_first_chunk::<4>().ok_or_else(no_request)?;
    let length = u32::from_le_bytes(*length) as usize;
    let (asked, mut rest) = rest.split_at_checked(length).ok_or_else(no_request)?;
    let asked: Asked = serde_json::from_slice(asked)
        .context(Kind::Config, "what a DataFrame asks for cannot be read")?;
    let runtime = runtime()?;
    let (mut packed, mut plugins) = (Vec::new(), Vec::new());
    for AskedPlugin { name, config, bytes: length } in asked.plugins {
        let bytes;
        (bytes, rest) = rest.split_at_checked(length).ok_or_else(no_request)?;
        let bytes = if name == BUILT_IN { DEFAULT_PLUGIN } else { bytes }.to_vec();
        let plugin = runtime.load(Path::new(&name), bytes.clone()).map_err(plugin_failure)?;
        packed.push(PackedPlugin { name, sha256: plugin.sha256().to_owned(), bytes });
        plugins.push((plugin, config));
    }
    let input = schema(rest)?;
    check_types(&input)?;
    let chain = ChainPlan::make(&plugins, &asked.table, &asked.keys, None, input)
        .map_err(plugin_failure)?;
    check_values(&chain)?;
    let output = encode_schema(&chain.output);
    let spec = DataframeSpec {
        chain: chain.pack(),
        plugins: packed,
        values: asked.values,
        input: rest.to_vec(),
    };
    let spec = wire::pack_spec(&spec)?;
    let length = u32::try_from(spec.len()).unwrap_or(u32::MAX).to_le_bytes();
    Ok([length.as_slice(), &spec, &output].concat())
}

/// The sandbox, with the limits that it has by itself.
fn runtime() -> Result<Runtime> {
    Runtime::metered(Limits::default(), CacheLocation::Default, Metering::Off)
        .map_err(plugin_failure)
}

fn schema(message: &[u8]) -> Result<SchemaRef> {
    let schema = trusted::decode_schema(message);
    schema.map(Arc::new).context(Kind::Internal, "the columns of a DataFrame cannot be read")
}

/// Refuses columns of types that plugins do not take.
fn check_types(schema: &SchemaRef) -> Result<()> {
    let is_taken = |data_type: &DataType| {
        matches!(
            data_type,
            DataType::Boolean
                | DataType::Int8
                | DataType::Int16
                | DataType::Int32
                | DataType::Int64
                | DataType::Float32
                | DataType::Float64
                | DataType::Utf8
                | DataType::Binary
                | DataType::Date32
                | DataType::Timestamp(..)
                | DataType::Decimal128(..)
        )
    };
    match schema.fields().iter().find(|field| !is_taken(field.data_type())) {
        None => Ok(()),
        Some(field) => {
            let (name, data_type) = (field.name(), field.data_type());
            let fact = format!(
                "column `{name}` of the DataFrame is {data_type}, which plugins do not take; cast it \
                 to a string, or select the other columns"
            );
            Err(Error::new(Kind::Config, fact))
        }
    }
}

/// Refuses a plan that asks for the numbers of rows: those of a DataFrame have none.
fn check_values(chain: &ChainPlan) -> Result<()> {
    let asks = |expr: &Expr| matches!(expr, Expr::HostValue(HostValue::SourceRow));
    let asking = chain.plugins().iter().find(|planned| planned.plan.outputs.iter().any(asks));
    match asking {
        None => Ok(()),
        Some(planned) => {
            let fact = format!(
                "plugin {} asks for source.row, the number of a row in its file, and the rows of a \
                 DataFrame have none; leave that column out by the plugin's config, or load the file",
                planned.plugin.name()
            );
            Err(Error::new(Kind::Config, fact))
        }
    }
}

/// A plan that is ready for batches.
pub(super) struct Dataframe {
    chain: ChainPlan,
    values: Arc<HostValues>,
    input: SchemaRef,
    session: Option<ChainSession>,
    rows: i64,
    rejected: Vec<Reject>,
    rejected_rows: u64,
}

/// Rejects that are told.
const TOLD: usize = 5;

impl Dataframe {
    /// Makes a plan ready: compiles its plugins, and checks their plans again.
    pub(super) fn open(spec: &[u8]) -> Result<Dataframe> {
        let spec: DataframeSpec = wire::unpack_spec(spec)?;
        let runtime = runtime()?;
        let load = |packed: &PackedPlugin| {
            runtime.load(Path::new(&packed.name), packed.bytes.clone()).map_err(plugin_failure)
        };
        let plugins: Vec<Plugin> = spec.plugins.iter().map(load).collect::<Result<_>>()?;
        let of_digest = |sha256: &str| plugins.iter().find(|p| p.sha256() == sha256).cloned();
        Ok(Dataframe {
            chain: spec.chain.unpack(of_digest).map_err(plugin_failure)?,
            values: Arc::new(spec.values),
            input: schema(&spec.input)?,
            session: None,
            rows: 0,
            rejected: Vec::new(),
            rejected_rows: 0,
        })
    }

    /// Takes a batch through the plugins.
    pub(super) fn batch(&mut self, message: Vec<u8>) -> Result<Vec<u8>> {
        let batch = trusted::decode_batch(message, &self.input)
            .context(Kind::Internal, "a batch of a DataFrame cannot be read")?;
        let session = match &mut self.session {
            Some(session) => session,
            none => none.insert(self.chain.open(Arc::clone(&self.values)).map_err(plugin_failure)?),
        };
        let mut made: Vec<RecordBatch> = Vec::new();
        for start in (0..batch.num_rows()).step_by(BATCH_ROWS) {
            let length = BATCH_ROWS.min(batch.num_rows() - start);
            let numbers = self.rows + 1..self.rows + 1 + length as i64;
            self.rows += length as i64;
            let rows = Int64Array::from_iter_values(numbers);
            let transformed =
                session.process(&batch.slice(start, length), &rows).map_err(plugin_failure)?;
            self.rejected_rows += transformed.rejects.len() as u64;
            let left = TOLD.saturating_sub(self.rejected.len());
            self.rejected.extend(transformed.rejects.into_iter().take(left));
            made.push(transformed.batch);
        }
        let made = arrow::compute::concat_batches(&self.chain.output, &made);
        let made = made.context(Kind::Internal, "transformed rows do not make a batch")?;
        encode_batch(&made).context(Kind::Internal, "transformed rows cannot be packed")
    }

    /// Ends a part of the DataFrame, and tells what became of its rows: as JSON.
    pub(super) fn finish(&mut self) -> Result<Vec<u8>> {
        let counters = match self.session.take() {
            Some(session) => session.finish().map_err(plugin_failure)?,
            None => Vec::new(),
        };
        let counters: Vec<_> = counters
            .into_iter()
            .map(|plugin| json!({ "plugin": plugin.plugin, "counters": plugin.counters }))
            .collect();
        let told: Vec<String> = std::mem::take(&mut self.rejected)
            .iter()
            .map(|reject| format!("{} ({} {})", reject.message, reject.plugin, reject.code))
            .collect();
        let ended = json!({ "rejected": self.rejected_rows, "told": told, "plugins": counters });
        (self.rows, self.rejected_rows) = (0, 0);
        Ok(ended.to_string().into_bytes())
    }
}
