//! `loader config`: the settings as they are, what is wrong with them, and their schema.

mod check;
pub(crate) mod schema;
mod show;

use crate::cli::config::{ConfigArgs, ConfigCommand};
use crate::commands::{fail, print};

/// Runs one of the commands and gives its exit code.
pub fn run(args: ConfigArgs) -> u8 {
    let text = match args.command {
        ConfigCommand::Show(args) => show::text(args),
        ConfigCommand::Check(args) => return check::run(&args),
        ConfigCommand::Schema => Ok(schema::text()),
    };
    match text {
        Ok(text) => {
            print(&text);
            0
        }
        Err(error) => fail(&error),
    }
}
