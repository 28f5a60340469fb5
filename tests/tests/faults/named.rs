//! Failures that were seen to lose something, each as it was seen.

use std::fs;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use loader_tests::{Ended, Report, code, run, start, world};
use rustix::process::{Pid, Signal, kill_process};

use crate::between::Between;
use crate::fault::Fault;
use crate::scenario;
use crate::stage::Stage;
use crate::state;

pub(crate) const TESTS: [(&str, fn()); 8] = [
    ("a_fence_that_is_taken_away_is_made_again", a_fence_that_is_taken_away_is_made_again),
    ("a_lost_answer_stays_lost", a_lost_answer_stays_lost),
    ("looks_that_fail_for_long_lose_nothing", looks_that_fail_for_long_lose_nothing),
    ("a_slow_upload_is_no_dead_one", a_slow_upload_is_no_dead_one),
    ("a_signal_ends_a_run_wherever_it_waits", a_signal_ends_a_run_wherever_it_waits),
    ("a_run_meets_the_load_of_a_killed_one", a_run_meets_the_load_of_a_killed_one),
    ("a_file_delivered_during_a_retry_is_kept", a_file_delivered_during_a_retry_is_kept),
    ("two_first_runs_of_one_file_both_end_well", two_first_runs_of_one_file_both_end_well),
];

/// What a test waits for at most.
const PATIENCE: Duration = Duration::from_secs(60);

fn prepare(scenario: &'static str, name: &str, cases: usize) -> Stage<'static> {
    let scenario = scenario::ALL.iter().find(|known| known.name == scenario);
    Stage::prepare(scenario.expect("a kind of load"), name, cases)
}

fn through(between: &Between, mut command: Command) -> Ended {
    between.lead(&mut command);
    run(&mut command)
}

/// The states of all cases are that of the first one, which nothing has disturbed.
fn all_as_the_first(stage: &Stage<'_>, cases: usize) {
    let states = state::of_all(stage, cases);
    for state in &states[1..] {
        assert_eq!(state, &states[0]);
    }
}

fn is_the_load(name: &str) -> bool {
    name.starts_with("BatchExecuteStatement") && name.contains("COPY")
}

/// The service has the load, its answer is lost, and then it says something else.
fn a_lost_answer_stays_lost() {
    let stage = prepare("append", "faults-lost", 2);
    assert_eq!(run(&mut stage.command(0)).code, 0);
    let between = Between::failing(|asked| match asked.nth {
        _ if !is_the_load(&asked.name) => None,
        0 => Some(Fault::LostAnswer),
        _ => Some(Fault::Denied),
    });
    let ended = through(&between, stage.command(1));
    assert_eq!(ended.code, 6, "{}{}", ended.stdout, ended.stderr);
    let again = run(&mut stage.command(1));
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(again.stdout.contains("already_loaded"), "{}", again.stdout);
    // The parts of a load that may still run are left.
    assert!(stage.has_files(1, "data/staging"), "the parts were deleted");
    stage.clear(1);
    all_as_the_first(&stage, 2);
    let failed = "SELECT COUNT(*) FROM {s}.job_sts WHERE status = 'FAILED'";
    assert_eq!(stage.place.value(failed), "0");
}

fn looks_that_fail_for_long_lose_nothing() {
    let stage = prepare("append", "faults-blind", 2);
    assert_eq!(run(&mut stage.command(0)).code, 0);
    let between = Between::failing(|asked| {
        let is_look = asked.name.starts_with("DescribeStatement") && asked.name.contains("COPY");
        (is_look && asked.nth < 7).then_some(Fault::Unavailable)
    });
    let ended = through(&between, stage.command(1));
    assert_eq!((ended.code, between.failed()), (0, 7), "{}", ended.stderr);
    all_as_the_first(&stage, 2);
}

/// An upload may take longer than any answer.
fn a_slow_upload_is_no_dead_one() {
    let stage = prepare("append", "faults-slow", 2);
    // Digits that no codec makes much smaller.
    let digit = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11;
    let rows = (0..400_000).map(|n| format!("{n},{}.5,{}\n", digit(n) % 1_000_000, digit(n + 7)));
    let content = format!("id,amount,note\n{}", rows.collect::<String>());
    for case in 0..2 {
        stage.put(&stage.bucket(case), "t-a.csv", &content);
        let key = world().dir().join(stage.bucket(case)).join("data/in");
        fs::rename(key.join("t-a.csv"), key.join(format!("{}-a.csv", stage.table(case))))
            .expect("is renamed");
    }
    assert_eq!(run(&mut stage.command(0)).code, 0);
    let between = Between::failing(|asked| {
        let is_part = asked.name.starts_with("PutObject") && asked.name.ends_with(".parquet");
        is_part.then_some(Fault::SlowRequest)
    });
    let mut command = stage.command(1);
    command.args(["--request-timeout", "1"]);
    let ended = through(&between, command);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(between.failed() > 0);
    all_as_the_first(&stage, 2);
}

/// Waits until so many requests have failed.
fn until_failed(between: &Between, child: &mut Child) {
    let started = Instant::now();
    while between.failed() == 0 {
        assert!(child.try_wait().expect("a child").is_none(), "it ended early");
        assert!(started.elapsed() < PATIENCE, "the request never came");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Services that say nothing keep no run from ending.
fn a_signal_ends_a_run_wherever_it_waits() {
    const WAITS: [&str; 4] = [
        "GetObject data/in/",
        "PutObject data/staging/ .parquet",
        "PutObject data/staging/ .json",
        "DescribeStatement of LOCK",
    ];
    let stage = prepare("append", "faults-signals", WAITS.len());
    for (case, wait) in WAITS.iter().enumerate() {
        let between =
            Between::failing(move |asked| asked.name.starts_with(wait).then_some(Fault::Silence));
        let mut command = stage.command(case);
        between.lead(&mut command);
        let mut child = start(&mut command);
        until_failed(&between, &mut child);
        kill_process(Pid::from_child(&child), Signal::TERM).expect("it runs");
        let output = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr);
        let ended = code(output.status);
        // A load whose looks get no answer cannot be known to have failed.
        let expected = if wait.starts_with("Describe") { 6 } else { 143 };
        assert_eq!(ended, expected, "{wait}: {said}");
        let again = run(&mut stage.command(case));
        assert_eq!(again.code, 0, "{wait}: {}", again.stderr);
    }
    let rows = format!("SELECT COUNT(*) FROM {{s}}.{}", stage.table(0));
    assert_eq!(stage.place.value(&rows), "4");
}

/// The load of a run that was killed goes on without it.
fn a_run_meets_the_load_of_a_killed_one() {
    let stage = prepare("append", "faults-killed", 2);
    assert_eq!(run(&mut stage.command(0)).code, 0);
    let between = Between::failing(|asked| {
        let is_look = asked.name.starts_with("DescribeStatement") && asked.name.contains("COPY");
        is_look.then_some(Fault::Silence)
    });
    let mut command = stage.command(1);
    between.lead(&mut command);
    let mut child = start(&mut command);
    until_failed(&between, &mut child);
    child.kill().expect("it runs");
    child.wait().expect("it is dead");
    let next = Report::of(run(&mut stage.command(1)));
    assert_eq!(next.ended.code, 0, "{}", next.ended.stderr);
    assert!(stage.has_files(1, "data/staging"), "the killed run has staged nothing");
    stage.clear(1);
    all_as_the_first(&stage, 2);
    let failed = "SELECT COUNT(*) FROM {s}.job_sts WHERE status = 'FAILED'";
    assert_eq!(stage.place.value(failed), "0");
}

/// A producer writes a file of the same name while `loader retry` takes the refused one back.
fn a_file_delivered_during_a_retry_is_kept() {
    let stage = prepare("refused", "faults-delivered", 1);
    assert_eq!(run(&mut stage.command(0)).code, 3);
    let (bucket, name) = (stage.bucket(0), format!("{}-a.csv", stage.table(0)));
    let landing = world().dir().join(&bucket).join("data/in").join(&name);
    let delivered = "id,amount,note\n9,9.5,new\n";
    let (path, content) = (landing.clone(), delivered.to_owned());
    let between = Between::failing(move |asked| {
        if asked.name.starts_with("CopyObject data/in/") && asked.nth == 0 {
            fs::write(&path, &content).expect("is delivered");
        }
        None
    });
    let mut command = stage.other("retry", 0);
    command.arg(&name);
    let ended = through(&between, command);
    let moved =
        between.requests().iter().any(|asked| asked.name.starts_with("CopyObject data/in/"));
    assert!(moved, "{}{}", ended.stdout, ended.stderr);
    let is_there = fs::read_to_string(&landing).is_ok_and(|there| there == delivered);
    let row = format!("SELECT COUNT(*) FROM {{s}}.{} WHERE id = 9", stage.table(0));
    let is_loaded = stage.place.value(&row) == "1";
    assert!(is_there || is_loaded, "the new file is lost: {}{}", ended.stdout, ended.stderr);
}

/// `loader gc` comes between the first load of a table and its end.
fn a_fence_that_is_taken_away_is_made_again() {
    let stage = prepare("new-table", "faults-fence", 2);
    assert_eq!(run(&mut stage.command(0)).code, 0);
    let gc = Mutex::new((stage.other("gc", 1), None));
    let gc = Arc::new(gc);
    let cleans = gc.clone();
    let between = Between::failing(move |asked| {
        if asked.name == "PutObject data/staging/ .json" && asked.nth == 0 {
            let mut gc = cleans.lock().expect("nobody panicked");
            gc.1 = Some(run(&mut gc.0));
        }
        None
    });
    let ended = through(&between, stage.command(1));
    let said = gc.lock().expect("nobody panicked").1.take().expect("it ran");
    assert!(said.stdout.contains(&format!("loader_fence_{}", stage.table(1))), "{said:?}");
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    all_as_the_first(&stage, 2);
}

fn two_first_runs_of_one_file_both_end_well() {
    let stage = prepare("new-table", "faults-first-twice", 5);
    for case in 0..5 {
        let (sender, receiver) = mpsc::channel();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                let (sender, mut command) = (sender.clone(), stage.command(case));
                scope.spawn(move || sender.send(run(&mut command)).expect("is waited for"));
            }
        });
        for _ in 0..2 {
            let ended = receiver.recv().expect("it ends");
            let is_done = ended.code == 0 || crate::is_done(&ended);
            assert!(is_done, "{}{}", ended.stdout, ended.stderr);
        }
    }
    all_as_the_first(&stage, 5);
}
