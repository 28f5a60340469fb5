//! Each layer of the data path by itself, on one thread: measured by the clock, or run once so that
//! callgrind can count its instructions.
//!
//! In: TPC-H `lineitem`, generated; each layer gets what the layer before it has made, held in
//! memory. Out: a table, or the number of rows. Layers that only pass rows on (the workers, the
//! uploads) are not among them, nor is the sandbox itself, which has a benchmark of its own.

mod prepared;

use std::process::Command;
use std::time::Duration;

use crate::clock::{cpu, median};
use crate::outcome::Result;
use crate::rows::{CutFile, lineitem};
use prepared::Prepared;

/// The word that makes this program print the text to be counted.
pub(crate) const TEXT: &str = "--text";

const MEASURED_SCALE: f64 = 0.02;
/// A batch of rows and some more. Callgrind makes a program some fifty times slower.
const COUNTED_SCALE: f64 = 0.003;

/// A layer of the data path.
#[derive(Clone, Copy)]
enum Layer {
    /// Cuts the text into chunks.
    Split,
    /// Learns the columns' types.
    Profile,
    /// From text to batches.
    Decode,
    /// The default plugin, as native code.
    Decimal,
    /// Batches as bytes into the sandbox, answers as bytes out of it: encoded and decoded.
    Boundary,
    /// From batches to Parquet parts on the disk.
    Encode,
}

impl Layer {
    /// All layers, in the order in which rows pass them.
    const ALL: [(&str, Layer); 6] = [
        ("split", Layer::Split),
        ("profile", Layer::Profile),
        ("decode", Layer::Decode),
        ("decimal", Layer::Decimal),
        ("boundary", Layer::Boundary),
        ("encode", Layer::Encode),
    ];

    fn named(name: &str) -> Result<Layer> {
        let known = || Layer::ALL.map(|(name, _)| name).join(", ");
        let found = Layer::ALL.into_iter().find(|(known, _)| *known == name);
        Ok(found.ok_or_else(|| format!("no layer is called `{name}`; there are {}", known()))?.1)
    }

    fn run(self, prepared: &Prepared) -> Result<()> {
        match self {
            Layer::Split => prepared.split(),
            Layer::Profile => prepared.profile(),
            Layer::Decode => prepared.decode(),
            Layer::Decimal => prepared.decimal(),
            Layer::Boundary => prepared.boundary(),
            Layer::Encode => prepared.encode(),
        }
    }
}

/// Prints a table of all layers, each with its median of so many runs.
pub(crate) fn measure(runs: usize) -> Result<()> {
    let text = lineitem(MEASURED_SCALE)?;
    let prepared = Prepared::new(CutFile::split(text.as_bytes())?)?;
    let mut times = Layer::ALL.map(|_| Vec::with_capacity(runs));
    // In turns, so that a machine that slows down meanwhile slows all layers down alike.
    for _ in 0..runs {
        for ((_, layer), times) in Layer::ALL.iter().zip(&mut times) {
            times.push(cpu(|| layer.run(&prepared))?.0);
        }
    }
    let (rows, bytes) = (prepared.rows() as f64, text.len() as f64);
    println!(
        "\nlineitem, scale {MEASURED_SCALE}: {rows} rows, {:.1} MB of text, one thread, processor \
         time, medians of {runs} runs",
        bytes / 1e6
    );
    for ((name, _), times) in Layer::ALL.iter().zip(&times) {
        print(name, times, rows, bytes);
    }
    Ok(())
}

/// Prints the line of a layer: `decode    312.4 ns/row     399 MB/s`.
// A millisecond has a million nanoseconds, and a kilobyte in a millisecond is a megabyte in a
// second.
fn print(name: &str, times: &[Duration], rows: f64, bytes: f64) {
    let milliseconds = median(times);
    let (per_row, speed) = (milliseconds * 1e6 / rows, bytes / 1e3 / milliseconds);
    println!("  {name:<9} {per_row:>7.1} ns/row  {speed:>8.0} MB/s");
}

/// Runs one layer once, for callgrind, and prints what the count is of: `30201 rows on x86_64`.
pub(crate) fn count(name: &str) -> Result<()> {
    let layer = Layer::named(name)?;
    let text = counted_text()?;
    let prepared = Prepared::new(CutFile::split(&text)?)?;
    layer_that_callgrind_counts(&|| layer.run(&prepared))?;
    println!("{} rows on {}", prepared.rows(), processor());
    Ok(())
}

/// The function that callgrind is told to count. No other function has these words in its name, or
/// callgrind would stop counting where that one begins.
#[inline(never)]
fn layer_that_callgrind_counts(work: &dyn Fn() -> Result<()>) -> Result<()> {
    // `black_box` keeps the optimiser from leaving this function by a jump, which has no end.
    std::hint::black_box(work())
}

/// The text to be counted. This program calls itself for it: callgrind does not follow into the new
/// process, so the text is generated at full speed.
fn counted_text() -> Result<Vec<u8>> {
    let mut command = Command::new(std::env::current_exe()?);
    let output = command.arg(TEXT).arg(COUNTED_SCALE.to_string()).output()?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned().into()),
    }
}

/// Prints `lineitem` at this scale.
pub(crate) fn print_text(scale: f64) -> Result<()> {
    print!("{}", lineitem(scale)?);
    Ok(())
}

/// The kind of processor, as far as other instructions run on it.
// Crates such as `memchr` take AVX2 where it is, which callgrind shows when the machine has it.
fn processor() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        return "x86_64 with AVX2";
    }
    std::env::consts::ARCH
}
