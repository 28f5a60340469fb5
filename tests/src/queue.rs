//! A queue that is not ours, and what S3 would tell it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::{Place, world};
use serde_json::{Value, json};

/// A queue of SQS with a dead letter queue. It ends with the value.
pub struct Queue {
    server: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
    pub url: String,
}

impl Queue {
    /// `visibility`: seconds. `most_tries`: how often a message may come before it is a dead letter.
    pub fn start(visibility: u32, most_tries: u32) -> Queue {
        let python = std::env::var_os("LOADER_TEST_PYTHON").unwrap_or_else(|| "python3".into());
        let mut command = Command::new(python);
        command.arg(crate::root().join("tests/data/sqs_server.py"));
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

    pub fn send(&mut self, bodies: &[String]) {
        self.ask(&json!({ "send": bodies }));
    }

    /// How many messages there are, also those that somebody works on.
    pub fn left(&mut self) -> u64 {
        self.ask(&json!({ "left": true })).as_u64().expect("a number")
    }

    /// The queue for the messages of large files, and those that it has had.
    pub fn large_url(&self) -> String {
        let (before, _) = self.url.rsplit_once('/').expect("a name");
        format!("{before}/large")
    }

    pub fn large(&mut self) -> Vec<Value> {
        self.ask(&json!({ "large": true })).as_array().expect("a list").clone()
    }

    /// The event that Lambda would make of the next messages.
    pub fn batch(&mut self) -> Value {
        self.ask(&json!({ "batch": true }))
    }

    /// Does with the messages of an event what Lambda does when the function has answered.
    pub fn answered(&mut self, answer: &Value, event: &Value) {
        self.ask(&json!({ "answered": [answer, event] }));
    }

    /// The dead letters so far.
    pub fn dead(&mut self) -> Vec<Value> {
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
pub fn told(place: &Place, name: &str) -> String {
    told_of(&place.name, name)
}

pub fn told_of(bucket: &str, name: &str) -> String {
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
