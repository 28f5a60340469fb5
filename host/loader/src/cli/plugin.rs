//! What can be typed behind `loader plugin`: the commands for authors of plugins.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Subcommand, ValueEnum};
use loader_model::choices::ReportFormat;

use crate::settings::choice;

/// Arguments of `plugin`.
#[derive(Args, Debug)]
pub struct PluginArgs {
    #[command(subcommand)]
    pub command: PluginCommand,
}

/// What is done with a plugin.
#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// Make a plugin's crate in Rust that builds, with a test and a golden case that pass.
    New(NewArgs),
    /// Build a plugin's crate into NAME.wasm, the one file that is shipped.
    ///
    /// It needs cargo. Rust's compiler for WebAssembly is used where it is installed already, and
    /// otherwise installed by rustup, or by apt on Debian.
    Build(BuildArgs),
    /// Say whether a file is a plugin that this program can use, and what is wrong with it; run
    /// none of it.
    Check(CheckArgs),
    /// Run a plugin on its test cases, in the sandbox of a load.
    ///
    /// A case is a folder with input.csv, config.toml (missing: {}), expected.csv and rejects.csv
    /// (missing: no row is rejected); case.toml may name the table, its keys, and types of columns.
    /// `loader run --capture N` makes cases. Every case is also cut into batches of 1 and 7 rows,
    /// spread over two sessions, run with an empty batch, with NULL in place of every value, in a
    /// second session, and once more.
    Test(TestArgs),
    /// Measure what a plugin's rows cost, and compare that with a committed baseline.
    ///
    /// The rows are those of its test cases, repeated. Instructions and memory are compared, since
    /// they are the same on every machine and every day; rows per second are only shown. A case
    /// that costs more than the baseline and the tolerance allow fails.
    Bench(BenchArgs),
}

/// Arguments of `plugin new`.
#[derive(Args, Debug)]
pub struct NewArgs {
    /// Folder to make; its name becomes the plugin's.
    #[arg(value_name = "NAME")]
    pub path: PathBuf,
    /// What to begin with.
    #[arg(long, value_enum, default_value = "columns")]
    pub template: Template,
    /// The SDK: its folder, or the address of a git repository [default: that of the checkout at
    /// hand].
    #[arg(long, value_name = "DIR|URL")]
    pub sdk: Option<String>,
}

/// What a new plugin looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Template {
    /// Steps over named columns; for most plugins.
    Columns,
    /// A plan and sessions in terms of Arrow arrays.
    Arrow,
}

/// Arguments of `plugin build`.
#[derive(Args, Debug)]
pub struct BuildArgs {
    /// Folder of the plugin's crate.
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
    /// File to write [default: NAME.wasm in the crate's folder].
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Arguments of `plugin check`.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// The plugin, or its crate's folder, which is built first.
    #[arg(value_name = "FILE.wasm|DIR", default_value = ".")]
    pub file: PathBuf,
    /// Also ask the plugin for its config schema, which runs it.
    #[arg(long)]
    pub run: bool,
    /// How the findings are printed.
    #[arg(long, value_parser = choice::<ReportFormat>(), default_value = "human")]
    pub report: ReportFormat,
    #[command(flatten)]
    pub sandbox: SandboxArgs,
}

/// Arguments of `plugin test`.
#[derive(Args, Debug)]
pub struct TestArgs {
    /// The plugin, or its crate's folder, which is built first.
    #[arg(value_name = "FILE.wasm|DIR", default_value = ".")]
    pub file: PathBuf,
    /// Folder of the cases, or one case [default: tests/ of the plugin's crate].
    #[arg(long, value_name = "DIR")]
    pub cases: Option<PathBuf>,
    /// Write expected.csv and rejects.csv from what comes out; read them before you commit them.
    #[arg(long, env = "UPDATE", value_parser = FalseyValueParser::new())]
    pub update: bool,
    #[command(flatten)]
    pub sandbox: SandboxArgs,
}

/// Arguments of `plugin bench`.
#[derive(Args, Debug)]
pub struct BenchArgs {
    /// The plugin, or its crate's folder, which is built first.
    #[arg(value_name = "FILE.wasm|DIR", default_value = ".")]
    pub file: PathBuf,
    /// Names of the cases to measure [default: all].
    #[arg(value_name = "CASE")]
    pub names: Vec<String>,
    /// Folder of the cases, or one case [default: tests/ of the plugin's crate].
    #[arg(long, value_name = "DIR")]
    pub cases: Option<PathBuf>,
    /// Measure the rows of this CSV file in place of the cases' own, with each named case's config,
    /// or with none. Nothing is compared.
    #[arg(long, value_name = "FILE.csv", conflicts_with_all = ["baseline", "update"])]
    pub input: Option<PathBuf>,
    /// Rows that are timed, at least: the input is repeated until there are as many.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub rows: usize,
    /// What to compare with [default: bench.toml beside the folder of the cases].
    #[arg(long, value_name = "FILE.toml")]
    pub baseline: Option<PathBuf>,
    /// How much more than the baseline a case may cost, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 10)]
    pub tolerance: u32,
    /// Write the baseline from what was measured.
    #[arg(long, env = "UPDATE", value_parser = FalseyValueParser::new())]
    pub update: bool,
    #[command(flatten)]
    pub sandbox: SandboxArgs,
}

/// Where and how tightly a plugin is run.
#[derive(Args, Debug)]
pub struct SandboxArgs {
    /// Settings file (TOML): its limits hold, and a digest that it pins must be the plugin's.
    #[arg(long, value_name = "FILE", env = "LOADER_CONFIG")]
    pub config: Option<PathBuf>,
    /// Folder for compiled plugins, or `none` [default: the user's cache folder].
    #[arg(long, value_name = "DIR", env = "LOADER_PLUGIN_CACHE")]
    pub plugin_cache: Option<String>,
}
