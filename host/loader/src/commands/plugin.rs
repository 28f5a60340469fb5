//! `loader plugin`: the commands for authors of plugins. They need no S3 and no warehouse.

mod bench;
mod build;
mod cases;
mod check;
mod given;
mod new;
mod test;
mod verdict;

use loader_model::error::{Context, Kind, Result};

use self::verdict::Verdict;
use crate::cli::plugin::{PluginArgs, PluginCommand};

/// Runs the command. Findings about the plugin go to stdout; an error that keeps the command from
/// working goes to stderr.
pub async fn run(args: PluginArgs) -> u8 {
    // A guest computes without ever yielding, which would hold up a thread of the async runtime.
    let done = tokio::task::spawn_blocking(move || run_command(&args.command)).await;
    let joined = done.context(Kind::Internal, "the thread of the plugin ended abruptly");
    match joined.and_then(|done| done) {
        Ok(verdict) => verdict.exit_code(),
        Err(error) => {
            // The log of this command is kept and not shown (see `main.rs`): print the error here.
            eprintln!("loader: {error}");
            error.kind().exit_code()
        }
    }
}

fn run_command(command: &PluginCommand) -> Result<Verdict> {
    match command {
        PluginCommand::New(args) => new::run(args),
        PluginCommand::Build(args) => build::run(args),
        PluginCommand::Check(args) => check::run(args),
        PluginCommand::Test(args) => test::run(args),
        PluginCommand::Bench(args) => bench::run(args),
    }
}
