//! Columns that a plan passes on: 200 columns of which 2 are computed, against these 2 alone. The
//! sandbox gets the same bytes in both cases, since columns that are passed on never enter it.

use std::fmt::Write;
use std::time::Duration;

use loader_sandbox::{ChainPlan, Plugin};

use crate::clock::{cpu, median};
use crate::outcome::Result;
use crate::rows::{Batches, batches};
use crate::sandbox::{open, plan};

const ROWS: usize = 200_000;
const COMPUTED: usize = 2;
const COLUMNS: usize = 200;

/// The rows at one width, with the times of the runs and the bytes of the last one.
struct Width {
    columns: usize,
    input: Batches,
    plan: ChainPlan,
    times: Vec<Duration>,
    bytes_in: u64,
    bytes_out: u64,
}

pub(crate) fn run(plugin: &Plugin, runs: usize) -> Result<()> {
    let wide = rows(COLUMNS)?;
    // The same rows in the same batches, without the other columns.
    let computed: Vec<usize> = (0..COMPUTED).collect();
    let narrow = wide.iter().map(|(batch, rows)| Ok((batch.project(&computed)?, rows.clone())));
    let narrow = narrow.collect::<Result<Batches>>()?;
    let mut widths = [Width::new(COMPUTED, narrow, plugin)?, Width::new(COLUMNS, wide, plugin)?];
    for _ in 0..runs {
        widths.iter_mut().try_for_each(Width::measure)?;
    }
    println!("\n{ROWS} rows, {COMPUTED} columns computed, processor time, medians of {runs} runs");
    widths.iter().for_each(Width::print);
    Ok(())
}

impl Width {
    fn new(columns: usize, input: Batches, plugin: &Plugin) -> Result<Width> {
        let plan = plan(plugin, &input[0].0.schema())?;
        Ok(Width { columns, input, plan, times: Vec::new(), bytes_in: 0, bytes_out: 0 })
    }

    fn measure(&mut self) -> Result<()> {
        let mut session = open(&self.plan)?;
        let (time, ()) = cpu(|| {
            for (batch, rows) in &self.input {
                std::hint::black_box(session.process(batch, rows)?);
            }
            Ok(())
        })?;
        self.times.push(time);
        // The chain has one plugin, so there is one set of counters.
        for counters in session.finish()? {
            (self.bytes_in, self.bytes_out) = (counters.bytes_in, counters.bytes_out);
        }
        Ok(())
    }

    fn print(&self) {
        let Width { columns, times, bytes_in, bytes_out, .. } = self;
        let time = median(times);
        println!(
            "  {columns:>3} columns  {time:>6.1} ms  {bytes_in} bytes into the sandbox, \
             {bytes_out} out of it"
        );
    }
}

/// Rows with two decimal columns first and then text columns, such as `7.25,7.5,text,text`.
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
