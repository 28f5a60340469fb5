//! `loader local`: the stand-in as a server of its own, for any AWS client. This process becomes
//! the program `loader-local`, with the same arguments.

use std::os::unix::process::CommandExt;
use std::process::Command;

use loader_attach::Program;
use loader_model::error::{Context, Error, Kind, Result};

use crate::cli::LocalArgs;
use crate::commands::conclude;

/// Does not return when loader-local starts. `verbose` counts the `-v` before `local`, which
/// loader-local gets too.
pub fn run(args: LocalArgs, verbose: u8) -> u8 {
    conclude(become_stand_in(args, verbose))
}

fn become_stand_in(args: LocalArgs, verbose: u8) -> Result<()> {
    let program =
        Program::Installed.path().context(Kind::Config, "the local stand-in cannot be started")?;
    let mut command = Command::new(&program);
    command.args(std::iter::repeat_n("-v", usize::from(verbose))).args(args.arguments);
    // `exec` puts loader-local in this process's place, so that signals, terminal and exit code are
    // its own. It only returns when loader-local cannot be started.
    let error = command.exec();
    Err(Error::new(Kind::Config, format!("{} does not start", program.display())).caused_by(error))
}
