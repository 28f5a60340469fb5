//! Columns that nobody computes: 200 of which 2 are computed, against these 2 alone.

use std::fmt::Write;
use std::time::Duration;

use loader_sandbox::{ChainPlan, Plugin};

use crate::Result;
use crate::clock::{cpu, median};
use crate::rows::{Batches, batches};
use crate::sandbox::{open, plan};

const ROWS: usize = 200_000;
const COMPUTED: usize = 2;
const COLUMNS: usize = 200;

/// What one width took.
#[derive(Default)]
struct Width {
    times: Vec<Duration>,
    bytes_in: u64,
    bytes_out: u64,
}

pub(crate) fn run(plugin: &Plugin, runs: usize) -> Result<()> {
    let mut widths = [COMPUTED, COLUMNS].map(|columns| (columns, Width::default()));
    let wide = rows(COLUMNS)?;
    // The same rows in the same batches, without the other columns.
    let computed: Vec<usize> = (0..COMPUTED).collect();
    let narrow = wide.iter().map(|(batch, rows)| Ok((batch.project(&computed)?, rows.clone())));
    let inputs = [narrow.collect::<Result<Batches>>()?, wide];
    let plans = [plan(plugin, &inputs[0][0].0.schema())?, plan(plugin, &inputs[1][0].0.schema())?];
    for _ in 0..runs {
        for ((_, width), (plan, input)) in widths.iter_mut().zip(plans.iter().zip(&inputs)) {
            width.measure(plan, input)?;
        }
    }
    println!("\n{ROWS} rows, {COMPUTED} columns computed, processor time, medians of {runs} runs");
    for (columns, Width { times, bytes_in, bytes_out }) in &widths {
        let time = median(times);
        println!(
            "  {columns:>3} columns  {time:>6.1} ms  {bytes_in} bytes into the sandbox, \
             {bytes_out} out of it"
        );
    }
    Ok(())
}

impl Width {
    fn measure(&mut self, plan: &ChainPlan, input: &Batches) -> Result<()> {
        let mut session = open(plan)?;
        let (time, ()) = cpu(|| {
            for (batch, rows) in input {
                std::hint::black_box(session.process(batch, rows)?);
            }
            Ok(())
        })?;
        self.times.push(time);
        for counters in session.finish()? {
            (self.bytes_in, self.bytes_out) = (counters.bytes_in, counters.bytes_out);
        }
        Ok(())
    }
}

/// Rows with two decimals first, and then text.
fn rows(columns: usize) -> Result<Batches> {
    let names: Vec<String> = (0..columns).map(|column| format!("c{column}")).collect();
    let mut text = names.join(",");
    text.push('\n');
    for row in 0..ROWS {
        write!(text, "{row}.25,{}.5", row % 977)?;
        text.push_str(&",text".repeat(columns - COMPUTED));
        text.push('\n');
    }
    batches(text.as_bytes())
}
