//! Every request of a load fails once, in every way, and the command runs again as its exit code
//! advises: in the end everything is as if nothing had failed.
//!
//! A trial is a kind of load and a way to fail, such as `merge::lost-answer`. One run without a
//! fault tells which requests there are; then each of them fails in a run of its own. A sample of
//! them is tried, the same each time; `LOADER_TEST_FAULTS=all` tries them all.
//!
//! `named` has failures that were seen to lose something; `soak` is many programs at once.

mod asked;
mod between;
mod fault;
mod named;
mod scenario;
mod soak;
mod stage;
mod state;

use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::OnceLock;

use libtest_mimic::{Arguments, Failed, Trial};
use loader_tests::{Ended, run};

use between::{Asked, Between};
use fault::Fault;
use scenario::Scenario;
use stage::Stage;

/// Trials at once, of which most wait for a pause of the program to pass.
const TRIALS_AT_ONCE: usize = 6;
/// In place of an exit code: the request that should have failed was not made.
const NEVER_CAME: i32 = -1;

fn main() -> ExitCode {
    if let Some(minutes) = number("LOADER_SOAK_MINUTES") {
        let seed = number("LOADER_SOAK_SEED").unwrap_or(1);
        return if soak::go_on(minutes, seed) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads = arguments.test_threads.or(Some(TRIALS_AT_ONCE));
    let trials = scenario::ALL.iter().flat_map(|scenario| {
        Fault::ALL.into_iter().map(move |fault| {
            let name = format!("{}::{}", scenario.name, fault.name());
            Trial::test(name, move || trial(scenario, fault))
        })
    });
    let named = named::TESTS.into_iter().map(|(name, test)| {
        Trial::test(format!("named::{name}"), move || {
            test();
            Ok(())
        })
    });
    let soak = Trial::test("soak", || {
        soak::a_short_round_ends_as_delivered();
        Ok(())
    });
    libtest_mimic::run(&arguments, named.chain(trials).chain([soak]).collect()).exit_code()
}

/// A variable that is a number.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Fails requests of one kind of load in one way.
fn trial(scenario: &Scenario, fault: Fault) -> Result<(), Failed> {
    let can_fail = can_fail(scenario, requests_of(scenario)?, fault);
    let sample = sample(scenario, &can_fail, fault);
    let name = format!("faults-{}-{}", scenario.name, fault.name());
    let stage = Stage::prepare(scenario, &name, sample.len() + 1);
    undisturbed(&stage, scenario.code)?;
    let mut told: Vec<(String, Vec<String>)> = Vec::new();
    for (case, asked) in (1..).zip(&sample) {
        let (codes, complaint) = disturbed(&stage, case, asked, fault, scenario.code);
        told.push((format!("{asked} {codes:?}"), complaint.into_iter().collect()));
    }
    let came = told.iter().filter(|(what, _)| !what.ends_with(&format!("{NEVER_CAME}]"))).count();
    if sample.len() > 2 && came * 2 < sample.len() {
        return Err(format!("only {came} of {} requests came", sample.len()).into());
    }
    let states = state::of_all(&stage, sample.len() + 1);
    let (without, with) = states.split_first().expect("the first case has no fault");
    for ((_, complaints), state) in told.iter_mut().zip(with) {
        complaints.extend(difference(without, state));
    }
    verdict(&told)
}

/// The requests of a kind of load. They are looked at once.
fn requests_of(scenario: &Scenario) -> Result<&'static [Asked], Failed> {
    type Seen = OnceLock<Result<Vec<Asked>, Failed>>;
    static SEEN: [Seen; scenario::ALL.len()] = [const { OnceLock::new() }; scenario::ALL.len()];
    let place = scenario::ALL.iter().position(|of| of.name == scenario.name);
    let looked_at = SEEN[place.expect("it is listed")].get_or_init(|| {
        let stage = Stage::prepare(scenario, &format!("faults-{}", scenario.name), 1);
        undisturbed(&stage, scenario.code)
    });
    looked_at.as_deref().map_err(Failed::clone)
}

/// Runs the first case as it is, to see its requests.
fn undisturbed(stage: &Stage<'_>, code: i32) -> Result<Vec<Asked>, Failed> {
    let between = Between::failing(|_| None).and_queue(stage.queue_url().as_deref());
    let mut command = stage.command(0);
    between.lead(&mut command);
    stage.announce(0);
    let ended = stage.carry_out(0, command);
    match ended.code == code {
        true => Ok(between.requests()),
        false => Err(format!("without a fault: {}", said(&ended)).into()),
    }
}

/// Requests that can fail in this way.
fn can_fail(scenario: &Scenario, requests: &[Asked], fault: Fault) -> Vec<Asked> {
    let can_fail = requests.iter().filter(|asked| {
        let operation = asked.name.split(' ').next().unwrap_or_default();
        let fails = scenario.fails.is_empty() || scenario.fails.contains(&operation);
        fails && fault.can_befall(&asked.name)
    });
    can_fail.cloned().collect()
}

/// Those of them that are tried in this trial.
fn sample(scenario: &Scenario, can_fail: &[Asked], fault: Fault) -> Vec<Asked> {
    if std::env::var_os("LOADER_TEST_FAULTS").is_some_and(|which| which == "all") {
        return can_fail.to_vec();
    }
    // Each way to fail begins one request later, so that together they come to every request, where
    // no more are left out between two than there are ways that can befall any.
    let place = Fault::ALL.iter().position(|of| *of == fault).unwrap_or_default();
    let every = scenario.sampled;
    let first = place % every.min(can_fail.len()).max(1);
    can_fail.iter().skip(first).step_by(every).cloned().collect()
}

/// Runs a case with its fault, and again as its exit code says. Gives the exit codes, and what is
/// wrong with them.
fn disturbed(
    stage: &Stage<'_>,
    case: usize,
    asked: &Asked,
    fault: Fault,
    code: i32,
) -> (Vec<i32>, Option<String>) {
    let planned = asked.clone();
    let between = Between::failing(move |asked| (*asked == planned).then_some(fault));
    let between = between.and_queue(stage.queue_url().as_deref());
    let mut command = stage.command(case);
    between.lead(&mut command);
    stage.announce(case);
    if fault == Fault::Silence {
        command.args(["--request-timeout", "3"]);
    }
    let first = stage.carry_out(case, command);
    let mut codes = vec![first.code];
    if between.failed() == 0 {
        // How many parts there are depends on which worker comes first, for example.
        codes.push(NEVER_CAME);
    }
    let mut last = first;
    for mut next in stage.advised(case, last.code, fault.needs_a_person()) {
        last = match stage.queue_url() {
            Some(_) => stage.carry_out(case, next),
            None => run(&mut next),
        };
        codes.push(last.code);
    }
    // What comes after the rows may fail without a word: the next run takes it up.
    let is_right = last.code == code || (codes.len() > 1 && last.code == 0) || is_done(&last);
    if stage.has_files(case, "data/in") {
        codes.push(run(&mut stage.run(case)).code);
    }
    if stage.has_files(case, "data/staging") {
        stage.clear(case);
    }
    let lost = stage.lost_messages().map(|lost| format!("{lost}\n{}", said(&last)));
    (codes, lost.or_else(|| (!is_right).then(|| said(&last))))
}

/// Whether a run says that its file was loaded by the run before.
fn is_done(ended: &Ended) -> bool {
    ended.code == 2 && ended.stdout.contains("nothing is to be done")
}

fn said(ended: &Ended) -> String {
    format!("exit {}\n{}\n{}", ended.code, ended.stdout, ended.stderr)
}

/// Lines that only one of two states has.
fn difference(expected: &[String], found: &[String]) -> Option<String> {
    let only = |sign: &str, one: &[String], other: &[String]| -> String {
        let mut other = other.to_vec();
        let mut lines = String::new();
        for line in one {
            match other.iter().position(|o| o == line) {
                Some(place) => drop(other.swap_remove(place)),
                None => writeln!(lines, "{sign} {line}").expect("a string takes everything"),
            }
        }
        lines
    };
    let lines = only("-", expected, found) + &only("+", found, expected);
    (!lines.is_empty()).then_some(lines)
}

fn verdict(told: &[(String, Vec<String>)]) -> Result<(), Failed> {
    if std::env::var_os("LOADER_TEST_SHOW").is_some() {
        for (what, _) in told {
            eprintln!("{what}");
        }
    }
    let bad = told.iter().filter(|(_, complaints)| !complaints.is_empty());
    let text: String =
        bad.map(|(what, complaints)| format!("{what}\n{}\n", complaints.join("\n"))).collect();
    if text.is_empty() { Ok(()) } else { Err(text.into()) }
}
