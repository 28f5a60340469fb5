//! A real cluster of Apache Spark for the tests: a master and two workers on different hosts of the
//! loopback network, and a driver that loads whatever it is told.
//!
//! The cluster is started by the first test that asks for it, and ends with the test program.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{LazyLock, Mutex, PoisonError};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Ended, program, root};

/// The variable that names the Pythons that have PySpark: one for each version.
const PYTHONS: &str = "LOADER_TEST_SPARK";

/// The Pythons that have PySpark; none where Java or PySpark cannot be had.
pub fn pythons() -> Vec<PathBuf> {
    let named = std::env::var(PYTHONS).unwrap_or_default();
    named.split(':').filter(|path| !path.is_empty()).map(PathBuf::from).collect()
}

/// A running cluster. Its processes end with this value.
pub struct Cluster {
    python: PathBuf,
    master_url: String,
    processes: Vec<Ending>,
    /// Where executors work and log.
    folder: TempDir,
}

/// A process that ends with this value.
pub struct Ending(pub Child);

impl Drop for Ending {
    fn drop(&mut self) {
        // What has ended needs no end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Cluster {
    /// Starts a master and two workers of one core each.
    pub fn start(python: &Path) -> Cluster {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut cluster = Cluster {
            python: python.to_owned(),
            master_url: String::new(),
            processes: Vec::new(),
            folder,
        };
        let master =
            ["org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", "0"];
        let mut log = cluster.spawn("127.0.0.1", &master);
        let line = wait_for(&mut log, "Starting Spark master at");
        cluster.master_url = line.rsplit(' ').next().unwrap_or_default().to_owned();
        drain(log);
        for host in ["127.0.0.2", "127.0.0.3"] {
            cluster.add_worker(host);
        }
        cluster
    }

    /// Starts a worker of one core on a host.
    pub fn add_worker(&mut self, host: &str) {
        let (url, work) = (self.master_url.clone(), self.folder.path().join(host));
        let work = work.to_string_lossy().into_owned();
        let worker = [
            "org.apache.spark.deploy.worker.Worker",
            "--host",
            host,
            "--cores",
            "1",
            "--memory",
            "1g",
            "--work-dir",
            &work,
            &url,
        ];
        let mut log = self.spawn(host, &worker);
        wait_for(&mut log, "Successfully registered with master");
        drain(log);
    }

    fn spawn(
        &mut self,
        host: &str,
        arguments: &[&str],
    ) -> Lines<BufReader<std::process::ChildStderr>> {
        let home = spark_home(&self.python);
        let mut command = Command::new(home.join("bin/spark-class"));
        command.args(arguments).args(["--webui-port", "0"]);
        let command = with_environment(&mut command, &self.python).env("SPARK_LOCAL_IP", host);
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("Spark starts");
        let log = process.stderr.take().expect("a pipe");
        self.processes.push(Ending(process));
        BufReader::new(log).lines()
    }

    /// Starts a driver with settings of Spark.
    pub fn driver(&self, settings: &[&str]) -> Driver {
        let mut command = self.script(&root().join("tests/spark/driver.py"), &[]);
        command.args(settings);
        Driver::start(command)
    }

    /// Runs a script as a driver, to its end. It gets the arguments, and then settings of Spark.
    pub fn run(&self, script: &Path, arguments: &[&str]) -> Ended {
        crate::run(&mut self.script(script, arguments))
    }

    fn script(&self, script: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(script).args(arguments);
        command.arg(format!("spark.master={}", self.master_url));
        command.args(["spark.executor.memory=512m", "spark.ui.enabled=false"]);
        with_environment(&mut command, &self.python).env("SPARK_LOCAL_IP", "127.0.0.1");
        command
    }
}

/// A server of Sail, which speaks to clients of Spark and is none.
pub struct Sail {
    python: PathBuf,
    url: String,
    _process: Ending,
}

impl Sail {
    /// Starts the server that comes with a Python; `None`: there is none.
    pub fn start(python: &Path) -> Option<Sail> {
        let program = python.with_file_name("sail");
        if !program.exists() {
            return None;
        }
        // Nobody else takes the port in the moment between.
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let port = port.expect("a port").port();
        let mut command = Command::new(program);
        command.args(["spark", "server", "--ip", "127.0.0.1", "--port", &port.to_string()]);
        with_environment(&mut command, python);
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("Sail starts");
        let mut log = BufReader::new(process.stderr.take().expect("a pipe")).lines();
        let _process = Ending(process);
        wait_for(&mut log, "Starting the Spark Connect server");
        drain(log);
        let url = format!("sc://127.0.0.1:{port}");
        Some(Sail { python: python.to_owned(), url, _process })
    }

    /// Starts a driver.
    pub fn driver(&self) -> Driver {
        Driver::start(self.script(&root().join("tests/spark/driver.py"), &[]))
    }

    /// Runs a script as a driver, to its end.
    pub fn run(&self, script: &Path, arguments: &[&str]) -> Ended {
        crate::run(&mut self.script(script, arguments))
    }

    fn script(&self, script: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(script).args(arguments).arg(format!("spark.remote={}", self.url));
        with_environment(&mut command, &self.python);
        command
    }
}

/// The folder of Spark in the Python's packages.
fn spark_home(python: &Path) -> PathBuf {
    let print = "import os, pyspark; print(os.path.dirname(pyspark.__file__))";
    let said = Command::new(python).args(["-c", print]).output().expect("Python runs");
    PathBuf::from(String::from_utf8_lossy(&said.stdout).trim())
}

fn with_environment<'a>(command: &'a mut Command, python: &Path) -> &'a mut Command {
    command
        .env("SPARK_HOME", spark_home(python))
        .env("PYSPARK_PYTHON", python)
        .env("PYTHONPATH", root().join("spark/src"))
        .env("LOADER_PROGRAM", program())
}

fn wait_for<R: std::io::Read>(log: &mut Lines<BufReader<R>>, words: &str) -> String {
    let mut all = Vec::new();
    for line in log.map_while(Result::ok) {
        if line.contains(words) {
            return line;
        }
        all.push(line);
    }
    panic!("a process of Spark never said `{words}`:\n{}", all.join("\n"))
}

/// Reads on, so that a process that logs does not wait for a reader.
fn drain<R: std::io::Read + Send + 'static>(log: Lines<BufReader<R>>) {
    std::thread::spawn(move || log.for_each(drop));
}

/// A driver of Spark that loads.
pub struct Driver {
    process: Mutex<Ending>,
    orders: Mutex<ChildStdin>,
    waiting: std::sync::Arc<Mutex<Waiting>>,
    folder: TempDir,
    pub version: String,
}

/// Who waits for the end of which load.
#[derive(Default)]
struct Waiting {
    next: u64,
    senders: BTreeMap<u64, Sender<i32>>,
}

impl Driver {
    fn start(mut command: Command) -> Driver {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.stderr(Stdio::null()).spawn().expect("Python starts");
        let orders = Mutex::new(process.stdin.take().expect("a pipe"));
        let mut answers = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let hello = answers.next().and_then(Result::ok).expect("the driver says hello");
        let hello: Value = serde_json::from_str(&hello).expect("JSON");
        let waiting = std::sync::Arc::new(Mutex::new(Waiting::default()));
        let heard = std::sync::Arc::clone(&waiting);
        std::thread::spawn(move || {
            for answer in answers.map_while(Result::ok) {
                let answer: Value = serde_json::from_str(&answer).expect("JSON");
                let number = answer["number"].as_u64().expect("a number");
                let sender = lock(&heard).senders.remove(&number);
                let code = answer["code"].as_i64().and_then(|code| i32::try_from(code).ok());
                // A test that has ended does not hear it.
                sender.map(|sender| sender.send(code.unwrap_or(-1)));
            }
            // Whoever waits sees that nothing comes.
            lock(&heard).senders.clear();
        });
        Driver {
            process: Mutex::new(Ending(process)),
            orders,
            waiting,
            folder: tempfile::tempdir().expect("a temporary folder"),
            version: hello["version"].as_str().unwrap_or_default().to_owned(),
        }
    }

    /// Runs a command line of the program on the cluster, to its end.
    pub fn run(&self, command: &Command) -> Ended {
        self.begin(command).wait()
    }

    /// Begins to run a command line on the cluster.
    pub fn begin(&self, command: &Command) -> Load {
        let (number, ends) = {
            let (sender, receiver) = channel();
            let mut waiting = lock(&self.waiting);
            waiting.next += 1;
            let number = waiting.next;
            waiting.senders.insert(number, sender);
            (number, receiver)
        };
        let path = |name: &str| self.folder.path().join(format!("{number}.{name}"));
        let arguments = command.get_args().map(|argument| argument.to_string_lossy());
        let env: BTreeMap<_, _> = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_string_lossy(), value?.to_string_lossy())))
            .collect();
        let order = json!({
            "number": number,
            "arguments": arguments.collect::<Vec<_>>(),
            "env": env,
            "cwd": std::env::current_dir().expect("a folder"),
            "stdout": path("stdout"),
            "stderr": path("stderr"),
        });
        writeln!(lock(&self.orders), "{order}").expect("the driver listens");
        Load { ends, stdout: path("stdout"), stderr: path("stderr") }
    }

    /// Kills the driver, as a machine does that loses its power.
    pub fn kill(&self) {
        lock(&self.process).0.kill().expect("it runs");
    }
}

/// A load on the cluster.
pub struct Load {
    ends: Receiver<i32>,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Load {
    /// Waits for its end. Its exit code is -1 where the driver ends before.
    pub fn wait(self) -> Ended {
        let code = self.ends.recv().unwrap_or(-1);
        let text = |path: &Path| {
            String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
        };
        Ended { code, stdout: text(&self.stdout), stderr: text(&self.stderr) }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

static CLUSTER: LazyLock<(Mutex<Cluster>, Driver)> = LazyLock::new(|| {
    let pythons = pythons();
    let python = pythons.first().expect("a Python that has PySpark");
    let cluster = Cluster::start(python);
    let driver = cluster.driver(&[]);
    (Mutex::new(cluster), driver)
});

/// The driver of the cluster that most tests share.
pub fn driver() -> &'static Driver {
    &CLUSTER.1
}

/// Ends the shared cluster, whose processes would outlive this one.
pub fn end() {
    if let Some((cluster, driver)) = LazyLock::get(&CLUSTER) {
        driver.kill();
        lock(cluster).processes.clear();
    }
}
