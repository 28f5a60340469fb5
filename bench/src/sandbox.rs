//! The default plugin on `lineitem`: in the sandbox, and the same code compiled into this program.
//!
//! Both get the same batches of 16,384 rows, with the columns that the plan asks for. *Native*
//! calls the session on them. *Native, as bytes* takes the steps of the sandbox without a sandbox:
//! the batch is encoded, decoded and computed, and the answer is encoded and decoded. *Sandbox* is
//! all that a load does with a plugin: encoding, copying in, the guest with its decoding and
//! encoding, copying out, the check of the answer, and putting the columns together.
//!
//! Reading the file takes the time of inference and decoding of the CSV, the least that a load does
//! beside. (For example, 100 ms native, 150 ms in the sandbox and 400 ms of reading print 1.50, and
//! 1.10 with the reading of the file.)

use std::sync::Arc;
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use loader_ipc::{encode_columns, trusted};
use loader_sandbox::{ChainPlan, ChainSession, HostValues, Plugin};

use crate::clock::{cpu, median};
use crate::native::{Native, process};
use crate::outcome::Result;
use crate::rows::{Batches, batches, lineitem};

const SCALE: f64 = 0.1;

/// The three ways, each with its name and the times of its runs.
type Ways = [(&'static str, Vec<Duration>); 3];

pub(crate) fn run(plugin: &Plugin, runs: usize) -> Result<()> {
    let text = lineitem(SCALE)?;
    let (decoding, batches) = cpu(|| batches(text.as_bytes()))?;
    let schema = batches.first().ok_or("no rows")?.0.schema();
    let (native, plain) = (Native::plan(&schema)?, plan(plugin, &schema)?);
    agree(&native, &plain, &batches)?;
    let ways = in_turns(&native, &plain, &batches, runs)?;
    let rows: usize = batches.iter().map(|(batch, _)| batch.num_rows()).sum();
    println!(
        "\nlineitem, scale {SCALE}: {rows} rows through the default plugin, processor time, \
         medians of {runs} runs"
    );
    print(&ways, rows, decoding);
    Ok(())
}

/// Measures each way once in each run.
fn in_turns(native: &Native, plan: &ChainPlan, batches: &Batches, runs: usize) -> Result<Ways> {
    // In turns, so that a machine that slows down meanwhile slows all ways down alike.
    let mut ways = ["native", "native, as bytes", "sandbox"].map(|name| (name, Vec::new()));
    for _ in 0..runs {
        ways[0].1.push(direct(native, batches)?);
        ways[1].1.push(as_bytes(native, batches)?);
        ways[2].1.push(sandboxed(plan, batches)?);
    }
    Ok(ways)
}

/// Prints a line for each way, compared with the first. `decoding`: the time for reading the file.
fn print(ways: &Ways, rows: usize, decoding: Duration) {
    let (direct, decoding) = (median(&ways[0].1), median(&[decoding]));
    for (name, times) in ways {
        let time = median(times);
        let whole = (time + decoding) / (direct + decoding);
        println!(
            "  {name:<18} {time:>7.1} ms  {:>5.1} ns/row  {:.2}, with the reading of the file \
             {whole:.2}",
            time * 1e6 / rows as f64,
            time / direct
        );
    }
}

pub(crate) fn plan(plugin: &Plugin, input: &SchemaRef) -> Result<ChainPlan> {
    let configured = [(plugin.clone(), serde_json::json!({}))];
    Ok(ChainPlan::make(&configured, "lineitem", &[], None, Arc::clone(input))?)
}

pub(crate) fn open(plan: &ChainPlan) -> Result<ChainSession> {
    let values = HostValues {
        run_started_at_micros: 1_767_225_600_000_000,
        run_id: "run".to_owned(),
        source_file_name: "lineitem.csv".to_owned(),
        source_uri: "s3://bench/data/in/lineitem.csv".to_owned(),
    };
    Ok(plan.open(Arc::new(values))?)
}

/// Processor time of an open session on all batches.
pub(crate) fn sandboxed(plan: &ChainPlan, batches: &Batches) -> Result<Duration> {
    let mut session = open(plan)?;
    let (time, ()) = cpu(|| {
        for (batch, rows) in batches {
            // `black_box` keeps the compiler from dropping a result that the program never uses.
            std::hint::black_box(session.process(batch, rows)?);
        }
        Ok(())
    })?;
    Ok(time)
}

/// Processor time of the same code as part of this program.
fn direct(native: &Native, batches: &Batches) -> Result<Duration> {
    let mut session = native.session()?;
    let (time, ()) = cpu(|| {
        for (batch, _) in batches {
            std::hint::black_box(process(&mut session, &native.project(batch)?)?);
        }
        Ok(())
    })?;
    Ok(time)
}

fn as_bytes(native: &Native, batches: &Batches) -> Result<Duration> {
    let mut session = native.session()?;
    let (time, ()) = cpu(|| {
        for (batch, _) in batches {
            let batch = native.project(batch)?;
            // `trusted`: these bytes are our own, so they go without the check of a plugin's.
            let bytes = encode_columns(batch.num_rows(), batch.columns())?;
            let columns = process(&mut session, &trusted::decode_batch(bytes, &native.inputs)?)?;
            let bytes = encode_columns(batch.num_rows(), &columns)?;
            std::hint::black_box(trusted::decode_batch(bytes, &native.outputs)?);
        }
        Ok(())
    })?;
    Ok(time)
}

/// Checks on the first batch that both ways compute the same columns. Times of different work
/// would say nothing.
fn agree(native: &Native, plan: &ChainPlan, batches: &Batches) -> Result<()> {
    let (batch, rows) = batches.first().ok_or("no rows")?;
    let columns = process(&mut native.session()?, &native.project(batch)?)?;
    let native = RecordBatch::try_new(Arc::clone(&native.outputs), columns)?;
    let sandboxed = open(plan)?.process(batch, rows)?.batch;
    for (field, column) in native.schema().fields().iter().zip(native.columns()) {
        if sandboxed.column_by_name(field.name()) != Some(column) {
            return Err(format!("column {} differs in the sandbox", field.name()).into());
        }
    }
    Ok(())
}
