//! A queue that is not ours, and what S3 would tell it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use loader_tests::{Place, world};
use serde_json::{Value, json};

/// A queue of SQS with a dead letter queue. It ends with the value.
pub(super) struct Queue {
    server: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
    pub(super) url: String,
}

impl Queue {
    /// `visibility`: seconds. `most_tries`: how often a message may come before it is a dead letter.
    pub(super) fn start(visibility: u32, most_tries: u32) -> Queue {
        let python = std::env::var_os("LOADER_TEST_PYTHON").unwrap_or_else(|| "python3".into());
        let mut command = Command::new(python);
        command.arg(loader_tests::root().join("tests/data/sqs_server.py"));
        command.args([visibility.to_string(), most_tries.to_string()]);
        command.arg(&world().endpoints().region);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut server = command.spawn().expect("python3 starts");
        let asks = server.stdin.take().expect("its stdin");
        let mut answers = BufReader::new(server.stdout.take().expect("its stdout"));
        let mut url = String::new();
        answers.read_line(&mut url).expect("a URL");
        assert!(!url.is_empty(), "moto must be there, `cargo xtask test` installs it");
        Queue { server, asks, answers, url: url.trim().to_owned() }
    }

    fn ask(&mut self, what: &Value) -> Value {
        writeln!(self.asks, "{what}").expect("the server reads");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("an answer");
        serde_json::from_str(&line).expect("JSON")
    }

    pub(super) fn send(&mut self, bodies: &[String]) {
        self.ask(&json!({ "send": bodies }));
    }

    /// How many messages there are, also those that somebody works on.
    pub(super) fn left(&mut self) -> u64 {
        self.ask(&json!({ "left": true })).as_u64().expect("a number")
    }

    /// The dead letters so far.
    pub(super) fn dead(&mut self) -> Vec<Value> {
        self.ask(&json!({ "dead": true })).as_array().expect("a list").clone()
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// What S3 says of a file that has come to `data/in/` now.
pub(super) fn told(place: &Place, name: &str) -> String {
    told_of(&place.name, name)
}

pub(super) fn told_of(bucket: &str, name: &str) -> String {
    let now = jiff::Timestamp::now().to_string();
    json!({"Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventTime": now,
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": bucket}, "object": {"key": format!("data/in/{name}")}},
    }]})
    .to_string()
}
