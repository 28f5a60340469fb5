//! Where a scenario plays: the tables, buckets and commands of its cases, and what is there before.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use loader_tests::queue::{Queue, told_of};
use loader_tests::{Ended, Place, code, program, run, start, world};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::scenario::{FIRST, Scenario, Verb};

/// How long files may take that are watched for.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a message is kept from others, in seconds, and how often it may come.
const VISIBILITY: u32 = 2;
const MOST_TRIES: u32 = 5;

/// The cases of a trial: what they share.
pub(crate) struct Stage<'a> {
    scenario: &'a Scenario,
    pub(crate) place: Place,
    settings: TempDir,
    queue: Option<Mutex<Queue>>,
}

fn table_of(case: usize) -> String {
    format!("t{case:03}")
}

/// Makes everything below a folder 30 days old.
pub(crate) fn age(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            age(&path);
        } else {
            let long_ago = SystemTime::now() - Duration::from_secs(30 * 24 * 60 * 60);
            let file = File::options().write(true).open(&path).expect("it is there");
            file.set_modified(long_ago).expect("the time can be set");
        }
    }
}

impl<'a> Stage<'a> {
    /// Makes the tables of so many cases of a scenario as they are before.
    pub(crate) fn prepare(scenario: &'a Scenario, name: &str, cases: usize) -> Stage<'a> {
        let place = Place::new(name);
        let settings = tempfile::tempdir().expect("a folder");
        let table = |case| format!("[tables.{0}]\nfiles = '{0}-*.csv'\n", table_of(case));
        let tables: String = (0..cases).map(table).collect();
        fs::write(settings.path().join("loader.toml"), tables).expect("writes");
        let queue = scenario.verb == Verb::WatchQueue;
        let queue = queue.then(|| Mutex::new(Queue::start(VISIBILITY, MOST_TRIES)));
        let stage = Stage { scenario, place, settings, queue };
        // The bookkeeping tables are there; each table's own fence is made by its first load.
        stage.put(&stage.place.name, "first.csv", FIRST);
        stage.load(&["--source-file-name", "first.csv", "--target-table", "first"]);
        if let Some(before) = scenario.before {
            for case in 0..cases {
                stage.put(&stage.place.name, &format!("{}-before.csv", table_of(case)), before);
            }
            stage.load(&[]);
        }
        for case in 0..cases {
            fs::create_dir_all(world().dir().join(stage.bucket(case))).expect("a bucket");
            for (ending, content) in scenario.files {
                let name = format!("{}-{ending}", table_of(case));
                stage.put(&stage.bucket(case), &name, &content.replace("LONG", &"l".repeat(300)));
            }
            if scenario.has_views {
                stage.make_views(case);
            }
            if scenario.verb == Verb::Retry {
                let ended = run(stage.other("run", case).args(["--max-rejects", "0"]));
                assert_eq!(ended.code, 3, "{}{}", ended.stdout, ended.stderr);
            }
        }
        stage
    }
}

impl Stage<'_> {
    /// The table of a case.
    pub(crate) fn table(&self, case: usize) -> String {
        table_of(case)
    }

    /// The bucket of a case.
    pub(crate) fn bucket(&self, case: usize) -> String {
        format!("{}-{case:03}", self.place.name)
    }

    pub(crate) fn put(&self, bucket: &str, name: &str, content: &str) {
        let folder = world().dir().join(bucket).join("data/in");
        fs::create_dir_all(&folder).expect("a bucket is a folder");
        fs::write(folder.join(name), content).expect("writes");
    }

    fn make_views(&self, case: usize) {
        let (s, t) = (self.place.schema(), table_of(case));
        for statement in [
            format!("CREATE VIEW {s}.{t}_v AS SELECT id, note FROM {s}.{t}"),
            format!("CREATE VIEW {s}.{t}_on_v AS SELECT id FROM {s}.{t}_v"),
            format!("GRANT SELECT ON {s}.{t}_v TO PUBLIC"),
        ] {
            self.place.execute(&statement);
        }
    }

    /// A load of what comes before, without a fault.
    fn load(&self, arguments: &[&str]) {
        let mut command = Command::new(program());
        command.args(["run", "--src-bucket", &self.place.name, "--local"]).arg(world().dir());
        command.args(self.scenario.arguments);
        let ended = run(self.common(&mut command).args(arguments));
        assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
    }

    /// The command of a case, as people have it who load into AWS.
    pub(crate) fn command(&self, case: usize) -> Command {
        let mut command = match self.scenario.verb {
            Verb::Run => self.other("run", case),
            Verb::Retry => self.other("retry", case),
            Verb::Watch | Verb::WatchQueue => self.other("watch", case),
            Verb::Doctor => self.other("doctor", case),
        };
        match self.scenario.verb {
            Verb::Run => command.arg(table_of(case)),
            Verb::Retry => command.args(
                self.scenario
                    .files
                    .iter()
                    .map(|(ending, _)| format!("{}-{ending}", table_of(case))),
            ),
            Verb::Watch => command.args(["--look-every", "1"]),
            Verb::WatchQueue => command.args(["--look-every", "3600"]),
            // The other parts load, in hundreds of requests; how loads fail is tried above.
            Verb::Doctor => command.args(["--only", "bucket,rights"]),
        };
        command.args(self.scenario.arguments);
        command
    }

    /// Carries a command out. One that watches gets a signal once its files are loaded, or are held
    /// because somebody has to act.
    pub(crate) fn carry_out(&self, case: usize, mut command: Command) -> Ended {
        if !matches!(self.scenario.verb, Verb::Watch | Verb::WatchQueue) {
            return run(&mut command);
        }
        let mut child = start(&mut command);
        let started = Instant::now();
        while self.waits(case) {
            let ended = child.try_wait().expect("a child").is_some();
            if ended || started.elapsed() > PATIENCE {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // It may have ended by itself.
        let _ = kill_process(Pid::from_child(&child), Signal::TERM);
        let output = child.wait_with_output().expect("it ends");
        Ended {
            code: code(output.status),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Whether files of a case are to be loaded, or messages to be taken out of the queue.
    fn waits(&self, case: usize) -> bool {
        let has_files = self.has_files(case, "data/in") && !self.has_files(case, "data/held");
        has_files || self.queue().is_some_and(|mut queue| queue.left() > 0)
    }

    fn queue(&self) -> Option<MutexGuard<'_, Queue>> {
        self.queue.as_ref().map(|queue| queue.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The URL of the queue, where there is one.
    pub(crate) fn queue_url(&self) -> Option<String> {
        self.queue().map(|queue| queue.url.clone())
    }

    /// Tells the queue of the files of a case.
    pub(crate) fn announce(&self, case: usize) {
        let Some(mut queue) = self.queue() else { return };
        let of = |ending: &str| format!("{}-{ending}", table_of(case));
        let told = self.scenario.files.iter();
        let told = told.map(|(ending, _)| told_of(&self.bucket(case), &of(ending)));
        queue.send(&told.collect::<Vec<_>>());
    }

    /// What is left in the queue, or was given up.
    pub(crate) fn lost_messages(&self) -> Option<String> {
        let mut queue = self.queue()?;
        let (left, dead) = (queue.left(), queue.dead());
        (left > 0 || !dead.is_empty()).then(|| format!("{left} messages are left, dead: {dead:?}"))
    }

    /// The command that tries the files of a case again, also where nothing seems to have changed.
    pub(crate) fn retry(&self, case: usize) -> Command {
        let mut command = self.other("retry", case);
        command.arg(table_of(case)).args(self.scenario.arguments);
        command
    }

    /// The load of what lies in the bucket of a case.
    pub(crate) fn run(&self, case: usize) -> Command {
        let mut command = self.other("run", case);
        command.arg(table_of(case)).args(self.scenario.arguments);
        command
    }

    /// What an exit code advises: to run again, or once a person has acted, to say so and run
    /// again.
    pub(crate) fn advised(&self, case: usize, code: i32, needs_a_person: bool) -> Vec<Command> {
        match code {
            _ if self.scenario.verb == Verb::WatchQueue => {
                let mut command = self.command(case);
                command.args(["--queue-url", &self.queue_url().unwrap_or_default()]);
                if code != 0 || self.waits(case) { vec![command] } else { Vec::new() }
            }
            2 | 4 | 6 if self.scenario.verb == Verb::Doctor => vec![self.command(case)],
            4 | 6 if self.scenario.verb == Verb::Retry => vec![self.command(case)],
            4 | 6 => vec![self.run(case)],
            2 if self.scenario.verb == Verb::Retry => vec![self.command(case), self.run(case)],
            2 if needs_a_person => vec![self.retry(case), self.run(case)],
            0 if self.scenario.verb == Verb::Watch && self.has_files(case, "data/held") => {
                vec![self.retry(case), self.run(case)]
            }
            _ => Vec::new(),
        }
    }

    /// Whether there are files below a folder of a case.
    pub(crate) fn has_files(&self, case: usize, folder: &str) -> bool {
        let folder = world().dir().join(self.bucket(case)).join(folder);
        fs::read_dir(folder).is_ok_and(|mut files| files.next().is_some())
    }

    /// Removes what a run has left, as if it had been there for long.
    pub(crate) fn clear(&self, case: usize) {
        age(&world().dir().join(self.bucket(case)).join("data/staging"));
        let ended = run(&mut self.other("gc", case));
        assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    }

    /// Another command about the bucket of a case.
    pub(crate) fn other(&self, verb: &str, case: usize) -> Command {
        let mut command = Command::new(program());
        command.args([verb, "--src-bucket", &self.bucket(case)]);
        command.args(["--workgroup-name", "local", "--database", "dev"]);
        command.args(["--iam-role", &world().endpoints().iam_role]);
        command.envs(world().endpoints().variables());
        self.common(&mut command);
        command
    }

    fn common<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.args(["--schema-name", &self.place.schema(), "--report", "json"]);
        command.env("LOADER_PLUGINS", "none").current_dir(self.folder())
    }

    fn folder(&self) -> &Path {
        self.settings.path()
    }
}
