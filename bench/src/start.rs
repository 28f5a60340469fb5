//! The second start: the time from a program's first line until a plugin is ready, when the
//! plugin's compiled form is on disk.
//!
//! Each start is a process of its own. A plugin is ready when the engine runs, the file is read and
//! looked at, the compiled form is read and checked, and the plugin has given the schema of its
//! config, against which `{}` was checked.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use loader_sandbox::{CacheLocation, Limits, Runtime};

use crate::clock::{median, process_cpu};
use crate::outcome::Result;

/// The word that makes this program a start to be measured.
pub(crate) const PROBE: &str = "--second-start";

pub(crate) fn run(plugins: &[PathBuf], runs: usize) -> Result<()> {
    let cache = std::env::temp_dir().join(format!("loader-bench-{}", std::process::id()));
    println!("\nsecond start, medians of {runs} runs");
    plugins.iter().try_for_each(|plugin| measure(plugin, &cache, runs))?;
    std::fs::remove_dir_all(&cache)?;
    Ok(())
}

/// Starts with one plugin, first without and then with its compiled form, and prints a line.
fn measure(plugin: &Path, cache: &Path, runs: usize) -> Result<()> {
    // The first start compiles the plugin and leaves the compiled form in `cache` for the others.
    let (first, _) = start(plugin, cache)?;
    let starts = (0..runs).map(|_| start(plugin, cache)).collect::<Result<Vec<_>>>()?;
    let (times, cpus): (Vec<_>, Vec<_>) = starts.into_iter().unzip();
    let size = std::fs::metadata(plugin)?.len().div_ceil(1024);
    println!(
        "  {:<16} {size:>5} KiB  {:>6.2} ms, {:.2} ms of processor time (the first one: {:.0} ms)",
        plugin.file_stem().unwrap_or_default().to_string_lossy(),
        median(&times),
        median(&cpus),
        first.as_secs_f64() * 1e3
    );
    Ok(())
}

/// Starts a process, and returns how long its start took and its processor time.
fn start(plugin: &Path, cache: &Path) -> Result<(Duration, Duration)> {
    let output =
        Command::new(std::env::current_exe()?).arg(PROBE).arg(plugin).arg(cache).output()?;
    // A start that failed prints no numbers, and its stderr says why.
    let text = String::from_utf8_lossy(&output.stdout);
    let mut micros =
        text.split_whitespace().map_while(|word| word.parse().ok().map(Duration::from_micros));
    match (micros.next(), micros.next()) {
        (Some(time), Some(cpu)) => Ok((time, cpu)),
        _ => Err(String::from_utf8_lossy(&output.stderr).into_owned().into()),
    }
}

/// A start to be measured: prints how many microseconds it took and how many of them the processors
/// worked, such as `18250 16900`. The times of its parts go to stderr, for a developer who calls it
/// by hand.
pub(crate) fn probe(plugin: &Path, cache: &Path) -> Result<()> {
    let begin = (Instant::now(), process_cpu());
    let runtime = Runtime::new(Limits::default(), CacheLocation::Dir(cache.to_owned()))?;
    eprintln!("engine after {:?}", begin.0.elapsed());
    let plugin = runtime.load(plugin, std::fs::read(plugin)?)?;
    eprintln!("loaded after {:?}", begin.0.elapsed());
    plugin.config_schema()?;
    eprintln!("asked after {:?}", begin.0.elapsed());
    // A plugin may insist on settings. Its refusal of `{}` is an answer as well, and no error.
    let _ = plugin.check_config(&serde_json::json!({}));
    let (time, cpu) = (begin.0.elapsed(), process_cpu().saturating_sub(begin.1));
    println!("{} {}", time.as_micros(), cpu.as_micros());
    Ok(())
}
