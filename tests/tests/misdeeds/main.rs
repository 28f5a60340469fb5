//! Every misdeed that `plugins/hostile` knows: what the sandbox says of it, word for word, and how
//! the real program ends. Each misdeed is two tests: `sandbox::<word>` and `program::<word>`.
//!
//! The plugin lists its words in its config schema, so a new word becomes two tests without being
//! named here. `tests/misdeeds.txt` holds the outcomes, one line for each word; `BLESS=1` writes the
//! file anew, and a person reads the difference. Guests that no compiler makes are in
//! `host/sandbox/tests/sandbox`.

mod outcome;
mod program;
mod sandbox;
mod warehouse;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use loader_tests::root;

use crate::outcome::Outcomes;
use crate::program::Program;
use crate::sandbox::Sandbox;

/// Misdeeds that there have to be at least, so that none gets lost.
const AT_LEAST: usize = 110;

fn main() -> ExitCode {
    let sandbox = Arc::new(Sandbox::new());
    let program = Arc::new(Program::new());
    let path = root().join("tests/misdeeds.txt");
    if std::env::var_os("BLESS").is_some() {
        let found = sandbox.words().into_iter().map(|word| {
            let (code, fate) = (program.exit_code(&word), sandbox.fate(&word));
            (word, code, fate)
        });
        std::fs::write(&path, Outcomes::render(found)).expect("the outcomes can be written");
    }
    let expected = std::fs::read_to_string(&path).expect("the outcomes can be read");
    let expected = Arc::new(Outcomes::parse(&expected));
    let mut trials = vec![
        Trial::test("every_word_has_an_outcome", {
            let (sandbox, expected) = (sandbox.clone(), expected.clone());
            move || every_word_has_an_outcome(&sandbox, &expected)
        }),
        Trial::test("names_of_a_plugin_are_names_in_the_warehouse_too", || {
            warehouse::names_of_a_plugin_are_names_in_the_warehouse_too();
            Ok(())
        }),
    ];
    for word in sandbox.words() {
        trials.push(Trial::test(format!("sandbox::{word}"), {
            let (sandbox, expected, word) = (sandbox.clone(), expected.clone(), word.clone());
            move || expected.compare_fate(&word, &sandbox.fate(&word))
        }));
        trials.push(Trial::test(format!("program::{word}"), {
            let (program, expected) = (program.clone(), expected.clone());
            move || expected.compare_code(&word, program.exit_code(&word))
        }));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// The file has a line for each word of the plugin and no other, and enough of them are refused.
fn every_word_has_an_outcome(sandbox: &Sandbox, expected: &Outcomes) -> Result<(), Failed> {
    let (words, known) = (sandbox.words(), expected.words());
    if words != known {
        return Err(format!("the plugin knows {words:?}, the file {known:?}").into());
    }
    match expected.refused() {
        refused if refused < AT_LEAST => {
            Err(format!("{refused} misdeeds are refused, fewer than {AT_LEAST}").into())
        }
        _ => Ok(()),
    }
}
