//! The Lambda function, in the emulator of its runtime's own project, between a queue and the
//! stand-in.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use loader_tests::{Place, code, program, world};
use serde_json::{Value, json};
use tempfile::TempDir;

use loader_tests::queue::{Queue, told, told_of};

const TABLES: &str = "[tables.t]\nfiles = 't_*.csv'\nupsert-keys = ['id']\n[tables.u]\nfiles = \
                      'u_*.csv'\n[tables.frozen]\nfiles = 'f_*.csv'\nschema-policy = 'freeze'\n";

/// The time that the emulator gives the function, and what a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// The function and the emulator. Both end with the value.
struct Function {
    emulator: Child,
    function: Child,
    address: String,
    folder: TempDir,
}

impl Function {
    fn start(place: &Place, arguments: &[&str]) -> Function {
        let emulator = std::env::var_os("LOADER_TEST_CARGO_LAMBDA");
        let mut command = Command::new(emulator.unwrap_or_else(|| "cargo-lambda".into()));
        command.args(["lambda", "watch", "--only-lambda-apis", "--color", "never"]);
        command.args(["--invoke-address", "127.0.0.1", "--invoke-port", &free_port().to_string()]);
        let mut emulator = command
            .current_dir(loader_tests::root())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("cargo-lambda must be there, `cargo xtask test` installs it");
        let said = BufReader::new(emulator.stdout.take().expect("its stdout"));
        let mut lines = said.lines().map_while(Result::ok);
        let started = lines.find_map(|line| Some(line.split_once("runtime_addr=")?.1.to_owned()));
        let address = started.expect("it starts").trim().to_owned();
        std::thread::spawn(move || lines.for_each(drop));

        let folder = tempfile::tempdir().expect("a folder");
        let (bucket, schema) = (&place.name, place.schema());
        let all = format!("src-bucket = {bucket:?}\nschema-name = {schema:?}\n{TABLES}");
        std::fs::write(folder.path().join("loader.toml"), all).expect("writes");
        let log = std::fs::File::create(folder.path().join("log")).expect("a file");
        let mut command = Command::new(program().with_file_name("loader-lambda"));
        command.args(arguments).current_dir(folder.path());
        command.env("LOADER_LOCAL", world().dir()).stdout(Stdio::null()).stderr(log);
        command.env("AWS_LAMBDA_RUNTIME_API", format!("http://{address}/.rt"));
        for (name, value) in [("NAME", "_"), ("VERSION", "1"), ("MEMORY_SIZE", "1024")] {
            command.env(format!("AWS_LAMBDA_FUNCTION_{name}"), value);
        }
        let function = command.spawn().expect("starts");
        Function { emulator, function, address, folder }
    }

    /// Invokes the function: the status, and its answer.
    fn invoke(&self, event: &Value) -> (u16, Value) {
        let body = event.to_string();
        let mut stream = TcpStream::connect(&self.address).expect("connects");
        stream.set_read_timeout(Some(PATIENCE)).expect("is set");
        let path = "/2015-03-31/functions/_/invocations";
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).expect("sends");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answers in time");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let body = body.lines().find(|line| line.starts_with(['{', 'n', '['])).unwrap_or("null");
        (status.expect("a status"), serde_json::from_str(body).expect("JSON"))
    }

    /// Lets the function have all that is in the queue, as Lambda would. Returns how often it was
    /// invoked.
    fn empty(&self, queue: &mut Queue) -> usize {
        let started = Instant::now();
        for invoked in 0.. {
            if queue.left() == 0 {
                return invoked;
            }
            let event = queue.batch();
            if event["Records"].as_array().is_some_and(Vec::is_empty) {
                std::thread::sleep(Duration::from_millis(50));
            } else {
                let (status, answer) = self.invoke(&event);
                assert_eq!(status, 200, "{answer}\n{}", self.log());
                queue.answered(&answer, &event);
            }
            assert!(started.elapsed() < PATIENCE, "not empty\n{}", self.log());
        }
        unreachable!("the loop has no end")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).expect("the log")
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        for child in [&mut self.function, &mut self.emulator] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port()
}

/// A dead letter as `TABLE EXIT_CODE`, or the start of its error.
fn reasons(mut letters: Vec<Value>) -> String {
    let told =
        |letter: &Value, key: &str| letter["told"][key].as_str().unwrap_or_default().to_owned();
    let reason = |letter: &mut Value| match told(letter, "exit_code").as_str() {
        "" => told(letter, "error").chars().take(64).collect::<String>(),
        code => format!("{} {code}", told(letter, "table")),
    };
    let mut reasons: Vec<String> = letters.iter_mut().map(reason).collect();
    reasons.sort();
    reasons.join("\n")
}

#[test]
fn each_message_of_a_batch_is_answered_as_its_files_did() {
    let place = Place::new("lambda-messages");
    let mut queue = Queue::start(30, 50);
    let function = Function::start(&place, &["--queue-url", &queue.url]);
    let of_bad = told(&place, "u_1.csv");
    place.put("t_1.csv", "id,n\n1,1\n");
    place.put("t_2.csv", "id,n\n1,2\n2,2\n");
    place.put("u_1.csv", "id\n1\n2,3\n");
    place.put("f_1.csv", "id\n1\n");
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
    ]);
    function.empty(&mut queue);
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "2");
    assert_eq!(place.value("SELECT n FROM {s}.t WHERE id = 1"), "2");
    insta::assert_snapshot!(reasons(queue.dead()), @r"
    frozen 5
    it is no notification of S3
    it tells of the bucket another-bucket, not of lambda-messages
    u 3
    ");
}

#[test]
fn without_its_queue_what_failed_comes_again_and_the_rest_is_done() {
    let place = Place::new("lambda-alone");
    let mut queue = Queue::start(30, 3);
    let function = Function::start(&place, &[]);
    let of_bad = told(&place, "u_1.csv");
    place.put("t_1.csv", "id,n\n1,1\n");
    place.put("u_1.csv", "id\n1\n2,3\n");
    queue.send(&[told(&place, "t_1.csv"), of_bad]);
    let event = queue.batch();
    let (status, answer) = function.invoke(&event);
    assert_eq!(status, 200, "{answer}\n{}", function.log());
    let failed = answer["batchItemFailures"].as_array().expect("a list");
    let bad = event["Records"].as_array().expect("records").iter();
    let bad = bad.filter(|record| record["body"].to_string().contains("u_1.csv"));
    let bad: Vec<Value> = bad.map(|bad| json!({"itemIdentifier": bad["messageId"]})).collect();
    assert_eq!(failed, &bad, "{event}");
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "1");
    // The queue itself makes it a dead letter, once it has come often enough.
    queue.answered(&answer, &event);
    function.empty(&mut queue);
    assert_eq!(queue.dead().len(), 1);
}

#[test]
fn what_is_too_large_goes_to_others_and_what_must_come_after_it_does_too() {
    let place = Place::new("lambda-large");
    let mut queue = Queue::start(30, 50);
    let (url, large_url) = (queue.url.clone(), queue.large_url());
    let arguments = ["--queue-url", &url, "--lambda-too-large-queue-url", &large_url];
    let limit = ["--lambda-largest-file", "100", "--file-order", "name"];
    let function = Function::start(&place, &[arguments.as_slice(), &limit].concat());
    let large: String = (0..50).map(|n| format!("{n},2\n")).collect();
    place.put("t_1.csv", "id,n\n1,1\n");
    place.put("t_2.csv", format!("id,n\n{large}"));
    place.put("t_3.csv", "id,n\n1,3\n");
    // Rows that are appended may come in any order.
    place.put("u_1.csv", format!("id,n\n{large}"));
    place.put("u_2.csv", "id,n\n1,3\n");
    let names = ["t_3.csv", "t_1.csv", "t_2.csv", "u_2.csv", "u_1.csv"];
    queue.send(&names.map(|name| told(&place, name)));
    function.empty(&mut queue);
    assert_eq!(place.value("SELECT n FROM {s}.t"), "1");
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.u"), "1");
    let left: Vec<String> =
        place.keys().into_iter().filter(|key| key.starts_with("data/in/")).collect();
    assert_eq!(left, ["data/in/t_2.csv", "data/in/t_3.csv", "data/in/u_1.csv"]);
    insta::assert_snapshot!(reasons(queue.large()), @r"
    the file comes after t_2.csv, which has more than 100 bytes
    the file has 245 bytes, more than 100
    the file has 245 bytes, more than 100
    ");
}

#[test]
fn files_that_are_held_keep_no_others_from_their_turn() {
    let place = Place::new("lambda-held");
    let mut queue = Queue::start(30, 50);
    let url = queue.url.clone();
    // Room for one of these files in a turn.
    let arguments =
        ["--queue-url", &url, "--lambda-largest-file", "12", "--file-order=name", "--plugins=none"];
    let function = Function::start(&place, &arguments);
    place.execute(&format!("CREATE TABLE {}.frozen (id INTEGER)", place.schema()));
    for name in ["f_1.csv", "f_2.csv"] {
        place.put(name, "id,n\n1,1\n");
    }
    place.put("f_3.csv", "id\n7\n");
    place.put("t_1.csv", "id,n\n1,1\n");
    // One message may tell of files of several tables.
    let body = |name: &str| serde_json::from_str::<Value>(&told(&place, name)).expect("JSON");
    let (mut both, other) = (body("f_3.csv"), body("t_1.csv"));
    both["Records"].as_array_mut().expect("records").push(other["Records"][0].clone());
    queue.send(&[told(&place, "f_1.csv"), told(&place, "f_2.csv"), both.to_string()]);
    let invoked = function.empty(&mut queue);
    let loaded = place.value("SELECT COUNT(*) FROM {s}.frozen WHERE id = 7");
    assert_eq!(loaded, "1", "{}\n{:?}", function.log(), queue.dead());
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "1");
    assert_eq!(reasons(queue.dead()), "frozen 5\nfrozen 5");
    assert!(invoked <= 6, "{invoked} invocations\n{}", function.log());
    let listings = function.log().matches("\"run started\"").count();
    assert!(listings <= 12, "{listings} runs\n{}", function.log());
}

#[test]
fn notifications_without_a_queue_and_rounds_are_done_or_fail() {
    let place = Place::new("lambda-rounds");
    let function = Function::start(&place, &[]);
    let of_bad: Value = serde_json::from_str(&told(&place, "u_1.csv")).expect("JSON");
    place.put("u_1.csv", "id\n1\n2,3\n");
    place.put("t_1.csv", "id,n\n1,1\n");
    let schedule = json!({"source": "aws.events", "detail-type": "Scheduled Event"});
    let (status, answer) = function.invoke(&schedule);
    assert_eq!((status, answer), (200, Value::Null), "{}", function.log());
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "1");
    // What was refused stays so for whoever tells of it.
    let (_, answer) = function.invoke(&of_bad);
    let error = answer["errorMessage"].as_str().unwrap_or_default();
    assert!(error.contains("data/unprocessed/"), "{answer}\n{}", function.log());
    assert_eq!(answer["errorType"], "Data", "{answer}");
    place.put("t_2.csv", "id,n\n2,1\n");
    let of_good: Value = serde_json::from_str(&told(&place, "t_2.csv")).expect("JSON");
    assert_eq!(function.invoke(&of_good), (200, Value::Null));
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "2");
    let (_, answer) = function.invoke(&json!({"a": 1}));
    assert_eq!(answer["errorType"], "Data", "{answer}");
}

#[test]
fn outside_of_lambda_it_says_what_to_use() {
    let mut command = Command::new(program().with_file_name("loader-lambda"));
    let ended = command.env_remove("AWS_LAMBDA_RUNTIME_API").output().expect("it runs");
    assert_eq!(code(ended.status), 2);
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("elsewhere, `loader watch` does the same"), "{said}");
}
