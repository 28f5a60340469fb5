//! Random schedules: files are delivered, replaced and delivered again while several programs load
//! them, whose requests fail and which are killed. When all is quiet, what is in the tables is held
//! against what was delivered.
//!
//! In: a seed and a time. Out: figures, and what is wrong. `cargo xtask soak` runs it for as long
//! as it is told; the tests run one short round. A round is a bucket and a schema of its own, so
//! what it has found can be looked at: its seed makes the same deliveries and the same choices,
//! though not the same order of what goes on at the same time.

mod delivery;
mod oracle;
mod program;

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use loader_tests::Place;

use delivery::{Delivered, Producer};
use program::Tally;

/// How long files are delivered and programs disturbed, in one round.
const ROUND: Duration = Duration::from_secs(25);
/// The same in the tests.
const SHORT_ROUND: Duration = Duration::from_secs(8);

/// What all rounds have come to.
#[derive(Default)]
pub(crate) struct Figures {
    rounds: usize,
    deliveries: usize,
    rows_checked: usize,
    tally: Tally,
    violations: Vec<String>,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { rounds, deliveries, rows_checked, tally, violations } = self;
        write!(
            f,
            "{rounds} rounds, {deliveries} deliveries, {tally}, {rows_checked} rows checked, \
             violations: {}",
            violations.len()
        )
    }
}

/// One short round, always the same.
pub(crate) fn a_short_round_ends_as_delivered() {
    let mut figures = Figures::default();
    round(&mut figures, 17, SHORT_ROUND);
    eprintln!("{figures}");
    assert!(figures.violations.is_empty(), "{}", figures.violations.join("\n"));
}

/// Rounds until the time is over. Returns whether all went well.
pub(crate) fn go_on(minutes: u64, seed: u64) -> bool {
    let until = Instant::now() + Duration::from_secs(60 * minutes);
    let (mut figures, mut seed) = (Figures::default(), seed);
    while Instant::now() < until {
        let known = figures.violations.len();
        round(&mut figures, seed, ROUND);
        eprintln!("seed {seed}: {figures}");
        figures.violations[known..].iter().for_each(|violation| eprintln!("  {violation}"));
        seed += 1;
    }
    println!("{figures}");
    figures.violations.is_empty()
}

fn round(figures: &mut Figures, seed: u64, time: Duration) {
    let mut rng = Rng::with_seed(seed);
    let place = Place::new(&format!("soak-{seed}"));
    let project = program::Project::new(&place);
    oracle::set_up(&place);
    let (delivered, tally) = (Mutex::new(Delivered::default()), Mutex::new(Tally::default()));
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..rng.usize(2..=6) {
            let (rng, project) = (rng.fork(), &project);
            let (is_over, tally) = (&is_over, &tally);
            scope.spawn(move || {
                let mut rng = rng;
                while !is_over.load(Ordering::Relaxed) {
                    let ended = project.disturbed_run(&mut rng);
                    tally.lock().expect("nobody panicked").add(&ended);
                }
            });
        }
        let producer = Producer::new(&place, rng.fork());
        producer.deliver_until(Instant::now() + time, &delivered);
        is_over.store(true, Ordering::Relaxed);
    });
    let delivered = delivered.into_inner().expect("nobody panicked");
    let settled = project.settle();
    let judged = oracle::judge(&place, &project, &delivered);
    figures.rounds += 1;
    figures.deliveries += delivered.count();
    figures.rows_checked += judged.rows;
    let mut tally = tally.into_inner().expect("nobody panicked");
    let strange = std::mem::take(&mut tally.strange);
    figures.tally.add_all(&tally);
    let of_round = settled.into_iter().chain(judged.violations).chain(strange);
    figures.violations.extend(of_round.map(|violation| format!("seed {seed}: {violation}")));
}
