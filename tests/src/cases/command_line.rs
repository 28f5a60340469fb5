//! Command lines as messages write them, and as a user changes them.
//!
//! In: words of a message, such as `--delimiter ';'`, and a command. Out: arguments, the flags
//! among the words, and the command with a flag's new value in place of the old one.

use std::process::Command;

/// The arguments that words are in a shell: `--a 'b c'` is two.
pub fn arguments(words: &str) -> Vec<String> {
    let mut arguments: Vec<String> = Vec::new();
    let mut is_open = false;
    let mut quote = None;
    for c in words.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == ' ' => is_open = false,
            _ => {
                if !is_open {
                    arguments.push(String::new());
                    is_open = true;
                }
                match (quote, c) {
                    (None, '\'' | '"') => quote = Some(c),
                    _ => arguments.last_mut().expect("one is open").push(c),
                }
            }
        }
    }
    arguments
}

/// The flag of an argument: `--a` of `--a=b`.
pub fn flag(argument: &str) -> &str {
    argument.split_once('=').map_or(argument, |(flag, _)| flag)
}

/// The flags that a text names, each once: `--strategy` of ``give `--strategy append` ``.
pub fn flags(text: &str) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_lowercase() || c == '-';
    let words = text.split(|c: char| !is_part(c));
    let is_flag = |word: &&str| word.starts_with("--") && word.len() > 2;
    let mut flags: Vec<String> = words.filter(is_flag).map(str::to_owned).collect();
    flags.sort();
    flags.dedup();
    flags
}

/// The command with these arguments at its end, and without what it had of the same flags.
pub fn replaced(command: &Command, arguments: &[String]) -> Command {
    let old: Vec<String> =
        command.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let mut changed = Command::new(command.get_program());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => changed.env(name, value),
            None => changed.env_remove(name),
        };
    }
    changed.args(without(old, arguments)).args(arguments);
    changed
}

/// Arguments without the flags, and their values, that `others` have.
pub fn without(arguments: Vec<String>, others: &[String]) -> Vec<String> {
    let mut is_out = false;
    let mut stays = |argument: &String| {
        if argument.starts_with("--") {
            is_out = others.iter().any(|other| flag(other) == flag(argument));
        }
        !is_out
    };
    arguments.into_iter().filter(|argument| stays(argument)).collect()
}
