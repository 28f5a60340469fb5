//! `loader watch`: files are loaded as they come, and each message ends as its files did.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use loader_tests::{Place, code, program, world};
use tempfile::TempDir;

use loader_tests::queue::{Queue, told, told_of};

/// What a wait may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until something is so. `watch`: what to look at when it does not become so.
fn until(what: &str, watch: &Watch, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        let log = || watch.log();
        assert!(started.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}\n{}", log());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A service that watches a test's bucket. It is killed with the value.
struct Watch {
    child: Child,
    folder: TempDir,
}

impl Watch {
    fn start(place: &Place, tables: &str, arguments: &[&str]) -> Watch {
        let folder = tempfile::tempdir().expect("a folder");
        let (bucket, schema) = (&place.name, place.schema());
        let all = format!("src-bucket = {bucket:?}\nschema-name = {schema:?}\n{tables}");
        std::fs::write(folder.path().join("loader.toml"), all).expect("writes");
        let log = std::fs::File::create(folder.path().join("log")).expect("a file");
        let mut command = Command::new(program());
        command.arg("watch").args(arguments).current_dir(folder.path());
        command.env("LOADER_LOCAL", world().dir()).stdout(Stdio::null()).stderr(log);
        Watch { child: command.spawn().expect("starts"), folder }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).expect("the log")
    }

    /// The address at which the page is shown.
    fn address(&self) -> String {
        let address = || {
            let log = self.log();
            let line = log.lines().find(|line| line.contains("the page is shown"))?.to_owned();
            let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
            Some(line["address"].as_str().expect("a text").to_owned())
        };
        until("the page is shown", self, || address().is_some());
        address().expect("it is in the log")
    }

    fn stop(mut self) -> (i32, String) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("is sent");
        let status = self.child.wait().expect("it ends");
        (code(status), self.log())
    }

    fn kill(mut self) {
        self.child.kill().expect("is killed");
        self.child.wait().expect("is gone");
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks by HTTP: the status, and the body.
fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("connects");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("sends");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("reads");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), body.to_owned())
}

/// The value of a metric, whose line begins so.
fn metric(text: &str, beginning: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with(beginning))?;
    line.rsplit(' ').next()?.parse().ok()
}

fn pending(place: &Place) -> usize {
    place.keys().iter().filter(|key| key.starts_with("data/in/")).count()
}

const TABLES: &str = "[tables.t]\nfiles = 't_*.csv'\nupsert-keys = ['id']\n[tables.u]\nfiles = \
                      'u_*.csv'\n[tables.frozen]\nfiles = 'f_*.csv'\nschema-policy = 'freeze'\n\
                      [tables.v]\nfiles = 'v_*.csv'\nupsert-keys = ['id']\n";

#[test]
fn each_message_ends_as_its_files_did() {
    let place = Place::new("watch-messages");
    let mut queue = Queue::start(2, 50);
    let watch = Watch::start(
        &place,
        TABLES,
        &["--queue-url", &queue.url, "--http", "127.0.0.1:0", "--look-every", "3600"],
    );
    let address = watch.address();
    let of_bad = told(&place, "u_1.csv");
    place.put("t_1.csv", "id,n\n1,1\n");
    place.put("t_2.csv", "id,n\n1,2\n2,2\n");
    place.put("u_1.csv", "id\n1\n2,3\n");
    place.put("f_1.csv", "id\n1\n");
    let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"x"}"#;
    queue.send(&[
        told(&place, "t_2.csv"),
        told(&place, "t_1.csv"),
        told(&place, "t_1.csv"),
        of_bad,
        told(&place, "f_1.csv"),
        told(&place, "never_there.csv"),
        told(&place, "t_gone.csv"),
        told_of("another-bucket", "t_1.csv"),
        "no notification".to_owned(),
        test.to_owned(),
    ]);
    until("the queue is empty", &watch, || queue.left() == 0);
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "2");
    let mut dead: Vec<String> = queue
        .dead()
        .iter()
        .map(|letter| {
            let told = |key: &str| letter["told"][key].as_str().unwrap_or_default().to_owned();
            // A file that was refused before its message came has another reason than one that
            // was refused with it.
            match told("table").as_str() {
                "" => told("error").chars().take(32).collect(),
                table => format!("{table} {}", told("exit_code")),
            }
        })
        .collect();
    dead.sort();
    insta::assert_snapshot!(dead.join("\n"), @r"
    frozen 5
    it is no notification of S3
    it tells of the bucket another-b
    u 3
    ");

    let (status, health) = get(&address, "/healthz");
    assert_eq!(status, 200, "{health}");
    assert!(health.contains(r#""status":"ok""#), "{health}");
    let (_, metrics) = get(&address, "/metrics");
    let value = |beginning: &str| metric(&metrics, beginning);
    assert_eq!(value("loader_files_total{outcome=\"loaded\",table=\"t\""), Some(2.0), "{metrics}");
    assert_eq!(value("loader_files_total{outcome=\"failed\",table=\"u\""), Some(1.0), "{metrics}");
    assert_eq!(value("loader_messages_total{verdict=\"acknowledged\""), Some(6.0), "{metrics}");
    assert_eq!(value("loader_messages_total{verdict=\"dead_lettered\""), Some(4.0), "{metrics}");
    assert_eq!(value("loader_messages_in_hand"), Some(0.0), "{metrics}");
    let (status, page) = get(&address, "/");
    assert_eq!(status, 200, "{page}");
    for part in ["watching since", "t_<wbr>2<wbr>.csv", "Not loaded now", "u_<wbr>1<wbr>.csv"] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert_eq!(get(&address, "/other").0, 404);
    let (code, log) = watch.stop();
    assert_eq!(code, 0, "{log}");
    assert!(log.contains("stopped in order"), "{log}");
}

#[test]
fn fifty_files_survive_disorder_kills_and_company() {
    let place = Place::new("watch-fifty");
    let mut queue = Queue::start(2, 1000);
    let arguments = ["--queue-url", &queue.url.clone(), "--look-every", "2"];
    let mut first = Watch::start(&place, TABLES, &arguments);
    let second = Watch::start(&place, TABLES, &arguments);
    // Each key is in two files, so that a file that is loaded twice or not at all shows.
    let names: Vec<String> = (0..48).map(|n| format!("t_{:02}.csv", n * 29 % 48)).collect();
    let mut rows = 0;
    for (n, name) in names.iter().enumerate() {
        let lines: String = (0..200).map(|row| format!("{},{n}\n", n * 100 + row)).collect();
        rows = n * 100 + 200;
        place.put(name, format!("id,n\n{lines}"));
        let mut told: Vec<String> = vec![told(&place, name)];
        if n % 3 == 0 {
            // Once more, and a late one.
            told.push(told[0].clone());
            told.push(loader_tests::queue::told(&place, &names[n / 2]));
        }
        if n % 5 != 0 {
            queue.send(&told);
        }
        if n == 20 {
            first.kill();
            first = Watch::start(&place, TABLES, &arguments);
        }
    }
    // One is replaced while it is read, and what is loaded in the end is what came last.
    let version = |n: u32| {
        let lines: String = (0..200_000).map(|row| format!("{row},{n}\n")).collect();
        format!("id,n\n{lines}")
    };
    place.put("v_1.csv", version(1));
    queue.send(&[told(&place, "v_1.csv")]);
    let is_read = |watch: &Watch| {
        let log = watch.log();
        log.lines().any(|line| line.contains("run started") && line.contains("v_1.csv"))
    };
    until("the file is read", &second, || is_read(&first) || is_read(&second));
    place.put("v_1.csv", version(2));
    queue.send(&[told(&place, "v_1.csv")]);
    for bad in ["u_1.csv", "u_2.csv"] {
        // S3 gives the time at which the file came, and a watcher may be quicker than the message.
        let message = told(&place, bad);
        place.put(bad, "id\n1\n2,3\n");
        queue.send(&[message]);
    }
    until("all files are loaded", &second, || pending(&place) == 0 && queue.left() == 0);
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), rows.to_string());
    let of_v = "SELECT COUNT(*) || ' ' || MIN(n) || ' ' || MAX(n) FROM {s}.v";
    assert_eq!(place.value(of_v), "200000 2 2");
    let sources = "SELECT COUNT(*) FROM {s}.job_sts WHERE status = 'SUCCESS' AND \
                   source_filename LIKE 't%'";
    assert_eq!(place.value(sources), "48");
    let archived = |beginning: &str| {
        let keys = place.keys().into_iter().filter(|key| key.starts_with("data/archive/"));
        keys.filter(|key| key.contains(&format!("/{beginning}_"))).count()
    };
    assert_eq!(archived("t"), 48);
    // Of the other one both versions, where the first was read to its end.
    assert!((1..=2).contains(&archived("v")), "{:?}", place.keys());
    let dead = queue.dead();
    for bad in ["u_1.csv", "u_2.csv"] {
        let of_bad = dead.iter().filter(|letter| letter["body"].to_string().contains(bad));
        assert!(of_bad.count() >= 1, "{dead:?}");
    }
    assert!(dead.iter().all(|letter| letter["told"]["table"] == "u"), "{dead:?}");
    for watch in [first, second] {
        let (code, log) = watch.stop();
        assert_eq!(code, 0, "{log}");
    }
}

#[test]
fn without_a_queue_the_bucket_is_looked_at_again_and_again() {
    let place = Place::new("watch-polls");
    let watch = Watch::start(&place, TABLES, &["--look-every", "1"]);
    for n in 0..3 {
        place.put(&format!("t_{n}.csv"), format!("id,n\n{n},1\n"));
        until("the file is loaded", &watch, || pending(&place) == 0);
    }
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "3");
    let (code, log) = watch.stop();
    assert_eq!(code, 0, "{log}");
    // A watcher lets the ledger forget what is older than the settings say.
    let schema = place.schema();
    for table in ["loader_loads", "loader_fence_t"] {
        let older =
            format!("UPDATE {schema}.{table} SET loaded_at = loaded_at - INTERVAL '9 days'");
        place.execute(&older);
    }
    let watch = Watch::start(&place, TABLES, &["--look-every", "1", "--ledger-days", "5"]);
    until("old loads are forgotten", &watch, || watch.log().contains("old loads were forgotten"));
    for (table, left) in [("loader_loads", "1"), ("loader_fence_t", "0")] {
        assert_eq!(place.value(&format!("SELECT COUNT(*) FROM {{s}}.{table}")), left, "{table}");
    }
    drop(watch);
    // Without tables that have files there is nothing to watch.
    let mut nothing = Watch::start(&place, "[tables.t]\n", &[]);
    let status = nothing.child.wait().expect("it ends");
    assert_eq!(loader_tests::code(status), 2, "{}", nothing.log());
    assert!(nothing.log().contains("no table of the settings file has `files`"));
}
