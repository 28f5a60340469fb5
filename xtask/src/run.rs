//! Runs other programs from the root of the project, with their output where the user sees it.

use std::path::{Path, PathBuf};
use std::process::Command;

use loader_build::watched::{self, Ended};

use crate::failure::{Failure, failure};

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// The host's target folder; a relative one is taken from the root, where our cargo runs.
pub(crate) fn target() -> PathBuf {
    root().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// The cargo that runs us.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// Runs to the end; a status other than 0 is a failure.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => failure(format!("{} ended with {status}", shown(command))),
        Err(error) => failure(format!("{} does not start: {error}", shown(command))),
    }
}

/// Runs cargo to the end; says how far it is all the time.
pub(crate) fn watched(cargo: &mut Command) -> Result<(), Failure> {
    ended_well(watched::cargo(cargo), cargo)
}

/// Builds `loader` and what goes with it, which the demo and the tests start.
// With the whole workspace, crates get the features that the tests need, and the tests do not build
// them a second time.
pub(crate) fn build_programs() -> Result<(), Failure> {
    eprintln!("== loader, and the stand-in for S3 and Redshift");
    watched(&mut cargo(&[
        "build",
        "--workspace",
        "--bin",
        "loader",
        "--bin",
        "loader-local",
        "--bin",
        "loader-lambda",
    ]))
}

/// Runs to the end, and shows its lines only when it fails. `what`: what it does, for the user.
pub(crate) fn quietly(what: &str, command: &mut Command) -> Result<(), Failure> {
    ended_well(watched::quietly(what, command), command)
}

fn ended_well(ended: std::io::Result<Ended>, command: &Command) -> Result<(), Failure> {
    match ended {
        Ok(ended) if ended.status.success() => Ok(()),
        Ok(ended) => {
            let lines = ended.last_lines.join("\n");
            failure(format!("{} ended with {}\n{lines}", shown(command), ended.status))
        }
        Err(error) => failure(format!("{} does not start: {error}", shown(command))),
    }
}

/// Runs to the end and gives what it wrote to stdout.
pub(crate) fn output(command: &mut Command) -> Result<String, Failure> {
    match command.output() {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(output) => {
            let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            failure(format!("{} ended with {}: {words}", shown(command), output.status))
        }
        Err(error) => failure(format!("{} does not start: {error}", shown(command))),
    }
}

/// Whether a program ends well, with its output kept to itself.
pub(crate) fn succeeds(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> bool {
    let output = Command::new(program).args(arguments).output();
    output.is_ok_and(|output| output.status.success())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
