//! The program's table of contents: one command, one exit code.

use std::process::ExitCode;

use loader::cli::{Cli, Command, glue};
use loader::engine::frames::Frames;
use loader::report::log::{self, Audience, Logs};
use loader::telemetry::Telemetry;
use loader::{commands, hooks, signals};
use loader_aws::stop::{self, Stop};

// Signals are listened for before the command starts, so that Ctrl-C already counts while it
// connects. At the end the runtime is shut down in the background: dropping it would wait for every
// blocking thread, and one of them may still be waiting for the rest of a file.
fn main() -> ExitCode {
    let typed = glue::typed(std::env::args_os());
    let cli = Cli::read(typed.arguments).unwrap_or_else(|error| error.exit());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("loader: the runtime does not start: {error}");
            return ExitCode::from(1);
        }
    };
    // What is sent to OpenTelemetry is sent by the runtime.
    let telemetry = runtime.block_on(async { Telemetry::start() });
    let logs = log::start(cli.verbose, audience(&cli), telemetry.layer());
    telemetry.say_what_is_wrong();
    loader::crash::choose(loader::job::crash_point());
    if let Some(socket) = loader::job::frames()
        && let Err(error) = Frames::connect(&socket)
    {
        eprintln!("loader: {error}");
        return ExitCode::from(error.kind().exit_code());
    }
    let command = cli.command.with_arguments_for_glue(typed.for_glue);
    let (stopper, stop) = stop::channel();
    runtime.spawn(signals::listen(stopper));
    let code = runtime.block_on(async {
        let code = Box::pin(run(command, cli.verbose, stop.clone(), &logs)).await;
        if stop.bounds_last(hooks::finish(hooks::PATIENCE)).await.is_err() {
            tracing::warn!("hooks that were still running were given up");
        }
        telemetry.finish().await;
        code
    });
    runtime.shutdown_background();
    ExitCode::from(code)
}

/// Who sees the log. `demo`, `doctor` and `plugin` print their own account of what happens, so
/// their log is only shown when the user asks for more of it. (For example, `loader -v demo` shows
/// it.)
fn audience(cli: &Cli) -> Audience {
    match cli.command {
        Command::Demo(_) | Command::Doctor(_) | Command::Plugin(_) if cli.verbose == 0 => {
            Audience::LogOnly
        }
        _ => Audience::Stderr,
    }
}

async fn run(command: Command, verbose: u8, stop: Stop, logs: &Logs) -> u8 {
    match command {
        Command::Run(args) => commands::run::load(args, stop, logs).await,
        Command::Plan(args) => commands::plan::run(args, stop, logs).await,
        Command::Watch(args) => commands::watch::run(args, stop, logs).await,
        Command::Retry(args) => commands::retry::run(args, stop, logs).await,
        Command::Prune(args) => commands::prune::run(args, stop).await,
        Command::Gc(args) => commands::gc::run(args, stop).await,
        Command::Stage(args) => commands::run::stage(args, stop, logs).await,
        Command::Transform(args) => commands::transform::run(args, stop).await,
        Command::Local(args) => commands::local::run(args, verbose),
        Command::Demo(args) => commands::demo::run(args, stop, logs).await,
        Command::Doctor(args) => commands::doctor::run(args, stop).await,
        Command::Sql(args) => commands::sql::run(args, stop).await,
        Command::Sniff(args) => commands::sniff::run(args),
        Command::Status(args) => commands::status::run(args, stop).await,
        Command::History(args) => commands::history::run(args, stop).await,
        Command::Show(args) => commands::show::run(args, stop).await,
        Command::Report(args) => commands::report::run(args, stop).await,
        Command::Ls(args) => commands::ls::run(args, stop).await,
        Command::Init(args) => commands::init::run(args, stop).await,
        Command::Config(args) => commands::config::run(args),
        Command::Plugin(args) => commands::plugin::run(args).await,
        Command::Work => commands::work::run(stop).await,
    }
}
