//! Loads files as they come, as a function of AWS Lambda. The runtime of Lambda calls it, and
//! `loader` does the work.

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use clap::Parser;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use loader::cli::RunArgs;
use loader::commands::lambda::Function;
use loader::report::log::{self, Audience};
use loader::telemetry::Telemetry;
use loader_model::error::Error;
use serde_json::Value;

/// Loads files as they come, as a function of AWS Lambda. Settings come from loader.toml of the
/// function's folder and from LOADER_… variables.
#[derive(Debug, Parser)]
#[command(name = "loader-lambda", version, max_term_width = 110)]
struct Arguments {
    #[command(flatten)]
    run: RunArgs,
}

/// The variables that Lambda gives to every function, and its runtime needs.
const GIVEN: [&str; 4] = [
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
];

/// The longest that Lambda lets an invocation take.
const LONGEST: Duration = Duration::from_secs(15 * 60);

fn main() -> ExitCode {
    let Arguments { run } = Arguments::parse();
    if let Some(missing) = GIVEN.iter().find(|name| std::env::var_os(name).is_none()) {
        eprintln!(
            "loader-lambda: {missing} is not set: this is the program of a Lambda function; \
             elsewhere, `loader watch` does the same"
        );
        return ExitCode::from(2);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("loader-lambda: the runtime does not start: {error}");
            return ExitCode::from(1);
        }
    };
    let code = runtime.block_on(serve(run));
    runtime.shutdown_background();
    ExitCode::from(code)
}

/// Serves invocations until Lambda ends the process. Returns an exit code where that cannot begin.
async fn serve(run: RunArgs) -> u8 {
    let telemetry = Telemetry::start();
    let logs = log::start(0, Audience::Stderr, telemetry.layer());
    telemetry.say_what_is_wrong();
    let function = match Box::pin(Function::prepare(run, &logs)).await {
        Ok(function) => function,
        Err(error) => {
            tracing::error!(%error, "the function does not start");
            return error.kind().exit_code();
        }
    };
    let handler = async |event: LambdaEvent<Value>| -> Result<Value, Diagnostic> {
        let request = &event.context.request_id;
        tracing::info!(%request, "invoked");
        let ends_at = Instant::now() + time_left(event.context.deadline());
        let handled = function.handle(&event.payload, ends_at).await;
        // Nothing is sent between two invocations.
        telemetry.flush(ends_at.saturating_duration_since(Instant::now()) / 2).await;
        handled.map_err(|error| {
            tracing::error!(%request, %error, "the invocation failed");
            diagnostic(&error)
        })
    };
    match Box::pin(lambda_runtime::run(service_fn(handler))).await {
        Ok(()) => 0,
        Err(error) => {
            tracing::error!(%error, "the runtime of Lambda ended");
            1
        }
    }
}

/// An error as Lambda reports it: its kind, such as `Transient`, and what happened.
fn diagnostic(error: &Error) -> Diagnostic {
    Diagnostic { error_type: format!("{:?}", error.kind()), error_message: error.to_string() }
}

/// The time until a deadline. One that is past says nothing: an emulator may have no clock of
/// Lambda's, and gives the time of an invocation itself. (For example, 600000 for ten minutes.)
fn time_left(deadline: SystemTime) -> Duration {
    deadline.duration_since(SystemTime::now()).unwrap_or(LONGEST)
}
