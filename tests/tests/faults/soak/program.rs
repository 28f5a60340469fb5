//! Programs at work on a round's bucket: commands as people and schedulers run them, whose requests
//! fail at random, and which are killed.

use std::collections::BTreeMap;
use std::fmt;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

use fastrand::Rng;
use loader_tests::{Ended, Place, code, plugin, program, run, world};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::delivery::TABLES;
use crate::between::Between;
use crate::fault::Fault;

/// Points where a program dies by itself.
const POINTS: [&str; 7] =
    ["catalog", "stage", "evolve-1", "evolve-2", "load", "staging-deleted", "copied"];
/// Runs without a fault after which nothing may be left to do.
const MOST_SETTLING: usize = 6;

/// What runs have come to.
#[derive(Default)]
pub(crate) struct Tally {
    runs: usize,
    faults: usize,
    kills: usize,
    codes: BTreeMap<i32, usize>,
    pub(crate) strange: Vec<String>,
}

/// How one run has ended.
pub(crate) struct EndedRun {
    code: i32,
    faults: usize,
    was_killed: bool,
    /// What it said, where it ended as it should not.
    said: Option<String>,
}

impl Tally {
    pub(crate) fn add(&mut self, ended: &EndedRun) {
        self.runs += 1;
        self.faults += ended.faults;
        self.kills += usize::from(ended.was_killed);
        *self.codes.entry(ended.code).or_default() += 1;
        self.strange.extend(ended.said.clone());
    }

    pub(crate) fn add_all(&mut self, other: &Tally) {
        self.runs += other.runs;
        self.faults += other.faults;
        self.kills += other.kills;
        for (code, count) in &other.codes {
            *self.codes.entry(*code).or_default() += count;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let codes = self.codes.iter().map(|(code, count)| format!("{code}: {count}"));
        let codes = codes.collect::<Vec<_>>().join(", ");
        let Tally { runs, faults, kills, .. } = self;
        write!(f, "{runs} runs ({codes}), {faults} faults, {kills} kills")
    }
}

/// The settings of a round.
pub(crate) struct Project {
    bucket: String,
    schema: String,
    folder: TempDir,
}

impl Project {
    pub(crate) fn new(place: &Place) -> Project {
        let folder = tempfile::tempdir().expect("a folder");
        let [keyed, added] = TABLES;
        let settings = format!(
            "[tables.{keyed}]\nfiles = '{keyed}-*.csv'\nupsert-keys = ['id']\n\
             [tables.{added}]\nfiles = '{added}-*.csv'\nstrategy = 'append'\n"
        );
        std::fs::write(folder.path().join("loader.toml"), settings).expect("writes");
        Project { bucket: place.name.clone(), schema: place.schema(), folder }
    }

    /// A command, as people have it who load into AWS.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(words).args(["--src-bucket", &self.bucket, "--schema-name", &self.schema]);
        command.args(["--workgroup-name", "local", "--database", "dev", "--report", "json"]);
        command.args(["--iam-role", &world().endpoints().iam_role, "--request-timeout", "3"]);
        command.envs(world().endpoints().variables()).env("LOADER_PLUGINS", "none");
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Runs some command, and disturbs it.
    pub(crate) fn disturbed_run(&self, rng: &mut Rng) -> EndedRun {
        let mut command = match rng.u8(..100) {
            0..60 => self.command(&["run"]),
            60..80 => self.command(&["run", TABLES[rng.usize(..TABLES.len())]]),
            80..90 => self.command(&["retry"]),
            90..95 => self.command(&["gc"]),
            _ => {
                let mut command = self.command(&["run"]);
                let config = self.folder.path().join("hostile.json");
                std::fs::write(&config, r#"{"hostile": {"do": "panic-in-plan"}}"#).expect("writes");
                command.arg("--plugins").arg(plugin("hostile")).arg("--plugin-config").arg(config);
                command
            }
        };
        if rng.u8(..100) < 10 {
            command.env("LOADER_CRASH_AT", POINTS[rng.usize(..POINTS.len())]);
        }
        let disturbance = Arc::new(Disturbance::new(rng));
        let plan = disturbance.clone();
        let between = Between::failing(move |asked| plan.next(&asked.name));
        between.lead(&mut command);
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let child: Child = child.expect("it starts");
        disturbance.pid.store(child.id().cast_signed(), Ordering::SeqCst);
        let output = child.wait_with_output().expect("it ends");
        disturbance.pid.store(0, Ordering::SeqCst);
        let code = code(output.status);
        // No fault from outside is a mistake of the program, and none asks for another table.
        let is_strange = ![0, 2, 3, 4, 6].contains(&code) && code < 128;
        let said = is_strange.then(|| format!("exit {code}: {}", errors(&output.stderr)));
        EndedRun { code, faults: between.failed(), was_killed: code >= 128, said }
    }

    /// Runs without faults until nothing is left to do. Gives what is wrong if that does not come.
    pub(crate) fn settle(&self) -> Option<String> {
        let mut last = None;
        for _ in 0..MOST_SETTLING {
            let views = run(&mut self.command(&["retry"]));
            let ended = run(&mut self.command(&["run"]));
            if is_quiet(&ended) && is_quiet(&views) {
                return None;
            }
            last = Some(ended);
        }
        last.map(|ended| format!("it does not settle: {}{}", ended.stdout, ended.stderr))
    }
}

/// The lines of a log that tell errors.
fn errors(log: &[u8]) -> String {
    let log = String::from_utf8_lossy(log);
    let lines = log.lines().filter(|line| line.contains("\"ERROR\"") || !line.starts_with('{'));
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether a command had nothing to do, and did it well.
fn is_quiet(ended: &Ended) -> bool {
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap_or_default();
    ended.code == 0 && report["files"].as_array().is_none_or(Vec::is_empty)
}

/// What happens to one run.
struct Disturbance {
    /// Of so many requests, one fails. 0: none does.
    one_in: u64,
    /// The request at which the program gets a signal.
    kill_at: Option<usize>,
    signal: Signal,
    seed: u64,
    asked: AtomicUsize,
    /// The program, once it runs.
    pid: AtomicI32,
}

impl Disturbance {
    fn new(rng: &mut Rng) -> Disturbance {
        Disturbance {
            one_in: [0, 0, 10, 25, 60][rng.usize(..5)],
            kill_at: (rng.u8(..100) < 25).then(|| rng.usize(1..40)),
            signal: if rng.bool() { Signal::KILL } else { Signal::TERM },
            seed: rng.u64(..),
            asked: AtomicUsize::new(0),
            pid: AtomicI32::new(0),
        }
    }

    /// What becomes of the next request.
    fn next(&self, request: &str) -> Option<Fault> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        if self.kill_at == Some(asked)
            && let Some(pid) = Pid::from_raw(self.pid.load(Ordering::SeqCst))
        {
            // It may have ended by itself.
            let _ = kill_process(pid, self.signal);
        }
        let mut rng = Rng::with_seed(self.seed.wrapping_add(asked as u64));
        let fails = self.one_in > 0 && rng.u64(..self.one_in) == 0;
        let fault = Fault::ALL[rng.usize(..Fault::ALL.len())];
        (fails && fault.can_befall(request)).then_some(fault)
    }
}
