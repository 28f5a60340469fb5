//! `loader plugin`: what those who write plugins need. Knows no S3 and no warehouse.

mod bench;
mod build;
mod cases;
mod check;
mod new;
mod test;

use std::path::Path;

use loader_sandbox::{Metering, Runtime};

use crate::cli::RunArgs;
use crate::cli::plugin::{PluginArgs, PluginCommand, SandboxArgs};
use crate::data_path::chain;
use crate::job::{self, TransformSettings};
use crate::settings::Settings;
use loader_model::error::{Context, Kind, Result};

/// Whether the plugin is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    Bad,
}

/// Runs the command; findings go to stdout, what keeps it from working to stderr.
pub async fn run(args: PluginArgs) -> u8 {
    // Guests block, which a thread of the async runtime must not.
    let done = tokio::task::spawn_blocking(move || match args.command {
        PluginCommand::New(args) => new::run(&args),
        PluginCommand::Build(args) => build::run(&args),
        PluginCommand::Check(args) => check::run(&args),
        PluginCommand::Test(args) => test::run(&args),
        PluginCommand::Bench(args) => bench::run(&args),
    })
    .await;
    match done
        .context(Kind::Internal, "the thread of the plugin ended abruptly")
        .and_then(|done| done)
    {
        Ok(Verdict::Good) => 0,
        Ok(Verdict::Bad) => Kind::Plugin.exit_code(),
        Err(error) => {
            eprintln!("loader: {error}");
            error.kind().exit_code()
        }
    }
}

fn settings(args: &SandboxArgs) -> Result<Settings> {
    let settings = Settings { plugin_cache: args.plugin_cache.clone(), ..Settings::default() };
    job::settings(RunArgs { config: args.config.clone(), settings })
}

fn runtime(settings: &Settings, metering: Metering) -> Result<Runtime> {
    chain::runtime(&TransformSettings::decide(settings.clone())?, metering)
}

/// Holds a file against every digest that the settings pin it to.
fn check_pins(settings: &Settings, path: &Path, bytes: &[u8]) -> Result<()> {
    settings
        .pins_of(path)
        .try_for_each(|(pinned, origin)| chain::check_pin(path, bytes, pinned, origin))
}
