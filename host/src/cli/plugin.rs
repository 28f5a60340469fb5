//! What can be typed behind `loader plugin`: the commands of those who write plugins.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Subcommand};

use crate::settings::ReportFormat;

/// Arguments of `plugin`.
#[derive(Args, Debug)]
pub struct PluginArgs {
    #[command(subcommand)]
    pub command: PluginCommand,
}

/// What is done with a plugin.
#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// Say whether a file is a plugin that this program can use, and what is wrong with it; run none of it.
    Check(CheckArgs),
    /// Run a plugin on its test cases, in the sandbox of a load.
    ///
    /// A case is a folder with input.csv, config.toml (missing: {}), expected.csv and rejects.csv (missing: no row is
    /// rejected); case.toml may name the table, its keys, and types of columns. Every case is also cut into batches of 1 and 7 rows, spread over two sessions, run with an empty
    /// batch, with NULL in place of every value, in a second session, and once more.
    Test(TestArgs),
}

/// Arguments of `plugin check`.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// The plugin.
    #[arg(value_name = "FILE.wasm")]
    pub file: PathBuf,
    /// Also ask the plugin for its config schema, which runs it.
    #[arg(long)]
    pub run: bool,
    /// How the findings are printed.
    #[arg(long, value_enum, default_value = "human")]
    pub report: ReportFormat,
    #[command(flatten)]
    pub sandbox: SandboxArgs,
}

/// Arguments of `plugin test`.
#[derive(Args, Debug)]
pub struct TestArgs {
    /// The plugin.
    #[arg(value_name = "FILE.wasm")]
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

/// Where and how tightly a plugin is run.
#[derive(Args, Debug)]
pub struct SandboxArgs {
    /// Settings file (TOML): its [limits] are used, and the plugin has to be the one that it pins.
    #[arg(long, value_name = "FILE", env = "LOADER_CONFIG")]
    pub config: Option<PathBuf>,
    /// Folder for compiled plugins, or `none` [default: the user's cache folder].
    #[arg(long, value_name = "DIR", env = "LOADER_PLUGIN_CACHE")]
    pub plugin_cache: Option<String>,
}
