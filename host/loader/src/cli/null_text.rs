//! A flag where the text of `--null-value` should be: in `--null-value --delimiter ';'` the text
//! was forgotten. The parser takes whatever follows for the text, since measuring devices write
//! `-9999`.
//!
//! In: what was typed. Out: what is wrong with it.

use std::ffi::OsString;

use clap::Command;
use clap::error::ErrorKind;

use super::glue::flag;

const NULL_VALUE: &str = "--null-value";

/// Errors: a flag of the program follows `--null-value`.
pub(super) fn check(arguments: &[OsString], mut program: Command) -> Result<(), clap::Error> {
    program.build();
    let follows = arguments.windows(2).filter(|pair| pair[0] == NULL_VALUE);
    let mut texts = follows.filter_map(|pair| pair[1].to_str());
    let Some(text) = texts.find(|text| is_flag(&program, text)) else { return Ok(()) };
    let fact = format!(
        "{NULL_VALUE} lacks its text, since {text} is a flag; give a text, or write \
         {NULL_VALUE}={text} where fields with these words are NULL"
    );
    Err(program.error(ErrorKind::InvalidValue, fact))
}

/// Whether a text is a flag of any command, alone or with a value: `--delimiter`, `--delimiter=;`.
fn is_flag(program: &Command, text: &str) -> bool {
    let mut arguments = program.get_subcommands().flat_map(Command::get_arguments);
    arguments.any(|argument| {
        let long = argument.get_long().map(|long| format!("--{long}"));
        let short = argument.get_short().map(|short| format!("-{short}"));
        long.as_deref() == Some(flag(text)) || short.as_deref() == Some(text)
    })
}
