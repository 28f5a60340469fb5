//! `cargo xtask soak`: the parts of `tests/tests/faults` that take long, with the programs that the
//! tests use.

use crate::failure::{Failure, failure};
use crate::{plugins, run, setup};

/// Reads the flags and starts the test program. Errors: an unknown flag; something that was not as
/// it should be.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let variables = match words.as_slice() {
        ["--requests"] => vec![("LOADER_TEST_FAULTS", "all")],
        [] => vec![("LOADER_SOAK_MINUTES", "10")],
        ["--minutes", minutes] => vec![("LOADER_SOAK_MINUTES", *minutes)],
        ["--minutes", minutes, "--seed", seed] => {
            vec![("LOADER_SOAK_MINUTES", *minutes), ("LOADER_SOAK_SEED", *seed)]
        }
        _ => return failure("usage: cargo xtask soak [--minutes N [--seed N]] | --requests"),
    };
    if variables.iter().any(|(name, value)| name.contains("SOAK") && value.parse::<u64>().is_err())
    {
        return failure("--minutes and --seed are numbers");
    }
    let setup::ForTests { toolchain, .. } = setup::for_tests()?;
    plugins::build_plugins(&toolchain, &[])?;
    run::build_programs()?;
    let mut cargo = run::cargo(&["test", "--workspace", "--test", "faults"]);
    run::run(cargo.envs(variables))
}
