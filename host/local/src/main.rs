//! The program `loader-local`: the stand-in of one folder as a process of its own. In: a folder and
//! ports; out: variables for AWS clients on stdout and the log on stderr. It serves until a signal
//! comes or, with `--while-used`, until the last program that uses the folder is gone.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use loader_local::{LocalError, LocalOptions, Server, serve_while_used};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tracing_subscriber::EnvFilter;

/// Serves S3 and the Redshift Data API on this machine.
///
/// Exit codes: 0 stopped, 1 internal, 2 usage, or the stand-in does not start.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110)]
struct Args {
    /// Folder that holds the buckets (one folder each) and the database.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Port of S3; 0 takes the port of the last start, or any free port.
    #[arg(long, default_value_t = 0)]
    s3_port: u16,
    /// Port of the Data API; 0 takes the port of the last start, or any free port.
    #[arg(long, default_value_t = 0)]
    data_api_port: u16,
    /// Folder with PostgreSQL's programs, when they are not found.
    #[arg(long, value_name = "DIR", env = "LOADER_POSTGRES_BIN")]
    postgres_bin: Option<PathBuf>,
    /// Refuse what the IAM policy in this file does not allow the caller; it is read for each
    /// request.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The same for the role that COPY names.
    #[arg(long, value_name = "FILE")]
    role_policy: Option<PathBuf>,
    /// Stop when the last program that uses the folder is gone.
    #[arg(long, hide = true)]
    while_used: bool,
    /// More of the log: -v debug, -vv trace.
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
}

fn main() -> ExitCode {
    let args = Args::parse();
    start_log(args.verbose);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(1, &format!("the runtime does not start: {error}")),
    };
    let code = runtime.block_on(serve(args));
    // Without waiting for threads: a thread may still wait for a lock or a file.
    runtime.shutdown_background();
    code
}

/// Starts the log on stderr. `RUST_LOG` overrides the level.
fn start_log(verbose: u8) {
    let level = ["info", "debug", "trace"][usize::from(verbose.min(2))];
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new(format!("warn,loader_local={level}")));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

async fn serve(args: Args) -> ExitCode {
    let dir = args.dir.display().to_string();
    let stop = match listen_for_stop() {
        Ok(stop) => stop,
        Err(error) => return fail(1, &format!("cannot wait for signals: {error}")),
    };
    let server = match Server::start(options(&args)).await {
        Ok(server) => server,
        Err(error) => return fail(2, &format!("the stand-in in {dir} does not start: {error}")),
    };
    let stopped = if args.while_used {
        serve_while_used(server, stop).await
    } else {
        serve_until(server, stop).await
    };
    match stopped {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(1, &format!("the stand-in does not stop: {error}")),
    }
}

fn options(args: &Args) -> LocalOptions {
    LocalOptions {
        dir: args.dir.clone(),
        postgres_bin: args.postgres_bin.clone(),
        s3_port: args.s3_port,
        data_api_port: args.data_api_port,
        policy: args.policy.clone(),
        role_policy: args.role_policy.clone(),
    }
}

async fn serve_until(server: Server, stop: impl Future<Output = ()>) -> Result<(), LocalError> {
    // A reader of stdout that has gone (`loader-local … | head -1`) is not an error.
    let mut stdout = std::io::stdout();
    let _ = stdout.write_all(instructions(&server).as_bytes()).and_then(|()| stdout.flush());
    stop.await;
    server.stop().await
}

/// The lines for stdout: `export` lines for a shell, and comments for the person who reads them.
fn instructions(server: &Server) -> String {
    let variables = server.endpoints().variables();
    let lines: Vec<String> =
        variables.iter().map(|(name, value)| format!("export {name}={value}")).collect();
    format!(
        "# S3 and the Redshift Data API are served. For any AWS client, in another shell:\n{}\n\
         # The Data API takes any --workgroup-name and the --database dev. Stop with Ctrl-C.\n",
        lines.join("\n")
    )
}

/// A future that is ready at the first SIGINT or SIGTERM from now on. The second signal ends the
/// process at once.
// The receiver may be gone when the signal comes, because the server has stopped by itself. The
// sender is gone without a signal only when its task was cancelled; that is no reason to stop.
fn listen_for_stop() -> std::io::Result<impl Future<Output = ()>> {
    let mut signals = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let (stop, stopped) = oneshot::channel();
    tokio::spawn(async move {
        let number = next(&mut signals).await;
        tracing::warn!(signal = number, "stopping; once more to stop at once");
        let _ = stop.send(());
        std::process::exit(128 + next(&mut signals).await);
    });
    Ok(async move {
        if stopped.await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// The number of the next signal.
async fn next((interrupt, terminate): &mut (Signal, Signal)) -> i32 {
    tokio::select! {
        _ = interrupt.recv() => 2,
        _ = terminate.recv() => 15,
    }
}

/// Writes the message to stderr, and gives the exit code.
fn fail(code: u8, message: &str) -> ExitCode {
    eprintln!("loader-local: {message}");
    ExitCode::from(code)
}
