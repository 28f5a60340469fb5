//! What can be typed behind `loader config`: the settings, shown and checked.

use clap::{Args, Subcommand};

use crate::cli::run_args::RunArgs;

/// Arguments of `config`.
#[derive(Args, Debug)]
pub struct ConfigArgs {
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// What is done with the settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print every setting with where it comes from; with --target-table those of that table.
    Show(RunArgs),
    /// Name all mistakes of the settings file, each with its line; connect to nothing.
    Check(RunArgs),
    /// Print the JSON Schema of the settings file, for editors.
    Schema,
}
