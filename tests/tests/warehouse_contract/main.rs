//! The contract with the warehouse: what Amazon Redshift does and PostgreSQL does not, as cases in
//! `tests/warehouse/*.toml`, each with the public source of its fact. The crate `loader-contract`
//! reads and runs them; here they run on the local stand-in, and on a real cluster too when one is
//! named (`warehouse.rs` reads the variables).
//!
//! Each case is a test of its own, for example `alter: a VARCHAR grows`; on a real cluster its name
//! begins with `[real]`. `cargo test --test warehouse_contract alter` runs one file's cases.

mod warehouse;

use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use loader_contract::Case;
use loader_model::error::{Error, Kind};
use loader_tests::world;
use tokio::runtime::Runtime;

use warehouse::Warehouse;

/// Cases that run at a time: most of their time they wait for an answer.
const AT_ONCE: usize = 8;
/// How long a case may take, so that one that waits for ever says so.
const PATIENCE: Duration = Duration::from_secs(300);

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    let runtime = Arc::new(Runtime::new().expect("a runtime"));
    let cases: Vec<Arc<Case>> =
        loader_contract::cases().expect("sound cases").into_iter().map(Arc::new).collect();
    let stand_in = runtime.block_on(Warehouse::stand_in(world()));
    let real = runtime.block_on(Warehouse::real());
    let mut trials = Vec::new();
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
    let run = async { loader_contract::run(&warehouse.bench, case, too_long()).await };
    let outcome = runtime.block_on(run).map_err(|error| error.to_string())?;
    let name = &warehouse.name;
    let mut notes: Vec<String> = outcome
        .words
        .iter()
        .map(|words| format!("no source gives the words of this error on {name}: {words}\n"))
        .collect();
    let Some(difference) = outcome.difference else { return Ok(notes) };
    let told = format!("{}\n{difference}", case.title());
    if case.is_confirmed() || !warehouse.is_real {
        return Err(told.into());
    }
    notes.push(format!("an unconfirmed fact is otherwise on {name}: {told}\n"));
    Ok(notes)
}

async fn too_long() -> Error {
    tokio::time::sleep(PATIENCE).await;
    Error::new(Kind::Transient, format!("the case took longer than {} s", PATIENCE.as_secs()))
}
