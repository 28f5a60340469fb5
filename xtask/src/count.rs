//! Counts the instructions that each layer of the data path takes for a row, and compares them with
//! those that are kept in `bench/instructions.toml`. Counts are the same on a busy machine and on
//! an idle one, so the comparison is a test where a clock could be none.
//!
//! In: `loader-bench` of the dev build, run under callgrind. Out: a table; a failure for each layer
//! that takes more than it did. Counts of another compiler or processor are not compared.

mod kept;

use std::path::PathBuf;
use std::process::Command;

use crate::failure::{Failure, failure};
use crate::run::{cargo, output, root, target, watched};
use crate::setup;
use kept::Counts;

/// What the boundary costs is counted in the sandbox, as fuel (`loader plugin bench`).
const LAYERS: [&str; 5] = ["split", "profile", "decode", "decimal", "encode"];
/// The function of `bench/src/layers.rs` that is counted.
const COUNTED: &str = "--toggle-collect=*layer_that_callgrind_counts*";

/// A step of `cargo xtask test`: fails when a layer takes more instructions than are kept.
pub(crate) fn test() -> Result<(), Failure> {
    eprintln!("== instructions of the data path");
    if !setup::has_valgrind() {
        // CI is there to look at everything, so there this is no reason to go on.
        return match std::env::var_os("CI") {
            None => {
                eprintln!("nothing is counted: valgrind is not installed");
                Ok(())
            }
            Some(_) => failure("valgrind is not installed: sudo apt-get install valgrind"),
        };
    }
    if let Some(name) = compiled_otherwise() {
        eprintln!("not compared: {name} is set, with which the programs are compiled otherwise");
        return Ok(());
    }
    build()?;
    let (kept, rustc) = (kept::read(&path())?, rustc()?);
    if kept.rustc != rustc {
        eprintln!("not compared: counted with {}, and this is {rustc}", kept.rustc);
        return Ok(());
    }
    let now = count(rustc)?;
    if kept.processor != now.processor {
        let (was, is) = (&kept.processor, &now.processor);
        eprintln!("not compared: counted on {was}, and this is {is}");
        return Ok(());
    }
    judge(&kept, &now)
}

fn judge(kept: &Counts, now: &Counts) -> Result<(), Failure> {
    let compared = kept::compare(kept, now);
    eprint!("{}", compared.text);
    match compared.more.is_empty() {
        true => Ok(()),
        false => failure(format!(
            "{}; take out what it does more, or, when the change is worth it, run `cargo xtask \
             bench count --update` and commit bench/instructions.toml",
            compared.more.join("; ")
        )),
    }
}

/// `cargo xtask bench count`: the same by itself, or with `--update` keeps what is counted now.
pub(crate) fn command(arguments: &[String]) -> Result<(), Failure> {
    setup::valgrind();
    match arguments {
        [] => test(),
        [word] if word == "--update" => update(),
        _ => failure("usage: cargo xtask bench count [--update]"),
    }
}

fn update() -> Result<(), Failure> {
    if !setup::has_valgrind() {
        return failure("nothing can be counted without valgrind: sudo apt-get install valgrind");
    }
    build()?;
    let now = count(rustc()?)?;
    // Without a file, or with one that cannot be read, there is nothing to compare with.
    if let Ok(kept) = kept::read(&path()) {
        eprint!("{}", kept::compare(&kept, &now).text);
    }
    kept::write(&path(), &now)
}

/// Builds the program with the features that the tests have: with `--package` it would get others,
/// and so would what it is made of.
fn build() -> Result<(), Failure> {
    watched(&mut cargo(&["build", "--workspace", "--bin", "loader-bench"]))
}

/// A variable that changes how cargo compiles, and so what is counted.
fn compiled_otherwise() -> Option<String> {
    const NAMES: [&str; 4] =
        ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS", "CARGO_INCREMENTAL"];
    let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    names
        .into_iter()
        .find(|name| NAMES.contains(&name.as_str()) || name.starts_with("CARGO_PROFILE_DEV_"))
}

/// Such as `rustc 1.95.0 (59807616e 2026-04-14)`.
fn rustc() -> Result<String, Failure> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    Ok(output(Command::new(rustc).arg("--version").current_dir(root()))?.trim().to_owned())
}

fn count(rustc: String) -> Result<Counts, Failure> {
    let mut now = Counts { rustc, ..Counts::default() };
    for layer in LAYERS {
        let (instructions_per_row, processor) = count_layer(layer)?;
        now.instructions_per_row.insert(layer.to_owned(), instructions_per_row);
        now.processor = processor;
    }
    Ok(now)
}

/// The instructions of one layer for a row, and the processor that it was run on.
fn count_layer(layer: &str) -> Result<(f64, String), Failure> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"]);
    valgrind.arg(COUNTED).arg(target().join("debug/loader-bench")).args(["count", layer]);
    let ended = valgrind.current_dir(root()).output();
    let ended = ended.or_else(|error| failure(format!("valgrind does not start: {error}")))?;
    let said = String::from_utf8_lossy(&ended.stdout);
    let counted = String::from_utf8_lossy(&ended.stderr);
    match (ended.status.success(), kept::instructions(&counted), kept::rows(&said)) {
        (true, Some(instructions), Some((rows, processor))) => Ok((instructions / rows, processor)),
        _ => failure(format!("{layer} was not counted; callgrind ended with:\n{said}{counted}")),
    }
}

fn path() -> PathBuf {
    root().join("bench/instructions.toml")
}
