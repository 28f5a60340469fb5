//! The contract with the warehouse: what Amazon Redshift does and PostgreSQL does not, as cases in
//! `tests/warehouse/*.toml`, each with the public source of its fact. They run through the Data API
//! with the AWS SDK, on the local stand-in, and on a real cluster too when one is named
//! (`warehouse.rs` reads the variables).
//!
//! Each case is a test of its own, for example `alter: a VARCHAR grows`; on a real cluster its name
//! begins with `[real]`. `cargo test --test warehouse_contract alter` runs one file's cases.

mod case;
mod objects;
mod parquet_files;
mod request;
mod run;
mod warehouse;

use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use libtest_mimic::{Arguments, Failed, Trial};
use loader_tests::{root, world};
use tokio::runtime::Runtime;

use case::Case;
use warehouse::Warehouse;

/// Cases that run at a time: most of their time they wait for an answer.
const AT_ONCE: usize = 8;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    let runtime = Arc::new(Runtime::new().expect("a runtime"));
    let cases: Vec<Arc<Case>> =
        case::read(&root().join("tests/warehouse")).into_iter().map(Arc::new).collect();
    assert!(!cases.is_empty(), "the cases are gone");
    let stand_in = runtime.block_on(Warehouse::stand_in(world().endpoints()));
    let real = runtime.block_on(Warehouse::real());
    let mut trials = vec![Trial::test("placeholders_are_filled", || {
        case::placeholders_are_filled();
        Ok(())
    })];
    let notes = Arc::new(Mutex::new(Vec::new()));
    for warehouse in [Some(stand_in), real].into_iter().flatten().map(Arc::new) {
        trials.extend(cases.iter().map(|case| trial(&runtime, &warehouse, case, &notes)));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    let mut notes = std::mem::take(&mut *notes.lock().expect("no test holds it any more"));
    notes.sort();
    eprint!("{}", notes.concat());
    conclusion.exit_code()
}

/// One case on one warehouse. `notes`: what a person should know of cases that pass.
fn trial(
    runtime: &Arc<Runtime>,
    warehouse: &Arc<Warehouse>,
    case: &Arc<Case>,
    notes: &Arc<Mutex<Vec<String>>>,
) -> Trial {
    let kind = if warehouse.is_real { "real" } else { "" };
    let (runtime, warehouse) = (runtime.clone(), warehouse.clone());
    let (case, notes) = (case.clone(), notes.clone());
    Trial::test(case.name(), move || {
        let found = check(&runtime, &warehouse, &case)?;
        notes.lock().map_err(|_| "another test panicked with the notes in hand")?.extend(found);
        Ok(())
    })
    .with_kind(kind)
}

/// Runs the case. A real cluster that contradicts a fact without a confirmed source is news, and
/// no failure; the stand-in must do what every case says.
fn check(runtime: &Runtime, warehouse: &Warehouse, case: &Case) -> Result<Vec<String>, Failed> {
    let outcome = runtime.block_on(run::run(warehouse, case));
    let name = &warehouse.name;
    let mut notes: Vec<String> = outcome
        .words
        .iter()
        .map(|words| format!("no source gives the words of this error on {name}: {words}\n"))
        .collect();
    let Some(difference) = outcome.difference else { return Ok(notes) };
    let told = format!("{}\n{difference}", case.title());
    if case.confirmed || !warehouse.is_real {
        return Err(told.into());
    }
    notes.push(format!("an unconfirmed fact is otherwise on {name}: {told}\n"));
    Ok(notes)
}
